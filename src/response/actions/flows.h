/* Whom an instance still talks to, as VPC flow logs in CloudWatch Logs tell it. */
#ifndef CORDON_RESPONSE_ACTIONS_FLOWS_H
#define CORDON_RESPONSE_ACTIONS_FLOWS_H

#include "response/action.h"

#define FLOWS_PEERS_MAX 50

/*
 * Remote ends of accepted flows that began after `since_ms` on any interface of the instance, [..] of address
 * texts, once each; the configured isolation endpoints are none. *asked says whether any flow log covers
 * the instance and could be read: without one, an empty list means nothing. A record is written one to
 * ten minutes after its flow. New reference.
 */
ERR_MUST_CHECK enum err_status flows_surviving(const struct action_ctx *c, int64_t since_ms,
	json_t **peers, bool *asked, struct err *err);

#endif
