/*
 * Who wants an address blocked, kept as tags on the thing that blocks it (a network ACL, an IP set): two
 * cases may name the same address, and the undo of one must not open it for the other. Each step puts a
 * tag of its own, so that no two writers touch the same one; whoever takes the last tag away, takes the
 * block away.
 */
#ifndef CORDON_RESPONSE_ACTIONS_HOLDERS_H
#define CORDON_RESPONSE_ACTIONS_HOLDERS_H

#include "response/action.h"

#define HOLDERS_KEY_MAX 128 /* of a tag */

/* "cordon:deny/198.51.100.7/32/TOKEN": the step's own tag for the range. */
void holders_key(const struct action_ctx *c, const char *cidr, char out[HOLDERS_KEY_MAX]);
/* {"Key","Value": the case}; new reference. */
json_t *holders_tag(const struct action_ctx *c, const char *cidr);
/* The case of another step that holds the range, by a [{"Key","Value"}] list, or NULL. Borrowed. */
const char *holders_other(const struct action_ctx *c, const json_t *tags, const char *cidr);
/* Any step of cordon's holds it. */
bool holders_any(const json_t *tags, const char *cidr);

#endif
