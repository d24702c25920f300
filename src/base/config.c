#include "base/config.h"

#include "base/doc.h"
#include "base/log.h"
#include "base/yaml.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BYTES ((size_t)4 * 1024 * 1024)
#define MAX_ITEMS   1000

enum type { TYPE_TEXT, TYPE_INT, TYPE_LIST, TYPE_MODE };

struct key {
	const char *name; /* dotted path in cordon.yaml; CORDON_NAME_WITH_UNDERSCORES outside */
	enum type type;
	size_t offset;
	const char *otherwise; /* default, as text */
	const char *values;    /* "a|b" when only these are allowed */
	int64_t low, high;
	const char *help;
};

#define AT(member) offsetof(struct config, member)

static const struct key keys[] = {
	{ "mode", TYPE_MODE, AT(mode), "observe", "observe|approve|auto", 0, 0,
		N_("What cordon may do by itself: observe (tell only), approve (ask), auto "
		   "(act as the playbooks say)") },
	{ "aws.profile", TYPE_TEXT, AT(profile), NULL, NULL, 0, 0, N_("AWS profile") },
	{ "aws.region", TYPE_TEXT, AT(region), NULL, NULL, 0, 0, N_("AWS region") },
	{ "aws.timeout_seconds", TYPE_INT, AT(aws_timeout_seconds), "60", NULL, 1, 900,
		N_("Seconds without an answer after which a call to AWS is given up") },
	{ "state", TYPE_TEXT, AT(state), NULL, NULL, 0, 0,
		N_("Where cases are kept: sqlite:PATH or dynamodb:TABLE") },
	{ "playbooks", TYPE_TEXT, AT(playbooks), NULL, NULL, 0, 0,
		N_("Folder of playbooks; without it the ones in the program") },
	{ "rules", TYPE_TEXT, AT(rules), NULL, NULL, 0, 0,
		N_("Folder of Sigma rules; without it the ones in the program") },
	{ "placeholders", TYPE_TEXT, AT(placeholders), NULL, NULL, 0, 0,
		N_("YAML file of values for the placeholders in Sigma rules") },
	{ "environment_tag", TYPE_TEXT, AT(environment_tag), "Environment", NULL, 0, 0,
		N_("Tag that names a resource's environment; a resource without it counts as "
		   "production") },
	{ "evidence.bucket", TYPE_TEXT, AT(evidence_bucket), NULL, NULL, 0, 0,
		N_("Bucket with Object Lock where evidence is kept") },
	{ "evidence.prefix", TYPE_TEXT, AT(evidence_prefix), "cordon/", NULL, 0, 0,
		N_("Prefix of evidence keys") },
	{ "evidence.lock_days", TYPE_INT, AT(evidence_lock_days), "90", NULL, 0, 36500,
		N_("Days that evidence is locked; 0 = no lock") },
	{ "evidence.lock_mode", TYPE_TEXT, AT(evidence_lock_mode), "GOVERNANCE",
		"GOVERNANCE|COMPLIANCE", 0, 0, N_("Object Lock mode") },
	{ "evidence.kms_key", TYPE_TEXT, AT(evidence_kms_key), NULL, NULL, 0, 0,
		N_("KMS key ARN for evidence; without it SSE-S3") },
	{ "evidence.window_hours", TYPE_INT, AT(evidence_window_hours), "24", NULL, 1, 2160,
		N_("Hours of logs taken before the first sign") },
	{ "evidence.log_sources", TYPE_LIST, AT(log_sources), NULL, NULL, 0, 0,
		N_("s3://bucket/prefix of CloudTrail, web and host logs") },
	{ "notify.topic_arn", TYPE_TEXT, AT(topic_arn), NULL, NULL, 0, 0,
		N_("SNS topic of the security team") },
	{ "notify.phone_numbers", TYPE_LIST, AT(phone_numbers), NULL, NULL, 0, 0,
		N_("Phone numbers (E.164) for SMS") },
	{ "notify.languages", TYPE_LIST, AT(languages), "en", NULL, 0, 0,
		N_("Languages of the messages: en, es") },
	{ "notify.case_url", TYPE_TEXT, AT(case_url), NULL, NULL, 0, 0,
		N_("Prefix of the links in messages") },
	{ "response.responder_role", TYPE_TEXT, AT(responder_role), "cordon-responder", NULL, 0,
		0,
		N_("Role (name or ARN) that cordon itself works under: what it did is no "
		   "threat") },
	{ "response.quarantine_profile", TYPE_TEXT, AT(quarantine_profile), NULL, NULL, 0, 0,
		N_("Instance profile without rights; without it the profile is only taken "
		   "away") },
	{ "response.ssm_document", TYPE_TEXT, AT(ssm_document), "cordon-isolate", NULL, 0, 0,
		N_("Name of the Systems Manager document") },
	{ "response.isolation_endpoints", TYPE_LIST, AT(isolation_endpoints), NULL, NULL, 0, 0,
		N_("CIDRs (SSM and S3 endpoints) that stay reachable on TCP 443") },
	{ "response.settle_seconds", TYPE_INT, AT(settle_seconds), "20", NULL, 0, 300,
		N_("Age of an isolation at which the host is asked whom it still talks to") },
	{ "response.isolation_groups", TYPE_LIST, AT(isolation_groups), NULL, NULL, 0, 0,
		N_("Security groups without rules, made beforehand for quarantine; verified at "
		   "use") },
	{ "response.waf_ip_sets", TYPE_LIST, AT(waf_ip_sets), NULL, NULL, 0, 0,
		N_("ARNs of WAF IP sets that attackers' addresses go into") },
	{ "response.firewall_rule_groups", TYPE_LIST, AT(firewall_groups), NULL, NULL, 0, 0,
		N_("ARNs of stateful Network Firewall rule groups that drop rules go into") },
	{ "response.approvers", TYPE_LIST, AT(approvers), NULL, NULL, 0, 0,
		N_("Who may approve; printed in messages") },
	{ "approvals.key", TYPE_TEXT, AT(approval_key), NULL, NULL, 0, 0,
		N_("Key that signs approval links, 32 bytes or more: file:PATH or secret:NAME "
		   "(Secrets Manager)") },
	{ "approvals.url", TYPE_TEXT, AT(approval_url), NULL, NULL, 0, 0,
		N_("Address that approval links lead to: the Lambda function URL, or where "
		   "serve.listen is reached") },
	{ "guards.exempt_tags", TYPE_LIST, AT(exempt_tags), NULL, NULL, 0, 0,
		N_("Tags (key or key=value) of resources that are never touched") },
	{ "guards.exempt_accounts", TYPE_LIST, AT(exempt_accounts), NULL, NULL, 0, 0,
		N_("Accounts in which nothing is touched") },
	{ "guards.exempt_types", TYPE_LIST, AT(exempt_types), NULL, NULL, 0, 0,
		N_("Finding types (globs) that are only reported") },
	{ "guards.never_block", TYPE_LIST, AT(never_block), NULL, NULL, 0, 0,
		N_("Addresses and CIDRs that are never blocked") },
	{ "guards.breaker_actions", TYPE_INT, AT(breaker_actions), "20", NULL, 1, 100000,
		N_("Resources contained in breaker_minutes before cordon asks first") },
	{ "guards.breaker_minutes", TYPE_INT, AT(breaker_minutes), "5", NULL, 1, 10080,
		N_("Minutes of the circuit breaker") },
	{ "serve.queue_url", TYPE_TEXT, AT(queue_url), NULL, NULL, 0, 0,
		N_("SQS queue that `cordon serve` reads") },
	{ "serve.visibility_seconds", TYPE_INT, AT(serve_visibility_seconds), "120", NULL, 4,
		43200, N_("Seconds a message stays hidden; extended while it is worked on") },
	{ "serve.workers", TYPE_INT, AT(serve_workers), "4", NULL, 1, 16,
		N_("Findings that `cordon serve` answers at once") },
	{ "serve.listen", TYPE_TEXT, AT(listen), NULL, NULL, 0, 0,
		N_("Address and port where `cordon serve` answers approval links, behind a "
		   "proxy with TLS; without it, none is opened") },
	{ "log_level", TYPE_TEXT, AT(log_level), "warn",
		"trace|debug|info|warn|error|fatal|off", 0, 0,
		N_("Lowest level of log lines on standard error") },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static bool one_of(struct str value, const char *values)
{
	struct str rest = str_from(values), piece;
	while (str_cut(&rest, '|', &piece)) {
		if (str_eq(piece, value)) {
			return true;
		}
	}
	return false;
}

static void *member(struct config *c, const struct key *k)
{
	return (char *)c + k->offset;
}

/* One text value into its member. `where` names file and line, or the variable. */
static enum err_status set_text(
	struct config *c, const struct key *k, struct str v, const char *where, struct err *err)
{
	if (k->values && !one_of(v, k->values)) {
		return err_set(err, ERR_CONFIG, "%s: %s must be one of %s, not '%.*s'", where,
			k->name, k->values, STR_ARG(v));
	}
	if (k->type == TYPE_MODE) {
		enum config_mode *mode = member(c, k);
		*mode = str_is(v, "auto")      ? CONFIG_AUTO
			: str_is(v, "approve") ? CONFIG_APPROVE
					       : CONFIG_OBSERVE;
	} else if (k->type == TYPE_INT) {
		int64_t n;
		if (!str_to_i64(v, &n) || n < k->low || n > k->high) {
			return err_set(err, ERR_CONFIG,
				"%s: %s must be a whole number from %lld to %lld, not '%.*s'",
				where, k->name, (long long)k->low, (long long)k->high,
				STR_ARG(v));
		}
		*(int64_t *)member(c, k) = n;
	} else {
		*(const char **)member(c, k) = arena_cstr(&c->arena, v);
	}
	return ERR_OK;
}

static enum err_status set_list(struct config *c, const struct key *k, const json_t *v,
	const char *where, struct err *err)
{
	struct config_list list = { NULL, json_array_size(v) };
	if (list.n > MAX_ITEMS) {
		return err_set(err, ERR_CONFIG, "%s: %s has more than %d entries", where,
			k->name, MAX_ITEMS);
	}
	list.items = arena_array(&c->arena, list.n ? list.n : 1, sizeof(*list.items));
	for (size_t i = 0; i < list.n; i++) {
		const json_t *item = json_array_get(v, i);
		if (!json_is_string(item)) {
			return err_set(err, ERR_CONFIG,
				"%s: entry %zu of %s must be text (quote it)", where, i + 1,
				k->name);
		}
		struct str s = { json_string_value(item), json_string_length(item) };
		list.items[i] = arena_cstr(&c->arena, s);
	}
	*(struct config_list *)member(c, k) = list;
	return ERR_OK;
}

/* "a,b" as a list of texts. */
static json_t *split(struct str s)
{
	json_t *list = json_array();
	struct str piece;
	while (str_cut(&s, ',', &piece)) {
		(void)json_array_append_new(list, doc_str(str_trim(piece)));
	}
	return list;
}

static enum err_status set_value(struct config *c, const struct key *k, const json_t *v,
	const char *where, struct err *err)
{
	char number[32];
	if (json_is_null(v)) {
		return ERR_OK;
	}
	if (k->type == TYPE_LIST) {
		if (!json_is_array(v)) {
			return err_set(
				err, ERR_CONFIG, "%s: %s must be a list", where, k->name);
		}
		return set_list(c, k, v, where, err);
	}
	if (json_is_integer(v)) {
		(void)snprintf(
			number, sizeof(number), "%lld", (long long)json_integer_value(v));
		return set_text(c, k, str_from(number), where, err);
	}
	if (!json_is_string(v)) {
		return err_set(err, ERR_CONFIG, "%s: %s must be text", where, k->name);
	}
	return set_text(
		c, k, (struct str){ json_string_value(v), json_string_length(v) }, where, err);
}

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strcmp(keys[i].name, name) == 0) {
			return &keys[i];
		}
	}
	return NULL;
}

