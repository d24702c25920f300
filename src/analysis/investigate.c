#include "analysis/investigate.h"

#include "analysis/inquiry.h"
#include "analysis/phrase.h"

#include <stdlib.h>

#define TIMELINE_DEFAULT 10000

enum err_status investigate_run(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err)
{
	uint64_t seed = 0;
	env_random(env, &seed, sizeof(seed));
	size_t timeline_max = opts->timeline_max ? opts->timeline_max : TIMELINE_DEFAULT;
	struct str marker = opts->own_marker ? str_from(opts->own_marker) : STR("md/case#");
	struct reader r;
	reader_init(&r, seed, timeline_max, marker);
	r.from_ms = opts->from_ms;
	r.to_ms = opts->to_ms;
	r.progress = opts->progress;
	r.progress_ctx = opts->progress_ctx;
	enum err_status st = reader_read(&r, opts->paths, opts->n_paths, err);
	if (st == ERR_OK) {
		size_t i;
		json_t *finding;
		json_array_foreach(opts->findings, i, finding)
		{
			char *text = json_dumps(finding, JSON_COMPACT);
			r.name = "findings";
			reader_finding_text(&r, str_from(text));
			free(text);
		}
		reader_settle(&r);
		struct inquiry q;
		inquiry_init(&q, &r);
		inquiry_index(&q);
		inquiry_assess(&q);
		inquiry_link(&q);
		inquiry_decide(&q);
		inquiry_chain(&q);
		*out = inquiry_document(&q, timeline_max, json_array());
		inquiry_deinit(&q);
	}
	reader_deinit(&r);
	return st;
}

void investigate_say(enum i18n_lang lang, const json_t *phrase, struct buf *out)
{
	const char *template_text = json_string_value(json_object_get(phrase, "template"));
	if (template_text) {
		phrase_fill(i18n_tr(lang, template_text), json_object_get(phrase, "args"), out);
	}
}
