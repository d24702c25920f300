/* Playbook files: every key checked, every mistake reported as FILE:LINE. */
#include "response/action.h"
#include "response/playbook_model.h"

#include <string.h>

static const char *const mode_names[] = { "none", "notify", "approve", "auto", NULL };
static const char *const env_names[] = { "production", "staging", "test", "development",
	"sandbox", "other", NULL };
static const char *const level_names[] = { "info", "low", "medium", "high", "critical", NULL };
static const double level_floors[] = { 0, 1, 4, 7, 9 };

const char *playbook_mode_name(enum playbook_mode mode)
{
	return mode_names[mode];
}

enum finding_kind playbook_kind(struct str name)
{
	for (enum finding_kind k = FINDING_INSTANCE; k <= FINDING_OTHER; k++) {
		if (str_is(name, finding_kind_name(k))) {
			return k;
		}
	}
	return FINDING_UNKNOWN;
}

static void get_severity(struct reader *r, const struct reader_place *p, double *out)
{
	struct reader_place at = reader_inside(p, "severity");
	size_t level = 0;

	if (json_is_number(at.value)) {
		*out = json_number_value(at.value);
		if (*out < 0 || *out > 10) {
			reader_wrong(r, at.path, "'severity' must be 0 to 10 or a word");
		}
	} else if (at.value != NULL) {
		reader_word_of(r, p, "severity", level_names, &level);
		*out = level_floors[level];
	}
}

static void get_tags(
	struct reader *r, const struct reader_place *p, const char *key, json_t **out)
{
	struct reader_place at = reader_inside(p, key);
	const char *name = NULL;
	json_t *value = NULL;

	if (at.value != NULL && !json_is_object(at.value)) {
		reader_wrong(r, at.path, "'%s' must be a mapping of tag keys to globs", key);
	}
	json_object_foreach(at.value, name, value)
	{
		if (!json_is_string(value)) {
			reader_wrong(r, reader_inside(&at, name).path,
				"the value of tag '%.60s' must be a text (write it in quotes)",
				name);
		}
	}
	*out = at.value; /* lives as long as the playbook's doc */
}

static void get_kinds(struct reader *r, const struct reader_place *p, const char *key,
	struct reader_words *out)
{
	const char *known[FINDING_OTHER + 1] = { NULL };
	size_t at = 0;

	for (enum finding_kind k = FINDING_INSTANCE; k <= FINDING_OTHER; k++) {
		known[k - FINDING_INSTANCE] = finding_kind_name(k);
	}
	reader_words(r, p, key, out);
	for (size_t i = 0; i < out->n; i++) {
		reader_one_of(r, reader_inside(p, key).path, "resource kind", out->items[i],
			known, &at);
	}
}

/* `other` stands for all but production. */
static void get_environments(
	struct reader *r, const struct reader_place *p, bool out[PLAYBOOK_ENVS])
{
	struct reader_words words = { 0 };

	reader_words(r, p, "environments", &words);
	for (size_t i = 0; i < words.n; i++) {
		size_t at = PLAYBOOK_PRODUCTION;
		reader_one_of(r, reader_inside(p, "environments").path, "environment",
			words.items[i], env_names, &at);
		for (size_t e = 0; e < PLAYBOOK_ENVS; e++) {
			out[e] = out[e] || e == at ||
				 (at == PLAYBOOK_OTHER && e != PLAYBOOK_PRODUCTION);
		}
	}
}

static void read_when(struct reader *r, const struct reader_place *p, struct playbook_when *w)
{
	static const char *const keys[] = { "types", "except", "resources", "accounts",
		"user_types", "environments", "severity", "role", "direction", "key",
		"attacker_address", "public", "tags", "not_tags", NULL };
	static const char *const roles[] = { "", "ACTOR", "TARGET", NULL };
	static const char *const directions[] = { "", "INBOUND", "OUTBOUND", NULL };
	static const char *const key_sorts[] = { "", "long-term", "temporary", NULL };
	size_t role = 0;
	size_t direction = 0;
	size_t sort = 0;

	*w = (struct playbook_when){ .attacker_address = -1, .public_access = -1 };
	if (p->value == NULL) {
		return;
	}
	reader_map(r, p, keys);
	reader_words(r, p, "types", &w->types);
	reader_words(r, p, "except", &w->except);
	reader_words(r, p, "accounts", &w->accounts);
	reader_words(r, p, "user_types", &w->user_types);
	get_kinds(r, p, "resources", &w->kinds);
	get_environments(r, p, w->environments);
	get_severity(r, p, &w->severity);
	reader_word_of(r, p, "role", roles, &role);
	reader_word_of(r, p, "direction", directions, &direction);
	reader_word_of(r, p, "key", key_sorts, &sort);
	reader_flag(r, p, "attacker_address", &w->attacker_address);
	reader_flag(r, p, "public", &w->public_access);
	get_tags(r, p, "tags", &w->tags);
	get_tags(r, p, "not_tags", &w->not_tags);
	w->role = (enum finding_role)role; /* the words stand in the enum's order */
	w->direction = direction > 0 ? directions[direction] : NULL;
	w->key = sort > 0 ? key_sorts[sort] : NULL;
}

