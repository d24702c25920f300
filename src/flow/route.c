#include "flow/stages.h"

#include "base/log.h"
#include "base/utc.h"
#include "response/guard.h"
#include "response/plan.h"
#include "response/tags.h"

#include <stdio.h>
#include <string.h>

#define AROUND_MS ((int64_t)3600 * 1000) /* CloudTrail and GuardDuty are late, clocks differ */

static enum err_status record_held(
	const struct flow *f, const char *case_id, const json_t *held, struct err *err)
{
	size_t i;
	const json_t *h;
	json_array_foreach(held, i, h)
	{
		enum err_status st = ERR_OK;
		if (case_id != NULL && !f->dry_run) {
			st = journal_append(f->journal, case_id, "guard.held", h, NULL, err);
		}
		if (st != ERR_OK) {
			return st;
		}
		stages_tell(f, "held", h);
	}
	return ERR_OK;
}

/* "cordon-responder" of "arn:aws:sts::1:assumed-role/cordon-responder/session"; out[128], "" when none. */
static void role_of(const char *arn, char out[128])
{
	struct str rest = str_from(arn), piece;
	size_t at = str_find(rest, STR(":assumed-role/"));

	out[0] = '\0';
	if (at != SIZE_MAX) {
		rest = str_sub(rest, at + 14, rest.n);
		(void)str_cut(&rest, '/', &piece);
		(void)snprintf(out, 128, "%.*s", STR_ARG(str_sub(piece, 0, 127)));
	}
}

/* Did this role work on that case when the finding's events happened? The journal knows. */
static bool worked_then(const struct flow *f, const char *role, const char *case_id,
	const struct finding *finding)
{
	json_t *records = NULL;
	const json_t *r;
	int64_t first = 0, last = 0, at;
	bool same = false;
	char actor[128];
	size_t i;
	struct str own = str_from(strrchr(role, '/') ? strrchr(role, '/') + 1 : role);

	if (journal_read(f->journal, case_id, &records, NULL) != ERR_OK) {
		return false;
	}
	json_array_foreach(records, i, r)
	{
		role_of(doc_text_or(r, "actor", ""), actor);
		same = same || str_eq_nocase(str_from(actor), own);
		if (utc_parse(str_from(doc_text(r, "time")), &at)) {
			first = first == 0 ? at : first;
			last = at;
		}
	}
	json_decref(records);
	at = finding->last_seen_ms > 0 ? finding->last_seen_ms : finding->updated_ms;
	return same && (at == 0 || (at >= first - AROUND_MS && at <= last + AROUND_MS));
}

/*
 * The role that counts as cordon's own for this finding: the configured one, or the one it works under
 * now, when the journal bears out that it did this. Else NULL: whoever only writes a case's number
 * into his session is no friend.
 */
static const char *own_role(
	const struct flow *f, const struct finding *finding, char caller[128])
{
	const char *account = NULL, *arn = NULL;
	char cited[32];

	caller[0] = '\0';
	if (guard_own_case(f->config->responder_role, finding, cited) &&
		worked_then(f, f->config->responder_role, cited, finding)) {
		return f->config->responder_role;
	}
	if (aws_caller(f->aws, &account, &arn, NULL) == ERR_OK) {
		role_of(arn, caller);
	}
	return caller[0] != '\0' && guard_own_case(caller, finding, cited) &&
			       worked_then(f, caller, cited, finding)
		       ? caller
		       : NULL;
}

static enum err_status facts_of(
	const struct flow *f, const json_t *view, bool again, json_t **facts, struct err *err)
{
	const char *case_id = doc_text(view, "case");
	json_t *records = NULL, *out = guard_facts_new();
	enum err_status st = ERR_OK;

	if (case_id != NULL) {
		st = journal_read(f->journal, case_id, &records, err);
		guard_facts_add(out, records);
		json_decref(records);
	}
	if (again) {
		json_object_set_new(out, "seen", json_object());
	}
	if (st != ERR_OK) {
		json_decref(out);
		return st;
	}
	*facts = out;
	return ERR_OK;
}

