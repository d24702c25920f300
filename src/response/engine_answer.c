#include "incident/view.h"
#include "response/engine_ctx.h"
#include "response/engine_run.h"

#include <stdio.h>
#include <string.h>

json_t *engine_answer(const json_t *view)
{
	static const char *const fields[] = { "action", "resource", "mode", "state", "verified",
		"before", "after", "reason", "template", "args", "error", "elapsed_ms", "undo",
		"origin" };
	json_t *actions = json_array(), *errors = json_array();
	const char *state = doc_text_or(view, "state", "open");
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, step)
	{
		json_t *a = json_pack("{s:O}", "step", json_object_get(step, "id"));
		json_t *error = json_object_get(step, "error");
		for (size_t k = 0; k < sizeof(fields) / sizeof(fields[0]); k++) {
			json_t *v = json_object_get(step, fields[k]);
			if (v != NULL && !json_is_null(v)) {
				json_object_set(a, fields[k], v);
			}
		}
		json_object_set_new(a, "verified",
			json_boolean(json_is_true(json_object_get(step, "verified"))));
		json_array_append_new(actions, a);
		if (json_is_object(error)) {
			json_t *e = json_copy(error);
			json_object_set(e, "step", json_object_get(step, "id"));
			json_object_set(e, "action", json_object_get(step, "action"));
			json_array_append_new(errors, e);
		}
	}
	if (strcmp(state, "observed") == 0) {
		state = "notified";
	} else if (strcmp(state, "open") == 0) {
		state = json_array_size(actions) > 0 ? "partial" : "notified";
	}
	return json_pack("{s:s, s:O, s:s, s:o, s:o}", "schema", "cordon.response/1", "case",
		json_object_get(view, "case"), "state", state, "actions", actions, "errors",
		errors);
}

/* What a denied call wants allowed, for the end of a message; "" when nothing was denied. */
static void permission_wanted(const json_t *response, char out[160])
{
	const json_t *e;
	size_t i;

	out[0] = '\0';
	json_array_foreach(json_object_get(response, "errors"), i, e)
	{
		if (strcmp(doc_text_or(e, "status", ""), err_name(ERR_DENIED)) == 0 &&
			out[0] == '\0') {
			(void)snprintf(out, 160,
				"; allow %.80s: `cordon policy` prints all it takes",
				doc_text_or(e, "call", "the call"));
		}
	}
}

/* The status a script sees: the first failure's own when nothing at all was achieved. */
enum err_status engine_answer_status(const json_t *response, struct err *err)
{
	const char *state = doc_text_or(response, "state", "");
	const char *id = doc_text_or(response, "case", "?");
	const char *message = doc_text_or(response, "errors[0].message", "a step failed");
	const char *step = doc_text_or(response, "errors[0].step", "?");
	size_t n = json_array_size(json_object_get(response, "errors"));
	char wanted[160];

	permission_wanted(response, wanted);

	if (strcmp(state, "awaiting_approval") == 0) {
		return err_set(err, ERR_AWAITING,
			"case %s waits for approval: `cordon case show %s` tells of what, "
			"`cordon approve %s STEP` or `cordon reject %s STEP` answers",
			id, id, id, id);
	}
	if (strcmp(state, "partial") == 0) {
		return n == 0 ? err_set(err, ERR_PARTIAL, "not every step was run")
			      : err_set(err, ERR_PARTIAL,
					"%zu step(s) failed, first %.60s: %.180s%s", n, step,
					message, wanted);
	}
	if (strcmp(state, "failed") != 0) {
		return ERR_OK;
	}
	enum err_status st = engine_ctx_status(doc_text_or(response, "errors[0].status", ""));
	if (st != ERR_DENIED && st != ERR_UNREACHABLE && st != ERR_CONFIG) {
		st = ERR_FAILED;
	}
	return err_set(err, st, "%.60s: %.180s%s", step, message, wanted);
}

/* The view with nothing done yet shows exactly the plan; the rehearsal left its calls there. */
enum err_status engine_answer_rehearse(const char *case_id, const json_t *plan, json_t **out)
{
	static const char *const shown[] = { "title", "calls", "state", "would_call", "error",
		"why", "risk", "undo" };
	json_t *record = json_pack("[{s:s?, s:s, s:{s:O}}]", "case", case_id, "kind",
		"plan.made", "payload", "plan", plan);
	json_t *view = NULL;
	json_t *a;
	size_t i;
	enum err_status st = view_fold(record, &view, NULL);

	if (st == ERR_OK) {
		*out = engine_answer(view);
		json_array_foreach(json_object_get(*out, "actions"), i, a)
		{
			json_t *planned = json_array_get(json_object_get(plan, "steps"), i);
			for (size_t k = 0; k < sizeof(shown) / sizeof(shown[0]); k++) {
				json_t *v = json_object_get(planned, shown[k]);
				if (v != NULL) {
					json_object_set(a, shown[k], v);
				}
			}
		}
		json_object_set_new(*out, "state", json_string("notified"));
		json_object_set_new(*out, "dry_run", json_true());
	}
	json_decref(view);
	json_decref(record);
	return st;
}
