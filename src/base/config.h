/*
 * cordon.yaml and CORDON_* variables in one struct. One table in config.c names every key, its
 * type, default and help; the parser, `cordon config`, the man page and the docs come from it.
 * Order: flag > CORDON_* > ./cordon.yaml > $XDG_CONFIG_HOME/cordon/ > /etc/cordon/. An unknown
 * key is an error with its line and the nearest known key.
 */
#ifndef CORDON_BASE_CONFIG_H
#define CORDON_BASE_CONFIG_H

#include "base/arena.h"
#include "base/env.h"
#include "base/i18n.h"

#include <jansson.h>

enum config_mode { CONFIG_OBSERVE, CONFIG_APPROVE, CONFIG_AUTO };

struct config_list {
	const char **items;
	size_t n;
};

/* All text lives in `arena`; a text that is not set is NULL. */
struct config {
	struct arena arena;
	const char *file;      /* where it was read from, NULL when built in */
	enum config_mode mode; /* first installation: observe */
	const char *profile;   /* AWS profile */
	const char *region;
	int64_t aws_timeout_seconds;
	const char *state;        /* "sqlite:/path/cordon.db" or "dynamodb:TABLE"; never NULL */
	bool state_unset;         /* nobody named it: the built-in place */
	const char *playbooks;    /* folder; NULL = the ones in the program */
	const char *rules;        /* folder; NULL = the ones in the program */
	const char *placeholders; /* YAML file of values for them, or NULL */
	const char *environment_tag; /* tag that names the environment, default "Environment" */
	const char *evidence_bucket; /* NULL: evidence can't be kept; doctor says so */
	const char *evidence_prefix; /* "cordon/" */
	int64_t evidence_lock_days;  /* Object Lock retention, 0 = none */
	const char *evidence_lock_mode;   /* GOVERNANCE or COMPLIANCE */
	const char *evidence_kms_key;     /* key ARN, NULL = SSE-S3 */
	int64_t evidence_window_hours;    /* logs taken before the first sign, default 24 */
	struct config_list log_sources;   /* s3://bucket/prefix of CloudTrail, web, host logs */
	const char *topic_arn;            /* SNS topic */
	struct config_list phone_numbers; /* E.164, for direct SMS */
	struct config_list languages;     /* of the messages: en, es */
	const char *case_url;             /* prefix of links in messages, NULL = none */
	const char *responder_role; /* name or ARN of the role cordon itself works under */
	const char *
		quarantine_profile; /* instance profile name without rights; NULL = remove only */
	const char *ssm_document;   /* default "cordon-isolate" */
	struct config_list isolation_endpoints; /* CIDRs that stay reachable on TCP 443 */
	int64_t settle_seconds; /* a host is asked for survivors when its isolation is that old */
	struct config_list isolation_groups; /* security groups provisioned for quarantine */
	struct config_list waf_ip_sets;      /* ARNs */
	struct config_list firewall_groups;  /* ARNs of Network Firewall rule groups */
	struct config_list exempt_tags;      /* "key=value" or "key" */
	struct config_list exempt_accounts;
	struct config_list exempt_types; /* globs over finding types */
	struct config_list never_block;  /* addresses and CIDRs that are never blocked */
	int64_t breaker_actions;         /* at most this many resources ... */
	int64_t breaker_minutes;         /* ... in this time; then ask */
	struct config_list approvers;    /* globs: who may approve, response/approver.h */
	const char *queue_url;           /* SQS queue of `serve` */
	int64_t serve_visibility_seconds;
	int64_t serve_workers; /* findings that `serve` answers at once */
	const char
		*approval_key; /* "file:PATH" or "secret:NAME-OR-ARN": signs approval links */
	const char *approval_url; /* where those links lead, NULL = no links */
	const char *
		listen; /* "127.0.0.1:8080": where `serve` answers approval links, NULL = not */
	const char *log_level;
};

/*
 * Reads the configuration. `path` is --config (NULL: the search order above; no file at all is
 * fine). Caller's memory, freed by config_deinit. ERR_CONFIG names file, line and key.
 */
ERR_MUST_CHECK enum err_status config_load(
	struct env *env, const char *path, struct config *out, struct err *err);
void config_deinit(struct config *c);
/* Edit distance of two short texts (64 and more count as 64), for "did you mean". */
size_t config_distance(struct str a, struct str b);
/* The table as [{"key","variable","type","default","values","help","value"}]; new reference. */
json_t *config_describe(const struct config *c);

#endif
