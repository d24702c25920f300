/*
 * ATT&CK Navigator layer, format 4.5 ("MITRE ATT&CK Navigator Layer File Format Version 4.5"): one
 * entry a technique, its score the number of events that show it.
 */
#include "report/export.h"

#include "report/sections.h"

#include <stdio.h>
#include <string.h>

#define TECHNIQUES_MAX 400
#define EVENTS_SHOWN   10

static json_t *entry_of(json_t *set, const char *id)
{
	json_t *e = json_object_get(set, id);
	if (!e && json_object_size(set) < TECHNIQUES_MAX) {
		e = json_pack("{s:i,s:[],s:[]}", "score", 0, "events", "comments");
		json_object_set_new(set, id, e);
	}
	return e;
}

static void add_once(json_t *list, json_t *text, size_t most)
{
	size_t i;
	json_t *have;
	json_array_foreach(list, i, have)
	{
		if (json_equal(have, text)) {
			return;
		}
	}
	if (json_array_size(list) < most) {
		json_array_append(list, text);
	}
}

/* A sighting: the technique's tag or id, what it was, its events, and how many there were. */
static void sight(
	json_t *set, const char *tag, const char *comment, const json_t *events, int64_t n)
{
	char id[16];
	size_t i;
	json_t *event;
	json_t *e = tag && technique_id(tag, id) ? entry_of(set, id) : NULL;
	if (!e) {
		return;
	}
	json_t *text = json_string(comment);
	add_once(json_object_get(e, "comments"), text, EVENTS_SHOWN);
	json_decref(text);
	json_array_foreach(events, i, event)
	{
		add_once(json_object_get(e, "events"), event, EVENTS_SHOWN);
	}
	json_object_set_new(e, "score", json_integer(doc_int(e, "score", 0) + n));
}

static json_t *collect(const json_t *doc)
{
	size_t i;
	size_t k;
	json_t *row;
	json_t *tag;
	json_t *set = json_object();
	json_array_foreach(doc_get(doc, "verdict.chain"), i, row)
	{
		const json_t *events = json_object_get(row, "events");
		sight(set, doc_text(row, "technique"), doc_text_or(row, "text", ""), events,
			(int64_t)json_array_size(events));
	}
	json_array_foreach(json_object_get(doc, "detections"), i, row)
	{
		json_array_foreach(json_object_get(row, "tags"), k, tag)
		{
			sight(set, json_string_value(tag), doc_text_or(row, "title", ""),
				json_object_get(row, "events"), doc_int(row, "count", 0));
		}
	}
	return set;
}

static json_t *joined(const json_t *list)
{
	size_t i;
	json_t *text;
	struct buf b;
	buf_init(&b, (size_t)64 * 1024);
	json_array_foreach(list, i, text)
	{
		buf_puts(&b, i ? "\n" : "");
		buf_puts(&b, json_string_value(text));
	}
	json_t *out = doc_str(buf_view(&b));
	buf_deinit(&b);
	return out;
}

static json_t *links(const char *id)
{
	char url[96];
	const char *dot = strchr(id, '.');
	(void)snprintf(url, sizeof(url), "https://attack.mitre.org/techniques/%.*s%s%s",
		dot ? (int)(dot - id) : (int)strlen(id), id, dot ? "/" : "",
		dot ? dot + 1 : "");
	return json_pack("[{s:s,s:s}]", "label", "ATT&CK", "url", url);
}

static json_t *technique(const char *id, const json_t *e)
{
	size_t i;
	json_t *event;
	json_t *facts = json_array();
	json_array_foreach(json_object_get(e, "events"), i, event)
	{
		json_array_append_new(
			facts, json_pack("{s:s,s:O}", "name", "event", "value", event));
	}
	return json_pack("{s:s,s:O,s:o,s:b,s:o,s:o,s:b}", "techniqueID", id, "score",
		json_object_get(e, "score"), "comment", joined(json_object_get(e, "comments")),
		"enabled", 1, "metadata", facts, "links", links(id), "showSubtechniques",
		strchr(id, '.') == NULL);
}

/* A sub-technique shows only when its technique is unfolded. */
static void unfold_parents(json_t *list, json_t *set)
{
	const char *id;
	json_t *e;
	json_t *parents = json_object();
	json_object_foreach(set, id, e)
	{
		char parent[8];
		(void)snprintf(parent, sizeof(parent), "%.5s", id);
		if (strlen(id) > 5 && !json_object_get(set, parent)) {
			json_object_set_new(parents, parent, json_true());
		}
	}
	json_object_foreach(parents, id, e)
	{
		json_array_append_new(list, json_pack("{s:s,s:b,s:b}", "techniqueID", id,
						    "enabled", 1, "showSubtechniques", 1));
	}
	json_decref(parents);
}

void export_layer(const json_t *doc, const struct export_options *opts, struct buf *out)
{
	const char *id;
	json_t *e;
	json_t *set = collect(doc);
	json_t *list = json_array();
	int64_t most = 1;
	json_object_foreach(set, id, e)
	{
		most = doc_int(e, "score", 0) > most ? doc_int(e, "score", 0) : most;
		json_array_append_new(list, technique(id, e));
	}
	unfold_parents(list, set);
	json_t *layer = json_pack(
		"{s:s,s:{s:s,s:s,s:s},s:s,s:s,s:{s:[s]},s:i,s:b,s:o,s:{s:[s,s],s:i,s:I},s:[]}",
		"name", opts->case_id ? opts->case_id : "cordon", "versions", "attack",
		EXPORT_ATTACK_VERSION, "navigator", "5.1.0", "layer", "4.5", "domain",
		"enterprise-attack", "description",
		"What the logs of an incident show, by cordon", "filters", "platforms", "IaaS",
		"sorting", 3, "hideDisabled", 0, "techniques", list, "gradient", "colors",
		"#fff2ccff", "#d6604dff", "minValue", 0, "maxValue", (json_int_t)most,
		"legendItems");
	doc_pretty(layer, out);
	json_decref(layer);
	json_decref(set);
}
