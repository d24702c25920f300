/* Building an account is a long row of calls: the first that fails stops the rest. */
#ifndef CORDON_APP_DRILL_CALLS_H
#define CORDON_APP_DRILL_CALLS_H

#include "aws/aws.h"
#include "base/arena.h"

struct drill_calls {
	struct aws_client *aws;
	struct arena *arena;
	enum err_status st;
	struct err *err;
};
/* Makes a call (params taken) unless one failed before; its result (new reference), or NULL. */
json_t *drill_calls_get(struct drill_calls *c, const char *service, const char *operation,
	json_t *params_taken);
/* As above, and nothing of the result is wanted. */
void drill_calls_do(struct drill_calls *c, const char *service, const char *operation,
	json_t *params_taken);
/* As above, and one text of the result is wanted: kept in the arena; "" after a failure. */
const char *drill_calls_text(struct drill_calls *c, const char *service, const char *operation,
	json_t *params_taken, const char *path);

#endif
