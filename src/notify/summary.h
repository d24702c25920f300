/* What every message says, read once from the case document. */
#ifndef CORDON_NOTIFY_SUMMARY_H
#define CORDON_NOTIFY_SUMMARY_H

#include "base/i18n.h"
#include "finding/finding.h"

enum summary_outcome {
	SUMMARY_OPEN,
	SUMMARY_OBSERVED,
	SUMMARY_PENDING,
	SUMMARY_CONTAINED,
	SUMMARY_PARTIAL,
	SUMMARY_FAILED,
	SUMMARY_UNDONE,
	SUMMARY_CLOSED,
};

/* Text is borrowed from the view and the finding; never NULL, "" when unknown. */
struct summary {
	const json_t *view;
	const char *event;
	enum i18n_lang lang;
	const char *url; /* prefix of links, NULL = none */
	const char *case_id, *type, *account, *region, *environment, *owner;
	const char *kind, *id; /* the first resource */
	const char *severity;  /* "high" ... */
	double severity_num;
	enum summary_outcome outcome;
	int64_t contained_ms; /* from the case's opening to the last cut; -1 = not contained */
	size_t evidence;
	const struct finding *finding; /* the case's first finding, or NULL */
	struct finding_set set;
};

/* Reads the view; ERR_INPUT when it is no case. Free with summary_deinit. */
ERR_MUST_CHECK enum err_status summary_init(struct summary *s, const json_t *view,
	const char *event, enum i18n_lang lang, struct err *err);
void summary_deinit(struct summary *s);
/* "HIGH", "CONTAINED": upper-case ASCII in the message's language. */
const char *summary_severity_word(const struct summary *s);
const char *summary_outcome_word(const struct summary *s);
/* What the finding means in three words, ASCII, in the message's language: "mines crypto". */
const char *summary_phrase(const struct summary *s);
/* "EC2", "IAM", "S3", "RDS", or the kind itself. */
const char *summary_service(const struct summary *s);
/* Name of a step for people, translated. */
const char *summary_step_title(const struct summary *s, const json_t *step);
/* Printable ASCII only: accents fall off, all else becomes '?'; what GSM-7 counts twice becomes
 * its plain neighbour, so that a byte is a septet. Appends. */
void summary_ascii(struct str text, struct buf *out);
/* "0.4 s", "38 s" or "4 min 12 s" into out[32]. */
void summary_duration(int64_t ms, char out[32]);

#endif
