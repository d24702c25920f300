#include "app/answer.h"
#include "base/phrase.h"
#include "base/text.h"
#include "response/guard.h"

#include <stdlib.h>
#include <string.h>

#define MAX_SHOWN ((size_t)400) /* bytes of a value on one line; JSON output has all of it */

void answer_print_text(FILE *to, const char *text)
{
	struct buf b;

	buf_init(&b, (size_t)1 << 20);
	text_terminal(str_from(text), &b);
	(void)fwrite(b.p ? b.p : "", 1, b.n, to);
	buf_deinit(&b);
}

void answer_print_line(const struct app *app, FILE *to, const char *label, const json_t *value)
{
	char *dumped = NULL;
	const char *text = json_string_value(value);

	if (value == NULL || json_is_null(value) || (text != NULL && text[0] == '\0')) {
		return;
	}
	if (text == NULL && doc_text(value, "text") != NULL && json_object_size(value) == 1) {
		text = app_tr(app, doc_text(value, "text"));
	}
	if (text == NULL) {
		dumped = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
		text = dumped ? dumped : "";
	} else {
		text = app_tr(app, text);
	}
	struct buf clipped;
	buf_init(&clipped, MAX_SHOWN * 8);
	text_clip(str_from(text), MAX_SHOWN, &clipped);
	(void)fprintf(to, "    %-8s ", app_tr(app, label));
	answer_print_text(to, clipped.p ? clipped.p : "");
	(void)fputc('\n', to);
	buf_deinit(&clipped);
	free(dumped);
}

static void print_phrase(const struct app *app, const json_t *phrase, FILE *to)
{
	struct buf said;

	buf_init(&said, 65536);
	phrase_say(app->lang, phrase, &said);
	answer_print_text(to, said.p ? said.p : "");
	buf_deinit(&said);
}

void answer_print_phrase(
	const struct app *app, FILE *to, const char *label, const json_t *phrase)
{
	struct buf said;

	buf_init(&said, 65536);
	phrase_say(app->lang, phrase, &said);
	json_t *text = doc_str(buf_view(&said));
	answer_print_line(app, to, label, text);
	json_decref(text);
	buf_deinit(&said);
}

static void print_state(const struct app *app, const char *state, FILE *to)
{
	static const char *const words[] = { N_("planned"), N_("skipped"), N_("unknown"),
		N_("running"), N_("done"), N_("failed"), N_("awaiting_approval"),
		N_("rejected"), N_("undone"), N_("undo_failed"), N_("contained"), N_("partial"),
		N_("notified"), N_("held_back"), N_("open"), N_("observed"), N_("closed") };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i], state) == 0) {
			(void)fputs(app_tr(app, words[i]), to);
			return;
		}
	}
	answer_print_text(to, state);
}

static void print_heading(const struct app *app, size_t i, const json_t *step, FILE *to)
{
	const char *id = doc_text_or(step, "id", doc_text_or(step, "step", "?"));
	const char *mode = doc_text_or(step, "mode", "");

	(void)fprintf(to, "%3zu ", i + 1);
	answer_print_text(to, id);
	(void)fputs("  ", to);
	answer_print_text(to, doc_text_or(step, "resource.kind", ""));
	(void)fputc(' ', to);
	answer_print_text(to, doc_text_or(step, "resource.id", ""));
	(void)fprintf(to, "  [%s] ", mode);
	print_state(app, doc_text_or(step, "state", ""), to);
	(void)fputc('\n', to);
}

/* Of a dry run: every call that would have changed something, with its parameters. */
static void print_would_call(const struct app *app, const json_t *step, FILE *to)
{
	const json_t *c;
	size_t i;

	json_array_foreach(json_object_get(step, "would_call"), i, c)
	{
		json_t *line = json_pack("{s:O, s:O*}", "call", json_object_get(c, "call"),
			"params", json_object_get(c, "params"));
		answer_print_line(app, to, N_("would call"), line);
		json_decref(line);
	}
}

static void print_step(const struct app *app, const json_t *step, FILE *to)
{
	static const struct {
		const char *key, *label;
	} lines[] = {
		{ "title", N_("what") },
		{ "reason", N_("reason") },
		{ "before", N_("before") },
		{ "after", N_("then") },
		{ "why", N_("why") },
		{ "risk", N_("risk") },
		{ "undo", N_("undo") },
		{ "calls", N_("calls") },
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		if (strcmp(lines[i].key, "reason") == 0) {
			answer_print_phrase(app, to, lines[i].label, step);
		} else {
			answer_print_line(
				app, to, lines[i].label, json_object_get(step, lines[i].key));
		}
	}
	answer_print_phrase(app, to, N_("because"), json_object_get(step, "origin"));
	print_would_call(app, step, to);
	if (json_array_size(json_object_get(step, "needs")) > 0) {
		answer_print_line(app, to, N_("needs"), json_object_get(step, "needs"));
	}
	answer_print_line(app, to, N_("error"), doc_get(step, "error.message"));
}

