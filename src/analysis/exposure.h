/* Doors left open: buckets, snapshots and databases that everybody could read, and who did. */
#ifndef CORDON_ANALYSIS_EXPOSURE_H
#define CORDON_ANALYSIS_EXPOSURE_H

#include "analysis/inquiry.h"

/* Decides for public_exposure when something was opened to everybody and then read. */
bool exposure_decide(struct inquiry *q);
/* Opened, and nothing shows whether anybody came: not determinable. */
bool exposure_ask(struct inquiry *q);

#endif
