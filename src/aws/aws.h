/*
 * The one door to AWS (design 4.1). Parameters and results are JSON documents named as in AWS's
 * own API (the member names of its service models, as boto3 has them), whatever the wire protocol.
 * Timestamps are RFC 3339 text in results; in parameters also Unix seconds. Blobs are base64 text
 * both ways; a streaming blob is better given and taken through struct aws_request. Policy
 * documents of IAM are plain JSON text both ways. Operations are those in operations.list.
 *
 * Threads: a client may be used by several threads at once; each call or batch runs on the
 * thread that made it.
 *
 * Retries are the SDKs' standard mode. AWS_RETRY_MODE or the profile's retry_mode may say
 * "standard", "legacy" or "adaptive"; all three mean standard here (adaptive adds a rate of its
 * own on the client's side, which is not done). Anything else is ERR_CONFIG.
 */
#ifndef CORDON_AWS_AWS_H
#define CORDON_AWS_AWS_H

#include "base/doc.h"
#include "base/env.h"

struct aws_client;

enum aws_phase { AWS_BEFORE, AWS_AFTER };

/* What an observer is told; everything is borrowed for the call. */
struct aws_event {
	enum aws_phase phase;
	const char *service, *operation;
	bool mutating;          /* by the model table */
	const json_t *params;   /* may be NULL */
	enum err_status status; /* AFTER only */
	const char *request_id; /* AFTER only, may be NULL */
	int attempts;           /* AFTER only */
	int64_t elapsed_us;     /* AFTER only */
};
typedef void (*aws_observer_fn)(void *ctx, const struct aws_event *event);

/*
 * Asks the person for the code that the MFA device `serial` shows, into code (7 bytes at least are
 * there: six digits and a NUL). ERR_CONFIG when nobody can be asked.
 */
typedef enum err_status (*aws_mfa_fn)(
	void *ctx, const char *serial, char *code, size_t size, struct err *err);
/* Asks on the controlling terminal, without echo; ctx is the struct env. */
enum err_status aws_mfa_terminal(
	void *env, const char *serial, char *code, size_t size, struct err *err);

/* Zero means default everywhere. Text is copied. */
struct aws_options {
	const char *profile; /* explicit --profile: the environment's keys are then not used */
	const char *region;  /* explicit --region */
	const char *endpoint_url;   /* explicit --endpoint-url, for every service */
	const char *case_id;        /* goes into the user agent as md/case#ID */
	int max_attempts;           /* default: AWS_MAX_ATTEMPTS, profile, 3 (DynamoDB 4) */
	int64_t connect_timeout_ms; /* 3000 */
	int64_t call_timeout_ms;    /* one attempt without progress, 60000 */
	int64_t deadline_ms; /* wall-clock bound of every call, ms since 1970; 0 = none */
	aws_mfa_fn mfa;      /* for profiles with mfa_serial; NULL: such a profile is refused */
	void *mfa_ctx;
	bool refuse_mutating; /* dry run: mutating calls are recorded, not sent: ERR_REFUSED */
	aws_observer_fn observer; /* may be called from several threads */
	void *observer_ctx;
	bool bookkeeping; /* cordon's own records: its calls are not told to thread observers */
};

/*
 * Makes a client. Credentials are resolved at the first call, in the SDKs' order (aws/creds.h).
 * The region is --region, AWS_REGION, AWS_DEFAULT_REGION, the profile's, or that of the EC2
 * instance. ERR_CONFIG when it can't be found or a file is malformed. Free with aws_client_free
 * (NULL is fine).
 */
ERR_MUST_CHECK enum err_status aws_client_new(struct env *env, const struct aws_options *opts,
	struct aws_client **out, struct err *err);
void aws_client_free(struct aws_client *c);
const char *aws_client_region(const struct aws_client *c);
/* Sets the case id of the user agent from now on (copied; NULL clears). Thread-safe. */
void aws_client_set_case(struct aws_client *c, const char *case_id);
/* Bounds all later calls; ms since 1970, 0 = none. Thread-safe. */
void aws_client_set_deadline(struct aws_client *c, int64_t deadline_ms);
/*
 * Ends what is under way within a fraction of a second and refuses all later calls, each with
 * ERR_INTERRUPTED; whether a call that was cut off had its effect is not known. Thread-safe, and
 * safe in a signal handler.
 */
void aws_client_cancel(struct aws_client *c);

