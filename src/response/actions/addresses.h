/* Which addresses a block may name: those of the attacker, and none that must stay reachable. */
#ifndef CORDON_RESPONSE_ACTIONS_ADDRESSES_H
#define CORDON_RESPONSE_ACTIONS_ADDRESSES_H

#include "response/actions/batch.h"
#include "response/actions/ec2.h"

#define ADDRESSES_MAX 4 /* an ACL takes 20 rules a direction by default */

/*
 * Ranges of the VPCs in an answer of DescribeVpcs and the addresses in one of DescribeAddresses: what is
 * the account's own. New reference.
 */
json_t *addresses_own(const json_t *vpcs, const json_t *addresses);
/*
 * [{"cidr","v6"}] of what may be blocked, out of the step's parameter `addresses`, else of the
 * finding's remote ends: single public addresses, ADDRESSES_MAX at most, none of `own`, none under
 * never_block. What may not goes to `left_out` as {"address","reason"}. New reference.
 */
json_t *addresses_choose(const struct action_ctx *c, const json_t *own, json_t *left_out);
/* The same with `own` read from the account (all VPCs of the region): one round trip. */
ERR_MUST_CHECK enum err_status addresses_choose_here(
	const struct action_ctx *c, json_t *left_out, json_t **chosen, struct err *err);
/* Both texts mean the same range. */
bool addresses_same(const char *a, const char *b);

#endif
