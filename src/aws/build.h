/*
 * A request from an operation and its parameters: everything but host, time and signature.
 * Tokens are filled, the protocol writes its form, the body is compressed and digested where the
 * model says so.
 */
#ifndef CORDON_AWS_BUILD_H
#define CORDON_AWS_BUILD_H

#include "aws/checksum.h"
#include "aws/model.h"
#include "aws/profile.h"
#include "aws/wire.h"

struct build_input {
	const struct model_call *call;
	const json_t *params;            /* validated; may be NULL */
	struct str body;                 /* of a streaming payload, or ... */
	const struct aws_source *source; /* ... its stream; both borrowed */
	bool body_later;      /* somebody else will send the body: nothing is derived from it */
	size_t compress_from; /* smallest body that is compressed, where the model allows it */
};

/*
 * The parameters with their idempotency tokens: a new reference, NULL when there are none.
 * *has_token: a repeat is harmless.
 */
json_t *build_params(
	const struct model_call *c, struct env *env, const json_t *params, bool *has_token);
/* What the user's settings say about compression; SIZE_MAX = never. */
size_t build_compress_from(struct env *env, const struct profile_set *profiles);
/*
 * Into an initialised request. ERR_USAGE when a parameter can't travel where the model puts it,
 * ERR_LIMIT when a ceiling is passed.
 */
ERR_MUST_CHECK enum err_status build_request(
	const struct build_input *in, struct wire_request *out, struct err *err);
/* The checksum that must follow a streamed body; NONE when there need be none or it is a header. */
enum checksum_kind build_trailer(const struct model_call *c, const struct wire_request *r);

#endif
