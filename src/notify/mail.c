/* The e-mail: what happened, what was done, what you must decide, facts, cause, undo, links. */
#include "notify/forms.h"

#include "base/fill.h"
#include "base/phrase.h"
#include "base/text.h"
#include "base/utc.h"
#include "incident/view.h"

#include <stdio.h>
#include <string.h>

/* At most so many of each, so that the whole stays within 40 lines. */
enum { MOST_ADVICE = 4, MOST_STEPS = 7, MOST_QUESTIONS = 2, MOST_WIDTH = 240 };

static void add(const struct summary *s, struct buf *out, const char *english, size_t n,
	const char *const *values)
{
	struct buf whole = { 0 };
	struct str v[6] = { 0 };

	for (size_t i = 0; i < n; i++) {
		v[i] = str_from(values[i]);
	}
	buf_init(&whole, 65536);
	fill_text(&whole, i18n_tr(s->lang, english), v, n, text_terminal);
	text_clip(buf_view(&whole), MOST_WIDTH, out);
	buf_deinit(&whole);
}
/* One line: a sentence with up to six values. */
#define LINE(s, out, english, ...)                                                         \
	do {                                                                               \
		const char *const values_[] = { __VA_ARGS__ };                             \
		add((s), (out), (english), sizeof(values_) / sizeof(values_[0]), values_); \
		buf_putc((out), '\n');                                                     \
	} while (0)

static void heading(const struct summary *s, struct buf *out, const char *english)
{
	buf_putc(out, '\n');
	LINE(s, out, english, "");
}

static void fact(const struct summary *s, struct buf *out, const char *label, const char *value)
{
	if (value && value[0]) {
		LINE(s, out, "  {0}: {1}", i18n_tr(s->lang, label), value);
	}
}

static void clock_of(const json_t *time, char out[16])
{
	int64_t ms = 0;
	struct utc_parts p;

	(void)snprintf(out, 16, "--:--:--");
	if (json_is_string(time) && utc_parse(str_from(json_string_value(time)), &ms)) {
		p = utc_split(ms);
		(void)snprintf(out, 16, "%02d:%02d:%02dZ", p.hour, p.minute, p.second);
	}
}

static void opening(const struct summary *s, struct buf *out)
{
	static const char *const sentences[] = {
		[SUMMARY_OPEN] = N_("{0} {1}: {2}. A case was opened."),
		[SUMMARY_OBSERVED] = N_("{0} {1}: {2}. It was observed; nothing was changed."),
		[SUMMARY_PENDING] = N_("{0} {1}: {2}. A measure waits for your decision."),
		[SUMMARY_CONTAINED] = N_("{0} {1}: {2}. It is contained."),
		[SUMMARY_PARTIAL] =
			N_("{0} {1}: {2}. It is contained in part; a person must look at it."),
		[SUMMARY_FAILED] =
			N_("{0} {1}: {2}. CONTAINMENT FAILED: a person must act now."),
		[SUMMARY_UNDONE] = N_("{0} {1}: {2}. The measures were undone."),
		[SUMMARY_CLOSED] = N_("{0} {1}: {2}. The case was closed."),
	};

	LINE(s, out, sentences[s->outcome], summary_service(s), s->id, summary_phrase(s));
}

static const char *state_words(const json_t *step)
{
	static const char *const words[][2] = {
		{ "done", N_("done, not verified") },
		{ "failed", N_("FAILED") },
		{ "running", N_("running") },
		{ "skipped", N_("not needed") },
		{ "rejected", N_("rejected") },
		{ "undone", N_("undone") },
		{ "undo_failed", N_("could not be undone") },
	};
	const char *state = doc_text_or(step, "state", "");

	if (strcmp(state, "done") == 0 && doc_true(step, "verified")) {
		return N_("done and verified");
	}
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i][0], state) == 0) {
			return words[i][1];
		}
	}
	return NULL; /* planned, awaiting: not done */
}

static void measures(const struct summary *s, struct buf *out)
{
	const json_t *steps = doc_get(s->view, "steps");
	char at[16] = "";
	char more[24] = "";
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		const char *words = state_words(step);
		if (!words || ++n > MOST_STEPS) {
			continue;
		}
		if (n == 1) {
			heading(s, out, N_("WHAT WAS DONE"));
		}
		clock_of(doc_get(step, "finished"), at);
		LINE(s, out, "  {0}  {1} ({2}): {3}", at, summary_step_title(s, step),
			doc_text_or(step, "resource.id", "-"), i18n_tr(s->lang, words));
	}
	if (n == 0) {
		heading(s, out, N_("Nothing was changed in the account."));
	} else if (n > MOST_STEPS) {
		(void)snprintf(more, sizeof(more), "%zu", n - MOST_STEPS);
		LINE(s, out, N_("  and {0} more"), more);
	}
}

static const json_t *question_of(const json_t *view, const char *step_id)
{
	const json_t *asked = doc_get(view, "approvals");

	for (size_t i = json_array_size(asked); i > 0; i--) {
		const json_t *a = json_array_get(asked, i - 1);
		if (strcmp(doc_text_or(a, "step", ""), step_id) == 0) {
			return a;
		}
	}
	return NULL;
}

