#include "flow/stages.h"

#include "base/log.h"
#include "response/guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum err_status stages_account(const struct flow *f, struct finding *finding, struct err *err)
{
	const char *account = NULL, *arn = NULL;
	enum err_status st = aws_caller(f->aws, &account, &arn, err);
	if (st != ERR_OK) {
		return st;
	}
	journal_set_actor(f->journal, arn);
	if (finding->account.n && !str_is(finding->account, account)) {
		return err_set(err, ERR_REFUSED,
			"the finding is about account %.*s, but the credentials are for "
			"account %s; use a profile or role of that account",
			STR_ARG(finding->account), account);
	}
	if (finding->region.n && !str_is(finding->region, aws_client_region(f->aws))) {
		return err_set(err, ERR_REFUSED,
			"the finding is about region %.*s, but the client works in %s; repeat "
			"with --region %.*s",
			STR_ARG(finding->region), aws_client_region(f->aws),
			STR_ARG(finding->region));
	}
	/* A finding that names no account must not slip past an exemption of ours. */
	if (finding->account.n == 0) {
		finding->account = arena_str(&finding->arena, str_from(account));
	}
	if (finding->region.n == 0) {
		finding->region =
			arena_str(&finding->arena, str_from(aws_client_region(f->aws)));
	}
	return ERR_OK;
}

/* The instance, else the principal, else the first resource, else the finding itself. */
json_t *stages_case_key(const struct finding *f)
{
	struct buf key;
	buf_init(&key, 2048);
	buf_printf(&key, "%.*s/%.*s/", STR_ARG(f->account), STR_ARG(f->region));
	const struct finding_resource *r = NULL;
	for (size_t i = 0; i < f->n_resources && !r; i++) {
		const struct finding_resource *at = &f->resources[i];
		if (at->kind == FINDING_INSTANCE && at->id.n) {
			r = at;
			buf_add_str(&key, at->id);
		} else if (at->instance_id.n) {
			r = at;
			buf_add_str(&key, at->instance_id);
		}
	}
	if (!r && f->n_resources) {
		r = &f->resources[0];
		struct str id =
			r->kind == FINDING_ACCESS_KEY && r->user_name.n ? r->user_name : r->id;
		buf_printf(&key, "%s/%.*s", finding_kind_name(r->kind), STR_ARG(id));
		if (id.n == 0) {
			r = NULL;
		}
	}
	if (!r) {
		char name[FINDING_MAX_ID + 1];
		finding_name(f, name);
		buf_puts(&key, name);
	}
	json_t *out = doc_str(buf_view(&key));
	buf_deinit(&key);
	return out;
}

char *flow_key(const struct finding *f)
{
	json_t *key = stages_case_key(f);
	char *out = str_dup(str_from(json_string_value(key)));
	json_decref(key);
	return out;
}

static json_t *name_of(const struct finding *f)
{
	char name[FINDING_MAX_ID + 1];

	finding_name(f, name);
	return doc_str(str_from(name));
}

/* Every resource that an attack sequence names: one case is theirs from now on. */
static json_t *more_keys(const struct finding *f)
{
	json_t *keys = json_array();
	struct buf key;

	buf_init(&key, 4096);
	for (size_t i = 0; i < f->n_resources && str_starts(f->type, STR("AttackSequence:"));
		i++) {
		const struct finding_resource *r = &f->resources[i];
		bool host = r->kind == FINDING_INSTANCE;
		struct str id =
			r->kind == FINDING_ACCESS_KEY && r->user_name.n ? r->user_name : r->id;
		buf_reset(&key);
		buf_printf(&key, "%.*s/%.*s/%s%s%.*s", STR_ARG(f->account), STR_ARG(f->region),
			host ? "" : finding_kind_name(r->kind), host ? "" : "/", STR_ARG(id));
		if (id.n > 0) {
			json_array_append_new(keys, doc_str(buf_view(&key)));
		}
	}
	buf_deinit(&key);
	return keys;
}

static json_t *opened_payload(const struct finding *f)
{
	json_t *summary = finding_json(f);
	json_t *p = json_object();
	(void)json_object_set_new(p, "finding_arn", name_of(f));
	(void)json_object_set_new(p, "type", doc_str(f->type));
	(void)json_object_set_new(p, "severity", json_real(f->severity));
	(void)json_object_set_new(p, "account", doc_str(f->account));
	(void)json_object_set_new(p, "region", doc_str(f->region));
	(void)json_object_set_new(p, "title", doc_str(f->title.n ? f->title : f->type));
	json_t *resources = json_object_get(summary, "resources");
	(void)json_object_set(p, "resources", resources ? resources : json_array());
	(void)json_object_set_new(p, "key", stages_case_key(f));
	(void)json_object_set_new(p, "keys", more_keys(f));
	/* A run killed right after this record can then be resumed from the case alone. */
	(void)json_object_set(p, "finding", f->raw);
	json_decref(summary);
	return p;
}

static json_t *received_payload(const struct finding *f)
{
	json_t *p = json_object();
	(void)json_object_set(p, "finding", f->raw);
	(void)json_object_set_new(p, "arn", name_of(f));
	(void)json_object_set_new(p, "type", doc_str(f->type));
	(void)json_object_set_new(p, "severity", json_real(f->severity));
	(void)json_object_set_new(p, "updated", json_integer(f->updated_ms));
	(void)json_object_set_new(p, "count", json_integer(f->count));
	return p;
}

