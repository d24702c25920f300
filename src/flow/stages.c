#include "flow/stages.h"

#include "base/log.h"
#include "base/utc.h"
#include "notify/notify.h"
#include "response/approval_link.h"
#include "response/plan.h"

#include <string.h>

/* Puts an artifact into the vault that the first one opens. */
static enum err_status keep_artifact(
	void *ctx, const char *step_id, const char *name, struct str bytes, struct err *err)
{
	struct stages_run *run = ctx;
	const struct flow *f = run->flow;
	enum err_status st = ERR_OK;
	(void)pthread_mutex_lock(&run->lock);
	if (!run->vault && run->vault_failed) {
		st = err_set(err, ERR_FAILED, "the evidence bucket could not be opened");
	} else if (!run->vault) {
		st = vault_open(&(struct desk){ f->env, f->aws, f->journal, f->config },
			run->case_id, &run->vault, NULL, err);
		run->vault_failed = st != ERR_OK;
	}
	(void)pthread_mutex_unlock(&run->lock);
	if (st == ERR_OK) {
		json_t *source = json_pack("{s:s, s:s}", "type", "artifact", "step", step_id);
		st = vault_put(run->vault, name, bytes, source, NULL, err);
		json_decref(source);
	}
	return st;
}

static void step_changed(void *ctx, const char *step_id, const struct action *a,
	const char *state, const json_t *payload)
{
	const struct stages_run *run = ctx;
	json_t *detail = json_pack("{s:s, s:s, s:s, s:O*}", "step", step_id, "action", a->name,
		"state", state, "payload", payload);
	stages_tell(run->flow, "step", detail);
	json_decref(detail);
}

/* NULL when it can't be asked: then only a name counts. */
static const char *caller_arn(const struct flow *f)
{
	const char *account = NULL, *arn = NULL;

	return f->approve_all && aws_caller(f->aws, &account, &arn, NULL) == ERR_OK ? arn
										    : NULL;
}

void stages_engine(const struct flow *f, const struct finding *finding, const json_t *view,
	struct stages_run *run, struct engine *out)
{
	run->flow = f;
	run->case_id = doc_text_or(view, "case", "");
	(void)pthread_mutex_init(&run->lock, NULL);
	*out = (struct engine){
		.env = f->env,
		.aws = f->aws,
		.journal = f->journal,
		.config = f->config,
		.finding = finding,
		.account = doc_text_or(view, "account", ""),
		.region = doc_text_or(view, "region", ""),
		.dry_run = f->dry_run,
		.approve_all = f->approve_all,
		.approve_seen = f->approve_seen,
		.approver = { .person = f->person, .arn = caller_arn(f) },
		.watch = { .step = step_changed, .ctx = run },
		.artifact = keep_artifact,
		.artifact_ctx = run,
	};
}

void stages_run_end(struct stages_run *run)
{
	vault_free(run->vault);
	(void)pthread_mutex_destroy(&run->lock);
}

/* A step that only tells people what to do is worth a plan: that is where its commands come from. */
static bool hands_over(const json_t *steps)
{
	size_t i;
	json_t *step;
	json_array_foreach(steps, i, step)
	{
		if (strcmp(doc_text_or(step, "action", ""), "hand-over") == 0) {
			return true;
		}
	}
	return false;
}

bool stages_acts(const json_t *route)
{
	const char *mode = doc_text_or(route, "mode", "none");
	const json_t *steps = json_object_get(route, "steps");
	bool acts = strcmp(mode, "auto") == 0 || strcmp(mode, "approve") == 0;
	return acts ? json_array_size(steps) > 0 : hands_over(steps);
}

