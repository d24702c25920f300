/* The lazily opened parts of the program (AWS client, journal). */
#ifndef CORDON_APP_PARTS_H
#define CORDON_APP_PARTS_H

#include "app/app.h"

/* Closes what app_aws and app_journal opened. */
void parts_close(struct app *app);

#endif
