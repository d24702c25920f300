#include "analysis/investigate.h"

#include "analysis/crew.h"
#include "analysis/inquiry.h"
#include "analysis/partial.h"
#include "base/mem.h"
#include "base/phrase.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TIMELINE_DEFAULT 10000

static enum err_status load_rules(struct env *env, const struct investigate_rules *from,
	struct sigma_set *rules, struct err *err)
{
	enum err_status st = ERR_OK;
	sigma_init(rules);
	if (from->placeholders) {
		TRY(sigma_load_placeholders(env, from->placeholders, rules, err));
	}
	if (from->dir) {
		TRY(sigma_load(env, from->dir, rules, err));
	} else {
		sigma_load_builtin(rules);
	}
out:
	sigma_ready(rules);
	return st;
}

static uint64_t draw_seed(struct env *env)
{
	uint64_t seed = 0;
	env_random(env, &seed, sizeof(seed));
	return seed;
}

/* Rules that were refused stand beside the files that were not read. */
static void name_refused(json_t *rejected, const struct sigma_set *rules)
{
	size_t i;
	json_t *row;
	json_array_foreach(rules->refused, i, row)
	{
		json_array_append_new(rejected,
			json_pack("{s:O,s:O,s:i,s:O}", "file", json_object_get(row, "file"),
				"reason", json_object_get(row, "reason"), "count", 1, "line",
				json_object_get(row, "line")));
	}
}

static json_t *judge(struct crew *crew, size_t timeline_max)
{
	struct inquiry q;
	struct reader *r = crew_reader(crew);
	struct detect *d = crew_detect(crew);
	json_t *rejected = json_array();
	reader_settle(r);
	inquiry_init(&q, r);
	inquiry_index(&q);
	inquiry_assess(&q);
	inquiry_link(&q);
	inquiry_decide(&q);
	inquiry_chain(&q);
	detect_judge(d, rejected);
	name_refused(rejected, d->rules);
	json_t *doc = inquiry_document(&q, timeline_max, detect_json(d));
	json_array_extend(
		json_object_get(json_object_get(doc, "inputs"), "rejected"), rejected);
	json_decref(rejected);
	inquiry_deinit(&q);
	return doc;
}

static void take_findings(struct reader *r, const json_t *findings)
{
	size_t i;
	json_t *finding;
	json_array_foreach(findings, i, finding)
	{
		char *text = json_dumps(finding, JSON_COMPACT);
		r->name = "findings";
		reader_finding_text(r, str_from(text));
		free(text);
	}
}

static void set_up(struct crew *crew, struct env *env, const struct investigate_options *opts)
{
	crew->shared.own_marker =
		opts->own_marker ? str_from(opts->own_marker) : STR("md/case#");
	crew->shared.window = opts->window;
	crew->shared.source = opts->source;
	crew->shared.now_ms = env_now_ms(env);
	crew->progress = opts->progress;
	crew->progress_ctx = opts->progress_ctx;
}

static size_t timeline_of(const struct investigate_options *opts)
{
	return opts->timeline_max ? opts->timeline_max : TIMELINE_DEFAULT;
}

enum err_status investigate_run(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err)
{
	struct sigma_set rules;
	struct crew crew = { .n_workers = 0 };
	struct partial_terms terms;
	enum err_status st = ERR_OK;
	TRY(load_rules(env, &opts->rules, &rules, err));
	partial_terms_init(&terms, opts->job, &rules, &opts->window);
	crew_init(&crew, opts->partial ? terms.seed : draw_seed(env), &rules, opts->threads);
	set_up(&crew, env, opts);
	crew.apart = crew.shared.accounts = opts->partial != NULL;
	TRY(crew_read(&crew, opts->paths, opts->n_paths, err));
	take_findings(crew_reader(&crew), opts->findings);
	if (opts->partial) {
		TRY(partial_write(env, &crew, &terms, opts->partial, err));
		*out = NULL;
	} else {
		*out = judge(&crew, timeline_of(opts));
	}
out:
	crew_deinit(&crew);
	sigma_deinit(&rules);
	return st;
}

struct left_out {
	const char *reason;
	char path[256];
};

/* Without one of its parts an answer is not the one that was asked for. */
static void note_left_out(void *ctx, const char *path, const char *reason)
{
	struct left_out *l = ctx;
	if (!l->reason) {
		l->reason = reason;
		(void)snprintf(l->path, sizeof(l->path), "%s", path);
	}
}