enum err_status stages_contain(const struct flow *f, const struct finding *finding,
	const char *case_id, const json_t *route, struct err *err)
{
	json_t *view = NULL, *plan = NULL, *payload = NULL, *response = NULL;
	struct engine engine = { 0 };
	struct stages_run run = { 0 };
	char hash[65];
	enum err_status st = view_read(f->journal, case_id, &view, err);
	if (st != ERR_OK) {
		return st;
	}
	stages_engine(f, finding, view, &run, &engine);
	const struct action_ctx base = {
		.env = f->env,
		.aws = f->aws,
		.config = f->config,
		.finding = finding,
		.case_id = case_id,
		.account = engine.account,
		.region = engine.region,
	};
	TRY(plan_make(&base, route, &plan, err));
	plan_distinct(plan, view);
	plan_keep_follow_ups(plan, json_object_get(view, "plan"));
	plan_hash(plan, NULL, hash);
	payload = json_pack("{s:O, s:O*, s:O*, s:s}", "plan", plan, "playbook",
		json_object_get(route, "playbook"), "mode", json_object_get(route, "mode"),
		"hash", hash);
	TRY(journal_append(f->journal, case_id, "plan.made", payload, NULL, err));
	stages_tell(f, "planned", plan);
	st = engine_run(&engine, case_id, plan, &response, err);
	if (response) {
		stages_tell(f, "contained", response);
	}
out:
	stages_run_end(&run);
	json_decref(response);
	json_decref(payload);
	json_decref(plan);
	json_decref(view);
	return st;
}

/* Each open question of the view gets the link that answers it, where links are configured. */
static void add_links(const struct flow *f, json_t *view)
{
	json_t *q;
	size_t i;
	struct secret *key = NULL;
	struct err err = { 0 };

	if (f->config->approval_url == NULL ||
		approval_link_key(f->env, f->aws, f->config, &key, &err) != ERR_OK) {
		if (err.status != ERR_OK) {
			log_err(LOG_ERROR, "messages go out without approval links", &err);
		}
		return;
	}
	json_array_foreach(json_object_get(view, "approvals"), i, q)
	{
		struct buf link;
		if (key == NULL || !json_is_null(json_object_get(q, "decision"))) {
			continue;
		}
		buf_init(&link, 4096);
		buf_printf(&link, "%s%ct=", f->config->approval_url,
			strchr(f->config->approval_url, '?') ? '&' : '?');
		approval_link_make(key, view, q, &link);
		json_object_set_new(q, "link", doc_str(buf_view(&link)));
		buf_deinit(&link);
	}
	secret_free(key);
}

void stages_notify(const struct flow *f, const char *case_id, const char *event)
{
	json_t *view = NULL, *sent = NULL;
	struct err err = { 0 };
	enum err_status st = view_read(f->journal, case_id, &view, &err);
	if (st == ERR_OK) {
		add_links(f, view);
		st = notify_case(&(struct desk){ f->env, f->aws, f->journal, f->config }, view,
			event, &sent, &err);
	}
	if (st != ERR_OK) {
		log_err(LOG_ERROR, "the team could not be told", &err);
	}
	if (sent) {
		stages_tell(f, "notified", sent);
	}
	json_decref(sent);
	json_decref(view);
}

/* What the first message says: the state the measures ended in. */
static const char *first_event(const json_t *view, bool acted)
{
	const char *state = doc_text_or(view, "state", "");
	/* Told what to do, by steps that are for people only: nothing was tried, so nothing failed. */
	if (!acted || strcmp(state, "observed") == 0) {
		return "case.opened";
	}
	if (strcmp(state, "awaiting_approval") == 0) {
		return "action.pending";
	}
	return strcmp(state, "contained") == 0 ? "action.done" : "action.failed";
}

static void explain_or_postpone(const struct flow *f, const char *case_id)
{
	if (f->postpone) {
		f->postpone(f->postpone_ctx, case_id);
	} else {
		stages_explain(f, case_id);
	}
}

void stages_after(const struct flow *f, const struct finding *finding, const char *case_id,
	const json_t *route, bool acted)
{
	json_t *view = NULL;
	struct err err = { 0 };
	(void)finding;
	/* Mode none: a sample, a repetition, cordon's own trace. No reason to wake anybody. */
	if (strcmp(doc_text_or(route, "mode", "none"), "none") == 0) {
		return;
	}
	if (view_read(f->journal, case_id, &view, &err) != ERR_OK) {
		log_err(LOG_ERROR, "the case can't be read back", &err);
		return;
	}
	stages_notify(f, case_id, first_event(view, acted));
	json_decref(view);
	explain_or_postpone(f, case_id);
}

bool stages_due(const json_t *step, int64_t now_ms)
{
	int64_t at = 0;
	return strcmp(doc_text_or(step, "state", ""), "skipped") == 0 &&
	       utc_parse(str_from(doc_text(step, "not_before")), &at) && at <= now_ms;
}

