#include "response/policy.h"

#include "base/fill.h"
#include "response/action.h"
#include "response/playbook_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TEXT 65536

/* What is asked whatever the playbooks say: tags (response/tags.c), facts for the evidence. */
static const char *const always[] = { "ec2:DescribeInstanceAttribute", "ec2:DescribeInstances",
	"ec2:DescribeNetworkInterfaces", "ec2:DescribeTags", "ec2:DescribeVolumes",
	"ecs:ListTagsForResource", "eks:DescribeCluster", "iam:ListRoleTags",
	"iam:ListUserTags", "lambda:ListTags", "rds:DescribeDBInstances",
	"rds:ListTagsForResource", "s3:GetBucketAcl", "s3:GetBucketPolicy",
	"s3:GetBucketPolicyStatus", "s3:GetBucketTagging", "sts:GetCallerIdentity", NULL };

/* What containing a credential that the analysis found may take (flow/follow.c). */
static const char *const follow_up[] = { "deny-user", "disable-access-key",
	"disable-login-profile", "revoke-role-sessions", NULL };

/* One policy being made. */
struct making {
	const struct policy_options *o;
	json_t *groups; /* sid -> {action -> true} */
};

static bool words_hold(const char *words, struct str word)
{
	struct str rest = str_from(words), piece;

	while (str_cut(&rest, ' ', &piece)) {
		if (str_eq(piece, word)) {
			return true;
		}
	}
	return false;
}

/* A group about a thing that the configuration names; its actions are not for any other thing. */
static bool is_setting(const struct policy_group *g)
{
	return g->resources[0] == '{';
}

bool policy_knows(const char *action)
{
	for (size_t i = 0; i < policy_n_groups; i++) {
		if (words_hold(policy_groups[i].actions, str_from(action))) {
			return true;
		}
	}
	return false;
}

static void put(struct making *m, const char *sid, const char *action)
{
	json_t *group = json_object_get(m->groups, sid);

	if (group == NULL) {
		group = json_object();
		json_object_set_new(m->groups, sid, group);
	}
	json_object_set_new(group, action, json_true());
}

static void want(struct making *m, const char *action)
{
	bool known = false;

	for (size_t i = 0; i < policy_n_groups; i++) {
		const struct policy_group *g = &policy_groups[i];
		if (!is_setting(g) && words_hold(g->actions, str_from(action))) {
			put(m, g->sid, action);
			known = true;
		}
	}
	if (!known) {
		put(m, "Other", action);
	}
}

static void want_action(struct making *m, const char *name)
{
	const struct action *a = action_find(name);

	for (size_t i = 0; a != NULL && a->calls != NULL && a->calls[i] != NULL; i++) {
		want(m, a->calls[i]);
	}
}

static enum err_status want_playbooks(struct making *m, struct err *err)
{
	const struct playbook_set *set = m->o->playbooks;
	bool found = m->o->playbook == NULL;

	for (size_t i = 0; i < set->n; i++) {
		const struct playbook *p = &set->items[i];
		if (m->o->playbook != NULL && strcmp(p->name, m->o->playbook) != 0) {
			continue;
		}
		found = true;
		for (size_t k = 0; k < p->n_steps; k++) {
			want_action(m, p->steps[k].action);
		}
		for (size_t k = 0; p->follow_up.may_act && follow_up[k] != NULL; k++) {
			want_action(m, follow_up[k]);
		}
	}
	return found ? ERR_OK
		     : err_set(err, ERR_NOT_FOUND,
			       "there is no playbook '%.60s'; `cordon playbook list` shows "
			       "them",
			       m->o->playbook);
}

static const char *partition_of(const char *region)
{
	static const char *const starts[][2] = { { "cn-", "aws-cn" },
		{ "us-gov-", "aws-us-gov" }, { "us-iso-", "aws-iso" },
		{ "us-isob-", "aws-iso-b" }, { "eusc-", "aws-eusc" } };

	for (size_t i = 0; region != NULL && i < sizeof(starts) / sizeof(starts[0]); i++) {
		if (str_starts(str_from(region), str_from(starts[i][0]))) {
			return starts[i][1];
		}
	}
	return "aws";
}