/* Is `name` a group of keys ("aws" of "aws.region")? */
static bool is_group(const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strncmp(keys[i].name, name, n) == 0 && keys[i].name[n] == '.') {
			return true;
		}
	}
	return false;
}

size_t config_distance(struct str a, struct str b)
{
	size_t row[64];
	if (a.n >= 64 || b.n >= 64) {
		return 64;
	}
	for (size_t j = 0; j <= b.n; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.n; i++) {
		size_t diagonal = row[0];
		row[0] = i;
		for (size_t j = 1; j <= b.n; j++) {
			size_t up = row[j];
			size_t best = diagonal + (a.p[i - 1] != b.p[j - 1]);
			best = up + 1 < best ? up + 1 : best;
			best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
			row[j] = best;
			diagonal = up;
		}
	}
	return row[b.n];
}

static enum err_status unknown_key(
	const char *file, int line, const char *name, struct err *err)
{
	const char *nearest = keys[0].name;
	size_t best = SIZE_MAX;
	for (size_t i = 0; i < N_KEYS; i++) {
		size_t d = config_distance(str_from(name), str_from(keys[i].name));
		if (d < best) {
			best = d;
			nearest = keys[i].name;
		}
	}
	return err_set(err, ERR_CONFIG, "%s:%d: unknown key '%s' (nearest: '%s')", file, line,
		name, nearest);
}

