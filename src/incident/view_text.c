#include "incident/view_fold.h"

#include <string.h>

/* "isolate-network on i-0abc" */
static void subject(const struct view_record *r, struct buf *out)
{
	const char *id = doc_text(r->payload, "resource.id");

	buf_puts(out,
		doc_text_or(r->payload, "action", doc_text_or(r->payload, "step", "step")));
	if (id != NULL) {
		buf_printf(out, " on %s", id);
	}
}

static const struct {
	const char *kind;
	const char *before; /* NULL: the line starts with action and resource */
	const char *middle;
	const char *field; /* text from the payload after it, or NULL */
} lines[] = {
	{ "case.opened", "case opened: ", "", "title" },
	{ "finding.received", "finding received: ", "", "arn" },
	{ "guard.held", "held back by a guard: ", "", "reason" },
	{ "plan.made", "plan made from playbook ", "", "playbook" },
	{ "approval.asked", "approval asked for ", "", "step" },
	{ "approval.given", "approval decided for ", "", "step" },
	{ "step.intent", NULL, ": started", NULL },
	{ "step.progress", NULL, ": ", "note" },
	{ "step.result", NULL, ": done", NULL },
	{ "step.verified", NULL, ": read back: ", "proof.text" },
	{ "step.failed", NULL, ": failed: ", "error.message" },
	{ "step.skipped", NULL, ": skipped: ", "reason" },
	{ "undo.intent", NULL, ": undo started", NULL },
	{ "undo.result", NULL, ": undone", NULL },
	{ "undo.failed", NULL, ": undo failed: ", "error.message" },
	{ "notify.sent", "message sent: ", "", "event" },
	{ "notify.failed", "message not sent: ", "", "event" },
	{ "evidence.stored", "evidence stored: ", "", "name" },
	{ "evidence.failed", "evidence not stored: ", "", "name" },
	{ "analysis.done", "root cause: ", "", "investigation.verdict.class" },
	{ "case.note", "note: ", "", "text" },
	{ "case.suppressed", "the finding will not start a response again: ", "", "reason" },
	{ "case.merged", "another case became part of this one: ", "", "case" },
	{ "case.closed", "case closed: ", "", "reason" },
};

void view_say(const struct view_record *r, struct buf *out)
{
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (strcmp(r->kind, lines[i].kind) != 0) {
			continue;
		}
		if (lines[i].before != NULL) {
			buf_puts(out, lines[i].before);
		} else {
			subject(r, out);
		}
		buf_puts(out, lines[i].middle);
		if (lines[i].field != NULL) {
			buf_puts(out, doc_text_or(r->payload, lines[i].field, ""));
		}
		if (strcmp(r->kind, "approval.given") == 0) {
			buf_printf(out, ": %s", doc_text_or(r->payload, "decision", "?"));
		}
		return;
	}
	buf_puts(out, r->kind);
}

const char *view_detail(const struct view_record *r)
{
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		if (strcmp(r->kind, lines[i].kind) == 0 && lines[i].field != NULL) {
			return doc_text_or(r->payload, lines[i].field, "");
		}
	}
	return "";
}
