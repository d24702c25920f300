/* Leases in the DynamoDB table: a part of each case's head. Internal to src/incident. */
#ifndef CORDON_INCIDENT_DYNAMODB_LEASE_H
#define CORDON_INCIDENT_DYNAMODB_LEASE_H

#include "incident/dynamodb_table.h"
#include "incident/store.h"

/* As the store's lease and unlease. */
ERR_MUST_CHECK enum err_status dynamodb_lease_take(struct dynamodb_table *t,
	const struct store_lease *l, int64_t *fence, char holder[STORE_HOLDER],
	struct err *err);
void dynamodb_lease_give(struct dynamodb_table *t, const char *case_id, const char *holder);

#endif
