/*
 * One CloudTrail record, as far as every reader of it needs: slices into the scanned bytes, valid
 * until the next scan. Field facts: "CloudTrail record contents" and "CloudTrail userIdentity
 * element" of the CloudTrail User Guide.
 */
#ifndef CORDON_ANALYSIS_EVENT_H
#define CORDON_ANALYSIS_EVENT_H

#include "analysis/scan.h"
#include "analysis/skim.h"

enum event_identity {
	EVENT_UNKNOWN,
	EVENT_ROOT,
	EVENT_IAM_USER,
	EVENT_ASSUMED_ROLE,
	EVENT_FEDERATED,    /* FederatedUser, SAMLUser, IdentityCenterUser, Directory */
	EVENT_WEB_IDENTITY, /* WebIdentityUser: who shows the token of another provider */
	EVENT_SERVICE,      /* AWSService, or a call that AWS made on its own */
	EVENT_ACCOUNT,      /* AWSAccount: another account */
	EVENT_ANONYMOUS,    /* AWSAccount with accountId ANONYMOUS_PRINCIPAL */
};

/*
 * Who called, as userIdentity tells it. The same text of it comes in every call of a session, so
 * it is taken apart once and kept for the next ones; the slices point into what is kept.
 */
struct event_who {
	uint64_t here; /* hash of the text in this run */
	uint64_t hash; /* hash of the text in any run */
	/* For who tracks callers: what it found for this identity, valid for this key. */
	uint64_t memo_key;
	uint32_t memo;
	enum event_identity identity;
	struct str invoked_by, account;
	struct str arn, principal_id, key, user_name;
	struct str issuer_arn, issuer_name; /* the role behind a session */
	struct str session;                 /* name of an assumed role's session */
	struct str creation;                /* of the session's credentials, RFC 3339 */
	struct str delivery;                /* ec2RoleDelivery: 1.0 = IMDSv1, 2.0 = IMDSv2 */
	struct str source_identity; /* whom the session acts for, as its first maker said */
	struct str issued_to; /* inScopeOf: the function or task that got the credentials */
	bool mfa, mfa_known;
};

/* Absent text is the empty slice. */
struct event {
	struct scan_tape *tape;
	struct event_who *who;                   /* borrowed from the reader of events */
	uint32_t root, request, response, extra; /* nodes */
	int64_t time_ms;
	struct str id, source, name, region, ip, agent, error_code, error_message;
	struct str account;           /* where it happened: recipientAccountId */
	enum event_identity identity; /* as the caller's, but for what the address adds */
	struct str vpc_endpoint, vpc_endpoint_account;
	bool console; /* sessionCredentialFromConsole */
	bool read_only, data_event;
	bool service_ip; /* the address is an AWS service's name or "AWS Internal" */
	uint64_t hash;   /* over the content, white space aside */
	/* Hashes of what does not change from call to call, identity aside. */
	uint64_t origin; /* region, address, agent, account, endpoint */
	uint64_t call;   /* service, name, error, readOnly; never 0 */
};

/* So many events can be used at a time. */
#define EVENT_TURNS 16
struct event_reader;
struct event_reader *event_reader_new(uint64_t seed);
void event_reader_free(struct event_reader *r);

enum event_result {
	EVENT_OK,
	EVENT_MORE, /* the bytes end inside the record */
	EVENT_OTHER, /* no JSON object, or no CloudTrail record: it lacks eventName, eventSource or a
			usable eventTime */
};
/*
 * Reads the record that `s` begins with; *used is its length. The slices of *out are valid until
 * EVENT_TURNS more were read. Only what the event needs is looked at: parameters are laid out when asked for.
 */
enum event_result event_take(
	struct event_reader *r, struct str s, struct event *out, size_t *used);
/* The same for a value that is known to be one whole JSON value. */
bool event_read(struct event_reader *r, struct str json, struct event *out);
/* What is left of a record that lost its time or name: for rules only. */
void event_fragment(struct scan_tape *t, uint32_t root, struct event *out);
/* The call was refused for want of rights (not throttled, not failed for another reason). */
bool event_denied(const struct event *e);
/* Neither refused nor failed; a failed console login counts as failed. */
bool event_succeeded(const struct event *e);
/* The text at a dotted path below one of the nodes, or the empty slice. */
struct str event_text(const struct event *e, uint32_t node, const char *path);
/* "PutObject20150331v2" -> "PutObject": the name without Lambda's date suffix. */
struct str event_plain_name(struct str name);
/* What the call was about: the first known name of a thing in its parameters. */
struct str event_target(const struct event *e);
/* Who it was about to answer in a call on IAM: the user, role or group named. */
struct str event_subject(const struct event *e);

#endif