static void decisions(const struct summary *s, struct buf *out)
{
	const json_t *steps = doc_get(s->view, "steps");
	char more[24] = "";
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		const char *id = doc_text_or(step, "id", "");
		const json_t *asked = question_of(s->view, id);
		if (strcmp(doc_text_or(step, "state", ""), "awaiting_approval") != 0 ||
			++n > MOST_QUESTIONS) {
			continue;
		}
		if (n == 1) {
			heading(s, out, N_("YOU MUST DECIDE"));
		}
		bool anyway = strcmp(doc_text_or(asked, "on_expiry", "hold"), "do") == 0;
		LINE(s, out,
			anyway ? N_("  {0} ({1}) by {2}. If nobody answers it is done.")
			       : N_("  {0} ({1}) by {2}. If nobody answers it is not done."),
			summary_step_title(s, step), doc_text_or(step, "resource.id", "-"),
			doc_text_or(asked, "until", "-"));
		LINE(s, out, "    cordon approve {0} {1}", s->case_id, id);
		if (doc_text(asked,
			    "link")) { /* our own: nothing in it needs escaping or cutting */
			buf_printf(out, "    %s\n", doc_text(asked, "link"));
		}
	}
	if (n > MOST_QUESTIONS) {
		(void)snprintf(more, sizeof(more), "%zu", n - MOST_QUESTIONS);
		LINE(s, out, N_("  and {0} more"), more);
	}
}

/* A sentence of the case, in the message's language. */
static void claim(const struct summary *s, struct buf *out, const json_t *c)
{
	struct buf text = { 0 };

	buf_init(&text, 65536);
	phrase_say(s->lang, c, &text);
	LINE(s, out, "  - {0}", text.p ? text.p : "");
	buf_deinit(&text);
}

/* Steps that no call of cordon's can do; their commands are too long for a mail. */
static void for_people(const struct summary *s, struct buf *out)
{
	const json_t *steps = doc_get(s->view, "steps");
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		const json_t *list = doc_get(step, "before.steps");
		list = list ? list : doc_get(step, "after.steps");
		for (size_t k = 0; k < json_array_size(list) && n < MOST_ADVICE; k++) {
			if (n++ == 0) {
				heading(s, out, N_("WHAT ONLY PEOPLE CAN DO"));
			}
			claim(s, out, json_array_get(list, k));
		}
	}
	if (n > 0) {
		LINE(s, out, N_("  The commands: cordon case show {0}"), s->case_id);
	}
}

static void seen(const struct summary *s, struct buf *out)
{
	char first[32] = "";
	char last[32] = "";
	char count[24] = "";

	if (!s->finding || s->finding->first_seen_ms <= 0) {
		return;
	}
	utc_rfc3339(s->finding->first_seen_ms, first);
	utc_rfc3339(s->finding->last_seen_ms, last);
	(void)snprintf(count, sizeof(count), "%lld", (long long)s->finding->count);
	LINE(s, out, N_("  Seen: {0} to {1}, {2} times"), first, last, count);
}

static void facts(const struct summary *s, struct buf *out)
{
	char text[128] = "";

	heading(s, out, N_("FACTS"));
	fact(s, out, N_("Finding"), s->type);
	(void)snprintf(text, sizeof(text), "%.32s, %.32s", s->account, s->region);
	fact(s, out, N_("Account and region"), text);
	(void)snprintf(text, sizeof(text), "%.24s %.90s", s->kind, s->id);
	fact(s, out, N_("Resource"), text);
	fact(s, out, N_("Environment"), s->environment);
	fact(s, out, N_("Owner"), s->owner);
	for (size_t i = 0; s->finding && i < s->finding->n_resources; i++) {
		struct str user = s->finding->resources[i].user_name;
		if (user.n) {
			(void)snprintf(
				text, sizeof(text), "%.*s", STR_ARG(str_sub(user, 0, 100)));
			fact(s, out, N_("Identity"), text);
			break;
		}
	}
	if (s->finding && s->finding->n_actors && s->finding->actors[0].ip.n) {
		(void)snprintf(text, sizeof(text), "%.*s %.*s",
			STR_ARG(str_sub(s->finding->actors[0].ip, 0, 45)),
			STR_ARG(str_sub(s->finding->actors[0].country, 0, 40)));
		fact(s, out, N_("Remote address"), text);
	}
	seen(s, out);
}

static void cause(const struct summary *s, struct buf *out)
{
	const char *class_name = doc_text(s->view, "investigation.verdict.class");
	const json_t *claims = doc_get(s->view, "investigation.verdict.claims");
	char percent[16] = "";
	size_t n = 0;

	if (!class_name) {
		return;
	}
	(void)snprintf(percent, sizeof(percent), "%.0f %%",
		doc_real(s->view, "investigation.verdict.confidence", 0) * 100);
	buf_putc(out, '\n');
	LINE(s, out, N_("PROBABLE CAUSE: {0}, confidence {1}"),
		i18n_tr(s->lang, view_cause(class_name)), percent);
	for (size_t i = 0; i < json_array_size(claims) && n < 2; i++) {
		const json_t *c = json_array_get(claims, i);
		if (doc_real(c, "weight", 0) > 0 && doc_text(c, "text")) {
			claim(s, out, c);
			n++;
		}
	}
}

void mail_write(const struct summary *s, struct buf *out)
{
	opening(s, out);
	measures(s, out);
	decisions(s, out);
	for_people(s, out);
	facts(s, out);
	cause(s, out);
	buf_putc(out, '\n');
	if (s->outcome != SUMMARY_OBSERVED && s->outcome != SUMMARY_UNDONE) {
		LINE(s, out, N_("Undo everything: cordon undo {0}"), s->case_id);
	}
	LINE(s, out, N_("Report: cordon report {0} --file report.html"), s->case_id);
	if (s->url) {
		LINE(s, out, "{0}{1}", s->url, s->case_id);
	}
}
