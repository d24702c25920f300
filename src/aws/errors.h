/* What AWS answers when it refuses: every protocol's form, HTML and nothing at all -> struct err. */
#ifndef CORDON_AWS_ERRORS_H
#define CORDON_AWS_ERRORS_H

#include "aws/model.h"
#include "aws/wire.h"

/*
 * A 2xx answer whose body is nevertheless an error: S3 sends the status before it knows the
 * outcome of a long copy. https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
bool errors_hidden(const struct model_call *c, const struct wire_response *r);
/* Fills *err (must not be NULL) from a failed answer and returns the status. */
enum err_status errors_from(
	const struct model_call *c, const struct wire_response *r, struct err *err);
/* The request id of any answer, NULL when there is none; borrowed. */
const char *errors_request_id(const struct wire_response *r);

#endif
