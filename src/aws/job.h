/* One call of a batch on its way: built, signed, sent, judged, perhaps sent again. */
#ifndef CORDON_AWS_JOB_H
#define CORDON_AWS_JOB_H

#include "aws/chunked.h"
#include "aws/client.h"

enum job_state { JOB_WAITING, JOB_RUNNING, JOB_DONE };

struct job {
	struct aws_client *client;
	struct aws_request *req;
	struct model_call call;
	json_t *params; /* with the idempotency token filled in; owned, may be NULL */
	struct creds *creds;
	bool fixed_creds; /* the caller's, never renewed here */
	bool show_only;   /* for a person's eyes: the dry run does not matter */
	bool body_later;  /* whoever sends it brings the body of a streaming payload */
	bool is_copy_url; /* made for the URL that a copy carries (copyurl.c) */
	struct wire_request wire;
	struct chunked chunked; /* the body of a stream to S3 */
	struct wire_response answer;
	struct http_exchange exchange;
	enum job_state state;
	int64_t due_us, start_us;         /* monotonic */
	int64_t deadline_ms;              /* wall clock; 0 = none */
	int attempt;                      /* attempts made or under way */
	int took;                         /* retry tokens taken for the current attempt */
	bool repeatable;                  /* a repeat after an unknown outcome does no harm */
	bool renewed, reskewed, rerouted; /* each correction is tried once */
	size_t body_out_start;            /* what the caller had in body_out */
	char region[64];                  /* changed by an S3 redirect */
	char signing_region[64];
	char invocation[37];
	int64_t url_ends_ms; /* of a presigned URL */
	struct aws_stats stats;
};

/*
 * Looks the operation up, validates, fills tokens, builds the request. Anything wrong is in the
 * result (nothing will be sent).
 */
ERR_MUST_CHECK enum err_status job_prepare(
	struct job *j, struct aws_client *c, struct aws_request *req, struct err *err);
/* Signs for now and sends or, with `h` NULL, only signs. */
ERR_MUST_CHECK enum err_status job_send(struct job *j, struct http *h, struct err *err);
/* Puts a signature good for so many seconds into the URL, and url_ends_ms. Sends nothing. */
ERR_MUST_CHECK enum err_status job_presign(struct job *j, int64_t seconds, struct err *err);
/* After the exchange ended: done (req->status, result, err set) or waiting for another attempt. */
void job_judge(struct job *j);
/* Ends with an error that is final. */
void job_fail(struct job *j, const struct err *why);
void job_deinit(struct job *j);

#endif
