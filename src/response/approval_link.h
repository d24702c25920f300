/*
 * Links that a person may answer a question by. A link is a token, signed with HMAC-SHA-256, that names
 * one question of one case, the plan it was put about, and when it runs out. It carries no right by
 * itself: whoever opens it sees the plan; the answer is a second step (app/approve_web.h) and decides
 * the question once (approval.h).
 */
#ifndef CORDON_RESPONSE_APPROVAL_LINK_H
#define CORDON_RESPONSE_APPROVAL_LINK_H

#include "aws/aws.h"
#include "base/config.h"
#include "base/secret.h"

#define APPROVAL_LINK_MAX ((size_t)2048) /* characters of a token */

/*
 * The key of config->approval_key: "file:PATH" (no other user may read it) or "secret:NAME-OR-ARN" of
 * Secrets Manager; at least 32 bytes, white space at its ends not counted. NULL when none is set.
 * ERR_CONFIG says what is wrong.
 */
ERR_MUST_CHECK enum err_status approval_link_key(struct env *env, struct aws_client *aws,
	const struct config *config, struct secret **out, struct err *err);
/* Appends the token of an open question of a case view. */
void approval_link_make(
	const struct secret *key, const json_t *view, const json_t *question, struct buf *out);
/*
 * Reads a token: {"case","step","question","plan","until_ms"}, new reference. ERR_REFUSED when it is
 * damaged, was signed with another key, or has run out: the message says which.
 */
ERR_MUST_CHECK enum err_status approval_link_read(const struct secret *key, struct str token,
	int64_t now_ms, json_t **out, struct err *err);
/* The question that the token is about is still the one that is open (approval_find otherwise). */
ERR_MUST_CHECK enum err_status approval_link_fits(
	const json_t *parts, const json_t *question, struct err *err);

#endif