static enum err_status set_pair(struct config *c, const struct yaml_doc *d, const char *path,
	const json_t *v, struct err *err)
{
	char where[512];
	const struct key *k = find_key(path);
	if (!k) {
		return unknown_key(c->file, yaml_line(d, path), path, err);
	}
	(void)snprintf(where, sizeof(where), "%s:%d", c->file, yaml_line(d, path));
	return set_value(c, k, v, where, err);
}

static enum err_status apply_group(struct config *c, const struct yaml_doc *d,
	const char *group, json_t *pairs, struct err *err)
{
	const char *name;
	json_t *v;
	json_object_foreach(pairs, name, v)
	{
		char path[160];
		(void)snprintf(path, sizeof(path), "%s.%s", group, name);
		enum err_status st = set_pair(c, d, path, v, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static enum err_status apply_document(
	struct config *c, const struct yaml_doc *d, struct err *err)
{
	const char *name;
	json_t *v;
	if (!json_is_object(d->root)) {
		return err_set(
			err, ERR_CONFIG, "%s: the file must hold keys and values", c->file);
	}
	json_object_foreach(d->root, name, v)
	{
		enum err_status st = is_group(name) && json_is_object(v)
					     ? apply_group(c, d, name, v, err)
					     : set_pair(c, d, name, v, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static void variable_name(const struct key *k, char out[80])
{
	int n = snprintf(out, 80, "CORDON_%s", k->name);
	for (int i = 0; i < n && i < 79; i++) {
		if (out[i] == '.') {
			out[i] = '_';
		} else if (out[i] >= 'a' && out[i] <= 'z') {
			out[i] = (char)(out[i] - 'a' + 'A');
		}
	}
}

static enum err_status apply_variables(struct env *env, struct config *c, struct err *err)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		char name[80];
		variable_name(&keys[i], name);
		const char *v = env_var(env, name);
		enum err_status st = ERR_OK;
		if (v && keys[i].type == TYPE_LIST) {
			json_t *list = split(str_from(v));
			st = set_list(c, &keys[i], list, name, err);
			json_decref(list);
		} else if (v) {
			st = set_text(c, &keys[i], str_from(v), name, err);
		}
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

static enum err_status apply_defaults(struct config *c, struct err *err)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		enum err_status st = ERR_OK;
		if (keys[i].otherwise && keys[i].type == TYPE_LIST) {
			json_t *list = split(str_from(keys[i].otherwise));
			st = set_list(c, &keys[i], list, "default", err);
			json_decref(list);
		} else if (keys[i].otherwise) {
			st = set_text(c, &keys[i], str_from(keys[i].otherwise), "default", err);
		}
		if (st != ERR_OK) {
			return st;
		}
	}
	return ERR_OK;
}

/* Joins two path parts into the arena. */
static const char *join(struct config *c, const char *a, const char *b)
{
	struct buf path;
	buf_init(&path, 4096);
	buf_printf(&path, "%s/%s", a, b);
	const char *out = arena_cstr(&c->arena, buf_view(&path));
	buf_deinit(&path);
	return out;
}

static const char *home_path(
	struct env *env, struct config *c, const char *xdg, const char *under, const char *rest)
{
	const char *base = env_var(env, xdg);
	if (base) {
		return join(c, base, rest);
	}
	const char *home = env_var(env, "HOME");
	return home ? join(c, join(c, home, under), rest) : NULL;
}

static enum err_status read_config(
	struct env *env, const char *path, struct config *c, struct buf *text, struct err *err)
{
	const char *candidates[] = { path ? path : "cordon.yaml",
		path ? NULL
		     : home_path(env, c, "XDG_CONFIG_HOME", ".config", "cordon/cordon.yaml"),
		path ? NULL : "/etc/cordon/cordon.yaml" };
	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		if (!candidates[i]) {
			continue;
		}
		enum err_status st = env_read_file(env, candidates[i], text, err);
		if (st == ERR_OK) {
			c->file = arena_cstr(&c->arena, str_from(candidates[i]));
			return ERR_OK;
		}
		if (path || st != ERR_NOT_FOUND) {
			return err_set(err, ERR_CONFIG, "can't read the configuration file %s",
				candidates[i]);
		}
	}
	err_clear(err);
	return ERR_OK;
}

static enum err_status check_lists(const struct config *c, struct err *err)
{
	for (size_t i = 0; i < c->languages.n; i++) {
		enum i18n_lang lang;
		if (!i18n_from(c->languages.items[i], &lang)) {
			return err_set(err, ERR_CONFIG,
				"notify.languages: '%s' is not a language of cordon (en, es)",
				c->languages.items[i]);
		}
	}
	return ERR_OK;
}

/* Where cases are kept when nobody said: a file below the user's state folder. */
static void choose_state(struct env *env, struct config *c)
{
	const char *db =
		home_path(env, c, "XDG_STATE_HOME", ".local/state", "cordon/cordon.db");
	struct buf state;
	buf_init(&state, 4200);
	buf_printf(&state, "sqlite:%s", db ? db : "cordon.db");
	c->state = arena_cstr(&c->arena, buf_view(&state));
	c->state_unset = true;
	buf_deinit(&state);
}

static enum err_status load_file(
	struct env *env, const char *path, struct config *c, struct err *err)
{
	struct yaml_doc doc = { 0 };
	struct buf text;
	enum err_status st = ERR_OK;
	buf_init(&text, (size_t)1024 * 1024);
	TRY(read_config(env, path ? path : env_var(env, "CORDON_CONFIG"), c, &text, err));
	if (c->file) {
		TRY(yaml_parse(buf_view(&text), c->file, &doc, err));
		TRY(apply_document(c, &doc, err));
	}
out:
	yaml_deinit(&doc);
	buf_deinit(&text);
	return st;
}

enum err_status config_load(
	struct env *env, const char *path, struct config *out, struct err *err)
{
	struct config c = { 0 };
	enum err_status st;
	arena_init(&c.arena, ARENA_BYTES);
	TRY(apply_defaults(&c, err));
	TRY(load_file(env, path, &c, err));
	TRY(apply_variables(env, &c, err));
	TRY(check_lists(&c, err));
	if (!c.state) {
		choose_state(env, &c);
	}
	if (c.arena.overflow) {
		st = err_set(err, ERR_LIMIT, "the configuration is too large");
	}
out:
	if (st != ERR_OK) {
		arena_deinit(&c.arena);
		return st;
	}
	*out = c;
	return ERR_OK;
}

void config_deinit(struct config *c)
{
	arena_deinit(&c->arena);
	memset(c, 0, sizeof(*c));
}

static json_t *value_of(const struct config *c, const struct key *k)
{
	const void *at = (const char *)c + k->offset;
	if (k->type == TYPE_LIST) {
		const struct config_list *list = at;
		json_t *out = json_array();
		for (size_t i = 0; i < list->n; i++) {
			(void)json_array_append_new(out, doc_str(str_from(list->items[i])));
		}
		return out;
	}
	if (k->type == TYPE_INT) {
		return json_integer(*(const int64_t *)at);
	}
	if (k->type == TYPE_MODE) {
		static const char *const modes[] = { "observe", "approve", "auto" };
		return json_string(modes[*(const enum config_mode *)at]);
	}
	const char *text = *(const char *const *)at;
	return text ? doc_str(str_from(text)) : json_null();
}

json_t *config_describe(const struct config *c)
{
	static const char *const types[] = { "text", "number", "list", "text" };
	json_t *out = json_array();
	for (size_t i = 0; i < N_KEYS; i++) {
		char name[80];
		variable_name(&keys[i], name);
		(void)json_array_append_new(out,
			json_pack("{s:s, s:s, s:s, s:s?, s:s?, s:s, s:o}", "key", keys[i].name,
				"variable", name, "type", types[keys[i].type], "default",
				keys[i].otherwise, "values", keys[i].values, "help",
				keys[i].help, "value", value_of(c, &keys[i])));
	}
	return out;
}
