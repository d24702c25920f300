/*
 * One GuardDuty finding, from whatever shape it arrived in (EventBridge event, GetFindings in
 * both spellings, Security Hub ASFF or OCSF, SQS/SNS wrappings), as one struct.
 */
#ifndef CORDON_FINDING_FINDING_H
#define CORDON_FINDING_FINDING_H

#include "base/arena.h"
#include "base/doc.h"
#include "base/err.h"

/* Ceilings of finding_read. */
#define FINDING_MAX_BYTES ((size_t)16 << 20) /* after inflation */
#define FINDING_MAX_PARTS 10000 /* findings, non-findings and unreadable parts together */
#define FINDING_MAX_RESOURCES \
	1000 /* of one finding; what lies beyond is counted in `dropped` */
#define FINDING_MAX_ACTORS  1000
#define FINDING_MAX_SIGNALS 1000
#define FINDING_MAX_TEXT    4096 /* longer free text is cut */
#define FINDING_MAX_ID      2048 /* a longer identifier counts as not given */

/* Names printed outside are GuardDuty's own resourceType words (finding_kind_name). */
enum finding_kind {
	FINDING_UNKNOWN,
	FINDING_INSTANCE,     /* id: i-... */
	FINDING_ACCESS_KEY,   /* id: AKIA.../ASIA..., or "" when the finding names none */
	FINDING_S3_BUCKET,    /* id: bucket name */
	FINDING_S3_OBJECT,    /* id: bucket/key */
	FINDING_RDS_INSTANCE, /* id: DB instance identifier */
	FINDING_RDS_LIMITLESS,
	FINDING_LAMBDA, /* id: function name */
	FINDING_EKS_CLUSTER,
	FINDING_ECS_CLUSTER,
	FINDING_CONTAINER,
	FINDING_VOLUME,
	FINDING_SNAPSHOT,
	FINDING_IMAGE,
	FINDING_RECOVERY_POINT, /* of EBS volumes; id: recovery point ARN */
	FINDING_EC2_RECOVERY_POINT,
	FINDING_S3_RECOVERY_POINT,
	FINDING_MODEL, /* Bedrock */
	FINDING_OTHER, /* a resource an attack sequence names that has no kind of its own */
};
enum finding_role { FINDING_ROLE_NONE, FINDING_ROLE_ACTOR, FINDING_ROLE_TARGET };
enum finding_shape { FINDING_GUARDDUTY, FINDING_ASFF, FINDING_OCSF };

/* Absent text is the empty slice. All text belongs to the finding's arena. */
struct finding_resource {
	enum finding_kind kind;
	struct str id;
	struct str arn;
	struct str vpc_id, subnet_id;     /* instance */
	struct str instance_profile_arn;  /* instance */
	struct str public_ip, private_ip; /* instance: first interface */
	struct str principal_id, user_name,
		user_type; /* access key; AssumedRole: name of the role; user_type by prefix when not said */
	struct str instance_id; /* access key: from principalId "AROA...:i-..." */
	bool public_access;     /* bucket: effectivePermission PUBLIC */
	json_t *tags;           /* {"key":"value"} or NULL; freed with the finding */
	/*
	 * What a measure on it needs beside the id, named as the actions' parameters, or NULL; freed with
	 * the finding. {"tasks":[arn]}, {"role":name}, {"cluster":id}, {"namespace","workload", ..},
	 * {"version"}. Text in it was written by whoever owns the resource.
	 */
	json_t *about;
};

/* A remote end: whoever GuardDuty saw. Attacker-written text. */
struct finding_actor {
	struct str ip;     /* validated IPv4 or IPv6 text, or "" */
	struct str domain; /* DNS findings */
	struct str country, org;
	int64_t asn, port; /* 0 = unknown */
};

struct finding_signal {
	struct str uid, name;
	int64_t first_ms, last_ms, count;
	double severity;
};

struct finding {
	struct arena arena;
	enum finding_shape shape;
	struct str id, arn, type, title, description;
	struct str account, region, partition;
	double severity;                                             /* 0..10 */
	int64_t created_ms, updated_ms, first_seen_ms, last_seen_ms; /* 0 = not given */
	int64_t count; /* occurrences, at least 1 */
	enum finding_role role;
	bool sample;            /* made by CreateSampleFindings */
	bool archived;          /* archived, resolved or suppressed where it came from */
	bool posture;           /* a control or compliance check of Security Hub: no threat */
	bool foreign;           /* another product's: a type of GuardDuty in it is hearsay */
	struct str action_type; /* AWS_API_CALL, NETWORK_CONNECTION ... */
	struct str direction;   /* INBOUND, OUTBOUND, UNKNOWN or "" */
	struct str api, service_name, user_agent; /* AWS_API_CALL */
	struct str sequence_arn;                  /* associatedAttackSequenceArn */
	struct finding_resource *resources;
	size_t n_resources;
	struct finding_actor *actors;
	size_t n_actors;
	struct finding_signal *signals; /* attack sequences */
	size_t n_signals;
	size_t dropped; /* resources, actors and signals beyond the ceilings */
	json_t *raw;    /* the finding itself, as received (owned) */
};

/* What a file or message held. */
struct finding_set {
	struct finding **items; /* each owned; finding_set_deinit frees all */
	size_t n;
	size_t not_findings; /* events of the same source that are no findings: counted, dropped */
	json_t *rejected;    /* [{"index","reason"}]: parts that could not be read */
};

/*
 * Reads every finding in `data`: JSON, JSON lines, gzip of either, arrays, {"Findings":[..]},
 * EventBridge events, SQS and SNS wrappings, six levels of them. The first resource of a finding
 * is of the kind its resourceType names (id "" when the finding names none); an Instance that is
 * only known from a role session (principalId "AROA...:i-...") is among the resources too.
 * At most FINDING_MAX_BYTES after inflation and FINDING_MAX_PARTS parts (ERR_LIMIT). ERR_INPUT when nothing in it is JSON or no part is a finding or a known
 * non-finding; a set that holds some good and some bad parts is OK and names the bad ones.
 * Caller's memory, freed by finding_set_deinit.
 */
ERR_MUST_CHECK enum err_status finding_read(
	struct str data, struct finding_set *out, struct err *err);
void finding_set_deinit(struct finding_set *s);
/* Frees one finding taken out of a set (its slot set to NULL). */
void finding_free(struct finding *f);

/* "Instance", "AccessKey" ...; static. */
const char *finding_kind_name(enum finding_kind kind);
/* "ACTOR", "TARGET" or NULL. */
const char *finding_role_name(enum finding_role role);
/* "low" 1.0-3.9, "medium" 4.0-6.9, "high" 7.0-8.9, "critical" 9.0-; "info" below 1. Static. */
const char *finding_severity_word(double severity);
/* The part of `cordon.route/1` under "finding" (design 4.8); new reference. */
json_t *finding_json(const struct finding *f);
/*
 * True for the inbound EC2 network types where TARGET means "only attempted" (port probe, brute
 * force): then containing the resource hands outsiders an off switch.
 */
bool finding_role_matters(struct str type);
/*
 * What a finding is known by, whoever passed it on: its ARN, else its id, without blanks and in lower
 * case ("" when it has neither). Two findings with the same name are the same finding.
 */
void finding_name(const struct finding *f, char out[FINDING_MAX_ID + 1]);
/* The same of an ARN or id by itself. */
void finding_name_of(struct str text, char out[FINDING_MAX_ID + 1]);
/* First resource of a kind, or NULL. */
const struct finding_resource *finding_resource_of(
	const struct finding *f, enum finding_kind kind);

#endif
