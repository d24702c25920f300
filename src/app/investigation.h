/* What `investigate` and `merge` have in common (cmd_investigate.c). */
#ifndef CORDON_APP_INVESTIGATION_H
#define CORDON_APP_INVESTIGATION_H

#include "analysis/investigate.h"
#include "app/app.h"
#include "app/span.h"

/* Paths, window, rules and job out of arguments and options; `span` must outlive them. */
ERR_MUST_CHECK enum err_status investigation_options(
	struct app *app, struct investigate_options *opts, struct span *span, struct err *err);
/* Shows the document in the form that was asked for. */
ERR_MUST_CHECK enum err_status investigation_answer(
	struct app *app, const json_t *doc, struct err *err);

#endif
