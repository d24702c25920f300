/*
 * What the playbooks would do about every known finding type, in every mode: each type is routed as a
 * finding would be, over a small one made up for it. No AWS call.
 */
#ifndef CORDON_RESPONSE_MATRIX_H
#define CORDON_RESPONSE_MATRIX_H

#include "base/config.h"
#include "response/playbook.h"

/* What the rows are made with; zero = the default. */
struct matrix_options {
	const char
		*severity; /* low, medium, high, critical; NULL: the usual one of each type */
};

/*
 * One row a type, kind of resource and, where it matters, role: {"schema":"cordon.matrix/1","type","kind",
 * "severity","role","playbook","modes":{"observe"|"approve"|"auto":{"production"|"other":
 * {"mode","steps":[{"id","mode"}],"held_back":[..]}}}}. "other" is an environment that is known and not
 * production. Calls `row` with each (borrowed); stops at the first failure.
 */
typedef enum err_status (*matrix_row_fn)(void *ctx, const json_t *row, struct err *err);
ERR_MUST_CHECK enum err_status matrix_each(const struct playbook_set *s,
	const struct config *config, const struct matrix_options *options, matrix_row_fn row,
	void *ctx, struct err *err);

#endif
