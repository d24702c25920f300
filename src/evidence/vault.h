/*
 * The evidence vault: an S3 bucket with versioning, Object Lock and encryption. Every object is
 * hashed before it is sent, read back, and bound into the journal.
 */
#ifndef CORDON_EVIDENCE_VAULT_H
#define CORDON_EVIDENCE_VAULT_H

#include "incident/desk.h"

struct vault;

/* Opens the configured bucket for a case. ERR_CONFIG when none is configured, ERR_NOT_FOUND when it
 * is not there (the message says the command that makes it), ERR_DENIED. `weak` (may be NULL) gets
 * what the bucket lacks: [] or ["versioning", "object-lock", "encryption", "public-access-block"]. */
ERR_MUST_CHECK enum err_status vault_open(const struct desk *desk, const char *case_id,
	struct vault **out, json_t **weak, struct err *err);
void vault_free(struct vault *v);
/* Makes a bucket as it should be (versioning, lock, encryption, public access block, policy). */
ERR_MUST_CHECK enum err_status vault_create_bucket(
	struct aws_client *aws, const struct config *config, struct err *err);

/*
 * Stores bytes as evidence under PREFIX/CASE/NAME with If-None-Match, SHA-256, Content-MD5, lock and
 * encryption; reads the version back; appends evidence.stored. The same name with the same content
 * is kept once. `source` says where it came from ({"type","arn","uri"...}). *item (may be NULL) gets
 * the manifest item. Thread-safe.
 */
ERR_MUST_CHECK enum err_status vault_put(struct vault *v, const char *name, struct str bytes,
	const json_t *source, json_t **item, struct err *err);

struct acquire_plan {
	int64_t from_ms, to_ms; /* window of the logs */
	const char *dir;        /* where copies for the analysis go; NULL = none */
};
/*
 * Takes the case's evidence: the finding, instance metadata, CloudTrail logs of the window (by date
 * in the key), host and web logs from config->log_sources. What fails is recorded and named, and does
 * not stop the rest: ERR_PARTIAL then. *out: {"items":[..],"failed":[..],"bytes":n}.
 */
ERR_MUST_CHECK enum err_status vault_acquire(struct vault *v, const json_t *case_view,
	const struct acquire_plan *plan, json_t **out, struct err *err);
/* Writes PREFIX/CASE/manifest.json (all items, head hash of the journal); appends evidence.stored. */
ERR_MUST_CHECK enum err_status vault_seal(struct vault *v, struct err *err);
/*
 * Reads every evidence object of a case back from S3 by version id and compares size, SHA-256 and
 * lock with the journal. ERR_INTEGRITY with the first that does not fit; *out lists all.
 */
ERR_MUST_CHECK enum err_status vault_verify(struct env *env, struct aws_client *aws,
	const json_t *case_view, json_t **out, struct err *err);
/* Downloads a case's evidence into an empty folder with manifest and journal, for offline checks. */
ERR_MUST_CHECK enum err_status vault_export(struct env *env, struct aws_client *aws,
	const json_t *case_view, const json_t *records, const char *dir, struct err *err);

#endif
