/* The account of what was read and what was not: "inputs" of design 4.6. */
#ifndef CORDON_ANALYSIS_ACCOUNT_H
#define CORDON_ANALYSIS_ACCOUNT_H

#include "analysis/reader.h"
#include "base/doc.h"

/*
 * {"files","bytes","events","unique_events","duplicates","rejected":[{"file","reason","count"}],
 * "skipped":[..],"gaps":[{"source","from","to"}],"sources":{..}, ...}; new reference.
 */
json_t *account_json(const struct reader *r);
/* What was read and found no room, lines for a timeline aside: nothing is said about it. */
uint64_t account_left_out(const struct reader *r);

#endif
