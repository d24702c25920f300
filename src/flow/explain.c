#include "flow/stages.h"

#include "analysis/investigate.h"
#include "base/folder.h"
#include "base/log.h"
#include "base/utc.h"

#include <stdlib.h>
#include <string.h>

#define HOUR_MS ((int64_t)3600 * 1000)

static json_t *raw_findings(const json_t *view)
{
	json_t *out = json_array();
	size_t i;
	const json_t *seen;
	json_array_foreach(json_object_get(view, "findings"), i, seen)
	{
		(void)json_array_append(out, json_object_get(seen, "raw"));
	}
	return out;
}

/* First sign of trouble in the case: what the findings say, else when it was opened. */
static int64_t first_sign(const struct flow *f, const json_t *view)
{
	int64_t first = env_now_ms(f->env);
	size_t i;
	const json_t *seen;
	static const char *const paths[] = { "raw.service.eventFirstSeen",
		"raw.Service.EventFirstSeen", "raw.detail.service.eventFirstSeen",
		"raw.createdAt", "raw.CreatedAt", "raw.FirstObservedAt",
		"raw.detail.createdAt" };
	json_array_foreach(json_object_get(view, "findings"), i, seen)
	{
		for (size_t k = 0; k < sizeof(paths) / sizeof(paths[0]); k++) {
			int64_t at;
			const char *text = doc_text(seen, paths[k]);
			if (text && utc_parse(str_from(text), &at) && at < first) {
				first = at;
			}
		}
	}
	return first;
}

static enum err_status analyse(const struct flow *f, struct vault *vault, const json_t *view,
	const char *dir, struct err *err)
{
	const char *case_id = doc_text_or(view, "case", "");
	json_t *findings = raw_findings(view), *result = NULL, *payload = NULL;
	struct buf text;
	buf_init(&text, DOC_MAX_BYTES);
	const struct investigate_options opts = {
		.paths = &dir,
		.n_paths = 1,
		.rules = { f->config->rules, f->config->placeholders },
		.findings = findings,
	};
	enum err_status st = investigate_run(f->env, &opts, &result, err);
	if (st != ERR_OK) {
		goto out;
	}
	payload = json_pack("{s:O}", "investigation", result);
	TRY(journal_append(f->journal, case_id, "analysis.done", payload, NULL, err));
	stages_tell(f, "analysed", result);
	doc_pretty(result, &text);
	json_t *source = json_pack("{s:s}", "type", "analysis");
	st = vault_put(
		vault, "analysis/investigation.json", buf_view(&text), source, NULL, err);
	json_decref(source);
out:
	buf_deinit(&text);
	json_decref(payload);
	json_decref(result);
	json_decref(findings);
	return st;
}

static enum err_status acquire(const struct flow *f, struct vault *vault, const json_t *view,
	const char *dir, struct err *err)
{
	json_t *taken = NULL;
	const struct acquire_plan plan = {
		.from_ms = first_sign(f, view) - f->config->evidence_window_hours * HOUR_MS,
		.to_ms = env_now_ms(f->env) + HOUR_MS,
		.dir = dir,
	};
	enum err_status st = vault_acquire(vault, view, &plan, &taken, err);
	if (taken) {
		stages_tell(f, "evidence", taken);
	}
	json_decref(taken);
	return st;
}

static enum err_status explain(
	const struct flow *f, struct vault *vault, const json_t *view, struct err *err)
{
	char *dir = NULL;
	enum err_status st = folder_temp(f->env, &dir, err);
	if (st != ERR_OK) {
		return st;
	}
	st = acquire(f, vault, view, dir, err);
	if (st != ERR_OK && st != ERR_PARTIAL) {
		goto out;
	}
	TRY(analyse(f, vault, view, dir, err));
	st = vault_seal(vault, err);
out:
	folder_remove(dir);
	free(dir);
	return st;
}

/* What the analysis brought up may need an answer: then the message says so. */
static void tell_explained(const struct flow *f, const char *case_id)
{
	json_t *view = NULL;
	bool asks = view_read(f->journal, case_id, &view, NULL) == ERR_OK &&
		    strcmp(doc_text_or(view, "state", ""), "awaiting_approval") == 0;

	json_decref(view);
	stages_notify(f, case_id, asks ? "action.pending" : "case.updated");
}

void stages_explain(const struct flow *f, const char *case_id)
{
	json_t *view = NULL;
	struct vault *vault = NULL;
	struct err err = { 0 };
	enum err_status st = view_read(f->journal, case_id, &view, &err);
	if (st == ERR_OK && json_is_object(json_object_get(view, "investigation"))) {
		stages_follow(f, case_id); /* where a killed run did not come to it */
		json_decref(view);
		return;
	}
	if (st == ERR_OK) {
		st = vault_open(&(struct desk){ f->env, f->aws, f->journal, f->config },
			case_id, &vault, NULL, &err);
	}
	if (st == ERR_OK) {
		st = explain(f, vault, view, &err);
	}
	if (st != ERR_OK) {
		json_t *failed = json_pack("{s:s, s:{s:s, s:s, s:s}}", "name", "analysis",
			"error", "status", err_name(err.status), "code", err.code, "message",
			err.msg);
		log_err(LOG_ERROR, "evidence and analysis are incomplete", &err);
		if (journal_append(f->journal, case_id, "evidence.failed", failed, NULL,
			    NULL) != ERR_OK) {
			log_event(LOG_ERROR, "the journal can't be written", NULL);
		}
		json_decref(failed);
	} else {
		stages_follow(f, case_id);
		tell_explained(f, case_id);
	}
	vault_free(vault);
	json_decref(view);
}
