/* A playbook in memory. Internal to playbook*.c; what a playbook says is told in playbooks/README.md. */
#ifndef CORDON_RESPONSE_PLAYBOOK_MODEL_H
#define CORDON_RESPONSE_PLAYBOOK_MODEL_H

#include "response/playbook.h"
#include "response/reader.h"

#define PLAYBOOK_MAX 200 /* playbooks in a set */

enum playbook_mode { PLAYBOOK_NONE, PLAYBOOK_NOTIFY, PLAYBOOK_APPROVE, PLAYBOOK_AUTO };

/* Rows of a mode matrix. A finding whose environment is not known counts as production. */
enum playbook_env {
	PLAYBOOK_PRODUCTION,
	PLAYBOOK_STAGING,
	PLAYBOOK_TEST,
	PLAYBOOK_DEVELOPMENT,
	PLAYBOOK_SANDBOX,
	PLAYBOOK_OTHER, /* row for all but production that have no row of their own */
	PLAYBOOK_ENVS,
};

enum playbook_level {
	PLAYBOOK_INFO,
	PLAYBOOK_LOW,
	PLAYBOOK_MEDIUM,
	PLAYBOOK_HIGH,
	PLAYBOOK_CRITICAL
};
#define PLAYBOOK_LEVELS 5

struct playbook_matrix {
	const char *name;
	enum playbook_mode cell[PLAYBOOK_ENVS][PLAYBOOK_LEVELS];
	bool has[PLAYBOOK_ENVS];
};

/* Conditions shared by `answers` (of the first resource) and a step's `when` (of its resource). */
struct playbook_when {
	struct reader_words types;        /* globs; empty = any */
	struct reader_words except;       /* globs */
	struct reader_words kinds;        /* resource kinds; empty = any */
	struct reader_words accounts;     /* globs */
	struct reader_words user_types;   /* IAMUser, AssumedRole, Root ... */
	bool environments[PLAYBOOK_ENVS]; /* all false = any */
	double severity;                  /* minimum */
	enum finding_role role;           /* NONE = any */
	const char *direction;            /* INBOUND or OUTBOUND; NULL = any */
	const char *key;                  /* "long-term" or "temporary"; NULL = any */
	int attacker_address;             /* 1 must have one, 0 must not, -1 any */
	int public_access;                /* as above */
	json_t *tags;                     /* {"key": "glob"}: all must fit; NULL = any */
	json_t *not_tags;                 /* {"key": "glob"}: none may fit */
};

struct playbook_step {
	const char *id, *action;
	enum finding_kind on;
	enum playbook_mode mode; /* used when matrix is NULL */
	const struct playbook_matrix *matrix;
	struct playbook_when when;
	struct reader_words needs; /* must have succeeded */
	struct reader_words after; /* must have ended, however */
	json_t *with;
};

/* Mode of the steps that contain credentials which the analysis found to be the intruder's making. */
struct playbook_follow_up {
	enum playbook_mode mode; /* when `matrix` is NULL */
	const struct playbook_matrix *matrix;
	bool may_act; /* some cell is approve or auto */
};

struct playbook {
	const char *file, *name, *title;
	struct str source; /* text of the file */
	struct playbook_when *answers;
	size_t n_answers;
	struct reader_words who; /* who may approve; empty = config->approvers */
	int64_t until_minutes;
	const char *on_expiry; /* "hold" or "skip" */
	struct playbook_matrix *matrices;
	size_t n_matrices;
	struct playbook_step *steps;
	size_t n_steps;
	struct playbook_follow_up follow_up;
	json_t *doc; /* as it was read */
};

struct playbook_set {
	struct arena arena;
	struct playbook *items; /* sorted by file name */
	size_t n;
};

/* Parses one file into *out, whose memory is `arena`'s, but for `doc` and the JSON inside it. */
ERR_MUST_CHECK enum err_status playbook_parse(struct arena *arena, struct str text,
	const char *file, struct playbook *out, struct err *err);
/* "none" "notify" "approve" "auto". */
const char *playbook_mode_name(enum playbook_mode mode);
/* What an environment tag's value means: "Prod" and anything unknown are production. */
enum playbook_env playbook_env_of(struct str value);
/* The kind of that name, or FINDING_UNKNOWN. */
enum finding_kind playbook_kind(struct str name);

/* The playbook that answers the finding best, or NULL. */
const struct playbook *playbook_choose(
	const struct playbook_set *s, const struct config *config, const struct finding *f);
/* The conditions hold for this resource of the finding (NULL: the finding names none). */
bool playbook_holds(const struct playbook_when *w, const struct config *config,
	const struct finding *f, const struct finding_resource *r);
/* Environment of a resource by config->environment_tag (its case does not count). */
enum playbook_env playbook_env_at(
	const struct config *config, const struct finding_resource *r);
/* The step's own mode for this resource, before config->mode narrows it. */
enum playbook_mode playbook_step_mode(const struct playbook_step *step,
	const struct config *config, const struct finding *f, const struct finding_resource *r);

#endif
