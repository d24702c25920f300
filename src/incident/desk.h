/* What work on a case takes, whichever room does it. */
#ifndef CORDON_INCIDENT_DESK_H
#define CORDON_INCIDENT_DESK_H

#include "aws/aws.h"
#include "base/config.h"
#include "incident/journal.h"

/* All borrowed. */
struct desk {
	struct env *env;
	struct aws_client *aws;
	struct journal *journal;
	const struct config *config;
};

#endif
