/* Whom an instance still talks to, as VPC flow logs in CloudWatch Logs tell it. */
#ifndef CORDON_RESPONSE_ACTIONS_FLOWS_H
#define CORDON_RESPONSE_ACTIONS_FLOWS_H

#include "response/action.h"

#define FLOWS_PEERS_MAX 50

struct flows_answer {
	json_t *peers; /* [address texts], once each; owned */
	bool asked; /* a flow log covers the instance and could be read: else no peers means nothing */
	int64_t ripe_ms; /* before this moment no peers means nothing either */
};

/*
 * Remote ends of accepted flows that began after `since_ms` on any interface of the instance; the configured
 * isolation endpoints are none. A record is written when its aggregation interval (MaxAggregationInterval, 60
 * or 600 s) has ended, and reaches CloudWatch Logs about five minutes after that ("Flow logs basics",
 * VPC User Guide).
 */
ERR_MUST_CHECK enum err_status flows_surviving(const struct action_ctx *c, int64_t since_ms,
	struct flows_answer *out, struct err *err);

/* When the host was last cut off from somebody by this case's isolation or denials, as far as done; false: never. */
bool flows_cut_off(const struct action_ctx *c, int64_t *at_ms);
/* The address belongs to a configured isolation endpoint, which stays reachable. */
bool flows_is_endpoint(const struct action_ctx *c, const char *address);

#endif
