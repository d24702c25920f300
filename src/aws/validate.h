/* Parameters against the model, before anything is built or sent. */
#ifndef CORDON_AWS_VALIDATE_H
#define CORDON_AWS_VALIDATE_H

#include "aws/model.h"
#include "base/doc.h"

/*
 * Unknown names, wrong types and missing required members are ERR_USAGE; the message names the
 * place ("Filters[0].Nme: no such parameter; did you mean Name?"). A null counts as absent.
 * `params` may be NULL. Idempotency tokens may be missing: they are filled later.
 */
ERR_MUST_CHECK enum err_status validate_params(
	const struct model_call *c, const json_t *params, struct err *err);

#endif