/*
 * Also tells `fn` about every call that this thread makes, through any client that does not keep
 * books, until it is called again; NULL ends it. A call that a dry run holds back is told as
 * AWS_AFTER with ERR_REFUSED. How the engine learns which calls belong to which step.
 */
void aws_thread_observer(aws_observer_fn fn, void *ctx);
/*
 * Asked before each attempt of a mutating call that this thread makes (through any client that does
 * not keep books), until it is called again; NULL ends it. Anything but ERR_OK and the call is not
 * sent. How a process that lost its right to act stops acting.
 */
typedef enum err_status (*aws_gate_fn)(void *ctx, struct err *err);
void aws_thread_gate(aws_gate_fn fn, void *ctx);

/* Streams. read: fills up to n bytes, returns the count, 0 at the end, SIZE_MAX on failure.
 * rewind is called before a retry. write: returns false to stop the transfer. */
struct aws_source {
	size_t (*read)(void *ctx, void *out, size_t n);
	bool (*rewind)(void *ctx);
	void *ctx;
	uint64_t size;
	const char *
		sha256_hex; /* when known before; else UNSIGNED-PAYLOAD is signed over TLS only */
};
struct aws_sink {
	bool (*write)(void *ctx, const void *p, size_t n);
	void *ctx;
};

/* One call of a batch. Zero-initialise, fill the first part, read the second. */
struct aws_request {
	const char *service;   /* endpoint name in botocore: "ec2", "elbv2", "events" ... */
	const char *operation; /* "DescribeInstances" */
	const json_t *params;  /* borrowed, may be NULL */
	const char *region;    /* another region than the client's, or NULL */
	int64_t timeout_ms; /* bound of this call with all its attempts and pauses; 0 = none */
	struct str body;    /* streaming blob in memory (PutObject); used when body.p is set */
	const struct aws_source *source; /* or streamed */
	struct buf *body_out;            /* where a streaming answer goes (GetObject) ... */
	const struct aws_sink *sink;     /* ... or is streamed */
	json_t *result; /* new reference on success; {} when the answer is empty */
	enum err_status status;
	struct err err;
};

/*
 * One call. *result is a new reference (may be NULL when not wanted). Unknown parameters, wrong
 * types and missing required ones are ERR_USAGE before anything is sent, with the path named.
 * A region or timeout of its own needs struct aws_request.
 * AWS errors: ERR_DENIED, ERR_NOT_FOUND (codes ending NotFound, NoSuch...), ERR_CONFLICT
 * (Duplicate, AlreadyExists, PreconditionFailed ...), ERR_UNREACHABLE (network, throttling after
 * all retries, 5xx), ERR_CONFIG (bad credentials), else ERR_FAILED; err->code has AWS's code.
 */
ERR_MUST_CHECK enum err_status aws_call(struct aws_client *c, const char *service,
	const char *operation, const json_t *params, json_t **result, struct err *err);
/*
 * What an error of AWS is about, beside its status, whatever its protocol and its code are:
 * the caller asks too often; the signature's time was refused; the credentials have run out.
 * err->retryable says that the same call may work later.
 */
bool aws_error_throttled(const struct err *err);
bool aws_error_skewed(const struct err *err);
bool aws_error_expired(const struct err *err);
/*
 * Runs all requests concurrently and waits for all. ERR_OK when every one succeeded, else the
 * status of the first that failed (by index), with *err from it. Counts as one round trip.
 */
ERR_MUST_CHECK enum err_status aws_call_many(
	struct aws_client *c, struct aws_request *reqs, size_t n, struct err *err);
/*
 * Follows the pages (tokens from the model) and returns one result whose lists are joined.
 * At most `max_pages` (0 = 1000): ERR_LIMIT past it.
 */
ERR_MUST_CHECK enum err_status aws_call_paged(struct aws_client *c, const char *service,
	const char *operation, const json_t *params, int max_pages, json_t **result,
	struct err *err);
/* What one look of a wait has shown; borrowed for the call. */
struct aws_look {
	int number;            /* from 1 */
	int64_t waited_ms;     /* since the wait began */
	int64_t next_ms;       /* pause before the next look; 0 = this was the last */
	const char *state;     /* AWS's word for the state ("stopping"), or "" */
	const json_t *answer;  /* NULL when the look failed */
	const struct err *err; /* why it failed, or NULL */
};
enum aws_verdict { AWS_WAIT_ON, AWS_WAIT_DONE, AWS_WAIT_FAILED };