enum err_status stages_route(const struct flow *f, struct finding *finding, const json_t *view,
	bool again, json_t **route, struct err *err)
{
	struct config config = *f->config; /* borrows everything but the role */
	json_t *r = NULL, *facts = NULL, *unknown = NULL;
	char caller[128];
	int64_t contained = 0;
	enum err_status st = ERR_OK;

	tags_look_up(f->aws, finding, &unknown);
	config.responder_role = own_role(f, finding, caller);
	TRY(playbook_route(f->playbooks, &config, finding, &r, err));
	TRY(facts_of(f, view, again, &facts, err));
	json_object_set(facts, "tags_unknown", unknown);
	struct err why = { 0 };
	if (stages_breaker(f, view, r, &contained, &why) == ERR_OK) {
		json_object_set_new(facts, "contained", json_integer(contained));
	} else {
		json_object_set_new(facts, "contained", json_null());
		log_err(LOG_ERROR, "what was contained lately can't be counted", &why);
	}
	guard_dynamic(&config, finding, facts, r);
	TRY(record_held(f, doc_text(view, "case"), json_object_get(r, "held_back"), err));
	*route = json_incref(r);
out:
	json_decref(unknown);
	json_decref(facts);
	json_decref(r);
	return st;
}

/* The open case of this finding or its resource, or {}. */
static enum err_status view_of_finding(
	const struct flow *f, const struct finding *finding, json_t **view, struct err *err)
{
	char owner[32] = "";
	json_t *key = stages_case_key(finding);
	enum err_status st =
		journal_claim(f->journal, NULL, json_string_value(key), owner, err);

	json_decref(key);
	if (st == ERR_OK && owner[0] != '\0') {
		return view_read(f->journal, owner, view, err);
	}
	if (st == ERR_OK) {
		*view = json_object();
	}
	return st;
}

enum err_status flow_plan(
	const struct flow *f, struct finding *finding, json_t **out, struct err *err)
{
	struct flow look = *f;
	json_t *view = NULL, *route = NULL;
	enum err_status st = ERR_OK;

	look.dry_run = true;
	look.watch = NULL;
	TRY(stages_account(&look, finding, err));
	TRY(view_of_finding(&look, finding, &view, err));
	TRY(stages_route(&look, finding, view, true, &route, err));
	char account[32];
	(void)snprintf(
		account, sizeof(account), "%.*s", STR_ARG(str_sub(finding->account, 0, 31)));
	const struct action_ctx base = {
		.env = f->env,
		.aws = f->aws,
		.config = f->config,
		.finding = finding,
		.account = account,
		.region = aws_client_region(f->aws),
		.case_id = "",
	};
	st = plan_make(&base, route, out, err);
out:
	json_decref(route);
	json_decref(view);
	return st;
}

enum err_status flow_rehearse(
	const struct flow *f, struct finding *finding, json_t **out, struct err *err)
{
	json_t *plan = NULL;
	enum err_status st = flow_plan(f, finding, &plan, err);

	if (st != ERR_OK) {
		return st;
	}
	const struct engine e = { .env = f->env,
		.aws = f->aws,
		.journal = f->journal,
		.config = f->config,
		.finding = finding,
		.account = doc_text_or(plan, "finding.account", ""),
		.region = aws_client_region(f->aws),
		.dry_run = true };
	st = engine_run(&e, NULL, plan, out, err);
	if (st == ERR_OK) {
		json_object_set(*out, "held_back", json_object_get(plan, "held_back"));
		json_object_set(*out, "playbook", json_object_get(plan, "playbook"));
		json_object_set(*out, "permissions", json_object_get(plan, "permissions"));
	}
	json_decref(plan);
	return st;
}