/* ARNs of buckets out of s3://bucket/prefix; with `objects` of what is below them. */
static void log_arns(
	const struct making *m, const char *partition, bool objects, struct buf *out)
{
	const struct config_list *list = &m->o->config->log_sources;

	for (size_t i = 0; i < list->n; i++) {
		struct str s = str_from(list->items[i]);
		if (!str_starts(s, STR("s3://"))) {
			continue;
		}
		s = str_sub(s, 5, s.n);
		size_t slash = str_find_char(s, '/');
		struct str bucket = slash == SIZE_MAX ? s : str_sub(s, 0, slash);
		struct str below = slash == SIZE_MAX ? STR("") : str_sub(s, slash + 1, s.n);
		buf_printf(out, "%sarn:%s:s3:::%.*s", out->n > 0 ? " " : "", partition,
			STR_ARG(bucket));
		if (objects) {
			buf_printf(out, "/%.*s*", STR_ARG(below));
		}
	}
}

/* "https://sqs.eu-west-1.amazonaws.com/111122223333/findings" -> its ARN. */
static void queue_arn(const char *url, const char *partition, struct buf *out)
{
	const char *name = url != NULL ? strrchr(url, '/') : NULL;

	if (name != NULL) {
		buf_printf(out, "arn:%s:sqs:{r}:{a}:%s", partition, name + 1);
	}
}

/* The ARNs that a setting names, space-separated; nothing when it is not set. */
static void setting(const struct making *m, const char *name, struct buf *out)
{
	const struct config *c = m->o->config;
	const char *p = partition_of(m->o->region);
	const char *key = c->approval_key;

	if (strcmp(name, "{topic}") == 0) {
		/* A message to a phone number has no resource of its own. */
		buf_puts(out, c->phone_numbers.n > 0 ? "*" : c->topic_arn ? c->topic_arn : "");
	} else if (strcmp(name, "{evidence}") == 0 && c->evidence_bucket != NULL) {
		buf_printf(out, "arn:%s:s3:::%s", p, c->evidence_bucket);
	} else if (strcmp(name, "{evidence_objects}") == 0 && c->evidence_bucket != NULL) {
		buf_printf(out, "arn:%s:s3:::%s/%s*", p, c->evidence_bucket,
			c->evidence_prefix ? c->evidence_prefix : "");
	} else if (strcmp(name, "{evidence_key}") == 0 && c->evidence_kms_key != NULL) {
		buf_puts(out, c->evidence_kms_key);
	} else if (strcmp(name, "{log_buckets}") == 0) {
		log_arns(m, p, false, out);
	} else if (strcmp(name, "{log_objects}") == 0) {
		log_arns(m, p, true, out);
	} else if (strcmp(name, "{queue}") == 0) {
		queue_arn(c->queue_url, p, out);
	} else if (strcmp(name, "{table}") == 0 && c->state != NULL &&
		   strncmp(c->state, "dynamodb:", 9) == 0) {
		buf_printf(out, "arn:%s:dynamodb:{r}:{a}:table/%s", p, c->state + 9);
	} else if (strcmp(name, "{approval_key}") == 0 && key != NULL &&
		   strncmp(key, "secret:", 7) == 0) {
		bool arn = strncmp(key + 7, "arn:", 4) == 0;
		buf_printf(out, arn ? "%.0s%s" : "arn:%s:secretsmanager:{r}:{a}:secret:%s-*", p,
			key + 7);
	}
}

