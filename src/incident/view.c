#include "incident/view.h"

#include "incident/view_fold.h"

#include <string.h>

void view_set(json_t *obj, const char *key, json_t *v)
{
	json_object_set_new(obj, key, v ? json_incref(v) : json_null());
}

void view_set_text(json_t *obj, const char *key, const char *text)
{
	json_object_set_new(obj, key, text ? json_string(text) : json_null());
}

static json_t *part(const struct view_fold *f, const char *key)
{
	return json_object_get(f->view, key);
}

static json_t *finding_of(const struct view_fold *f, const char *arn)
{
	json_t *v;
	size_t i;

	json_array_foreach(part(f, "findings"), i, v)
	{
		if (strcmp(doc_text_or(v, "arn", ""), arn) == 0) {
			return v;
		}
	}
	v = json_pack("{s:s, s:i}", "arn", arn, "received", 0);
	json_array_append_new(part(f, "findings"), v);
	return v;
}

static void take_opened(struct view_fold *f, const struct view_record *r)
{
	static const char *const fields[] = { "title", "type", "severity", "account",
		"region" };

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		view_set(f->view, fields[i], json_object_get(r->payload, fields[i]));
	}
	json_t *resources = json_object_get(r->payload, "resources");
	if (json_is_array(resources)) {
		json_object_set_new(f->view, "resources", json_copy(resources));
	}
	view_set_text(f->view, "opened", r->time);
	if (json_is_object(json_object_get(r->payload, "finding"))) {
		json_t *finding = finding_of(f, doc_text_or(r->payload, "finding_arn", ""));
		view_set(finding, "raw", json_object_get(r->payload, "finding"));
		view_set(finding, "type", json_object_get(r->payload, "type"));
		view_set(finding, "severity", json_object_get(r->payload, "severity"));
	}
}

static json_t *either(const json_t *obj, const char *a, const char *b)
{
	json_t *v = json_object_get(obj, a);

	return v ? v : json_object_get(obj, b);
}

static void take_finding(struct view_fold *f, const struct view_record *r)
{
	json_t *finding = finding_of(f, doc_text_or(r->payload, "arn", ""));
	json_t *raw = json_object_get(r->payload, "finding");

	json_object_set_new(
		finding, "received", json_integer(doc_int(finding, "received", 0) + 1));
	view_set(finding, "count", json_object_get(r->payload, "count"));
	view_set(finding, "updated", json_object_get(r->payload, "updated"));
	if (json_is_object(raw)) {
		view_set(finding, "raw", raw);
		json_t *type = either(raw, "type", "Type");
		json_t *severity = either(raw, "severity", "Severity");
		view_set(finding, "type", type ? type : part(f, "type"));
		view_set(finding, "severity",
			json_is_number(severity) ? severity : part(f, "severity"));
	}
}

/* A list entry: the payload with the time and actor of its record. */
static void take_entry(struct view_fold *f, const char *list, const struct view_record *r)
{
	json_t *entry = json_copy(r->payload);

	view_set_text(entry, "time", r->time);
	view_set_text(entry, "actor", r->actor);
	view_set_text(entry, "kind", r->kind);
	json_array_append_new(part(f, list), entry);
}

static bool is_there(const json_t *list, const json_t *v)
{
	const json_t *have;
	size_t i;

	json_array_foreach(list, i, have)
	{
		if (doc_eq(have, v)) {
			return true;
		}
	}
	return false;
}

/* What the other case was about is now this one's, too. */
static void take_merged(struct view_fold *f, const struct view_record *r)
{
	json_t *v;
	size_t i;

	take_entry(f, "merged", r);
	json_array_foreach(json_object_get(r->payload, "resources"), i, v)
	{
		if (!is_there(part(f, "resources"), v)) {
			json_array_append(part(f, "resources"), v);
		}
	}
	json_array_foreach(json_object_get(r->payload, "findings"), i, v)
	{
		json_t *finding = finding_of(f, doc_text_or(v, "arn", ""));
		json_object_update_missing(finding, v);
	}
}

