/*
 * Web access logs: nginx and apache combined (with or without a virtual host in front) and
 * Application Load Balancer. Lines are judged one by one for attempts to exploit something; the
 * status and the size of the answer tell an attempt from a success.
 * ALB fields: "Access logs for your Application Load Balancer", syntax.
 */
#ifndef CORDON_ANALYSIS_WEBLOG_H
#define CORDON_ANALYSIS_WEBLOG_H

#include "analysis/fold.h"
#include "base/buf.h"

enum web_attack {
	WEB_NONE,
	WEB_SSRF_METADATA, /* makes the server ask the instance metadata service */
	WEB_COMMAND,       /* runs a command or code */
	WEB_JNDI,          /* Log4Shell */
	WEB_SHELL,         /* talks to a web shell */
	WEB_TRAVERSAL,     /* reads files outside the site */
	WEB_SECRETS,       /* reads files that hold credentials */
	WEB_SQL,
	WEB_PROBE, /* asks for something only attackers ask for */
};

/* One line, slices into it. */
struct web_line {
	int64_t time_ms;
	struct str ip, method, target, agent, referer, host;
	int status;    /* what the client got; 0 = none */
	int64_t bytes; /* sent to the client; -1 = unknown */
	bool alb;
};

struct web_hit {
	int64_t time_ms;
	uint64_t key; /* of the line: the same for copies of it in other files */
	enum web_attack attack;
	uint32_t ip, target, agent, id, path; /* texts; id "access.log:12" */
	uint32_t role;   /* SSRF: the role whose credentials were asked for, or 0 */
	uint32_t callee; /* the address that the request makes the server call, or 0 */
	int status;
	int64_t bytes;
	bool success;  /* after web_settle: answered as if it worked */
	bool possible; /* it may have worked: the answer does not tell (Log4Shell, errors) */
};

/* One client. */
struct web_client {
	uint32_t ip;
	uint32_t n, n_attacks, n_failed; /* requests; attempts; answers 4xx */
	int64_t first_ms, last_ms;
};

struct web {
	struct pool *pool;
	struct web_hit *hits;
	size_t n_hits, cap_hits;
	struct table clients;
	struct table norms; /* by path: sizes of answers to harmless requests, the least few */
	uint64_t n_lines;
	int64_t first_ms, last_ms;
	uint64_t refused;
};

void web_init(struct web *w, struct pool *pool);
void web_deinit(struct web *w);
/* False when the line is in none of the formats. */
bool web_parse(struct str line, struct web_line *out);
/* What an attack is after; slices of the room that holds the decoded request. */
struct web_aim {
	struct str role;   /* named in a metadata path */
	struct str callee; /* IPv4 address that the server is made to call */
};
/* Judges a request, decoded into `room` of `size` bytes; `aim` may be NULL. */
enum web_attack web_judge(
	const struct web_line *l, char *room, size_t size, struct web_aim *aim);
/*
 * Takes one line in. `id` is how it will be cited; `key` tells it from others. A line that is not
 * `fresh` (a copy of one in another file) counts no more, but its id may be the one that is cited.
 */
void web_add(struct web *w, const struct web_line *l, struct str id, struct line_key key);
/*
 * The request as JSON with the fields of W3C logs that Sigma's rules for web servers name: c-ip,
 * cs-method, cs-uri, cs-uri-stem, cs-uri-query, cs-host, cs-referer, cs-user-agent, sc-status,
 * sc-bytes; nothing decoded, and absent where the log has nothing. Appended to `out`.
 */
void webfields_json(const struct web_line *l, struct buf *out);
/* After the last line: sorts the hits and decides which succeeded. */
void web_settle(struct web *w);
/* N_() "a request for the instance metadata service"... static. */
const char *web_attack_text(enum web_attack a);

#endif
