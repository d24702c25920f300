/* The drill: an emulated TechSolutions, an incident in it, and cordon's answer, told step by step. */
#ifndef CORDON_APP_DRILL_H
#define CORDON_APP_DRILL_H

#include "app/app.h"
#include "app/scenario.h"
#include "flow/flow.h"

#include <pthread.h>
#include <sys/types.h>

#define DRILL_REGION   "eu-west-1"
#define DRILL_APPROVER "soc@techsolutions.example"
#define DRILL_VARS     16

/* --- drill_env.c: an environment of its own, so that nothing of the user's account is touched */
struct drill_env {
	struct env base;
	struct env *outer;
	struct {
		const char *name;
		char *value;
	} vars[DRILL_VARS];
	size_t n;
};
/* Clock, randomness and files are `outer`'s; AWS_*, CORDON_*, XDG_* and HOME only what was set here. */
void drill_env_init(struct drill_env *e, struct env *outer);
void drill_env_set(struct drill_env *e, const char *name, const char *value);
void drill_env_deinit(struct drill_env *e);

/* --- drill_servers.c: the emulator and the stub as children that never outlive the drill */
struct drill_server {
	pid_t pid; /* 0: not running */
	int keep;  /* write end of its stdin, or -1 */
	int port;
};
struct drill_places {
	char venv[4096], stub[4096], document[4096]; /* "" when not found */
};
/* Finds the Python environment (CORDON_VENV or a `venv` folder beside or above the program), the
 * stub and the SSM document of the source tree. ERR_CONFIG says how to get the first. */
ERR_MUST_CHECK enum err_status drill_servers_find(
	struct env *env, struct drill_places *out, struct err *err);
ERR_MUST_CHECK enum err_status drill_servers_moto(const struct drill_places *p, const char *log,
	struct drill_server *out, struct err *err);
/* `args` NULL-terminated, after the program. */
ERR_MUST_CHECK enum err_status drill_servers_stub(const struct drill_places *p,
	const char *const *args, struct drill_server *out, struct err *err);
void drill_servers_stop(struct drill_server *s);
/* Ends the children on SIGINT and SIGTERM, then the process with 130. */
void drill_servers_guard(void);
/* Plain HTTP to a child: method, URL, body (may be NULL) -> answer (may be NULL). */
ERR_MUST_CHECK enum err_status drill_servers_http(const char *method, const char *url,
	const char *body, struct buf *out, struct err *err);

/* --- drill_say.c: narration */
struct drill_say {
	FILE *to;
	enum i18n_lang lang;
	bool color;
	struct env *env;
	int64_t zero_us; /* time 0 of the offsets */
	int part;
	pthread_mutex_t lock;
};
enum drill_mark { DRILL_PLAIN, DRILL_GOOD, DRILL_BAD, DRILL_SKIP, DRILL_BUSY };
/* Texts are English keys; values are shown as they are, made safe for a terminal. */
void drill_say_part(struct drill_say *s, const char *heading);
void drill_say_text(struct drill_say *s, const char *text);
/* A translated sentence of another room, wrapped and set back (the reason for a step). */
void drill_say_why(struct drill_say *s, const char *text);
void drill_say_line(
	struct drill_say *s, enum drill_mark mark, const char *text, const char *value);
void drill_say_fact(struct drill_say *s, const char *label, const char *value);
/* A value by itself, several lines, set back behind a bar. */
void drill_say_quote(struct drill_say *s, const char *value);

/* --- the drill itself */
struct drill {
	struct app *app;
	enum scenario_kind kind;
	uint64_t seed;
	bool undo, keep;
	char *dir;
	struct drill_env env;
	struct drill_places places;
	struct drill_server moto, stub;
	char moto_url[64], stub_url[64];
	struct scenario story;
	struct arena arena; /* ids of the account */
	struct aws_client *admin, *responder;
	const char *admin_key, *admin_secret;
	const char *queue_url, *inbox_url, *topic_arn, *responder_arn;
	struct config config;
	struct journal *journal;
	struct playbook_set *playbooks;
	struct drill_say say;
	/* measured */
	int64_t received_us, case_us, isolated_us, done_us;
	uint64_t rounds_received, rounds_isolated;
	uint64_t mutating; /* calls that change the account, apart from messages and evidence */
	bool answering;
	pthread_mutex_t lock;
	json_t *before, *after_answer, *after_undo; /* drill_look */
	json_t *response, *undone, *view;
	json_t *messages;
	char case_id[32];
	char *report;
};

/* drill_seed.c: makes the account, with everything that the story names; fills story.world. */
ERR_MUST_CHECK enum err_status drill_seed_account(struct drill *d, struct err *err);
/* Puts the story's log files and the project files into their buckets. */
ERR_MUST_CHECK enum err_status drill_seed_files(struct drill *d, struct err *err);
/* drill_access.c: users, roles and what each may do; makes the responder's credentials. */
ERR_MUST_CHECK enum err_status drill_access_make(struct drill *d, struct err *err);
/* Once configuration and playbooks are there: what they need is all that the responder may. */
ERR_MUST_CHECK enum err_status drill_access_allow(struct drill *d, struct err *err);
/* drill_look.c: everything that describe-calls tell of the account; new reference. */
ERR_MUST_CHECK enum err_status drill_look(struct drill *d, json_t **out, struct err *err);
/* What differs between two looks, as texts "path: before -> after"; new reference. */
json_t *drill_look_differences(const json_t *before, const json_t *after);
/* drill_tell.c: the answer told, live and afterwards. */
void drill_tell_watch(void *ctx, const char *stage, const json_t *detail);
void drill_tell_measures(struct drill *d);
void drill_tell_verdict(struct drill *d);
void drill_tell_kept(struct drill *d, const json_t *step); /* why an undo left it */
void drill_tell_evidence(struct drill *d);
void drill_tell_messages(struct drill *d);
/* Collects what the team's inbox, phones and mailboxes got. */
ERR_MUST_CHECK enum err_status drill_tell_collect(struct drill *d, struct err *err);
/* drill_result.c: cordon.drill/1 of what was played; and what must hold for it to have succeeded (the first that
 * does not is said). */
json_t *drill_result_document(struct drill *d);
ERR_MUST_CHECK enum err_status drill_result_judge(
	const struct drill *d, const json_t *out, struct err *err);
/* drill.c: plays it all; *out is cordon.drill/1. */
ERR_MUST_CHECK enum err_status drill_run(struct drill *d, json_t **out, struct err *err);
void drill_deinit(struct drill *d);

#endif
