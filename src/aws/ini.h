/*
 * AWS's config and credentials files. Sections, "key = value", continuation lines (sub-keys of a
 * parent key are named "parent.key": "s3.addressing_style", "ec2.endpoint_url").
 * https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
 */
#ifndef CORDON_AWS_INI_H
#define CORDON_AWS_INI_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

#define INI_MAX_BYTES ((size_t)1024 * 1024)

struct ini_item {
	struct str section;    /* "default", "profile dev", "sso-session x", "services y" */
	struct str key, value; /* the key is empty in the item that a section begins with */
};
struct ini {
	struct arena arena;
	struct ini_item *items; /* in file order */
	size_t n;
};

/*
 * Caller's memory, freed by ini_deinit. ERR_CONFIG with `name` and the line when it is malformed,
 * ERR_LIMIT past INI_MAX_BYTES. A zeroed struct is an empty file.
 */
ERR_MUST_CHECK enum err_status ini_parse(
	struct str text, const char *name, struct ini *out, struct err *err);
void ini_deinit(struct ini *f);
/* Last value of a key (ASCII case ignored) in a section; false when absent. Borrowed. */
bool ini_get(const struct ini *f, const char *section, const char *key, struct str *out);
bool ini_has_section(const struct ini *f, const char *section);

#endif
