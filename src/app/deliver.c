#include "app/deliver.h"

#include "base/log.h"

static bool is_answer(enum err_status st)
{
	return st == ERR_OK || st == ERR_PARTIAL || st == ERR_AWAITING || st == ERR_REFUSED;
}

static void note_finding(const struct finding *finding)
{
	log_event(LOG_INFO, "finding received",
		json_pack("{s:o, s:o, s:f, s:b}", "type", doc_str(finding->type), "finding",
			doc_str(finding->arn), "severity", finding->severity, "sample",
			finding->sample ? 1 : 0));
}

static void note_rejected(const struct finding_set *set)
{
	size_t i;
	json_t *part;

	json_array_foreach(set->rejected, i, part)
	{
		log_event(LOG_WARN, "part of a message could not be read", json_incref(part));
	}
}

enum err_status deliver(const struct flow *f, struct str body, json_t **out,
	struct deliver_count *count, struct err *err)
{
	struct finding_set set = { 0 };
	enum err_status st = finding_read(body, &set, err), worst = ERR_OK;
	json_t *answers;

	if (st != ERR_OK) {
		return st;
	}
	answers = json_array();
	note_rejected(&set);
	for (size_t i = 0; i < set.n; i++) {
		struct err here = { 0 };
		json_t *answer = NULL;

		note_finding(set.items[i]);
		st = flow_answer(f, set.items[i], &answer, &here);
		if (st != ERR_OK) {
			log_err(is_answer(st) ? LOG_WARN : LOG_ERROR,
				"a finding was not fully answered", &here);
		}
		if (!is_answer(st) && worst == ERR_OK) {
			worst = st;
			if (err != NULL) {
				*err = here;
			}
		}
		if (answer != NULL) {
			json_array_append_new(answers, answer);
		}
	}
	if (count != NULL) {
		*count = (struct deliver_count){ set.n, set.not_findings,
			json_array_size(set.rejected) };
	}
	finding_set_deinit(&set);
	if (out != NULL) {
		*out = answers;
	} else {
		json_decref(answers);
	}
	return worst;
}
