/* A profile of the config files: keys, another profile's role, a program that prints keys. */
#include "aws/creds.h"

static struct str get(const struct creds_options *o, const char *profile, const char *key)
{
	struct str value = { 0 };
	(void)profile_get(o->profiles, profile, key, &value);
	return value;
}

static enum err_status static_keys(
	const struct creds_options *o, const char *profile, struct creds **out, struct err *err)
{
	struct str key = get(o, profile, "aws_access_key_id");
	struct str secret = get(o, profile, "aws_secret_access_key");
	if (!key.n && !secret.n) {
		return ERR_OK;
	}
	if (!key.n || !secret.n) {
		return err_set(err, ERR_CONFIG,
			"profile '%s' has only one of aws_access_key_id and "
			"aws_secret_access_key",
			profile);
	}
	*out = creds_new(key, secret, get(o, profile, "aws_session_token"), "profile");
	return ERR_OK;
}

enum err_status creds_from_profile(
	const struct creds_options *o, const char *profile, struct creds **out, struct err *err)
{
	return static_keys(o, profile, out, err);
}
