/* Which playbook answers a finding, whether a condition holds, which mode a step has. */
#include "response/playbook_model.h"

#include <string.h>
#include <strings.h>

static bool any_glob(const struct reader_words *globs, struct str s)
{
	for (size_t i = 0; i < globs->n; i++) {
		if (str_glob(str_from(globs->items[i]), s)) {
			return true;
		}
	}
	return false;
}

enum playbook_env playbook_env_of(struct str value)
{
	/* What people write. Anything else is production: a wrong guess must not loosen a guard. */
	static const struct {
		const char *glob;
		enum playbook_env env;
	} words[] = {
		{ "stag*", PLAYBOOK_STAGING },
		{ "stg", PLAYBOOK_STAGING },
		{ "uat", PLAYBOOK_STAGING },
		{ "test", PLAYBOOK_TEST },
		{ "testing", PLAYBOOK_TEST },
		{ "qa", PLAYBOOK_TEST },
		{ "ci", PLAYBOOK_TEST },
		{ "dev", PLAYBOOK_DEVELOPMENT },
		{ "development", PLAYBOOK_DEVELOPMENT },
		{ "sandbox", PLAYBOOK_SANDBOX },
		{ "lab", PLAYBOOK_SANDBOX },
		{ "demo", PLAYBOOK_SANDBOX },
		{ "drill", PLAYBOOK_SANDBOX },
		{ "training", PLAYBOOK_SANDBOX },
	};
	char lower[32];
	value = str_trim(value);
	if (value.n >= sizeof(lower)) {
		return PLAYBOOK_PRODUCTION;
	}
	for (size_t i = 0; i < value.n; i++) {
		char c = value.p[i];
		lower[i] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (str_glob(str_from(words[i].glob), (struct str){ lower, value.n })) {
			return words[i].env;
		}
	}
	return PLAYBOOK_PRODUCTION;
}

/* A tag whose key fits but for its case, or as a glob; NULL when there is none. */
static const json_t *tag_of(json_t *tags, const char *key)
{
	const char *name = NULL;
	json_t *value = NULL;
	const json_t *exact = json_object_get(tags, key);
	if (exact != NULL) {
		return exact;
	}
	json_object_foreach(tags, name, value)
	{
		if (strcasecmp(name, key) == 0 ||
			(strchr(key, '*') != NULL && str_glob(str_from(key), str_from(name)))) {
			return value;
		}
	}
	return NULL;
}

enum playbook_env playbook_env_at(const struct config *config, const struct finding_resource *r)
{
	const char *key =
		config->environment_tag != NULL ? config->environment_tag : "Environment";
	const json_t *value = r != NULL ? tag_of(r->tags, key) : NULL;
	return value == NULL ? PLAYBOOK_PRODUCTION
			     : playbook_env_of(str_from(json_string_value(value)));
}

static bool has_address(const struct finding *f)
{
	for (size_t i = 0; i < f->n_actors; i++) {
		if (f->actors[i].ip.n > 0) {
			return true;
		}
	}
	return false;
}

static bool tags_fit(json_t *globs, const struct finding_resource *r, bool all)
{
	const char *key = NULL;
	json_t *glob = NULL;
	json_object_foreach(globs, key, glob)
	{
		const json_t *value = r != NULL ? tag_of(r->tags, key) : NULL;
		bool fits = value != NULL && str_glob(str_from(json_string_value(glob)),
						     str_from(json_string_value(value)));
		if (fits != all) {
			return !all;
		}
	}
	return all;
}

static bool resource_holds(const struct playbook_when *w, const struct config *config,
	const struct finding_resource *r)
{
	enum playbook_env env = playbook_env_at(config, r);
	bool any = true;

	for (size_t i = 0; i < PLAYBOOK_ENVS; i++) {
		any = any && !w->environments[i];
	}
	if (!any && !w->environments[env]) {
		return false;
	}
	if (w->kinds.n > 0) {
		struct str kind = r != NULL ? str_from(finding_kind_name(r->kind)) : STR("");
		if (!any_glob(&w->kinds, kind)) {
			return false;
		}
	}
	if (w->user_types.n > 0 && (r == NULL || !any_glob(&w->user_types, r->user_type))) {
		return false;
	}
	if (w->key != NULL) {
		struct str prefix = w->key[0] == 'l' ? STR("AKIA") : STR("ASIA");
		if (r == NULL || !str_starts(r->id, prefix)) {
			return false;
		}
	}
	if (w->public_access >= 0 &&
		(r == NULL || r->public_access != (w->public_access == 1))) {
		return false;
	}
	return (w->tags == NULL || tags_fit(w->tags, r, true)) &&
	       (w->not_tags == NULL || !tags_fit(w->not_tags, r, false));
}

