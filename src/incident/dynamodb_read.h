/* What is read from the DynamoDB table without changing anything. Internal to src/incident. */
#ifndef CORDON_INCIDENT_DYNAMODB_READ_H
#define CORDON_INCIDENT_DYNAMODB_READ_H

#include "incident/dynamodb_table.h"
#include "incident/store.h"

/* As the store's read, cases, acts and probe. */
ERR_MUST_CHECK enum err_status dynamodb_read_case(struct dynamodb_table *t, const char *case_id,
	store_body_fn fn, void *ctx, struct err *err);
ERR_MUST_CHECK enum err_status dynamodb_read_cases(
	struct dynamodb_table *t, store_case_fn fn, void *ctx, struct err *err);
ERR_MUST_CHECK enum err_status dynamodb_read_acts(struct dynamodb_table *t, int64_t since_ms,
	store_act_fn fn, void *ctx, struct err *err);
ERR_MUST_CHECK enum err_status dynamodb_read_probe(struct dynamodb_table *t, struct err *err);

#endif
