/* A case announced through SNS: one message a protocol and language, none longer than it may be. */
#ifndef CORDON_NOTIFY_NOTIFY_H
#define CORDON_NOTIFY_NOTIFY_H

#include "base/i18n.h"
#include "incident/desk.h"

/* "case.opened", "action.pending", "action.done", "action.failed", "case.updated", "case.closed". */
struct notify_message {
	char subject[100];  /* <= 99 ASCII characters, no line break */
	struct buf email;   /* text, <= 40 lines */
	struct buf sms;     /* GSM-7, one part (<= 160) */
	struct buf machine; /* JSON (OCSF Incident Finding) */
	struct buf chat;    /* Amazon Q custom notification JSON */
	json_t *attributes; /* the five filter keys */
};
/* Renders a case (view.h) for one language. Pure. Free with notify_deinit. */
ERR_MUST_CHECK enum err_status notify_render(const json_t *case_view, const char *event,
	enum i18n_lang lang, const char *case_url, struct notify_message *out, struct err *err);
void notify_deinit(struct notify_message *m);
/*
 * Publishes one event of a case to the configuration's topic_arn (one publish a language,
 * MessageStructure json) and to its phone_numbers; appends notify.sent or notify.failed. An event already sent for the
 * same state is not sent again. *sent (may be NULL): [{"protocol","lang","subject","body","target"}].
 */
ERR_MUST_CHECK enum err_status notify_case(const struct desk *desk, const json_t *case_view,
	const char *event, json_t **sent, struct err *err);

#endif