/*
 * What failed is tried again whoever asks: a delivery that comes again does so because it failed.
 * `resuming`: a person asked, so what waits is looked at too.
 */
static bool has_unfinished(const json_t *view, bool resuming, int64_t now_ms)
{
	static const char *const states[] = { "running", "planned", "failed",
		"awaiting_approval" };
	size_t i;
	const json_t *s;
	json_array_foreach(json_object_get(view, "steps"), i, s)
	{
		const char *state = doc_text_or(s, "state", "");
		for (size_t k = 0; k < (resuming ? 4u : 3u); k++) {
			if (strcmp(state, states[k]) == 0) {
				return true;
			}
		}
		bool done = strcmp(state, "done") == 0;
		if (stages_due(s, now_ms) ||
			(done && json_is_null(json_object_get(s, "verified"))) ||
			doc_true(s, "undoing") ||
			(doc_true(view, "undo_all") && doc_true(s, "intent") &&
				!json_is_false(json_object_get(s, "reversible"))) ||
			(resuming && doc_true(s, "needed") && strcmp(state, "skipped") == 0)) {
			return true;
		}
	}
	return false;
}

static enum err_status finish_steps(const struct flow *f, const struct finding *finding,
	const json_t *view, struct err *err)
{
	struct engine engine = { 0 };
	struct stages_run run = { 0 };
	json_t *response = NULL;
	stages_engine(f, finding, view, &run, &engine);
	enum err_status st = engine_resume(&engine, run.case_id, &response, err);
	if (response) {
		stages_tell(f, "contained", response);
	}
	json_decref(response);
	stages_run_end(&run);
	return st;
}

/* Killed before a plan was made: the finding is in the journal, so it is answered from there. */
static enum err_status restart(
	const struct flow *f, struct finding *given, const json_t *view, struct err *err)
{
	struct finding_set set = { 0 };
	struct buf text;
	json_t *route = NULL;
	const char *case_id = doc_text_or(view, "case", "");
	const json_t *raw = doc_get(view, "findings[0].raw");
	enum err_status st = ERR_OK;
	buf_init(&text, DOC_MAX_BYTES);
	if (!given && raw) {
		doc_canonical(raw, &text);
		TRY(finding_read(buf_view(&text), &set, err));
	}
	struct finding *finding = given ? given : (set.n ? set.items[0] : NULL);
	if (!finding) {
		st = err_set(err, ERR_NOT_FOUND, "case %s holds no finding to answer", case_id);
		goto out;
	}
	TRY(stages_route(f, finding, view, true, &route, err));
	if (stages_acts(route)) {
		st = stages_contain(f, finding, case_id, route, err);
	}
out:
	json_decref(route);
	finding_set_deinit(&set);
	buf_deinit(&text);
	return st;
}

enum err_status stages_finish(const struct flow *f, struct finding *finding,
	const char *case_id, json_t **out, struct err *err)
{
	json_t *view = NULL;
	enum err_status st = view_read(f->journal, case_id, &view, err), contained = ERR_OK;
	if (st != ERR_OK) {
		return st;
	}
	bool planned = json_is_object(json_object_get(view, "plan"));
	bool held = json_array_size(json_object_get(view, "held_back")) > 0;
	bool observed = json_array_size(json_object_get(view, "messages")) > 0;
	if (planned && has_unfinished(view, finding == NULL, env_now_ms(f->env))) {
		contained = finish_steps(f, finding, view, err);
	} else if (!planned && !held && !observed && !f->dry_run) {
		contained = restart(f, finding, view, err);
	}
	json_decref(view);
	view = NULL;
	TRY(view_read(f->journal, case_id, &view, err));
	planned = json_is_object(json_object_get(view, "plan"));
	if (!f->dry_run && (planned || !held)) {
		/* What is no news is not sent again: notify_case knows. */
		if (json_array_size(json_object_get(view, "messages")) == 0 ||
			finding == NULL) {
			stages_notify(f, case_id, first_event(view, planned));
		}
		if (strcmp(doc_text_or(view, "state", ""), "undone") != 0) {
			explain_or_postpone(f, case_id);
		}
		json_decref(view);
		view = NULL;
		TRY(view_read(f->journal, case_id, &view, err));
	}
	*out = stages_response(view);
	stages_tell(f, "done", *out);
	st = contained;
out:
	json_decref(view);
	return st;
}