static enum err_status find_parts(
	const struct investigate_options *opts, struct files *parts, struct err *err)
{
	struct left_out left_out = { .reason = NULL };
	const struct files_filter filter = { .reject = note_left_out,
		.skip = note_left_out,
		.ctx = &left_out,
		.source = opts->source };
	enum err_status st = files_find(parts, opts->paths, opts->n_paths, &filter, err);
	if (st == ERR_OK && left_out.reason) {
		st = err_set(
			err, ERR_FAILED, "can't read %s: %s", left_out.path, left_out.reason);
	}
	return st;
}

enum err_status investigate_merge(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err)
{
	struct sigma_set rules;
	struct crew crew = { .n_workers = 0 };
	struct partial_terms terms;
	struct files parts = { 0 };
	enum err_status st = ERR_OK;
	TRY(load_rules(env, &opts->rules, &rules, err));
	partial_terms_init(&terms, opts->job, &rules, &opts->window);
	crew_init(&crew, terms.seed, &rules, 1);
	set_up(&crew, env, opts);
	crew.shared.merging = true;
	mem_give_back();
	crew_begin(&crew);
	TRY(find_parts(opts, &parts, err));
	for (size_t i = 0; i < parts.n; i++) {
		TRY(partial_read(&crew, &terms, parts.paths[i], err));
	}
	partial_settle(&crew);
	*out = judge(&crew, timeline_of(opts));
out:
	files_deinit(&parts);
	crew_deinit(&crew);
	sigma_deinit(&rules);
	return st;
}

enum err_status investigate_rules_test(
	struct env *env, const struct investigate_options *opts, json_t **out, struct err *err)
{
	struct sigma_set rules;
	struct crew crew = { .n_workers = 0 };
	enum err_status st = ERR_OK;
	TRY(load_rules(env, &opts->rules, &rules, err));
	crew_init(&crew, draw_seed(env), &rules, opts->threads);
	crew.shared.source = opts->source;
	crew.shared.fragments = true;
	crew.every_copy = true;
	TRY(crew_read(&crew, opts->paths, opts->n_paths, err));
	struct detect *d = crew_detect(&crew);
	detect_judge(d, rules.refused);
	json_t *counts = json_object();
	for (size_t i = 0; i < rules.n; i++) {
		json_int_t n = json_integer_value(json_object_get(counts, rules.rules[i].id));
		json_object_set_new(counts, rules.rules[i].id,
			json_integer(n + (json_int_t)detect_count(d, i)));
	}
	*out = json_pack("{s:o,s:O}", "counts", counts, "refused", rules.refused);
out:
	crew_deinit(&crew);
	sigma_deinit(&rules);
	return st;
}

static json_t *rule_json(const struct sigma_rule *r)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:O*,s:s,s:i,s:b,s:s}", "id", r->id, "title",
		r->title, "level", r->level, "author", r->author, "description", r->description,
		"tags", r->tags, "file", r->file, "line", r->line, "applies",
		r->source != SIGMA_NOWHERE, "kind", r->correlation ? "correlation" : "rule");
}

enum err_status investigate_rules_list(
	struct env *env, const struct investigate_rules *from, json_t **out, struct err *err)
{
	struct sigma_set rules;
	enum err_status st = load_rules(env, from, &rules, err);
	json_t *list = json_array();
	for (size_t i = 0; i < rules.n; i++) {
		json_array_append_new(list, rule_json(&rules.rules[i]));
	}
	if (st == ERR_OK) {
		*out = json_pack("{s:O,s:O}", "rules", list, "refused", rules.refused);
	}
	json_decref(list);
	sigma_deinit(&rules);
	return st;
}

enum err_status investigate_rules_explain(struct env *env, const struct investigate_rules *from,
	const char *which, json_t **out, struct err *err)
{
	struct sigma_set rules;
	json_t *found = json_array();
	enum err_status st = ERR_OK;
	TRY(load_rules(env, from, &rules, err));
	for (size_t i = 0; i < rules.n; i++) {
		const struct sigma_rule *r = &rules.rules[i];
		if (!strcmp(r->id, which) || !strcmp(r->name, which) ||
			!strcasecmp(r->title, which)) {
			json_t *doc = rule_json(r);
			json_t *more = sigma_explain(r);
			json_object_update(doc, more);
			json_decref(more);
			json_array_append_new(found, doc);
		}
	}
	if (json_array_size(found) == 0) {
		st = err_set(err, ERR_NOT_FOUND,
			"no rule has the id, name or title %s; cordon rules list shows them",
			which);
		goto out;
	}
	*out = json_pack("{s:O,s:O}", "rules", found, "refused", rules.refused);
out:
	json_decref(found);
	sigma_deinit(&rules);
	return st;
}