void stages_tell(const struct flow *f, const char *stage, const json_t *detail)
{
	if (f->watch) {
		f->watch(f->watch_ctx, stage, detail);
	}
}

/* The very delivery we have seen: same finding, no later update. */
static bool is_repeat(const json_t *view, const struct finding *f)
{
	size_t i;
	const json_t *seen;
	char name[FINDING_MAX_ID + 1], other[FINDING_MAX_ID + 1];

	finding_name(f, name);
	json_array_foreach(json_object_get(view, "findings"), i, seen)
	{
		finding_name_of(str_from(doc_text(seen, "arn")), other);
		if (strcmp(name, other) == 0 &&
			json_is_integer(json_object_get(seen, "updated")) &&
			doc_int(seen, "updated", 0) >= f->updated_ms) {
			return true;
		}
	}
	return false;
}

/* The guard's record, once a version of a finding; not where the first run left the case unanswered. */
static enum err_status note_repeat(const struct flow *f, const json_t *view,
	const struct finding *finding, struct err *err)
{
	char name[FINDING_MAX_ID + 1];
	const json_t *h;
	size_t i;
	bool answered = json_is_object(json_object_get(view, "plan")) ||
			json_array_size(json_object_get(view, "messages")) > 0;

	finding_name(finding, name);
	json_t *held = json_pack("{s:s, s:o, s:o}", "guard", GUARD_DUPLICATE, "reason",
		json_sprintf("this version of finding %.200s was answered before", name),
		"updated", json_integer(finding->updated_ms));
	json_array_foreach(json_object_get(view, "held_back"), i, h)
	{
		answered = answered && !(doc_eq(json_object_get(h, "reason"),
						 json_object_get(held, "reason")) &&
					       doc_eq(json_object_get(h, "updated"),
						       json_object_get(held, "updated")));
	}
	enum err_status st = ERR_OK;
	if (answered) {
		st = journal_append(f->journal, doc_text_or(view, "case", ""), "guard.held",
			held, NULL, err);
	}
	json_decref(held);
	return st;
}

json_t *stages_response(const json_t *view)
{
	json_t *out = engine_answer(view);
	json_t *held = json_object_get(view, "held_back");

	if (json_array_size(held) > 0 &&
		json_array_size(json_object_get(out, "actions")) == 0) {
		json_object_set_new(out, "state", json_string("held_back"));
	}
	json_object_set(out, "held_back", held);
	json_object_set(out, "playbook", json_object_get(view, "playbook"));
	return out;
}

static enum err_status answer_new(const struct flow *f, struct finding *finding,
	const json_t *before, json_t **out, struct err *err)
{
	const char *case_id = doc_text_or(before, "case", "");
	json_t *received = received_payload(finding);
	json_t *view = NULL, *route = NULL;
	enum err_status st, contained = ERR_OK;
	struct err why = { 0 };
	TRY(journal_append(f->journal, case_id, "finding.received", received, NULL, err));
	TRY(stages_route(f, finding, before, true, &route, err));
	bool act = stages_acts(route);
	if (act) {
		contained = stages_contain(f, finding, case_id, route, &why);
		if (contained != ERR_OK && contained != ERR_PARTIAL &&
			contained != ERR_AWAITING) {
			log_err(LOG_ERROR, "containment failed", &why);
		}
	}
	stages_after(f, finding, case_id, route, act);
	TRY(view_read(f->journal, case_id, &view, err));
	*out = stages_response(view);
	stages_tell(f, "done", *out);
	st = contained;
	if (st != ERR_OK && err) {
		*err = why;
	}
out:
	json_decref(view);
	json_decref(route);
	json_decref(received);
	return st;
}

/* Delivered again: finish what an earlier run may have left, else do nothing. */
static enum err_status answer_again(const struct flow *f, struct finding *finding,
	const json_t *view, json_t **out, struct err *err)
{
	enum err_status st = note_repeat(f, view, finding, err);

	return st != ERR_OK
		       ? st
		       : stages_finish(f, finding, doc_text_or(view, "case", ""), out, err);
}

/* The case is leased. */
static enum err_status answer_case(const struct flow *f, struct finding *finding,
	const json_t *opened, const char *case_id, json_t **out, struct err *err)
{
	json_t *view = NULL;
	enum err_status st = stages_merge(f, finding, opened, case_id, err);

	if (st == ERR_OK) {
		st = view_read(f->journal, case_id, &view, err);
	}
	if (st == ERR_OK) {
		stages_tell(f, "case", view);
		/* Of a case made a moment ago no version was seen. */
		st = is_repeat(view, finding) ? answer_again(f, finding, view, out, err)
					      : answer_new(f, finding, view, out, err);
	}
	json_decref(view);
	return st;
}

enum err_status flow_answer(
	const struct flow *f, struct finding *finding, json_t **out, struct err *err)
{
	char case_id[32] = "";
	bool joined = false;
	enum err_status st;

	if (f->dry_run) {
		return flow_rehearse(f, finding, out, err);
	}
	stages_tell(f, "received", finding->raw);
	st = stages_account(f, finding, err);
	if (st != ERR_OK) {
		return st;
	}
	json_t *opened = opened_payload(finding);
	TRY(journal_case_open(f->journal, opened, case_id, &joined, err));
	aws_client_set_case(f->aws, case_id);
	TRY(journal_lock(f->journal, case_id, STAGES_LEASE_MS, err));
	st = answer_case(f, finding, opened, case_id, out, err);
	journal_unlock(f->journal, case_id);
out:
	json_decref(opened);
	return st;
}
