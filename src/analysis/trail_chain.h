/* What trail_verify knows of each digest, and what follows when they stand in line. Internal. */
#ifndef CORDON_ANALYSIS_TRAIL_CHAIN_H
#define CORDON_ANALYSIS_TRAIL_CHAIN_H

#include "analysis/trail_digest.h"
#include "analysis/trail_verify.h"

enum trail_state {
	TRAIL_UNREAD,   /* could not be read, or is no digest: said already */
	TRAIL_READ,     /* not judged yet */
	TRAIL_VALID,    /* signed by AWS */
	TRAIL_INVALID,  /* not what AWS signed */
	TRAIL_UNPROVEN, /* no signature or no key to judge it by */
};

/* One digest; texts are owned. */
struct trail_link {
	const char *key;        /* of the object; borrowed from the list */
	struct trail_name name; /* slices into `key` */
	enum trail_state state;
	int64_t start_ms, end_ms;
	char sha256[65];
	char *message;   /* what is signed */
	char *signature; /* from the object's metadata; NULL = not known */
	char *fingerprint, *previous_object, *previous_sha256, *previous_signature;
	uint64_t n_logs, n_valid, n_edited, n_missing, n_unread;
	json_t *problems; /* of its log files */
};

void trail_chain_free(struct trail_link *links, size_t n);
/* Sorts by chain and time. */
void trail_chain_sort(struct trail_link *links, size_t n);
/*
 * Judges the digests [0, n) of one chain, sorted, and returns its row of the document; problems
 * and gaps go to the lists. New reference.
 */
json_t *trail_chain_judge(const struct trail_options *opts, struct trail_link *links, size_t n,
	json_t *problems, json_t *gaps);
/* The two belong to one chain. */
bool trail_chain_same(const struct trail_link *a, const struct trail_link *b);
/* Adds {"kind","object","reason"}; `reason` is one of our texts, `detail` evidence or NULL. */
void trail_chain_problem(json_t *problems, const char *kind, const char *object,
	const char *reason, const char *detail);

#endif
