#include "aws/creds_doc.h"

#include "base/utc.h"

enum err_status creds_doc_read(
	const json_t *doc, const char *source, struct creds **out, struct err *err)
{
	struct str key = str_from(doc_text(doc, "AccessKeyId"));
	struct str secret = str_from(doc_text(doc, "SecretAccessKey"));
	struct str token = str_from(doc_text(doc, "SessionToken"));
	struct str until = str_from(doc_text(doc, "Expiration"));
	int64_t expires = 0;
	if (!token.n) {
		token = str_from(doc_text(doc, "Token"));
	}
	if (!key.n || !secret.n) {
		return err_set(err, ERR_CONFIG,
			"the credentials from %s lack AccessKeyId or SecretAccessKey", source);
	}
	if (until.n && !utc_parse(until, &expires)) {
		return err_set(err, ERR_CONFIG,
			"the credentials from %s expire at '%.*s', which is no RFC 3339 time",
			source, STR_ARG(until));
	}
	struct creds *c = creds_new(key, secret, token, source);
	c->expires_ms = expires;
	*out = c;
	return ERR_OK;
}
