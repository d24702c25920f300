/*
 * The incidents that `cordon drill` plays: from a seed come the names of an emulated TechSolutions, the
 * logs of its ordinary day with an attack in them, and the GuardDuty finding that follows. Two seeds
 * never tell the same story; the same seed always does. Nothing here is read by the analysis
 * but the logs themselves.
 */
#ifndef CORDON_APP_SCENARIO_H
#define CORDON_APP_SCENARIO_H

#include "base/arena.h"
#include "base/err.h"

#include <jansson.h>

enum scenario_kind {
	SCENARIO_WEB_EXPLOIT,
	SCENARIO_STOLEN_KEY,
	SCENARIO_SSH_BRUTE_FORCE,
	SCENARIO_FALSE_ALARM,
};

#define SCENARIO_SERVERS     2
#define SCENARIO_OBJECTS_MAX 64

/* Chosen from the seed by scenario_init, before the account is made. */
struct scenario_names {
	const char *suffix; /* makes bucket names unique: "4f1c" */
	const char *files_bucket, *trail_bucket, *log_bucket, *evidence_bucket;
	const char *objects[SCENARIO_OBJECTS_MAX]; /* keys in files_bucket */
	size_t n_objects;
	const char *server[SCENARIO_SERVERS]; /* host names */
	const char *role[SCENARIO_SERVERS];   /* each with a profile of the same name */
	const char *key_user;     /* IAM user with a long-term key (stolen in one scenario) */
	const char *rogue_user;   /* what the intruder creates there, or NULL */
	const char *rogue_policy; /* policy the intruder gives himself, or NULL */
	int victim;               /* index of the server that the incident is about */
};

/* Ids that the emulated account gave; filled in by the one who made it. Text outlives the scenario. */
struct scenario_world {
	const char *account, *region, *vpc_id, *group_id, *group_name, *detector_id;
	struct {
		const char *instance_id, *eni_id, *subnet_id, *private_ip, *public_ip;
		const char *role_id, *profile_arn, *profile_id; /* AROA..., arn, AIPA... */
	} server[SCENARIO_SERVERS];
	const char *key_id, *key_user_id;         /* AKIA..., AIDA... of names.key_user */
	const char *rogue_key_id, *rogue_user_id; /* of names.rogue_user, or NULL */
};

struct scenario_file {
	const char *bucket, *key;
	struct str bytes;
};

struct scenario {
	struct arena arena;
	enum scenario_kind kind;
	uint64_t seed;
	int64_t now_ms;   /* the finding is delivered now; everything else lies before */
	int64_t begin_ms; /* first log entry */
	struct scenario_names names;
	struct scenario_world world;
	struct scenario_file *files; /* what scenario_play made */
	size_t n_files;
	size_t n_events, n_lines; /* CloudTrail records; lines of host, web and flow logs */
	json_t *event;            /* EventBridge event with the finding */
	json_t *truth; /* what happened, for judging an answer; never given to the analysis */
};

/* "web-exploit", "stolen-key", "ssh-brute-force", "false-alarm"; false when unknown. */
bool scenario_from(const char *name, enum scenario_kind *out);
const char *scenario_name(enum scenario_kind kind);
/* Chooses the names. Caller's memory; free with scenario_deinit. */
void scenario_init(struct scenario *s, enum scenario_kind kind, uint64_t seed, int64_t now_ms);
/*
 * Writes the logs and the finding, from names and world. ERR_LIMIT when the story grew past its
 * memory (never with the built-in ones).
 */
ERR_MUST_CHECK enum err_status scenario_play(struct scenario *s, struct err *err);
void scenario_deinit(struct scenario *s);

#endif
