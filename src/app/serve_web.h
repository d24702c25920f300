/* The daemon's approval links: the page of approve_web.h over the listener of web.h. */
#ifndef CORDON_APP_SERVE_WEB_H
#define CORDON_APP_SERVE_WEB_H

#include "flow/flow.h"

struct serve_web;
/*
 * Listens where config->listen says; nothing to do (*out NULL) when it says nothing. What is approved is
 * run at once, over the flow's client and a journal of its own (taken; closed by serve_web_stop).
 * ERR_CONFIG when there is no key or the address can't be had.
 */
ERR_MUST_CHECK enum err_status serve_web_start(const struct flow *f,
	struct journal *journal_taken, struct serve_web **out, struct err *err);
void serve_web_stop(struct serve_web *s); /* NULL is fine */

#endif
