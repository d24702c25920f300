/* What a server itself and its network interface record: auth.log lines and VPC flow records. */
#include "app/scenario_parts.h"

#include "base/utc.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

int scenario_host_pid(struct scenario_stage *st)
{
	st->next_pid += (int)dice_between(&st->dice, 1, 9);
	return st->next_pid;
}

void scenario_host_auth(struct scenario_stage *st, int server, int64_t at, const char *program,
	int pid, const char *fmt, ...)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul",
		"Aug", "Sep", "Oct", "Nov", "Dec" };
	struct utc_parts p = utc_split(at);
	char stamp[64];
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0) {
		BUG("out of memory");
	}
	va_end(ap);
	if (st->iso_syslog) {
		snprintf(stamp, sizeof(stamp), "%04d-%02d-%02dT%02d:%02d:%02d.%06d+00:00",
			p.year, p.month, p.day, p.hour, p.minute, p.second, p.ms * 1000 + 417);
	} else {
		snprintf(stamp, sizeof(stamp), "%s %2d %02d:%02d:%02d", months[p.month - 1],
			p.day, p.hour, p.minute, p.second);
	}
	scenario_lines_add(st->auth[server], at, "%s %s %s[%d]: %s", stamp,
		st->s->names.server[server], program, pid != 0 ? pid : scenario_host_pid(st),
		text);
	free(text);
}

int64_t scenario_host_guesses(
	struct scenario_stage *st, int server, const char *ip, int64_t at, int n)
{
	static const char *const invalid[] = { "admin", "test", "oracle", "postgres", "git",
		"user", "ftp", "jenkins", "pi", "hadoop", "guest", "mysql", NULL };
	static const char *const valid[] = { "root", "deploy", "ubuntu", "www-data", NULL };

	for (int i = 0; i < n; i++) {
		int pid = scenario_host_pid(st),
		    port = (int)dice_between(&st->dice, 32000, 60999);

		at += dice_between(&st->dice, 400, 4200);
		if (dice_chance(&st->dice, 60)) {
			const char *user = dice_pick(&st->dice, invalid);

			scenario_host_auth(st, server, at - 300, "sshd", pid,
				"Invalid user %s from %s port %d", user, ip, port);
			scenario_host_auth(st, server, at, "sshd", pid,
				"Failed password for invalid user %s from %s port %d ssh2",
				user, ip, port);
		} else {
			scenario_host_auth(st, server, at, "sshd", pid,
				"Failed password for %s from %s port %d ssh2",
				dice_pick(&st->dice, valid), ip, port);
		}
		if (dice_chance(&st->dice, 15)) {
			scenario_host_auth(st, server, at + 200, "sshd", pid,
				"Connection closed by authenticating user root %s port %d "
				"[preauth]",
				ip, port);
		}
		if (i % 6 == 0) {
			scenario_host_flow(st, server,
				(struct scenario_flow){ .at = at,
					.seconds = 30,
					.from = ip,
					.to = st->s->world.server[server].private_ip,
					.from_port = port,
					.to_port = 22,
					.packets = dice_between(&st->dice, 14, 22),
					.bytes = dice_between(&st->dice, 2800, 3900) });
		}
	}
	return at;
}

void scenario_host_flow(struct scenario_stage *st, int server, struct scenario_flow f)
{
	struct scenario *s = st->s;

	scenario_lines_add(st->flow, f.at, "2 %s %s %s %s %d %d 6 %lld %lld %lld %lld %s OK",
		s->world.account, s->world.server[server].eni_id, f.from, f.to, f.from_port,
		f.to_port, (long long)f.packets, (long long)f.bytes, (long long)(f.at / SECOND),
		(long long)(f.at / SECOND) + f.seconds, f.rejected ? "REJECT" : "ACCEPT");
}
