/* The journal's inside, and the leases it holds. Internal to src/incident. */
#ifndef CORDON_INCIDENT_JOURNAL_LEASE_H
#define CORDON_INCIDENT_JOURNAL_LEASE_H

#include "incident/journal.h"
#include "incident/store.h"

#include <pthread.h>

#define JOURNAL_LEASES 64

struct journal_lease {
	char case_id[STORE_CASE_ID];
	int64_t fence, ttl_ms, until_ms;
	bool lost; /* seen to be another's */
};

struct journal {
	struct env *env;
	struct store *store;
	char *actor;
	char holder[STORE_HOLDER];
	struct journal_lease leases[JOURNAL_LEASES];
	size_t n_leases;
	pthread_mutex_t lock; /* all of the above, and the store */
	pthread_t keeper;     /* prolongs the leases while their work takes long */
	pthread_cond_t wake;  /* of the keeper */
	bool keeping, ending;
};

void journal_lease_init(struct journal *j);
/* Ends the keeper and gives every lease back. */
void journal_lease_deinit(struct journal *j);
/* The lease held on a case, or NULL. With the lock held. */
struct journal_lease *journal_lease_of(struct journal *j, const char *case_id);

#endif
