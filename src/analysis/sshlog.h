/*
 * sshd and its neighbours in auth.log, secure and journal exports: who failed, who got in, and
 * what was done as root afterwards. Classic syslog lines carry neither year nor zone: they are
 * kept in a year of their own (1972, a leap year) until ssh_settle puts them next to the dated
 * evidence, in UTC, and says so.
 */
#ifndef CORDON_ANALYSIS_SSHLOG_H
#define CORDON_ANALYSIS_SSHLOG_H

#include "analysis/fold.h"

enum ssh_kind {
	SSH_FAILED,   /* wrong password, or the user does not exist */
	SSH_PASSWORD, /* accepted by password or keyboard-interactive */
	SSH_KEY,      /* accepted by public key */
	SSH_ROOT,     /* sudo, su: a command as root */
	SSH_PERSIST,  /* useradd, passwd, authorized_keys, cron */
};

struct ssh_line {
	int64_t time_ms;
	bool dated; /* the line has a year */
	enum ssh_kind kind;
	struct str host, program, user, ip, text;
	int repeat; /* "message repeated N times", else 1 */
};

struct ssh_event {
	int64_t time_ms;
	uint64_t key; /* of the line: the same for copies of it in other files */
	enum ssh_kind kind;
	bool dated;
	uint32_t host, user, ip, text, id;
	int repeat;
};

struct ssh {
	struct pool *pool;
	struct ssh_event *events;
	size_t n_events, cap_events;
	uint64_t n_lines;
	uint64_t refused;
	int64_t file_ms; /* time stamp of the newest file that has lines without a year; 0 = none */
	bool guessed; /* lines had no year and got one */
	int year;     /* the one they got */
};

/* An address that got in. */
struct ssh_entry {
	size_t accepted;      /* index of the event */
	size_t first_failure; /* index of its first failure before, or SIZE_MAX */
	size_t last_failure;
	int failures;       /* from that address in the day before */
	int user_failures;  /* on that user, from any address, in the day before */
	bool user_tried;    /* the address had tried that user */
	size_t followed[8]; /* what was done as root within the hour after */
	size_t n_followed;
};

void ssh_init(struct ssh *s, struct pool *pool);
void ssh_deinit(struct ssh *s);
enum ssh_parse_result { SSH_NOT_SYSLOG, SSH_OTHER, SSH_EVENT };
/* SSH_OTHER: a syslog line that says nothing about access; time, host, program, text are filled. */
enum ssh_parse_result ssh_parse(struct str line, struct ssh_line *out);
/* A message without its prefix, as in a journal export; fills kind, user, ip, text, repeat. */
bool ssh_parse_message(struct str program, struct str message, struct ssh_line *out);
/* Takes a line in; of copies of a line in several files, ssh_settle keeps the least id. */
void ssh_add(struct ssh *s, const struct ssh_line *l, struct str id, uint64_t key);
/* After the last line: gives years by the evidence that has them, and sorts. */
void ssh_settle(struct ssh *s, int64_t near_ms);
/* A time of a line without a year, put into the year that brings it closest to `near_ms`. */
int64_t ssh_date(int64_t undated_ms, int64_t near_ms);
/* After ssh_settle: drops events outside the window (0 = open), and returns how many. */
uint64_t ssh_cut(struct ssh *s, int64_t from_ms, int64_t to_ms);
/* Fills `out` for the accepted login at `i`. */
void ssh_entry_read(const struct ssh *s, size_t i, struct ssh_entry *out);

#endif