/* One mapping, or a list of which any one may hold. */
static void read_answers(struct reader *r, const struct reader_place *top, struct playbook *out)
{
	struct reader_place at = reader_inside(top, "answers");
	bool list = json_is_array(at.value);
	size_t n = list ? reader_list(r, &at) : 1;

	if (at.value == NULL || n == 0) {
		reader_wrong(
			r, "", "'answers' is missing: which findings is this playbook for?");
		return;
	}
	out->answers = reader_alloc(r, n, sizeof(*out->answers));
	for (size_t i = 0; i < n && out->answers != NULL; i++) {
		struct reader_place one = list ? reader_element(&at, i) : at;
		read_when(r, &one, &out->answers[i]);
		if (out->answers[i].types.n == 0) {
			reader_wrong(r, one.path, "'types' is missing in 'answers'");
		}
		out->n_answers++;
	}
}

/* "60m", "24h" or a number of minutes. */
static void get_minutes(struct reader *r, const struct reader_place *p, int64_t *out)
{
	struct reader_place at = reader_inside(p, "until");
	struct str s = str_from(json_string_value(at.value));
	int64_t n = 0;
	int64_t unit = 1;

	if (at.value == NULL) {
		return;
	}
	if (json_is_integer(at.value)) {
		n = json_integer_value(at.value);
	} else if (s.n > 1 && (s.p[s.n - 1] == 'm' || s.p[s.n - 1] == 'h')) {
		unit = s.p[s.n - 1] == 'h' ? 60 : 1;
		if (!str_to_i64(str_sub(s, 0, s.n - 1), &n)) {
			n = 0;
		}
	}
	if (n < 1 || n > 10080 / unit) {
		reader_wrong(r, at.path,
			"'until' must be minutes or hours up to a week, such as 60m");
		return;
	}
	*out = n * unit;
}

static void read_approve(struct reader *r, const struct reader_place *top, struct playbook *out)
{
	static const char *const keys[] = { "who", "until", "on_expiry", NULL };
	static const char *const expiry[] = { "hold", "skip", NULL };
	struct reader_place at = reader_inside(top, "approve");
	size_t end = 0;

	out->until_minutes = 60;
	if (at.value != NULL) {
		reader_map(r, &at, keys);
		reader_words(r, &at, "who", &out->who);
		get_minutes(r, &at, &out->until_minutes);
		reader_word_of(r, &at, "on_expiry", expiry, &end);
	}
	out->on_expiry = expiry[end];
}

static void get_mode(struct reader *r, const struct reader_place *p, const char *key,
	enum playbook_mode *out)
{
	const char *word = NULL;
	size_t mode = PLAYBOOK_NOTIFY;

	reader_text(r, p, key, &word);
	if (word != NULL) {
		reader_one_of(r, reader_inside(p, key).path, "mode", word, mode_names, &mode);
	}
	*out = (enum playbook_mode)mode;
}

/* A row is one mode for all severities or a mode a severity; a severity left out is `notify`. */
static void read_row(struct reader *r, const struct reader_place *matrix, const char *name,
	enum playbook_mode cells[PLAYBOOK_LEVELS])
{
	struct reader_place row = reader_inside(matrix, name);

	if (json_is_string(row.value)) {
		get_mode(r, matrix, name, &cells[0]);
		for (size_t i = 1; i < PLAYBOOK_LEVELS; i++) {
			cells[i] = cells[0];
		}
		return;
	}
	reader_map(r, &row, level_names);
	for (size_t i = 0; i < PLAYBOOK_LEVELS; i++) {
		get_mode(r, &row, level_names[i], &cells[i]);
	}
}

static void read_matrix(struct reader *r, const struct reader_place *at, const char *name,
	struct playbook_matrix *m)
{
	m->name = arena_cstr(r->arena, str_from(name));
	reader_map(r, at, env_names);
	for (size_t e = 0; e < PLAYBOOK_ENVS; e++) {
		m->has[e] = json_object_get(at->value, env_names[e]) != NULL;
		if (m->has[e]) {
			read_row(r, at, env_names[e], m->cell[e]);
		}
	}
	if (!m->has[PLAYBOOK_PRODUCTION]) {
		reader_wrong(r, at->path, "mode matrix '%.60s' has no row 'production'", name);
	}
}

