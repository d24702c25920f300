#include "notify/forms.h"

#include "base/utc.h"

#include <string.h>

enum { MOST_FINDINGS = 50, MOST_STEPS = 100 };

static const struct {
	int id;
	const char *name;
} statuses[] = {
	[SUMMARY_OPEN] = { 1, "New" },
	[SUMMARY_OBSERVED] = { 1, "New" },
	[SUMMARY_PENDING] = { 3, "On Hold" },
	[SUMMARY_CONTAINED] = { 2, "In Progress" },
	[SUMMARY_PARTIAL] = { 2, "In Progress" },
	[SUMMARY_FAILED] = { 2, "In Progress" },
	[SUMMARY_UNDONE] = { 4, "Resolved" },
	[SUMMARY_CLOSED] = { 5, "Closed" },
};

static int activity(const char *event, const char **name)
{
	if (strcmp(event, "case.opened") == 0) {
		*name = "Create";
		return 1;
	}
	if (strcmp(event, "case.closed") == 0) {
		*name = "Close";
		return 3;
	}
	*name = "Update";
	return 2;
}

static int severity(const char *word, const char **name)
{
	static const char *const words[][2] = { { "info", "Informational" }, { "low", "Low" },
		{ "medium", "Medium" }, { "high", "High" }, { "critical", "Critical" } };

	for (int i = 0; i < 5; i++) {
		if (strcmp(words[i][0], word) == 0) {
			*name = words[i][1];
			return i + 1;
		}
	}
	*name = "Unknown";
	return 0;
}

static int verdict(const char *class_name, const char **name)
{
	if (!class_name) {
		*name = "Unknown";
		return 0;
	}
	if (strcmp(class_name, "no_incident") == 0) {
		*name = "Benign";
		return 5;
	}
	if (strcmp(class_name, "undetermined") == 0) {
		*name = "Insufficient Data";
		return 7;
	}
	if (strcmp(class_name, "valid_credentials_known_origin") == 0) {
		*name = "Suspicious";
		return 4;
	}
	*name = "True Positive";
	return 2;
}

static json_t *finding_infos(const struct summary *s)
{
	const json_t *findings = doc_get(s->view, "findings");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(findings) && i < MOST_FINDINGS; i++) {
		const json_t *f = json_array_get(findings, i);
		(void)json_array_append_new(list,
			json_pack("{s:s, s:s, s:[s], s:[s]}", "uid",
				doc_text_or(f, "arn", s->case_id), "title",
				doc_text_or(f, "raw.title", doc_text_or(s->view, "title", "")),
				"types", doc_text_or(f, "type", s->type), "data_sources",
				"Amazon GuardDuty"));
	}
	if (json_array_size(list) == 0) { /* the class requires one */
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s}", "uid", s->case_id, "title",
				      doc_text_or(s->view, "title", "")));
	}
	return list;
}

static json_t *attacks(const struct summary *s)
{
	const json_t *chain = doc_get(s->view, "investigation.verdict.chain");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(chain) && i < 40; i++) {
		const char *id = doc_text(json_array_get(chain, i), "technique");
		if (id) {
			(void)json_array_append_new(
				list, json_pack("{s:{s:s}}", "technique", "uid", id));
		}
	}
	return list;
}

static json_t *steps(const struct summary *s)
{
	const json_t *all = doc_get(s->view, "steps");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(all) && i < MOST_STEPS; i++) {
		const json_t *step = json_array_get(all, i);
		(void)json_array_append_new(
			list, json_pack("{s:s, s:s, s:s, s:s, s:b}", "id",
				      doc_text_or(step, "id", ""), "action",
				      doc_text_or(step, "action", ""), "resource",
				      doc_text_or(step, "resource.id", ""), "state",
				      doc_text_or(step, "state", ""), "verified",
				      doc_true(step, "verified")));
	}
	return list;
}

static int64_t updated_ms(const struct summary *s)
{
	int64_t ms = 0;

	(void)utc_parse(str_from(doc_text(s->view, "updated")), &ms);
	return ms;
}

json_t *ocsf_incident(const struct summary *s)
{
	const char *activity_name = NULL;
	const char *severity_name = NULL;
	const char *verdict_name = NULL;
	int activity_id = activity(s->event, &activity_name);
	int severity_id = severity(s->severity, &severity_name);
	int verdict_id =
		verdict(doc_text(s->view, "investigation.verdict.class"), &verdict_name);
	json_t *d = json_pack("{s:i, s:s, s:i, s:s, s:i, s:s, s:i, s:I}", "class_uid", 2005,
		"class_name", "Incident Finding", "category_uid", 2, "category_name",
		"Findings", "activity_id", activity_id, "activity_name", activity_name,
		"type_uid", 200500 + activity_id, "time", (json_int_t)updated_ms(s));

	(void)json_object_update_new(
		d, json_pack("{s:i, s:s, s:i, s:s, s:i, s:s, s:s, s:s}", "severity_id",
			   severity_id, "severity", severity_name, "status_id",
			   statuses[s->outcome].id, "status", statuses[s->outcome].name,
			   "verdict_id", verdict_id, "verdict", verdict_name, "message",
			   doc_text_or(s->view, "title", s->type), "desc",
			   doc_text_or(s->view, "title", s->type)));
	(void)json_object_set_new(d, "metadata",
		json_pack("{s:s, s:{s:s, s:s, s:s}, s:[s, s], s:s, s:s}", "version", "1.6.0",
			"product", "name", "cordon", "vendor_name", "cordon", "version",
			CORDON_VERSION, "profiles", "incident", "cloud", "correlation_uid",
			s->case_id, "event_code", s->event));
	(void)json_object_set_new(d, "cloud",
		json_pack("{s:s, s:{s:s}, s:s}", "provider", "AWS", "account", "uid",
			s->account, "region", s->region));
	(void)json_object_set_new(d, "assignee_group", json_pack("{s:s}", "name", "security"));
	(void)json_object_set_new(d, "finding_info_list", finding_infos(s));
	(void)json_object_set_new(d, "attacks", attacks(s));
	(void)json_object_set_new(d, "unmapped",
		json_pack("{s:s, s:s, s:s, s:o, s:I, s:O*}", "case", s->case_id, "state",
			doc_text_or(s->view, "state", ""), "event", s->event, "steps", steps(s),
			"evidence", (json_int_t)s->evidence, "resources",
			doc_get(s->view, "resources")));
	if (s->url) {
		json_t *url = json_sprintf("%s%s", s->url, s->case_id);
		(void)json_object_set_new(d, "src_url", url);
	}
	return d;
}