/* A type written as GuardDuty writes it, by somebody who is not GuardDuty: only "*" fits. */
static bool type_fits(const struct reader_words *globs, const struct finding *f)
{
	size_t colon = str_find_char(f->type, ':');
	size_t slash = str_find_char(f->type, '/');

	if (f->foreign && colon != SIZE_MAX && slash != SIZE_MAX && colon < slash) {
		return any_glob(globs, STR(""));
	}
	return any_glob(globs, f->type);
}

bool playbook_holds(const struct playbook_when *w, const struct config *config,
	const struct finding *f, const struct finding_resource *r)
{
	if ((w->types.n > 0 && !type_fits(&w->types, f)) || any_glob(&w->except, f->type)) {
		return false;
	}
	if (w->accounts.n > 0 && !any_glob(&w->accounts, f->account)) {
		return false;
	}
	if (f->severity < w->severity || (w->role != FINDING_ROLE_NONE && w->role != f->role)) {
		return false;
	}
	if (w->direction != NULL && !str_is(f->direction, w->direction)) {
		return false;
	}
	if (w->attacker_address >= 0 && has_address(f) != (w->attacker_address == 1)) {
		return false;
	}
	return resource_holds(w, config, r);
}

/* Letters of the longest matching type glob that are no wildcards, then the number of conditions. */
static size_t fitness(const struct playbook_when *w, struct str type)
{
	size_t letters = 0;
	for (size_t i = 0; i < w->types.n; i++) {
		struct str glob = str_from(w->types.items[i]);
		size_t n = 0;
		for (size_t k = 0; k < glob.n; k++) {
			n += glob.p[k] != '*' && glob.p[k] != '?';
		}
		if (n > letters && str_glob(glob, type)) {
			letters = n;
		}
	}
	const bool given[] = { w->kinds.n > 0, w->accounts.n > 0, w->user_types.n > 0,
		w->severity > 0, w->role != FINDING_ROLE_NONE, w->direction != NULL,
		w->key != NULL, w->attacker_address >= 0, w->public_access >= 0,
		w->tags != NULL, w->not_tags != NULL };
	size_t conditions = 0;
	for (size_t i = 0; i < sizeof(given) / sizeof(*given); i++) {
		conditions += given[i] ? 1 : 0;
	}
	for (size_t i = 0; i < PLAYBOOK_ENVS; i++) {
		conditions += w->environments[i] ? 1 : 0;
	}
	return 1 + letters * 64 + conditions;
}

const struct playbook *playbook_choose(
	const struct playbook_set *s, const struct config *config, const struct finding *f)
{
	const struct finding_resource *first = f->n_resources > 0 ? &f->resources[0] : NULL;
	const struct playbook *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < s->n; i++) {
		for (size_t k = 0; k < s->items[i].n_answers; k++) {
			const struct playbook_when *w = &s->items[i].answers[k];
			size_t fit = fitness(w, f->type);
			if (fit > most && playbook_holds(w, config, f, first)) {
				best = &s->items[i];
				most = fit;
			}
		}
	}
	return best;
}

enum playbook_mode playbook_step_mode(const struct playbook_step *step,
	const struct config *config, const struct finding *f, const struct finding_resource *r)
{
	const struct playbook_matrix *m = step->matrix;
	enum playbook_level level = f->severity >= 9   ? PLAYBOOK_CRITICAL
				    : f->severity >= 7 ? PLAYBOOK_HIGH
				    : f->severity >= 4 ? PLAYBOOK_MEDIUM
				    : f->severity >= 1 ? PLAYBOOK_LOW
						       : PLAYBOOK_INFO;
	if (m == NULL) {
		return step->mode;
	}
	enum playbook_env env = playbook_env_at(config, r);
	if (!m->has[env]) {
		env = env != PLAYBOOK_PRODUCTION && m->has[PLAYBOOK_OTHER]
			      ? PLAYBOOK_OTHER
			      : PLAYBOOK_PRODUCTION;
	}
	return m->cell[env][level];
}
