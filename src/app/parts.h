/* The lazily opened parts of the program (AWS client, journal). */
#ifndef CORDON_APP_PARTS_H
#define CORDON_APP_PARTS_H

#include "app/app.h"

/* Another one of each, owned by the caller: a thread that answers findings has its own. */
ERR_MUST_CHECK enum err_status parts_aws(
	struct app *app, struct aws_client **out, struct err *err);
ERR_MUST_CHECK enum err_status parts_journal(
	struct app *app, struct journal **out, struct err *err);
/* Closes what app_aws and app_journal opened. */
void parts_close(struct app *app);

#endif
