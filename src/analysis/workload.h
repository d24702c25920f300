/*
 * Credentials that belong to a machine and not to a person: of an instance's role, and of roles
 * that AWS gives to functions, tasks and pods, or that a pod or a pipeline gets for the token of
 * its own identity provider. Nobody carries them anywhere; who has them elsewhere took them.
 */
#ifndef CORDON_ANALYSIS_WORKLOAD_H
#define CORDON_ANALYSIS_WORKLOAD_H

#include "analysis/inquiry.h"

/* The call that made a key of suspect s, whoever made it; NULL when the logs don't hold it. */
const struct track_issue *workload_issue(const struct inquiry *q, const struct suspect *s);
bool workload_is(const struct inquiry *q, const struct suspect *s);
/*
 * Evidence that a session is not the workload's own: another program, and at an address where no
 * session of the role was before. For roles whose sessions are not told apart by their names.
 */
void workload_weigh(const struct inquiry *q, struct suspect *s);

#endif