static void take(struct view_fold *f, const struct view_record *r)
{
	static const struct {
		const char *kind, *list;
	} lists[] = {
		{ "guard.held", "held_back" },
		{ "notify.sent", "messages" },
		{ "notify.failed", "messages" },
		{ "evidence.stored", "evidence" },
		{ "evidence.failed", "evidence_failed" },
		{ "case.note", "notes" },
	};

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		if (strcmp(r->kind, lists[i].kind) == 0) {
			take_entry(f, lists[i].list, r);
			return;
		}
	}
	if (strcmp(r->kind, "case.opened") == 0) {
		take_opened(f, r);
	} else if (strcmp(r->kind, "finding.received") == 0) {
		take_finding(f, r);
	} else if (strcmp(r->kind, "analysis.done") == 0) {
		view_set(
			f->view, "investigation", json_object_get(r->payload, "investigation"));
	} else if (strcmp(r->kind, "case.suppressed") == 0) {
		json_object_set_new(f->view, "suppressed", json_true());
		view_set(f->view, "undo_all", json_object_get(r->payload, "undo_all"));
		view_set(f->view, "undo_force", json_object_get(r->payload, "force"));
	} else if (strcmp(r->kind, "case.closed") == 0) {
		view_set_text(f->view, "closed", r->time);
		view_set(f->view, "merged_into", json_object_get(r->payload, "merged_into"));
	} else if (strcmp(r->kind, "case.merged") == 0) {
		take_merged(f, r);
	} else {
		view_steps_take(f, r);
	}
}

static const char *state_of(const struct view_fold *f)
{
	const char *by_steps = view_steps_state(f);

	if (json_is_string(part(f, "closed"))) {
		return "closed";
	}
	if (by_steps != NULL) {
		return by_steps;
	}
	const char *mode = doc_text_or(f->view, "mode", "");
	bool observed = json_array_size(part(f, "held_back")) > 0 ||
			strcmp(mode, "notify") == 0 || strcmp(mode, "none") == 0;
	return observed ? "observed" : "open";
}

static void add_timeline(struct view_fold *f, const struct view_record *r)
{
	struct buf text;

	buf_init(&text, 4096);
	view_say(r, &text);
	json_t *entry = json_pack("{s:s, s:s, s:s, s:o, s:s}", "time", r->time, "actor",
		r->actor, "kind", r->kind, "text", doc_str(buf_view(&text)), "detail",
		view_detail(r));
	static const char *const refs[] = { "step", "action", "resource" };
	for (size_t i = 0; i < sizeof refs / sizeof refs[0]; i++) {
		json_t *v = json_object_get(r->payload, refs[i]);
		if (v != NULL) {
			json_object_set(entry, refs[i], v);
		}
	}
	json_array_append_new(part(f, "timeline"), entry);
	buf_deinit(&text);
}

static json_t *empty_view(void)
{
	return json_pack(
		"{s:s, s:n, s:s, s:n, s:n, s:n, s:n, s:n, s:n, s:n, s:[], s:[], s:n, s:n, s:n,"
		" s:n, s:n, s:b, s:[], s:[], s:[], s:[], s:[], s:[], s:n, s:[], s:n, s:[], "
		"s:[]}",
		"schema", "cordon.case/1", "case", "state", "open", "opened", "updated",
		"title", "type", "severity", "account", "region", "resources", "findings",
		"playbook", "mode", "plan", "head", "closed", "suppressed", 0, "steps",
		"held_back", "approvals", "messages", "evidence", "evidence_failed",
		"investigation", "merged", "merged_into", "notes", "timeline");
}

enum err_status view_fold(const json_t *records, json_t **out, struct err *err)
{
	json_t *rec;
	size_t i;

	if (!json_is_array(records) || json_array_size(records) == 0) {
		return err_set(err, ERR_INPUT, "a case is an array of at least one record");
	}
	struct view_fold f = { .view = empty_view(), .by_id = json_object() };
	f.steps = part(&f, "steps");
	json_array_foreach(records, i, rec)
	{
		json_t *payload = json_object_get(rec, "payload");
		json_t *none = json_is_object(payload) ? NULL : json_object();
		struct view_record r = {
			.time = doc_text_or(rec, "time", ""),
			.actor = doc_text_or(rec, "actor", ""),
			.kind = doc_text_or(rec, "kind", ""),
			.seq = doc_int(rec, "seq", 0),
			.payload = none ? none : payload,
		};
		take(&f, &r);
		add_timeline(&f, &r);
		json_decref(none);
	}
	rec = json_array_get(records, json_array_size(records) - 1);
	view_set(f.view, "case", json_object_get(json_array_get(records, 0), "case"));
	view_set(f.view, "updated", json_object_get(rec, "time"));
	json_object_set_new(f.view, "head",
		json_pack("{s:I, s:s}", "seq", (json_int_t)doc_int(rec, "seq", 0), "hash",
			doc_text_or(rec, "hash", "")));
	view_set_text(f.view, "state", state_of(&f));
	json_decref(f.by_id);
	*out = f.view;
	return ERR_OK;
}
