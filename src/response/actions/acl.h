/*
 * Network ACLs as block-address uses them: deny entries for single addresses, before every allow, under
 * numbers that nobody else has. Entries are {"acl","number","egress","cidr","v6"}.
 */
#ifndef CORDON_RESPONSE_ACTIONS_ACL_H
#define CORDON_RESPONSE_ACTIONS_ACL_H

#include "response/actions/addresses.h"

/*
 * The entries that deny every address ([{"cidr","v6"}]) in every ACL of a DescribeNetworkAcls answer, both
 * ways. One that another step of cordon's made is in the list too, under its number; what somebody
 * else denies already is not. What finds no number goes to `left_out`. New reference.
 */
json_t *acl_plan(const json_t *acls, const json_t *addresses, json_t *left_out);
/*
 * The ACLs that a list of entries names, as they are now, {"NetworkAcls":[..]}; new reference. One
 * that was deleted meanwhile is left out: each is asked for by itself.
 */
ERR_MUST_CHECK enum err_status acl_read(
	const struct action_ctx *c, const json_t *entries, json_t **out, struct err *err);
/* The ACL of an entry in such an answer, or NULL. Borrowed. */
json_t *acl_of(const json_t *acls, const json_t *entry);
/* What stands under the entry's number, or NULL. Borrowed. */
json_t *acl_present(const json_t *acls, const json_t *entry);
/* The entry stands in its ACL exactly as it was made. */
bool acl_stands(const json_t *acls, const json_t *entry);
/* The entry's address is denied in its direction before any allow rule, by whichever rule. */
bool acl_denied(const json_t *acls, const json_t *entry);
/* Gives an entry whose number somebody else took the next free one; ERR_LIMIT without one. */
ERR_MUST_CHECK enum err_status acl_renumber(
	const json_t *acls, json_t *entries, struct err *err);
/* Parameters of CreateNetworkAclEntry; new reference. */
json_t *acl_create_params(const json_t *entry);

#endif
