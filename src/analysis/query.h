/*
 * Conditions on records, as `cordon search` takes them: FIELD=VALUE, FIELD!=VALUE, FIELD~TEXT
 * (contains), FIELD>N, FIELD<N. Values compare without regard to case, * and ? are wildcards, commas
 * part alternatives; an address field takes a network (10.0.0.0/8). All conditions must hold.
 * Fields are those of struct record by name, or the dotted path of a member of a JSON record, where
 * any item of a list may match.
 */
#ifndef CORDON_ANALYSIS_QUERY_H
#define CORDON_ANALYSIS_QUERY_H

#include "analysis/record.h"
#include "base/err.h"

#define QUERY_MAX 32

enum query_op { QUERY_IS, QUERY_IS_NOT, QUERY_HOLDS, QUERY_MORE, QUERY_LESS };

struct query_term {
	struct str field, value; /* slices of the text given */
	enum query_op op;
	int64_t number; /* QUERY_MORE, QUERY_LESS; a time in ms for the field "time" */
};
struct query {
	struct query_term terms[QUERY_MAX];
	size_t n;
};

/* The text has the form of a condition. */
bool query_is_term(struct str text);
/* Adds a condition; `text` must outlive the query. ERR_USAGE says what is wrong with it. */
ERR_MUST_CHECK enum err_status query_add(struct query *q, struct str text, struct err *err);
/* Every condition holds for the record. */
bool query_match(const struct query *q, const struct record *rec);
/* Equal without regard to case, * and ? in `pattern` as wildcards. */
bool query_glob(struct str pattern, struct str s);

#endif
