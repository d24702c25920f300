/*
 * The text of a record in a DynamoDB item, whatever its length: as it is, compressed, or compressed
 * and in pieces that lie beside it. Internal to src/incident.
 */
#ifndef CORDON_INCIDENT_DYNAMODB_BODY_H
#define CORDON_INCIDENT_DYNAMODB_BODY_H

#include "incident/dynamodb_table.h"

/* Which record a text belongs to; `writer` tells two tries for the same place apart. */
struct dynamodb_body {
	const char *case_id;
	int64_t seq;
	const char *writer;
};

/*
 * Puts the text into the record's item. A text that needs pieces has them written first, so an item
 * never names pieces that are not there; pieces of a try that failed stay behind unnamed.
 */
ERR_MUST_CHECK enum err_status dynamodb_body_put(struct dynamodb_table *t,
	const struct dynamodb_body *which, struct str text, json_t *item, struct err *err);
/*
 * Appends the text of an item. ERR_INTEGRITY when it can't be had whole: somebody changed it or took
 * pieces away.
 */
ERR_MUST_CHECK enum err_status dynamodb_body_get(struct dynamodb_table *t, const char *case_id,
	const json_t *item, struct buf *text, struct err *err);

#endif
