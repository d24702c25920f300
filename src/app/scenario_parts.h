/* What the parts of the generator share; nobody else includes it. */
#ifndef CORDON_APP_SCENARIO_PARTS_H
#define CORDON_APP_SCENARIO_PARTS_H

#include "app/dice.h"
#include "app/scenario.h"

#define SECOND             INT64_C(1000)
#define MINUTE             (60 * SECOND)
#define HOUR               (60 * MINUTE)
#define SCENARIO_ADDRESSES (INT64_C(3) * 254) /* of the three documentation ranges (RFC 5737) */

/* --- scenario_trail.c: CloudTrail records ------------------------------------------------ */

/* Who makes a call. IAM user when `session` is NULL, else an assumed role. */
struct scenario_who {
	const char *user;     /* user or role name */
	const char *id;       /* AIDA... or AROA... */
	const char *key;      /* AKIA... or ASIA... */
	const char *session;  /* session name, or NULL */
	int64_t since;        /* when the role was assumed */
	const char *delivery; /* "1.0", "2.0" (EC2 role delivery), or NULL */
	bool mfa;             /* console session with MFA: user with an ASIA key */
	const char *ip, *agent;
};
struct scenario_call {
	int64_t at;
	const struct scenario_who *who;
	const char *service, *name;  /* "s3", "GetObject" */
	const char *ip, *agent;      /* NULL: those of `who` */
	const char *error, *message; /* or NULL */
	json_t *request, *response;  /* taken; NULL = null */
	bool write;                  /* not read-only */
	const char *bucket, *object; /* makes it an S3 data event */
};

struct scenario_trail;
struct scenario_trail *scenario_trail_new(struct scenario *s);
void scenario_trail_free(struct scenario_trail *t);
/* Adds a record; its event id (arena) is returned for the truth. */
const char *scenario_trail_add(struct scenario_trail *t, struct scenario_call call);
/* A record of an AWS service that assumes a role for an instance: gives the key of the session. */
const char *scenario_trail_instance_session(
	struct scenario_trail *t, int server, int64_t at, const char *key);
/* A record of a service acting by itself. */
void scenario_trail_service(struct scenario_trail *t, int64_t at, const char *service,
	const char *name, json_t *request_taken);
/* A console sign-in of a user. */
void scenario_trail_sign_in(
	struct scenario_trail *t, int64_t at, const struct scenario_who *who, bool success);
/* Turns everything into files. */
void scenario_trail_write(struct scenario_trail *t);

/* --- scenario_lines.c: text logs --------------------------------------------------------- */

struct scenario_lines;
/* An empty log. */
struct scenario_lines *scenario_lines_new(struct scenario *s);
void scenario_lines_free(struct scenario_lines *l);
__attribute__((format(printf, 3, 4))) void scenario_lines_add(
	struct scenario_lines *l, int64_t at, const char *fmt, ...);
/* One file: in order of time, after `header` (may be NULL); gzip when the key ends in .gz. */
void scenario_lines_write(struct scenario_lines *l, const char *key, const char *header);

/* --- scenario.c --------------------------------------------------------------------------- */

/* Everything that is being written. */
struct scenario_stage {
	struct scenario *s;
	struct dice dice;
	struct scenario_trail *trail;
	struct scenario_lines *web[SCENARIO_SERVERS]; /* nginx access log */
	struct scenario_lines *balancer; /* the same requests as the ALB saw them */
	struct scenario_lines *auth[SCENARIO_SERVERS];
	struct scenario_lines *flow;
	bool iso_syslog;       /* this fleet's syslog writes RFC 3339 times */
	const char *office_ip; /* where people work */
	const char *home_ip[4];
	const char *agent_desk, *agent_ci;
	struct scenario_who people[6];
	size_t n_people;
	struct scenario_who key_user; /* names.key_user with its usual address and agent */
	struct scenario_who server[SCENARIO_SERVERS]; /* present session of each */
	int64_t attack_ms;                            /* entry */
	const char *intruder_ip, *second_ip;
	int next_pid;
	bool address_used[SCENARIO_ADDRESSES];
};

/* Text in the scenario's arena. */
__attribute__((format(printf, 2, 3))) const char *scenario_text(
	struct scenario *s, const char *fmt, ...);
void scenario_file_add(
	struct scenario *s, const char *bucket, const char *key, struct str bytes);
/* An address of a documentation range, not used by anybody before (while there are any). */
const char *scenario_address(struct scenario_stage *st);
/* A visitor's address (benchmarking range). */
const char *scenario_visitor(struct scenario_stage *st);

/* --- scenario_web.c, scenario_host.c, scenario_calm.c, scenario_attack.c, scenario_finding.c */

struct scenario_request {
	int64_t at;
	const char *ip, *method, *target, *agent, *referer;
	int status;
	int64_t bytes;
};
/* One web request: a line of the server's access log and one of the balancer's. */
void scenario_web_request(struct scenario_stage *st, int server, struct scenario_request r);
/* A syslog line of the server's auth.log: "sshd[123]: text"; pid 0 takes a new one. */
__attribute__((format(printf, 6, 7))) void scenario_host_auth(struct scenario_stage *st,
	int server, int64_t at, const char *program, int pid, const char *fmt, ...);
int scenario_host_pid(struct scenario_stage *st);
/* `n` failed guesses of one address from `at` on, about two seconds apart; time of the last. */
int64_t scenario_host_guesses(
	struct scenario_stage *st, int server, const char *ip, int64_t at, int n);
struct scenario_flow {
	int64_t at, seconds;
	const char *from, *to;
	int from_port, to_port;
	int64_t packets, bytes;
	bool rejected;
};
void scenario_host_flow(struct scenario_stage *st, int server, struct scenario_flow f);

/* The ordinary day: people, automation, services, visitors, scanners, log-ins. */
void scenario_calm_cast(struct scenario_stage *st);
void scenario_calm_write(struct scenario_stage *st);
/* The attack (or, for the false alarm, the attempt); sets s->truth. */
void scenario_attack_write(struct scenario_stage *st);
/* The finding on it; sets s->event. */
struct scenario_remark {
	const char *type, *title, *text;
	double severity;
	const char *role;          /* ACTOR, TARGET */
	json_t *resource, *action; /* taken */
	int64_t first, last;
	int count;
};
void scenario_finding_write(struct scenario_stage *st, struct scenario_remark r);
/* resource blocks; new references */
json_t *scenario_finding_instance(struct scenario_stage *st, int server);
json_t *scenario_finding_key(const struct scenario_who *who);
json_t *scenario_finding_remote(struct scenario_stage *st, const char *ip);

#endif
