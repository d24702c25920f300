/* An attack sequence names what single findings were about: their cases become part of its case. */
#include "flow/stages.h"

#include "base/log.h"

#include <string.h>

#define MOST_LOOKED 1000 /* open cases looked into */

static bool names_resource(const struct finding *finding, const json_t *resource)
{
	const char *kind = doc_text_or(resource, "kind", "");
	const char *id = doc_text_or(resource, "id", "");

	for (size_t i = 0; id[0] != '\0' && i < finding->n_resources; i++) {
		const struct finding_resource *r = &finding->resources[i];
		if (strcmp(finding_kind_name(r->kind), kind) == 0 &&
			(str_is(r->id, id) || str_is(r->user_name, id))) {
			return true;
		}
	}
	return false;
}

/* A signal of the sequence is a finding, by its ARN or the id at its end. */
static bool names_finding(const struct finding *finding, const char *arn)
{
	char name[FINDING_MAX_ID + 1], uid[FINDING_MAX_ID + 1];

	finding_name_of(str_from(arn), name);
	for (size_t i = 0; i < finding->n_signals; i++) {
		finding_name_of(finding->signals[i].uid, uid);
		struct str n = str_from(name), u = str_from(uid);
		bool tail =
			u.n >= 8 && str_ends(n, u) && n.n > u.n && n.p[n.n - u.n - 1] == '/';
		if (u.n > 0 && (str_eq(n, u) || tail)) {
			return true;
		}
	}
	return false;
}

static bool names_case(const struct finding *finding, const json_t *view)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(view, "resources"), i, v)
	{
		if (names_resource(finding, v)) {
			return true;
		}
	}
	json_array_foreach(json_object_get(view, "findings"), i, v)
	{
		if (names_finding(finding, doc_text_or(v, "arn", ""))) {
			return true;
		}
	}
	return false;
}

/* Not over, not undone, and of the same account and region. */
static bool is_open(const json_t *c, const struct finding *finding)
{
	const char *state = doc_text_or(c, "state", "");

	return strcmp(state, "closed") != 0 && strcmp(state, "undone") != 0 &&
	       str_is(finding->account, doc_text_or(c, "account", "")) &&
	       str_is(finding->region, doc_text_or(c, "region", ""));
}

static json_t *findings_of(const json_t *view)
{
	json_t *out = json_array();
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(view, "findings"), i, v)
	{
		json_array_append_new(out,
			json_pack("{s:O*, s:O*, s:O*, s:O*, s:O*, s:O*}", "arn",
				json_object_get(v, "arn"), "type", json_object_get(v, "type"),
				"severity", json_object_get(v, "severity"), "updated",
				json_object_get(v, "updated"), "count",
				json_object_get(v, "count"), "raw", json_object_get(v, "raw")));
	}
	return out;
}

/* First this case says that it took the other, then the other ends: killed between, it is done again. */
static enum err_status take_over(
	const struct flow *f, const char *case_id, const json_t *view, struct err *err)
{
	const char *other = doc_text_or(view, "case", "");
	json_t *merged = json_pack("{s:s, s:O*, s:o}", "case", other, "resources",
		json_object_get(view, "resources"), "findings", findings_of(view));
	json_t *closed = json_pack("{s:o, s:s}", "reason",
		json_sprintf("merged into case %s, whose attack sequence names it", case_id),
		"merged_into", case_id);
	enum err_status st = ERR_OK;

	TRY(journal_append(f->journal, case_id, "case.merged", merged, NULL, err));
	TRY(journal_append(f->journal, other, "case.closed", closed, NULL, err));
	stages_tell(f, "merged", merged);
out:
	json_decref(closed);
	json_decref(merged);
	return st;
}

static enum err_status merge_one(const struct flow *f, const struct finding *finding,
	const char *case_id, const char *other, struct err *err)
{
	json_t *view = NULL;
	enum err_status st = view_read(f->journal, other, &view, err);

	if (st != ERR_OK || !names_case(finding, view)) {
		json_decref(view);
		return st;
	}
	st = journal_lock(f->journal, other, STAGES_LEASE_MS, err);
	if (st == ERR_CONFLICT) {
		/* Somebody works on it now. It stays a case of its own; the next delivery merges it. */
		log_err(LOG_WARN, "a case that the attack sequence names is being worked on",
			err);
		err_clear(err);
		st = ERR_OK;
	} else if (st == ERR_OK) {
		st = take_over(f, case_id, view, err);
		journal_unlock(f->journal, other);
	}
	json_decref(view);
	return st;
}

enum err_status stages_merge(const struct flow *f, const struct finding *finding,
	const json_t *opened, const char *case_id, struct err *err)
{
	json_t *cases = NULL;
	size_t looked = 0;
	bool joined = false;
	char same[32] = "";
	enum err_status st = ERR_OK;

	if (!str_starts(finding->type, STR("AttackSequence:"))) {
		return ERR_OK;
	}
	st = journal_cases(f->journal, &cases, err);
	for (size_t i = 0; st == ERR_OK && i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		const char *other = doc_text_or(c, "case", "");
		bool meant = strcmp(other, case_id) != 0 && is_open(c, finding);
		if (meant && looked++ < MOST_LOOKED) {
			st = merge_one(f, finding, case_id, other, err);
		}
	}
	/* What the merged cases gave up belongs to this one from now on. */
	if (st == ERR_OK) {
		st = journal_case_open(f->journal, opened, same, &joined, err);
	}
	json_decref(cases);
	return st;
}
