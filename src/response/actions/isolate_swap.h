/* Interfaces moved between the quarantine groups of an isolation; see isolate_network.c for the order. */
#ifndef CORDON_RESPONSE_ACTIONS_ISOLATE_SWAP_H
#define CORDON_RESPONSE_ACTIONS_ISOLATE_SWAP_H

#include "response/actions/quarantine.h"

/* The group that an interface ({"id","vpc","groups"}) goes into; which = "closed" or "open". Borrowed. */
const char *isolate_swap_group(
	const json_t *interface, const json_t *groups, const char *which);
/*
 * Empties the closed groups and, for the cut, opens the open ones. *cut becomes false when those
 * did not open: a group that admits less ends no tracked connection.
 */
ERR_MUST_CHECK enum err_status isolate_swap_rules(const struct action_ctx *c,
	const json_t *before, const json_t *groups, bool *cut, struct err *err);
/*
 * Into the open group. What fails here leaves an interface as it was, which is no reason to stop
 * before the closing. The empty group is read back in the same round; *clean when it is empty.
 */
void isolate_swap_open(const struct action_ctx *c, const json_t *before, const json_t *groups,
	bool *opened, bool *clean);
/*
 * Into the empty group, until every interface is in it; one that is gone needs it no more. The
 * open group loses its rules at the same time.
 */
ERR_MUST_CHECK enum err_status isolate_swap_closed(const struct action_ctx *c,
	const json_t *interfaces, const json_t *groups, struct err *err);

#endif
