/*
 * What the readers of the three shapes (guardduty.c, asff.c, ocsf.c) share: looking into hostile
 * JSON, copying text under a ceiling, and adding resources, actors and signals to a finding.
 */
#ifndef CORDON_FINDING_PARTS_H
#define CORDON_FINDING_PARTS_H

#include "finding/finding.h"

/* Where the finding came from, for what it does not say itself. Borrowed. */
struct parts_origin {
	struct str account, region;
};

/* A new finding that keeps a reference to `raw`; freed by finding_free. Never NULL. */
struct finding *parts_new(json_t *raw);

/*
 * The value at a dotted path of at most 63 bytes a key, whose keys are written in camelCase; each
 * key also matches with a capital first letter (the SDKs' spelling) or in snake_case (OCSF's).
 * NULL when absent.
 */
json_t *parts_at(const json_t *root, const char *path);
/* A copy of the text there, cut at FINDING_MAX_TEXT; "" when it is no text. */
struct str parts_text(struct finding *f, const json_t *v);
/* A copy of an identifier; "" when it is no text, longer than FINDING_MAX_ID or holds controls. */
struct str parts_id(struct finding *f, const json_t *v);
/* Integer, real or digits in a text; `otherwise` for anything else. */
int64_t parts_int(const json_t *v, int64_t otherwise);
double parts_real(const json_t *v, double otherwise);
/* true or the text "true". */
bool parts_true(const json_t *v);
/* RFC 3339 text, Unix seconds or milliseconds; 0 for anything else. */
int64_t parts_time(const json_t *v);
/* The text is there and equal. */
bool parts_is(const json_t *v, const char *text);

/* Colon-separated part of an ARN, 0 = "arn"; part 5 is all the rest. Borrowed. */
struct str parts_arn(struct str arn, int part);
/* What findings know a resource by, out of its ARN; what is no ARN is taken as it is. Borrowed. */
struct str parts_known_as(enum finding_kind kind, struct str uid);
/* What follows the last '/' or, without one, the last ':'; the whole when there is neither. */
struct str parts_tail(struct str s);

/*
 * Adds a resource unless kind and id are there already; gives the one there is. NULL past the
 * ceiling.
 */
struct finding_resource *parts_resource(
	struct finding *f, enum finding_kind kind, struct str id);
/*
 * Adds a remote end with a valid address or a plausible domain, once. Gives the new or the known
 * one; NULL when `ip` is not an address and `domain` no name, or past the ceiling.
 */
struct finding_actor *parts_actor(struct finding *f, const json_t *ip, const json_t *domain);
struct finding_signal *parts_signal(struct finding *f);
/* The address is loopback, link-local, private or unspecified. */
bool parts_ip_is_private(struct str ip);

/* Tags as [{"key","value"}], [{"name","value"}] or {"k":"v"} into r->tags. */
void parts_tags(struct finding_resource *r, json_t *tags);
/* "i-..." out of "AROA...:i-...", or "". Borrowed. */
struct str parts_principal_instance(struct str principal_id);
/*
 * Fills the gaps that need the whole finding: instance behind a role session, account and region
 * from the ARN or the origin, id from the ARN, names that only samples carry.
 */
void parts_finish(struct finding *f, const struct parts_origin *from);
/* ERR_LIMIT when the finding's arena overflowed. */
ERR_MUST_CHECK enum err_status parts_check(const struct finding *f, struct err *err);

#endif