/* A bounded poll: AWS's own waiter, or any reading operation with a judge. */
struct aws_wait {
	const char *service;
	const char *waiter;    /* of waiters.list: "InstanceStopped"; or NULL and ... */
	const char *operation; /* ... an operation that `judge` judges; one of answer and err */
	enum aws_verdict (*judge)(void *ctx, const json_t *answer, const struct err *err);
	const json_t *params;
	void (*progress)(void *ctx, const struct aws_look *look); /* after each look, or NULL */
	void *ctx;
	int64_t first_pause_ms; /* 0 = the waiter's, 1000 without one; doubles up to ... */
	int64_t pause_ms;       /* ... this; 0 = the first for ever */
	int64_t timeout_ms;     /* of the whole wait; 0 = the waiter's, 300000 without one */
};
/*
 * Looks until it is done: ERR_OK with the last answer in *result (new reference; NULL when the end
 * was an error that a waiter waits for, as NotFound; `result` itself may be NULL). ERR_FAILED when
 * it can't happen any more, ERR_LIMIT when time ran out, either naming the state seen last; the
 * error of a look that no waiter or judge expects. The first look is made at once.
 */
ERR_MUST_CHECK enum err_status aws_wait(
	struct aws_client *c, const struct aws_wait *w, json_t **result, struct err *err);

/* {"method","url","headers":{},"body":string,"body_base64":string|null}, signed, not sent. */
ERR_MUST_CHECK enum err_status aws_show_request(struct aws_client *c, const char *service,
	const char *operation, const json_t *params, json_t **out, struct err *err);

/* A call to be made by whoever holds a URL. Zero-initialise. */
#define AWS_PRESIGN_DEFAULT_S 900
#define AWS_PRESIGN_MAX_S     604800
struct aws_presign {
	const char *service, *operation;
	const json_t *params; /* borrowed, may be NULL */
	const char *region;   /* another than the client's, or NULL */
	int64_t expires_s;    /* 0 = AWS_PRESIGN_DEFAULT_S; ERR_USAGE past AWS_PRESIGN_MAX_S */
};
/*
 * As aws_show_request, with the signature in the URL and "expires", the time at which it ends: with
 * temporary credentials never later than they do. Whoever uses it must send exactly the method, the
 * headers shown and, unless the service is S3, the body shown; S3 takes any body. Calls of the
 * query protocols (EC2, IAM, STS ...) are GETs. A client that refuses mutating calls presigns none.
 * The URL is a secret: it is good for the call by itself.
 */
ERR_MUST_CHECK enum err_status aws_presign(
	struct aws_client *c, const struct aws_presign *what, json_t **out, struct err *err);

/* The caller's account id and ARN (sts:GetCallerIdentity, asked once); borrowed from the client. */
ERR_MUST_CHECK enum err_status aws_caller(
	struct aws_client *c, const char **account, const char **arn, struct err *err);

/*
 * Where the credentials come from: "environment", "container", "EC2 instance", "STS" (a role of a profile
 * or of a web identity), or anything else for a profile's own ways. Static.
 */
ERR_MUST_CHECK enum err_status aws_credentials_source(
	struct aws_client *c, const char **source, struct err *err);

/* Counters since the client was made. */
struct aws_stats {
	uint64_t calls, attempts, errors, bytes_in, bytes_out;
	uint64_t rounds;  /* aws_call = 1, aws_call_many = 1, each page = 1 */
	uint64_t refused; /* mutating calls held back by refuse_mutating */
};
void aws_client_stats(struct aws_client *c, struct aws_stats *out);
/* What refuse_mutating held back: [{"service","operation","params"}]; new reference. */
json_t *aws_client_refused(struct aws_client *c);

/* Model facts, for policy documents and plans. */
bool aws_operation_known(const char *service, const char *operation);
bool aws_operation_mutating(const char *service, const char *operation);
/* IAM action "ec2:DescribeInstances", "s3:PutObject" (IAM prefix, not endpoint name); static. */
const char *aws_operation_iam(const char *service, const char *operation);
/*
 * ERR_USAGE, with the name that may have been meant, unless there is such a service and (when it is
 * not NULL) operation.
 */
ERR_MUST_CHECK enum err_status aws_operation_check(
	const char *service, const char *operation, struct err *err);
/* [{"service","operation","iam","mutating"}], of one service or (NULL) all; new reference. */
json_t *aws_operations(const char *service);

#endif