/* Fills {p} {r} {a} {document}. */
static void fill(const struct making *m, struct str pattern, struct buf *out)
{
	const struct {
		const char *name, *value;
	} values[] = { { "{p}", partition_of(m->o->region) },
		{ "{r}", m->o->region ? m->o->region : "*" },
		{ "{a}", m->o->account ? m->o->account : "*" },
		{ "{document}", m->o->config->ssm_document ? m->o->config->ssm_document
							   : "cordon-isolate" } };

	for (size_t i = 0; i < pattern.n;) {
		struct str rest = str_sub(pattern, i, pattern.n);
		size_t step = 1;
		for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
			struct str name = str_from(values[k].name);
			if (step == 1 && str_starts(rest, name)) {
				buf_puts(out, values[k].value);
				step = name.n;
			}
		}
		if (step == 1) {
			buf_putc(out, pattern.p[i]);
		}
		i += step;
	}
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of a set as a sorted list. */
static json_t *sorted(json_t *set)
{
	size_t n = json_object_size(set), i = 0;
	const char **names = calloc(n + 1, sizeof(*names));
	const char *key;
	json_t *v, *out = json_array();

	if (names == NULL) {
		BUG("out of memory");
	}
	json_object_foreach(set, key, v)
	{
		names[i++] = key;
	}
	qsort(names, n, sizeof(names[0]), by_text);
	for (i = 0; i < n; i++) {
		json_array_append_new(out, json_string(names[i]));
	}
	free(names);
	return out;
}

static json_t *resources_of(const struct making *m, const struct policy_group *g)
{
	json_t *set = json_object(), *out;
	struct buf patterns, one;
	struct str rest, piece;

	buf_init(&patterns, MAX_TEXT);
	buf_init(&one, MAX_TEXT);
	if (is_setting(g)) {
		setting(m, g->resources, &patterns);
	} else {
		buf_puts(&patterns, g->resources);
	}
	rest = buf_view(&patterns);
	while (str_cut(&rest, ' ', &piece)) {
		buf_reset(&one);
		fill(m, piece, &one);
		if (one.n > 0) {
			json_object_set_new(set, one.p, json_true());
		}
	}
	out = sorted(set);
	json_decref(set);
	buf_deinit(&one);
	buf_deinit(&patterns);
	return out;
}

static void add_statement(const struct making *m, const struct policy_group *g, json_t *to)
{
	json_t *resources = resources_of(m, g);
	json_t *condition = NULL;

	if (json_array_size(resources) > 0) {
		json_t *s = json_pack("{s:s, s:s, s:o, s:O}", "Sid", g->sid, "Effect", "Allow",
			"Action", sorted(json_object_get(m->groups, g->sid)), "Resource",
			resources);
		if (g->condition != NULL && doc_parse(str_from(g->condition), MAX_TEXT,
						    &condition, NULL) == ERR_OK) {
			json_object_set_new(s, "Condition", condition);
		}
		json_array_append_new(to, s);
	}
	json_decref(resources);
}

/* What a setting calls for is all that its group names. */
static void want_settings(struct making *m)
{
	for (size_t i = 0; i < policy_n_groups; i++) {
		const struct policy_group *g = &policy_groups[i];
		struct str rest = str_from(g->actions), piece;
		char action[96];
		while (is_setting(g) && str_cut(&rest, ' ', &piece)) {
			(void)snprintf(action, sizeof(action), "%.*s", STR_ARG(piece));
			put(m, g->sid, action);
		}
	}
}

enum err_status policy_make(const struct policy_options *o, json_t **out, struct err *err)
{
	struct making m = { .o = o, .groups = json_object() };
	json_t *statements = json_array();
	static const struct policy_group other = { "Other", "*", NULL, "" };
	enum err_status st = ERR_OK;

	TRY(want_playbooks(&m, err));
	for (size_t i = 0; always[i] != NULL; i++) {
		want(&m, always[i]);
	}
	want_settings(&m);
	for (size_t i = 0; o->state != NULL && o->state[i] != NULL; i++) {
		if (!policy_knows(o->state[i])) {
			put(&m, "Other", o->state[i]);
		}
	}
	for (size_t i = 0; i < policy_n_groups; i++) {
		if (json_object_get(m.groups, policy_groups[i].sid) != NULL) {
			add_statement(&m, &policy_groups[i], statements);
		}
	}
	if (json_object_get(m.groups, other.sid) != NULL) {
		add_statement(&m, &other, statements);
	}
	*out = json_pack("{s:s, s:O}", "Version", "2012-10-17", "Statement", statements);
out:
	json_decref(statements);
	json_decref(m.groups);
	return st;
}
