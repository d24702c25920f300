/* What Lambda, the daemon and the drill do alike with a message: read its findings, answer each. */
#ifndef CORDON_APP_DELIVER_H
#define CORDON_APP_DELIVER_H

#include "flow/flow.h"

struct deliver_count {
	size_t findings;     /* read in the message */
	size_t not_findings; /* events of the same source that are none */
	size_t rejected;     /* parts that could not be read */
};

/*
 * Reads every finding in `body` (any shape that finding_read takes) and answers them in order; one
 * that fails does not keep the next from being answered. *out (may be NULL) gets the array of
 * cordon.response/1, `count` (may be NULL) what was in it. ERR_OK when nothing needs another try: partly
 * done and awaiting approval are answers, and so is a finding about another account. ERR_INPUT or
 * ERR_LIMIT: the message will never become readable. Else the first failure, worth another delivery.
 */
ERR_MUST_CHECK enum err_status deliver(const struct flow *f, struct str body, json_t **out,
	struct deliver_count *count, struct err *err);

#endif