/* Somebody else's change: of what, what it is now, and what undo would make it again. */
static void print_difference(const struct app *app, const json_t *d, FILE *to)
{
	(void)fprintf(to, "  %-12s ", app_tr(app, N_("difference")));
	answer_print_text(to, doc_text_or(d, "step", ""));
	(void)fputs(": ", to);
	answer_print_text(to, doc_text_or(d, "resource", ""));
	(void)fputc(' ', to);
	print_phrase(app, d, to);
	(void)fputc('\n', to);
	if (json_object_get(d, "now") != NULL) {
		answer_print_line(app, to, N_("now"), json_object_get(d, "now"));
		answer_print_line(app, to, N_("undo makes"), json_object_get(d, "before"));
	}
}

/* What there is to take back. */
static bool any_done(const json_t *actions)
{
	const json_t *a;
	size_t i;

	json_array_foreach(actions, i, a)
	{
		const char *state = doc_text_or(a, "state", "");
		if (strcmp(state, "skipped") != 0 && strcmp(state, "awaiting_approval") != 0 &&
			strcmp(state, "rejected") != 0) {
			return true;
		}
	}
	return false;
}

static void print_held(const struct app *app, const json_t *held, FILE *to)
{
	const json_t *h;
	size_t i;

	json_array_foreach(held, i, h)
	{
		(void)fprintf(to, "%s ", app_tr(app, N_("held back:")));
		const char *guard = doc_text_or(h, "guard", "?");
		answer_print_text(to, guard);
		(void)fputs(": ", to);
		/* The reason is the journal's, so English; other languages say what the guard means. */
		answer_print_text(to, app->lang == I18N_EN ? doc_text_or(h, "reason", "")
							   : app_tr(app, guard_text(guard)));
		(void)fputc('\n', to);
	}
}

void answer_print_plan(const struct app *app, const json_t *plan, FILE *to)
{
	const json_t *step;
	size_t i;

	answer_print_text(to, doc_text_or(plan, "finding.type", "?"));
	(void)fprintf(to, "\n%s ", app_tr(app, N_("playbook")));
	answer_print_text(to, doc_text_or(plan, "playbook", "-"));
	(void)fprintf(to, " · %s %s", app_tr(app, N_("mode")), doc_text_or(plan, "mode", "-"));
	if (json_is_integer(json_object_get(plan, "round_trips_to_isolation"))) {
		(void)fprintf(to, " · %s %lld",
			app_tr(app, N_("sequential round trips to isolation:")),
			(long long)doc_int(plan, "round_trips_to_isolation", 0));
	}
	(void)fputc('\n', to);
	print_held(app, json_object_get(plan, "held_back"), to);
	json_array_foreach(json_object_get(plan, "steps"), i, step)
	{
		(void)fputc('\n', to);
		print_heading(app, i, step, to);
		print_step(app, step, to);
	}
	if (json_array_size(json_object_get(plan, "permissions")) > 0) {
		(void)fputc('\n', to);
		answer_print_line(
			app, to, N_("permissions"), json_object_get(plan, "permissions"));
	}
	if (json_array_size(json_object_get(plan, "steps")) == 0) {
		(void)fprintf(to, "%s\n", app_tr(app, N_("Nothing would be changed.")));
	}
}

void answer_print_response(const struct app *app, const json_t *response, FILE *to)
{
	const char *case_id = doc_text(response, "case");
	const json_t *a;
	size_t i;

	(void)fprintf(to, "%s %s: ", app_tr(app, N_("case")), case_id ? case_id : "-");
	print_state(app, doc_text_or(response, "state", "?"), to);
	(void)fputc('\n', to);
	print_held(app, json_object_get(response, "held_back"), to);
	json_array_foreach(json_object_get(response, "actions"), i, a)
	{
		print_heading(app, i, a, to);
		print_step(app, a, to);
	}
	json_array_foreach(json_object_get(response, "errors"), i, a)
	{
		answer_print_line(app, to, N_("error"), json_object_get(a, "message"));
	}
	if (case_id != NULL && any_done(json_object_get(response, "actions"))) {
		(void)fprintf(to, "%s cordon undo %s\n", app_tr(app, N_("To take it back:")),
			case_id);
	}
}

void answer_print_undo(const struct app *app, const json_t *result, FILE *to)
{
	static const struct {
		const char *key, *label;
	} parts[] = {
		{ "undone", N_("undone") },
		{ "kept", N_("kept") },
		{ "errors", N_("failed") },
	};
	const json_t *v;
	size_t i, n = 0;

	(void)fprintf(to, "%s ", app_tr(app, N_("case")));
	answer_print_text(to, doc_text_or(result, "case", "?"));
	(void)fputc('\n', to);
	for (size_t k = 0; k < sizeof(parts) / sizeof(parts[0]); k++) {
		json_array_foreach(json_object_get(result, parts[k].key), i, v)
		{
			n++;
			(void)fprintf(to, "  %-12s ", app_tr(app, parts[k].label));
			answer_print_text(to, doc_text_or(v, "step", "?"));
			(void)fputs("  ", to);
			if (doc_text(v, "message")) {
				answer_print_text(to, doc_text(v, "message"));
			} else if (doc_text(v, "reason") == NULL) {
				answer_print_text(to, doc_text_or(v, "resource.id", ""));
			} else {
				print_phrase(app, v, to);
			}
			(void)fputc('\n', to);
		}
	}
	json_array_foreach(json_object_get(result, "differences"), i, v)
	{
		print_difference(app, v, to);
	}
	if (n == 0) {
		(void)fprintf(to, "  %s\n", app_tr(app, N_("Nothing is left to take back.")));
	}
}
