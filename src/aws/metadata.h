/*
 * What the machine tells about itself over HTTP: the credentials endpoints of containers, and the
 * EC2 instance metadata service, of which only version 2 (with a session token) is spoken.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-imds-credentials.html
 * Asked for: AWS_EC2_METADATA_DISABLED, AWS_EC2_METADATA_SERVICE_ENDPOINT,
 * AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE (IPv6), AWS_METADATA_SERVICE_TIMEOUT (seconds, 1),
 * AWS_METADATA_SERVICE_NUM_ATTEMPTS (1), and the profile's keys of the same meaning.
 */
#ifndef CORDON_AWS_METADATA_H
#define CORDON_AWS_METADATA_H

#include "aws/http.h"
#include "aws/profile.h"
#include "aws/uri.h"

#define METADATA_MAX_ANSWER ((size_t)256 * 1024)

struct metadata {
	struct env *env;
	const struct profile_set *profiles;
	struct http_pool *pool;
};

/* As uri_split, of a URL that may have a query ("?a=b", or empty). */
bool metadata_split(struct str url, struct uri_parts *out, struct str *query);

struct metadata_question {
	const char *method;
	const char *url;
	const char *header, *value; /* one extra header or NULL */
	int64_t timeout_ms;         /* of one attempt */
	int attempts;               /* nobody there, 429 and 5xx are asked again */
};
/*
 * Never through a proxy. The body of a 200 in `out` (emptied before). ERR_UNREACHABLE when nobody
 * answers; another HTTP status is ERR_CONFIG with err->http_status.
 */
ERR_MUST_CHECK enum err_status metadata_ask(const struct metadata *m,
	const struct metadata_question *q, struct buf *out, struct err *err);

/* A session with the instance's service. Caller's memory, ended by metadata_close. */
struct metadata_session {
	const struct metadata *m;
	char base[512];
	int64_t timeout_ms;
	int attempts;
	struct buf token;
};
/* ERR_UNREACHABLE: this is no EC2 instance, or the service is switched off. */
ERR_MUST_CHECK enum err_status metadata_open(
	const struct metadata *m, struct metadata_session *out, struct err *err);
/* "/latest/meta-data/..." */
ERR_MUST_CHECK enum err_status metadata_read(
	const struct metadata_session *s, const char *path, struct buf *out, struct err *err);
void metadata_close(struct metadata_session *s);

/* The region of this instance, appended; false when it is none. */
bool metadata_region(const struct metadata *m, struct buf *out);

#endif
