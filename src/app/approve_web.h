/*
 * The page behind an approval link, the same for a Lambda function URL and for `cordon serve`. To open a
 * link changes nothing: mail scanners do that too. The answer is a POST with a typed word and a name.
 */
#ifndef CORDON_APP_APPROVE_WEB_H
#define CORDON_APP_APPROVE_WEB_H

#include "base/i18n.h"
#include "base/secret.h"
#include "incident/journal.h"

#define APPROVE_WEB_BODY_MAX ((size_t)8192)

struct approve_web {
	struct env *env;
	struct journal *journal;
	const struct secret *key; /* of the links; NULL: no link is valid */
};

/* One request; everything borrowed and hostile. */
struct approve_web_request {
	struct str method, query, body;
	struct str source_ip;  /* "" when not known */
	struct str caller_arn; /* of an IAM-authenticated caller, or "" */
	struct str accept_language;
};

struct approve_web_answer {
	int status;
	struct buf html;
	char csp[256];    /* value of Content-Security-Policy */
	char case_id[32]; /* of a decision that was made now: the caller resumes it; else "" */
};

/* Never fails: what goes wrong is on the page, in plain words. Freed with approve_web_deinit. */
void approve_web_answer(const struct approve_web *w, const struct approve_web_request *r,
	struct approve_web_answer *out);
void approve_web_deinit(struct approve_web_answer *a);
/* The headers that every answer carries beside Content-Security-Policy: name, value, ..., NULL. */
extern const char *const approve_web_headers[];

#endif
