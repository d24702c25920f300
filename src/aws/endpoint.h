/*
 * Where a call goes. Order: explicit URL, AWS_ENDPOINT_URL_<SERVICE>, AWS_ENDPOINT_URL, the
 * profile's [services] section, the profile's endpoint_url, else the regional host of the
 * partition. https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
 */
#ifndef CORDON_AWS_ENDPOINT_H
#define CORDON_AWS_ENDPOINT_H

#include "aws/model.h"
#include "aws/profile.h"
#include "aws/wire.h"

struct endpoint_rules {
	struct env *env;
	const struct profile_set *profiles;
	const char *explicit_url; /* --endpoint-url or NULL */
};

/* Suffix of a region's partition: "amazonaws.com", "amazonaws.com.cn" ... Static. */
const char *endpoint_suffix(const char *region, bool dual_stack);

/*
 * Sets host, scheme and base path of a built request; for S3 moves the bucket into the host where
 * the name allows it. `signing_region` gets the region to sign for. ERR_CONFIG when a
 * configured URL is malformed or the region's name can't be part of a host name.
 */
ERR_MUST_CHECK enum err_status endpoint_apply(const struct endpoint_rules *rules,
	const struct model_call *c, const char *region, struct wire_request *r,
	char signing_region[64], struct err *err);

#endif
