/*
 * What the journal needs from a place that keeps records: a table of functions, one per backend.
 * Every function maps to one SQLite transaction or one conditional DynamoDB write, so both keep
 * the same promises. Internal to src/incident.
 *
 * Beside the records, which are only ever added, a store keeps small indexes: claims (which open
 * case owns a resource key or a finding ARN), leases, the last known state, and which resources
 * were acted on lately.
 *
 * Status values with a meaning of their own: ERR_CONFLICT = somebody else was faster (retry from
 * a fresh head); ERR_REFUSED = the lease this append was made under was taken over.
 */
#ifndef CORDON_INCIDENT_STORE_H
#define CORDON_INCIDENT_STORE_H

#include "aws/aws.h"

#define STORE_CASE_ID 32
#define STORE_HOLDER  256
#define STORE_THING   '@' /* first in the name of a lease that is no case's */
#define STORE_ACTS_MS ((int64_t)7 * 24 * 3600 * 1000)

struct store;

struct store_head {
	int64_t seq;
	char hash[65];
};

/* A new case with its first record. */
struct store_create {
	const char *case_id;
	int year;
	int64_t number;
	const json_t *claims; /* array of texts; all free, or ERR_CONFLICT */
	struct str body;
	const char *hash;
};

struct store_put {
	const char *case_id;
	int64_t seq; /* head + 1, or ERR_CONFLICT */
	struct str body;
	const char *hash;
	int64_t fence;          /* of the lease held, 0 = none */
	int64_t renew_until_ms; /* with a fence: the lease lives at least until then */
	bool release_claims;    /* the case ends: all claims but the kept ones are given up */
	const char *keep_claim; /* stays with the case for good, or NULL */
	const char *acted;      /* resource that is about to be changed, or NULL */
	int64_t now_ms;
};

struct store_lease {
	const char *case_id;
	const char *holder;
	const char *replace; /* also take it from this holder (known dead), or NULL */
	int64_t now_ms, until_ms;
};

/* One case in a listing; borrowed for the call. */
struct store_case {
	const char *case_id;
	struct str first; /* body of record 1 */
	int64_t head_seq;
	const char *state; /* "" when never folded */
	int64_t state_seq; /* the head it was folded at */
};

typedef enum err_status (*store_body_fn)(
	void *ctx, int64_t seq, struct str body, struct err *err);
typedef enum err_status (*store_case_fn)(
	void *ctx, const struct store_case *c, struct err *err);
typedef enum err_status (*store_act_fn)(
	void *ctx, const char *resource, int64_t time_ms, struct err *err);

struct store_vtable {
	void (*close)(struct store *);
	/* A number of this year that was free a moment ago. */
	enum err_status (*next_number)(struct store *, int year, int64_t *number, struct err *);
	/* The case that owns this claim; out_id "" when nobody does. */
	enum err_status (*find_claim)(
		struct store *, const char *claim, char out_id[STORE_CASE_ID], struct err *);
	enum err_status (*create)(struct store *, const struct store_create *, struct err *);
	/* Adds claims to a case that is not closed; those that another case owns are left to it. */
	enum err_status (*claim)(
		struct store *, const char *case_id, const json_t *claims, struct err *);
	/* ERR_NOT_FOUND; ERR_INTEGRITY when the newest record is not the one last written. */
	enum err_status (*head)(
		struct store *, const char *case_id, struct store_head *, struct err *);
	enum err_status (*put)(struct store *, const struct store_put *, struct err *);
	/* Every record of a case in order. */
	enum err_status (*read)(
		struct store *, const char *case_id, store_body_fn fn, void *ctx, struct err *);
	/* Every case, newest first. */
	enum err_status (*cases)(struct store *, store_case_fn fn, void *ctx, struct err *);
	/* Remembers a folded state; only a cache, failures are harmless. */
	void (*cache_state)(
		struct store *, const char *case_id, int64_t seq, const char *state);
	/* ERR_CONFLICT, then `holder` tells who has it. */
	enum err_status (*lease)(struct store *, const struct store_lease *, int64_t *fence,
		char holder[STORE_HOLDER], struct err *);
	void (*unlease)(struct store *, const char *case_id, const char *holder);
	/* Resources acted on since then, each at least once. Kept for STORE_ACTS_MS. */
	enum err_status (*acts)(
		struct store *, int64_t since_ms, store_act_fn fn, void *ctx, struct err *err);
	/* Is everything there that writing needs? Changes nothing. */
	enum err_status (*probe)(struct store *, struct err *);
};

struct store {
	const struct store_vtable *v;
};

/* Opens or makes the file; folders get mode 0700, the file 0600. */
ERR_MUST_CHECK enum err_status store_sqlite_open(
	const char *path, struct store **out, struct err *err);
/*
 * Over a table that deploy/journal.yaml made: "TABLE" or "REGION/TABLE". `aws` (may be NULL) says how
 * to reach AWS; nothing is sent yet.
 */
ERR_MUST_CHECK enum err_status store_dynamodb_open(struct env *env, const char *table,
	const struct aws_options *aws, struct store **out, struct err *err);

#endif
