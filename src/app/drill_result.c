#include "app/drill.h"

#include <string.h>

static json_t *actions(const struct drill *d)
{
	json_t *list = json_array(), *step;
	size_t i;

	json_array_foreach(doc_get(d->view, "steps"), i, step)
	{
		const char *state = doc_text_or(step, "state", "");

		if (strcmp(state, "done") == 0 || strcmp(state, "failed") == 0 ||
			strncmp(state, "undo", 4) == 0) {
			json_array_append_new(list,
				json_pack("{s:s, s:s, s:s, s:b}", "action",
					doc_text_or(step, "action", ""), "resource",
					doc_text_or(step, "resource.id", ""), "state", state,
					"verified", doc_true(step, "verified") ? 1 : 0));
		}
	}
	return list;
}

static json_t *milliseconds(int64_t from_us, int64_t to_us)
{
	return from_us > 0 && to_us >= from_us ? json_integer((to_us - from_us) / 1000)
					       : json_null();
}

/* One after another until isolated: the plan's own count, held against the most it may be by its test. */
static int64_t round_trips(const struct drill *d)
{
	return d->isolated_us > 0 ? doc_int(d->view, "plan.round_trips_to_isolation", 0) : 0;
}

json_t *drill_result_document(struct drill *d)
{
	json_t *differences = d->after_undo != NULL
				      ? drill_look_differences(d->before, d->after_undo)
				      : json_array();
	json_t *verdict = doc_get(d->view, "investigation.verdict"), *acts = actions(d);
	json_t *out = json_pack("{s:s, s:s, s:I, s:s, s:O?, s:{s:o, s:o, s:o}, s:I, s:I, s:o, "
				"s:O, s:b, s:o, s:s?, s:O?}",
		"schema", "cordon.drill/1", "scenario", scenario_name(d->kind), "seed",
		(json_int_t)d->seed, "case", d->case_id, "verdict", verdict, "timings_ms",
		"finding_to_case", milliseconds(d->received_us, d->case_us),
		"finding_to_isolated", milliseconds(d->received_us, d->isolated_us), "total",
		milliseconds(d->received_us, d->done_us), "round_trips",
		(json_int_t)round_trips(d), "mutating_calls", (json_int_t)d->mutating,
		"actions", acts, "messages", d->messages, "undone",
		d->after_undo != NULL && json_array_size(differences) == 0 ? 1 : 0,
		"differences_after_undo", differences, "report", d->report, "response",
		d->response);

	return out;
}

enum err_status drill_result_judge(const struct drill *d, const json_t *out, struct err *err)
{
	size_t i;
	json_t *a;

	if (json_array_size(doc_get(out, "differences_after_undo")) > 0) {
		return err_set(err, ERR_FAILED,
			"the account is not as before the incident: see the differences above");
	}
	if (d->kind == SCENARIO_FALSE_ALARM && d->mutating > 0) {
		return err_set(err, ERR_FAILED, "a false alarm changed the account");
	}
	json_array_foreach(doc_get(out, "actions"), i, a)
	{
		if (!doc_true(a, "verified")) {
			return err_set(err, ERR_PARTIAL, "%s on %s did not take hold",
				doc_text_or(a, "action", "a measure"),
				doc_text_or(a, "resource", "?"));
		}
	}
	return doc_get(out, "verdict.class") != NULL
		       ? ERR_OK
		       : err_set(err, ERR_PARTIAL, "no verdict was reached");
}
