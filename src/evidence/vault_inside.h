/* The vault from inside; only the files of this folder include it. */
#ifndef CORDON_EVIDENCE_VAULT_INSIDE_H
#define CORDON_EVIDENCE_VAULT_INSIDE_H

#include "base/hash.h"
#include "evidence/digest.h"
#include "evidence/vault.h"

#include <pthread.h>

enum { VAULT_BATCH = 8 }; /* objects on their way at once */

struct vault {
	struct env *env;
	struct aws_client *aws;
	struct journal *journal;
	const struct config *config;
	char case_id[32];
	char *operator_arn;
	bool locks;            /* the bucket takes Object Lock headers */
	pthread_mutex_t mutex; /* guards `kept` */
	json_t *kept;          /* name -> manifest item, what the case has already */
};

/* One object on its way into the vault. */
struct vault_piece {
	const char *name; /* below PREFIX/CASE/ */
	struct str bytes; /* in memory, or: */
	const char *path; /* a file of ours; then size and sha256 are given too */
	uint64_t size;
	const json_t *source;
	const char *call; /* how it was got: "s3:GetObject"; NULL = handed over */
	int64_t start_ms; /* when getting it began; 0 = now */
	json_t *item;     /* out: new reference on success */
	struct err err;
	enum err_status status;
	/* while it is stored */
	bool there;              /* it was in the bucket or the case before */
	json_t *put;             /* answer of PutObject */
	struct digest_file file; /* open while `path` is sent */
	char sha256[HASH_SHA256_HEX];
	/* the name it got: NAME, or NAME.2 when other content has that one */
	char kept_name[1100];
};

/* Stores up to VAULT_BATCH pieces side by side; each has its own status. */
void vault_store(struct vault *v, struct vault_piece *pieces, size_t n);
/* PREFIX/CASE/NAME; new heap string. */
char *vault_key(const struct vault *v, const char *name);
/* The manifest item of something stored. New reference. */
json_t *manifest_item(const struct vault *v, const struct vault_piece *p, const json_t *lock);
/* {"schema":"cordon.manifest/1",...} of all items. New reference. */
json_t *manifest_of(const json_t *items, const char *case_id, const json_t *head,
	const char *operator_arn, int64_t now_ms);

#endif
