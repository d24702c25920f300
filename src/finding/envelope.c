#include "finding/envelope.h"

#include "finding/shapes.h"

#include <stdlib.h>
#include <string.h>

#define MAX_LEVELS 12 /* arrays and wrappings inside each other */

static size_t parts_so_far(const struct finding_set *set)
{
	return set->n + set->not_findings + json_array_size(set->rejected);
}

static enum err_status check_count(const struct finding_set *set, struct err *err)
{
	if (parts_so_far(set) >= FINDING_MAX_PARTS) {
		return err_set(err, ERR_LIMIT,
			"more than %d findings in one input: split it into smaller files",
			FINDING_MAX_PARTS);
	}
	return ERR_OK;
}

enum err_status envelope_reject(struct finding_set *set, const char *reason, struct err *err)
{
	enum err_status st = check_count(set, err);
	if (st == ERR_OK) {
		json_array_append_new(set->rejected,
			json_pack("{s:I, s:o}", "index", (json_int_t)parts_so_far(set),
				"reason", doc_str(str_from(reason))));
	}
	return st;
}

static enum err_status add_not_finding(struct finding_set *set, struct err *err)
{
	enum err_status st = check_count(set, err);
	set->not_findings += st == ERR_OK;
	return st;
}

/* items doubles from 16 on; the size is known from n. */
static void add_finding(struct finding_set *set, struct finding *f)
{
	if (set->n == 0 || (set->n >= 16 && (set->n & (set->n - 1)) == 0)) {
		size_t cap = set->n == 0 ? 16 : set->n * 2;
		struct finding **bigger = realloc(set->items, cap * sizeof(struct finding *));
		if (bigger == NULL) {
			BUG("out of memory");
		}
		set->items = bigger;
	}
	set->items[set->n++] = f;
}

static enum err_status open_finding(
	json_t *doc, const struct parts_origin *from, struct finding_set *set, struct err *err)
{
	struct finding *f = NULL;
	struct err why = { 0 };
	enum err_status st = check_count(set, err);
	if (st != ERR_OK) {
		return st;
	}
	if (asff_is(doc)) {
		st = asff_read(doc, from, &f, &why);
	} else if (ocsf_is(doc)) {
		st = ocsf_read(doc, from, &f, &why);
	} else {
		st = guardduty_read(doc, from, &f, &why);
	}
	if (st != ERR_OK) {
		return envelope_reject(set, why.msg, err);
	}
	add_finding(set, f);
	return ERR_OK;
}

static bool is_finding(const json_t *doc)
{
	return asff_is(doc) || ocsf_is(doc) || guardduty_is(doc);
}

/* NOLINTBEGIN(misc-no-recursion): bounded by MAX_LEVELS */
static enum err_status open_value(json_t *v, const struct parts_origin *from,
	struct finding_set *set, int level, struct err *err);

/* A JSON text inside JSON: SQS body, SNS Message. */
static enum err_status open_text(const json_t *v, const struct parts_origin *from,
	struct finding_set *set, int level, struct err *err)
{
	struct err why = { 0 };
	json_t *inner = NULL;
	struct str text = { json_string_value(v), json_string_length(v) };
	if (doc_parse(text, FINDING_MAX_BYTES, &inner, &why) != ERR_OK) {
		(void)err_prefix(&why, "message body");
		return envelope_reject(set, why.msg, err);
	}
	enum err_status st = open_value(inner, from, set, level + 1, err);
	json_decref(inner);
	return st;
}

static enum err_status open_array(const json_t *list, const struct parts_origin *from,
	struct finding_set *set, int level, struct err *err)
{
	enum err_status st = ERR_OK;
	size_t i = 0;
	json_t *v = NULL;

	json_array_foreach(list, i, v)
	{
		TRY(open_value(v, from, set, level + 1, err));
	}
out:
	return st;
}

/* An EventBridge event; `detail` is an object. */
static enum err_status open_event(
	const json_t *event, struct finding_set *set, int level, struct err *err)
{
	json_t *detail = json_object_get(event, "detail");
	const json_t *account = json_object_get(event, "account");
	const json_t *region = json_object_get(event, "region");
	const json_t *source = json_object_get(event, "source");
	const json_t *kind = json_object_get(event, "detail-type");
	const struct parts_origin from = { str_from(json_string_value(account)),
		str_from(json_string_value(region)) };
	char reason[200];

	if (parts_is(source, "aws.guardduty") && kind != NULL &&
		!parts_is(kind, "GuardDuty Finding")) {
		return add_not_finding(set, err); /* scan results, coverage, plan status */
	}
	if (is_finding(detail)) {
		return open_finding(detail, &from, set, err);
	}
	json_t *list = parts_at(detail, "findings");
	if (json_is_array(list)) {
		return open_array(list, &from, set, level, err);
	}
	if (parts_is(source, "aws.securityhub")) {
		return add_not_finding(set, err); /* insights */
	}
	(void)snprintf(reason, sizeof(reason), "event of %.60s (%.60s) holds no finding",
		json_is_string(source) ? json_string_value(source) : "an unnamed source",
		json_is_string(kind) ? json_string_value(kind) : "no detail-type");
	return envelope_reject(set, reason, err);
}

static enum err_status open_object(json_t *v, const struct parts_origin *from,
	struct finding_set *set, int level, struct err *err)
{
	static const char *const lists[] = { "findings", "records", "messages" };

	if (json_is_object(json_object_get(v, "detail"))) {
		return open_event(v, set, level, err);
	}
	if (is_finding(v)) {
		return open_finding(v, from, set, err);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const json_t *list = parts_at(v, lists[i]);
		if (json_is_array(list)) {
			return open_array(list, from, set, level, err);
		}
	}
	if (json_is_string(
		    parts_at(v, "body"))) { /* SQS, as Lambda or ReceiveMessage hand it over */
		return open_text(parts_at(v, "body"), from, set, level, err);
	}
	if (json_is_object(parts_at(v, "sns"))) { /* SNS, as Lambda hands it over */
		return open_value(parts_at(v, "sns"), from, set, level + 1, err);
	}
	if (json_is_string(json_object_get(v, "Message"))) { /* SNS to SQS */
		return open_text(json_object_get(v, "Message"), from, set, level, err);
	}
	return envelope_reject(set,
		"not a finding: no type, resource or service of GuardDuty, no ASFF, no OCSF",
		err);
}

static enum err_status open_value(json_t *v, const struct parts_origin *from,
	struct finding_set *set, int level, struct err *err)
{
	if (level > MAX_LEVELS) {
		return envelope_reject(set, "wrapped too many times", err);
	}
	if (json_is_array(v)) {
		return open_array(v, from, set, level, err);
	}
	if (json_is_object(v)) {
		return open_object(v, from, set, level, err);
	}
	return envelope_reject(set, "not a finding: neither an object nor a list", err);
}

/* NOLINTEND(misc-no-recursion) */

enum err_status envelope_open(json_t *doc, struct finding_set *set, struct err *err)
{
	const struct parts_origin nowhere = { { NULL, 0 }, { NULL, 0 } };
	return open_value(doc, &nowhere, set, 0, err);
}
