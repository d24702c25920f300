/* Playbook files: every key checked, every mistake reported as FILE:LINE. */
#include "response/action.h"
#include "response/playbook_model.h"

#include <stdio.h>
#include <string.h>

static const char *const mode_names[] = { "none", "notify", "approve", "auto" };
static const char *const env_names[] = { "production", "staging", "test", "development",
	"sandbox", "other" };
static const char *const level_names[] = { "info", "low", "medium", "high", "critical" };
static const double level_floors[] = { 0, 1, 4, 7, 9 };

const char *playbook_mode_name(enum playbook_mode mode)
{
	return mode_names[mode];
}

const char *playbook_env_name(enum playbook_env env)
{
	return env_names[env];
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

static enum err_status get_severity(
	const struct reader *r, const struct reader_place *p, double *out)
{
	struct reader_place at = reader_inside(p, "severity");
	size_t level = 0;
	if (at.map == NULL) {
		return ERR_OK;
	}
	if (json_is_number(at.map)) {
		double v = json_number_value(at.map);
		if (v < 0 || v > 10) {
			return reader_wrong(r, at.path, "'severity' must be 0 to 10 or a word");
		}
		*out = v;
		return ERR_OK;
	}
	const char *word = json_string_value(at.map);
	enum err_status st = reader_one_of(r, at.path, "severity", word ? word : "?",
		level_names, PLAYBOOK_LEVELS, &level);
	if (st == ERR_OK) {
		*out = level_floors[level];
	}
	return st;
}

static enum err_status get_tags(
	const struct reader *r, const struct reader_place *p, const char *key, json_t **out)
{
	struct reader_place at = reader_inside(p, key);
	const char *name = NULL;
	json_t *value = NULL;
	json_t *map = json_object_get(p->map, key);
	if (map == NULL) {
		return ERR_OK;
	}
	if (!json_is_object(map)) {
		return reader_wrong(
			r, at.path, "'%s' must be a mapping of tag keys to globs", key);
	}
	json_object_foreach(map, name, value)
	{
		if (!json_is_string(value)) {
			return reader_wrong(r, reader_inside(&at, name).path,
				"the value of tag '%.60s' must be a text (write it in quotes)",
				name);
		}
	}
	*out = map; /* lives as long as the playbook's doc */
	return ERR_OK;
}

static enum err_status check_kinds(
	const struct reader *r, const char *path, const struct reader_words *kinds)
{
	const char *known[24] = { NULL };
	for (enum finding_kind k = FINDING_INSTANCE; k <= FINDING_OTHER; k++) {
		known[k - FINDING_INSTANCE] = finding_kind_name(k);
	}
	for (size_t i = 0; i < kinds->n; i++) {
		if (playbook_kind(str_from(kinds->items[i])) == FINDING_UNKNOWN) {
			return reader_unknown(r, path, "resource kind", kinds->items[i], known);
		}
	}
	return ERR_OK;
}

static enum err_status read_when(
	const struct reader *r, const struct reader_place *p, struct playbook_when *w)
{
	static const char *const keys[] = { "types", "except", "resources", "accounts",
		"user_types", "environments", "severity", "role", "direction", "key",
		"attacker_address", "public", "tags", "not_tags", NULL };
	static const char *const roles[] = { "ACTOR", "TARGET", NULL };
	static const char *const directions[] = { "INBOUND", "OUTBOUND", NULL };
	static const char *const key_sorts[] = { "long-term", "temporary", NULL };
	enum err_status st = ERR_OK;
	struct reader_words envs = { 0 };
	const char *role = NULL;

	*w = (struct playbook_when){ .attacker_address = -1, .public_access = -1 };
	if (p->map == NULL) {
		return ERR_OK;
	}
	TRY(reader_map(r, p, keys));
	TRY(reader_words(r, p, "types", &w->types));
	TRY(reader_words(r, p, "except", &w->except));
	TRY(reader_words(r, p, "resources", &w->kinds));
	TRY(check_kinds(r, reader_inside(p, "resources").path, &w->kinds));
	TRY(reader_words(r, p, "accounts", &w->accounts));
	TRY(reader_words(r, p, "user_types", &w->user_types));
	TRY(reader_words(r, p, "environments", &envs));
	for (size_t i = 0; i < envs.n; i++) {
		size_t at = 0;
		TRY(reader_one_of(r, reader_inside(p, "environments").path, "environment",
			envs.items[i], env_names, PLAYBOOK_OTHER, &at));
		w->environments[at] = true;
	}
	TRY(get_severity(r, p, &w->severity));
	TRY(reader_word_of(r, p, "role", roles, &role));
	w->role = role == NULL            ? FINDING_ROLE_NONE
		  : strcmp(role, "ACTOR") ? FINDING_ROLE_TARGET
					  : FINDING_ROLE_ACTOR;
	TRY(reader_word_of(r, p, "direction", directions, &w->direction));
	TRY(reader_word_of(r, p, "key", key_sorts, &w->key));
	TRY(reader_flag(r, p, "attacker_address", &w->attacker_address));
	TRY(reader_flag(r, p, "public", &w->public_access));
	TRY(get_tags(r, p, "tags", &w->tags));
	TRY(get_tags(r, p, "not_tags", &w->not_tags));
out:
	return st;
}

/* One mapping, or a list of which any one may hold. */
static enum err_status read_answers(const struct reader *r, const struct reader_place *top)
{
	enum err_status st = ERR_OK;
	struct reader_place at = reader_inside(top, "answers");
	size_t n = json_is_array(at.map) ? json_array_size(at.map) : 1;
	if (at.map == NULL || n == 0) {
		return reader_wrong(
			r, "", "'answers' is missing: which findings is this playbook for?");
	}
	if (n > READER_MAX_ITEMS) {
		return reader_wrong(
			r, at.path, "'answers' has more than %d items", READER_MAX_ITEMS);
	}
	r->out->answers = arena_array(r->arena, n, sizeof(*r->out->answers));
	for (size_t i = 0; i < n && r->out->answers != NULL; i++) {
		struct reader_place one = json_is_array(at.map) ? reader_element(&at, i) : at;
		TRY(read_when(r, &one, &r->out->answers[i]));
		if (r->out->answers[i].types.n == 0) {
			st = reader_wrong(r, one.path, "'types' is missing in 'answers'");
			goto out;
		}
		r->out->n_answers++;
	}
out:
	return st;
}

/* "60m", "24h" or a number of minutes. */
static enum err_status get_minutes(
	const struct reader *r, const struct reader_place *p, int64_t *out)
{
	struct reader_place at = reader_inside(p, "until");
	struct str s = str_from(json_string_value(at.map));
	int64_t n = 0;
	int64_t unit = 1;
	if (at.map == NULL) {
		return ERR_OK;
	}
	if (json_is_integer(at.map)) {
		n = json_integer_value(at.map);
	} else if (s.n > 1 && (s.p[s.n - 1] == 'm' || s.p[s.n - 1] == 'h')) {
		unit = s.p[s.n - 1] == 'h' ? 60 : 1;
		if (!str_to_i64(str_sub(s, 0, s.n - 1), &n)) {
			n = 0;
		}
	}
	if (n < 1 || n > 10080 / unit) {
		return reader_wrong(r, at.path,
			"'until' must be minutes or hours up to a week, such as 60m");
	}
	*out = n * unit;
	return ERR_OK;
}

static enum err_status read_approve(const struct reader *r, const struct reader_place *top)
{
	static const char *const keys[] = { "who", "until", "on_expiry", NULL };
	static const char *const expiry[] = { "hold", "skip", NULL };
	enum err_status st = ERR_OK;
	struct reader_place at = reader_inside(top, "approve");

	r->out->until_minutes = 60;
	r->out->on_expiry = "hold";
	if (at.map != NULL) {
		TRY(reader_map(r, &at, keys));
		TRY(reader_words(r, &at, "who", &r->out->who));
		TRY(get_minutes(r, &at, &r->out->until_minutes));
		TRY(reader_word_of(r, &at, "on_expiry", expiry, &r->out->on_expiry));
	}
out:
	return st;
}

/* A row is one mode for all severities or a mode a severity; a severity left out is `notify`. */
static enum err_status read_row(const struct reader *r, const struct reader_place *row,
	enum playbook_mode cells[PLAYBOOK_LEVELS])
{
	static const char *const keys[] = { "info", "low", "medium", "high", "critical", NULL };
	enum err_status st = ERR_OK;
	size_t mode = PLAYBOOK_NOTIFY;

	if (json_is_string(row->map)) {
		TRY(reader_one_of(r, row->path, "mode", json_string_value(row->map), mode_names,
			4, &mode));
		for (size_t i = 0; i < PLAYBOOK_LEVELS; i++) {
			cells[i] = (enum playbook_mode)mode;
		}
		goto out;
	}
	TRY(reader_map(r, row, keys));
	for (size_t i = 0; i < PLAYBOOK_LEVELS; i++) {
		const char *word = NULL;
		mode = PLAYBOOK_NOTIFY;
		TRY(reader_text(r, row, level_names[i], &word));
		if (word != NULL) {
			TRY(reader_one_of(r, reader_inside(row, level_names[i]).path, "mode",
				word, mode_names, 4, &mode));
		}
		cells[i] = (enum playbook_mode)mode;
	}
out:
	return st;
}

static enum err_status read_matrix(const struct reader *r, const struct reader_place *at,
	const char *name, struct playbook_matrix *m)
{
	static const char *const keys[] = { "production", "staging", "test", "development",
		"sandbox", "other", NULL };
	enum err_status st = ERR_OK;

	m->name = arena_cstr(r->arena, str_from(name));
	TRY(reader_map(r, at, keys));
	for (size_t e = 0; e < PLAYBOOK_ENVS; e++) {
		struct reader_place row = reader_inside(at, env_names[e]);
		if (row.map != NULL) {
			TRY(read_row(r, &row, m->cell[e]));
			m->has[e] = true;
		}
	}
	if (!m->has[PLAYBOOK_PRODUCTION]) {
		st = reader_wrong(
			r, at->path, "mode matrix '%.60s' has no row 'production'", name);
	}
out:
	return st;
}

static enum err_status read_modes(const struct reader *r, const struct reader_place *top)
{
	enum err_status st = ERR_OK;
	struct reader_place at = reader_inside(top, "modes");
	json_t *map = json_object_get(top->map, "modes");
	const char *key = NULL;
	json_t *value = NULL;

	if (map == NULL) {
		return ERR_OK;
	}
	if (!json_is_object(map) || json_object_size(map) > READER_MAX_ITEMS) {
		return reader_wrong(
			r, at.path, "'modes' must be a mapping of names to matrices");
	}
	r->out->matrices =
		arena_array(r->arena, json_object_size(map) + 1, sizeof(*r->out->matrices));
	if (r->out->matrices == NULL) {
		return reader_wrong(r, at.path, "the playbooks are too large");
	}
	json_object_foreach(map, key, value)
	{
		struct reader_place one = reader_inside(&at, key);
		for (size_t i = 0; i < 4; i++) {
			if (strcmp(mode_names[i], key) == 0) {
				return reader_wrong(r, one.path,
					"'%s' is a mode: name the matrix otherwise", key);
			}
		}
		TRY(read_matrix(r, &one, key, &r->out->matrices[r->out->n_matrices]));
		r->out->n_matrices++;
	}
out:
	return st;
}

static enum err_status read_mode(
	const struct reader *r, const struct reader_place *at, struct playbook_step *s)
{
	const char *known[4 + 24] = { "none", "notify", "approve", "auto" };
	const char *word = NULL;
	enum err_status st = reader_text(r, at, "mode", &word);
	if (st != ERR_OK) {
		return st;
	}
	if (word == NULL) {
		return reader_wrong(r, at->path, "step '%.60s' has no mode", s->id);
	}
	for (size_t i = 0; i < 4; i++) {
		if (strcmp(mode_names[i], word) == 0) {
			s->mode = (enum playbook_mode)i;
			return ERR_OK;
		}
	}
	for (size_t i = 0; i < r->out->n_matrices; i++) {
		if (strcmp(r->out->matrices[i].name, word) == 0) {
			s->matrix = &r->out->matrices[i];
			return ERR_OK;
		}
		if (i < 23) {
			known[4 + i] = r->out->matrices[i].name;
		}
	}
	return reader_unknown(r, reader_inside(at, "mode").path, "mode or matrix", word, known);
}

static enum err_status check_with(const struct reader *r, const struct reader_place *at)
{
	static const char *const names[] = { "$actor_ips" };
	struct reader_place with = reader_inside(at, "with");
	json_t *map = json_object_get(at->map, "with");
	const char *key = NULL;
	json_t *value = NULL;
	size_t i = 0;

	if (map != NULL && !json_is_object(map)) {
		return reader_wrong(r, with.path, "'with' must be a mapping");
	}
	json_object_foreach(map, key, value)
	{
		const char *text = json_string_value(value);
		if (text != NULL && text[0] == '$') {
			enum err_status st = reader_one_of(r, reader_inside(&with, key).path,
				"variable", text, names, 1, &i);
			if (st != ERR_OK) {
				return st;
			}
		}
	}
	return ERR_OK;
}

/* Measures of this release that other changes bring; goes when the registry holds them all. */
static const char *const coming[] = { "contain-runbook", "deny-principal-on-bucket",
	"deny-user", "disable-access-key", "disable-login-profile",
	"block-bucket-public-access", "isolate-host", "replace-instance-profile",
	"revoke-role-sessions", NULL };

/* The action exists and works on this kind of resource. */
static enum err_status check_action(
	const struct reader *r, const struct reader_place *at, const struct playbook_step *s)
{
	const struct action *a = action_find(s->action);
	const char *known[128] = { NULL };
	size_t n = 0;

	if (a != NULL) {
		struct str rest = str_from(a->kinds);
		struct str kind;
		while (str_cut(&rest, ' ', &kind)) {
			if (str_is(kind, finding_kind_name(s->on))) {
				return ERR_OK;
			}
		}
		return reader_wrong(r, reader_inside(at, "on").path,
			"action '%.60s' does not work on %s (only: %s)", s->action,
			finding_kind_name(s->on), a->kinds);
	}
	for (size_t i = 0; action_all[i] != NULL && n < 100; i++) {
		known[n++] = action_all[i]->name;
	}
	for (size_t i = 0; coming[i] != NULL; i++) {
		if (strcmp(coming[i], s->action) == 0) {
			return ERR_OK;
		}
	}
	return reader_unknown(r, reader_inside(at, "action").path, "action", s->action, known);
}

static enum err_status read_step(
	const struct reader *r, const struct reader_place *at, struct playbook_step *s)
{
	static const char *const keys[] = { "id", "action", "on", "mode", "with", "needs",
		"after", "when", NULL };
	enum err_status st = ERR_OK;
	struct reader_words on = { 0 };

	TRY(reader_map(r, at, keys));
	TRY(reader_text(r, at, "action", &s->action));
	if (s->action == NULL) {
		st = reader_wrong(r, at->path, "a step without 'action'");
		goto out;
	}
	s->id = s->action;
	TRY(reader_text(r, at, "id", &s->id));
	TRY(reader_words(r, at, "on", &on));
	if (on.n != 1) {
		st = reader_wrong(r, at->path,
			"step '%.60s' must say 'on' which kind of resource it acts", s->id);
		goto out;
	}
	TRY(check_kinds(r, reader_inside(at, "on").path, &on));
	s->on = playbook_kind(str_from(on.items[0]));
	TRY(check_action(r, at, s));
	TRY(read_mode(r, at, s));
	TRY(check_with(r, at));
	s->with = json_object_get(at->map, "with");
	TRY(reader_words(r, at, "needs", &s->needs));
	TRY(reader_words(r, at, "after", &s->after));
	struct reader_place when = reader_inside(at, "when");
	TRY(read_when(r, &when, &s->when));
out:
	return st;
}

/* A step may wait only for steps above it: then there are no circles. */
static enum err_status check_order(const struct reader *r, const struct reader_place *at,
	size_t i, const char *key, const struct reader_words *ids)
{
	const struct playbook_step *steps = r->out->steps;
	const char *known[READER_MAX_ITEMS + 1] = { NULL };
	for (size_t k = 0; k < i; k++) {
		known[k] = steps[k].id;
	}
	for (size_t n = 0; n < ids->n; n++) {
		bool found = false;
		for (size_t k = 0; k < i; k++) {
			found = found || strcmp(steps[k].id, ids->items[n]) == 0;
		}
		if (!found) {
			return reader_unknown(r, reader_inside(at, key).path, "earlier step",
				ids->items[n], known);
		}
	}
	return ERR_OK;
}

static enum err_status read_steps(const struct reader *r, const struct reader_place *top)
{
	enum err_status st = ERR_OK;
	struct reader_place at = reader_inside(top, "steps");
	size_t n = json_array_size(at.map);

	if (at.map == NULL) {
		return reader_wrong(
			r, "", "'steps' is missing (write `steps: []` to only tell people)");
	}
	if (!json_is_array(at.map) || n > READER_MAX_ITEMS) {
		return reader_wrong(r, at.path, "'steps' must be a list of at most %d steps",
			READER_MAX_ITEMS);
	}
	r->out->steps = arena_array(r->arena, n + 1, sizeof(*r->out->steps));
	for (size_t i = 0; i < n && r->out->steps != NULL; i++) {
		struct playbook_step *s = &r->out->steps[i];
		struct reader_place one = reader_element(&at, i);
		TRY(read_step(r, &one, s));
		for (size_t k = 0; k < i; k++) {
			if (strcmp(r->out->steps[k].id, s->id) == 0) {
				st = reader_wrong(
					r, one.path, "two steps are called '%.60s'", s->id);
				goto out;
			}
		}
		TRY(check_order(r, &one, i, "needs", &s->needs));
		TRY(check_order(r, &one, i, "after", &s->after));
		r->out->n_steps++;
	}
out:
	return st;
}

enum err_status playbook_parse(struct arena *arena, struct str text, const char *file,
	struct playbook *out, struct err *err)
{
	static const char *const keys[] = { "name", "title", "answers", "approve", "modes",
		"steps", NULL };
	enum err_status st = ERR_OK;
	struct yaml_doc yaml = { 0 };
	struct playbook p = { .file = arena_cstr(arena, str_from(file)) };
	struct reader r = { arena, &yaml, p.file, &p, err };

	TRY(yaml_parse(text, file, &yaml, err));
	struct reader_place top = { yaml.root, "" };
	if (!json_is_object(top.map)) {
		st = reader_wrong(
			&r, "", "a playbook is a mapping with name, title, answers, steps");
		goto out;
	}
	TRY(reader_map(&r, &top, keys));
	TRY(reader_text(&r, &top, "name", &p.name));
	TRY(reader_text(&r, &top, "title", &p.title));
	if (p.name == NULL || p.title == NULL) {
		st = reader_wrong(&r, "", "'%s' is missing", p.name == NULL ? "name" : "title");
		goto out;
	}
	TRY(read_answers(&r, &top));
	TRY(read_approve(&r, &top));
	TRY(read_modes(&r, &top));
	TRY(read_steps(&r, &top));
	if (arena->overflow) {
		st = reader_wrong(&r, "", "the playbooks are too large");
		goto out;
	}
	p.source = arena_str(arena, text);
	p.doc = json_incref(yaml.root);
	*out = p;
out:
	yaml_deinit(&yaml);
	return st;
}
