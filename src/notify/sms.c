#include "notify/forms.h"

#include "base/fill.h"

#include <stdio.h>
#include <string.h>

enum { PART = 160 };

/* How much is left away so that one part is enough. */
enum { CUT_NOTHING, CUT_ID, CUT_LINK, CUT_EVIDENCE, CUT_PHRASE, CUT_LEVELS };

static void say(
	const struct summary *s, const char *english, const char *value, struct buf *out)
{
	fill_text(out, i18n_tr(s->lang, english), (struct str[]){ str_from(value) }, 1, NULL);
}

static void outcome(const struct summary *s, struct buf *out)
{
	char span[32] = "";

	summary_duration(s->contained_ms, span);
	switch (s->outcome) {
	case SUMMARY_CONTAINED:
		if (s->contained_ms >= 0) {
			say(s, N_("ISOLATED in {0}"), span, out);
		} else {
			say(s, N_("CONTAINED"), "", out);
		}
		break;
	case SUMMARY_PARTIAL:
		say(s, N_("CONTAINED IN PART, look at it"), "", out);
		break;
	case SUMMARY_PENDING:
		say(s, N_("DECIDE: cordon approve {0}"), s->case_id, out);
		break;
	case SUMMARY_FAILED:
		say(s, N_("CONTAINMENT FAILED, act now"), "", out);
		break;
	case SUMMARY_UNDONE:
		say(s, N_("measures undone"), "", out);
		break;
	case SUMMARY_CLOSED:
		say(s, N_("closed"), "", out);
		break;
	case SUMMARY_OPEN:
	case SUMMARY_OBSERVED:
		say(s, N_("nothing was changed"), "", out);
		break;
	}
}

static void attempt(const struct summary *s, int cut, struct buf *out)
{
	size_t most = cut >= CUT_ID ? 24 : 80;
	struct str id = str_from(s->id);
	struct buf raw = { 0 };

	buf_init(&raw, 4096);
	buf_printf(&raw, "cordon %s %s ", summary_severity_word(s), summary_service(s));
	buf_add_str(&raw, str_sub(id, 0, most));
	buf_puts(&raw, id.n > most ? ".." : "");
	if (s->environment[0]) {
		buf_printf(&raw, " (%.12s)", s->environment);
	}
	if (cut < CUT_PHRASE) {
		buf_printf(&raw, " %s", summary_phrase(s));
	}
	buf_puts(&raw, ". ");
	outcome(s, &raw);
	if (s->evidence && cut < CUT_EVIDENCE) {
		say(s, N_(", evidence saved"), "", &raw);
	}
	buf_puts(&raw, ". ");
	say(s, N_("Case {0}"), s->case_id, &raw);
	if (s->url && cut < CUT_LINK) {
		buf_printf(&raw, " %s%s", s->url, s->case_id);
	}
	buf_reset(out);
	summary_ascii(buf_view(&raw), out);
	buf_deinit(&raw);
}

void sms_write(const struct summary *s, struct buf *out)
{
	for (int cut = CUT_NOTHING; cut < CUT_LEVELS; cut++) {
		attempt(s, cut, out);
		if (out->n <= PART) {
			return;
		}
	}
	out->n = PART;
	out->p[PART] = '\0';
}
