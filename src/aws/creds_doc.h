/* The JSON documents in which STS, metadata services and programs hand out credentials. */
#ifndef CORDON_AWS_CREDS_DOC_H
#define CORDON_AWS_CREDS_DOC_H

#include "aws/creds.h"

/*
 * AccessKeyId, SecretAccessKey, Token or SessionToken, Expiration of `doc` as credentials.
 * ERR_CONFIG naming `source` when a key is missing or the time can't be read.
 */
ERR_MUST_CHECK enum err_status creds_doc_read(
	const json_t *doc, const char *source, struct creds **out, struct err *err);

#endif
