/* The user's ~/.aws/config and ~/.aws/credentials, read once, seen as one set of profiles. */
#ifndef CORDON_AWS_PROFILE_H
#define CORDON_AWS_PROFILE_H

#include "aws/ini.h"
#include "base/env.h"

enum profile_file { PROFILE_CONFIG, PROFILE_CREDENTIALS };

struct profile_set {
	struct ini config, credentials;
	char *paths[2];   /* by enum profile_file; NULL when there is no home */
	const char *name; /* the chosen profile; "default" when nobody chose */
	bool chosen;      /* by flag or AWS_PROFILE */
	char *name_copy;
};

/*
 * Reads the files (AWS_CONFIG_FILE, AWS_SHARED_CREDENTIALS_FILE; missing ones are empty) and
 * chooses the profile: `flag`, AWS_PROFILE, AWS_DEFAULT_PROFILE, "default". ERR_CONFIG when a file is
 * malformed or the chosen profile is in neither. Caller's memory, freed by profile_deinit.
 */
ERR_MUST_CHECK enum err_status profile_load(
	struct env *env, const char *flag, struct profile_set *out, struct err *err);
void profile_deinit(struct profile_set *p);
bool profile_exists(const struct profile_set *p, const char *name);
/* A key of a profile; the credentials file wins. NULL `name` = the chosen one. Borrowed. */
bool profile_get(
	const struct profile_set *p, const char *name, const char *key, struct str *out);
/* The same in one of the files. */
bool profile_get_in(const struct profile_set *p, enum profile_file file, const char *name,
	const char *key, struct str *out);
/* Where a file was looked for; "" when nowhere. */
const char *profile_path(const struct profile_set *p, enum profile_file file);
/* A key of [services NAME], where NAME is what the chosen profile's `services` says. */
bool profile_service(const struct profile_set *p, const char *key, struct str *out);
/* An environment variable, else the key of the chosen profile; empty when neither is set. */
struct str profile_setting(
	struct env *env, const struct profile_set *p, const char *variable, const char *key);

#endif