static bool is_mode(const char *word, enum playbook_mode *out)
{
	for (size_t i = 0; mode_names[i] != NULL; i++) {
		if (strcmp(mode_names[i], word) == 0) {
			*out = (enum playbook_mode)i;
			return true;
		}
	}
	return false;
}

static void read_modes(struct reader *r, const struct reader_place *top, struct playbook *out)
{
	struct reader_place at = reader_inside(top, "modes");
	const char *key = NULL;
	json_t *value = NULL;
	enum playbook_mode mode = PLAYBOOK_NONE;
	size_t n = json_object_size(at.value);

	if (at.value != NULL && (!json_is_object(at.value) || n > READER_MAX_ITEMS)) {
		reader_wrong(r, at.path, "'modes' must be a mapping of names to matrices");
		return;
	}
	out->matrices = reader_alloc(r, n + 1, sizeof(*out->matrices));
	if (out->matrices == NULL) {
		return;
	}
	json_object_foreach(at.value, key, value)
	{
		struct reader_place one = reader_inside(&at, key);
		if (is_mode(key, &mode)) {
			reader_wrong(
				r, one.path, "'%s' is a mode: name the matrix otherwise", key);
		}
		read_matrix(r, &one, key, &out->matrices[out->n_matrices++]);
	}
}

/* The text at `key`: a mode, or the name of a matrix. False when it is not there. */
static bool mode_or_matrix(struct reader *r, const struct reader_place *at, const char *key,
	const struct playbook *p, struct playbook_follow_up *out)
{
	const char *known[READER_MAX_WORDS] = { "none", "notify", "approve", "auto" };
	const char *word = NULL;

	reader_text(r, at, key, &word);
	for (size_t i = 0; word != NULL && i < p->n_matrices; i++) {
		if (strcmp(p->matrices[i].name, word) == 0) {
			out->matrix = &p->matrices[i];
		}
		if (4 + i < READER_MAX_WORDS - 1) {
			known[4 + i] = p->matrices[i].name;
		}
	}
	if (word != NULL && out->matrix == NULL && !is_mode(word, &out->mode)) {
		reader_unknown(r, reader_inside(at, key).path, "mode or matrix", word, known);
	}
	return word != NULL;
}

static void read_mode(struct reader *r, const struct reader_place *at, const struct playbook *p,
	struct playbook_step *s)
{
	struct playbook_follow_up got = { PLAYBOOK_NONE, NULL, false };

	if (!mode_or_matrix(r, at, "mode", p, &got)) {
		reader_wrong(r, at->path, "step '%.60s' has no mode", s->id);
	}
	s->mode = got.mode;
	s->matrix = got.matrix;
}

/* Left out, a person is asked. */
static void read_follow_up(struct reader *r, const struct reader_place *top, struct playbook *p)
{
	struct playbook_follow_up *f = &p->follow_up;

	f->mode = PLAYBOOK_APPROVE;
	(void)mode_or_matrix(r, top, "follow_up", p, f);
	f->may_act = f->matrix == NULL && f->mode >= PLAYBOOK_APPROVE;
	for (size_t e = 0; f->matrix != NULL && e < PLAYBOOK_ENVS; e++) {
		for (size_t l = 0; l < PLAYBOOK_LEVELS; l++) {
			f->may_act = f->may_act || f->matrix->cell[e][l] >= PLAYBOOK_APPROVE;
		}
	}
}

static void read_with(
	struct reader *r, const struct reader_place *step, struct playbook_step *s)
{
	static const char *const names[] = { "$actor_ips", NULL };
	struct reader_place at = reader_inside(step, "with");
	const char *key = NULL;
	json_t *value = NULL;
	size_t i = 0;

	if (at.value != NULL && !json_is_object(at.value)) {
		reader_wrong(r, at.path, "'with' must be a mapping");
	}
	json_object_foreach(at.value, key, value)
	{
		const char *text = json_string_value(value);
		if (text != NULL && text[0] == '$') {
			reader_one_of(
				r, reader_inside(&at, key).path, "variable", text, names, &i);
		}
	}
	s->with = at.value;
}

/* The action exists and works on this kind of resource. */
static void check_action(
	struct reader *r, const struct reader_place *at, const struct playbook_step *s)
{
	const char *known[READER_MAX_WORDS] = { NULL };
	const struct action *a = action_find(s->action);
	struct str rest = str_from(a != NULL ? a->kinds : NULL);
	struct str kind;

