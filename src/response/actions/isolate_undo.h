/* The way back of isolate-network (action.h, undo): groups per interface, then the groups made. */
#ifndef CORDON_RESPONSE_ACTIONS_ISOLATE_UNDO_H
#define CORDON_RESPONSE_ACTIONS_ISOLATE_UNDO_H

#include "response/action.h"

ERR_MUST_CHECK enum err_status isolate_undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err);

#endif
