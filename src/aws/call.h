/* The call engine: batches of jobs on one carrier, on the calling thread. */
#ifndef CORDON_AWS_CALL_H
#define CORDON_AWS_CALL_H

#include "aws/client.h"

/* STS with given credentials, for the credential chain; ctx is the client. */
enum err_status call_sts(void *ctx, struct creds *with, const char *operation,
	const json_t *params, json_t **result, struct err *err);

#endif