	for (size_t i = 0; action_all[i] != NULL && i < READER_MAX_WORDS - 1; i++) {
		known[i] = action_all[i]->name;
	}
	if (a == NULL) {
		reader_unknown(r, reader_inside(at, "action").path, "action", s->action, known);
		return;
	}
	while (str_cut(&rest, ' ', &kind)) {
		if (str_is(kind, finding_kind_name(s->on))) {
			return;
		}
	}
	reader_wrong(r, reader_inside(at, "on").path,
		"action '%.60s' does not work on %s (only: %s)", s->action,
		finding_kind_name(s->on), a->kinds);
}

static void read_step(struct reader *r, const struct reader_place *at, const struct playbook *p,
	struct playbook_step *s)
{
	static const char *const keys[] = { "id", "action", "on", "mode", "with", "needs",
		"after", "when", NULL };
	struct reader_words on = { 0 };
	struct reader_place when = reader_inside(at, "when");

	reader_map(r, at, keys);
	reader_text(r, at, "action", &s->action);
	if (s->action == NULL) {
		reader_wrong(r, at->path, "a step without 'action'");
		s->action = "?";
	}
	s->id = s->action;
	reader_text(r, at, "id", &s->id);
	get_kinds(r, at, "on", &on);
	if (on.n != 1) {
		reader_wrong(r, at->path,
			"step '%.60s' must say 'on' which kind of resource it acts", s->id);
		return;
	}
	s->on = playbook_kind(str_from(on.items[0]));
	check_action(r, at, s);
	read_mode(r, at, p, s);
	read_with(r, at, s);
	reader_words(r, at, "needs", &s->needs);
	reader_words(r, at, "after", &s->after);
	read_when(r, &when, &s->when);
}

/* A step may wait only for steps above it: then there are no circles. */
static void check_order(struct reader *r, const struct reader_place *at, const char *key,
	const struct playbook *p, const struct reader_words *ids)
{
	const char *above[READER_MAX_ITEMS + 1] = { NULL };
	size_t found = 0;

	for (size_t k = 0; k < p->n_steps; k++) {
		above[k] = p->steps[k].id;
	}
	for (size_t i = 0; i < ids->n; i++) {
		reader_one_of(r, reader_inside(at, key).path, "earlier step", ids->items[i],
			above, &found);
	}
}

static void read_steps(struct reader *r, const struct reader_place *top, struct playbook *out)
{
	struct reader_place at = reader_inside(top, "steps");
	size_t n = reader_list(r, &at);

	if (at.value == NULL) {
		reader_wrong(
			r, "", "'steps' is missing (write `steps: []` to only tell people)");
	}
	out->steps = reader_alloc(r, n + 1, sizeof(*out->steps));
	for (size_t i = 0; i < n && reader_ok(r); i++) {
		struct playbook_step *s = &out->steps[i];
		struct reader_place one = reader_element(&at, i);
		read_step(r, &one, out, s);
		for (size_t k = 0; k < i; k++) {
			if (strcmp(out->steps[k].id, s->id) == 0) {
				reader_wrong(
					r, one.path, "two steps are called '%.60s'", s->id);
			}
		}
		check_order(r, &one, "needs", out, &s->needs);
		check_order(r, &one, "after", out, &s->after);
		out->n_steps++;
	}
}

static void read_top(struct reader *r, const struct reader_place *top, struct playbook *p)
{
	static const char *const keys[] = { "name", "title", "answers", "approve", "modes",
		"steps", "follow_up", NULL };

	if (!json_is_object(top->value)) {
		reader_wrong(r, "", "a playbook is a mapping with name, title, answers, steps");
		return;
	}
	reader_map(r, top, keys);
	reader_text(r, top, "name", &p->name);
	reader_text(r, top, "title", &p->title);
	if (p->name == NULL || p->title == NULL) {
		reader_wrong(r, "", "'%s' is missing", p->name == NULL ? "name" : "title");
	}
	read_answers(r, top, p);
	read_approve(r, top, p);
	read_modes(r, top, p);
	read_steps(r, top, p);
	read_follow_up(r, top, p);
}

enum err_status playbook_parse(struct arena *arena, struct str text, const char *file,
	struct playbook *out, struct err *err)
{
	struct yaml_doc yaml = { 0 };
	struct playbook p = { .file = arena_cstr(arena, str_from(file)),
		.source = arena_str(arena, text) };
	struct reader r = { arena, &yaml, p.file, err, ERR_OK };

	r.st = yaml_parse(text, file, &yaml, err);
	if (r.st == ERR_OK) {
		struct reader_place top = { yaml.root, "" };
		read_top(&r, &top, &p);
		if (arena->overflow) {
			reader_wrong(&r, "", "the playbooks are too large");
		}
	}
	if (r.st == ERR_OK) {
		p.doc = json_incref(yaml.root);
		*out = p;
	}
	yaml_deinit(&yaml);
	return r.st;
}
