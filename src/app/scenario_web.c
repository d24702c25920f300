/* Web logs: nginx "combined" and the Application Load Balancer's access log, two views of one request. */
#include "app/scenario_parts.h"

#include "base/utc.h"

#include <stdio.h>
#include <string.h>

static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };

void scenario_web_request(struct scenario_stage *st, int server, struct scenario_request r)
{
	struct scenario *s = st->s;
	struct utc_parts p = utc_split(r.at);
	char time[32], trace[32];
	int port = (int)dice_between(&st->dice, 1024, 65000);

	scenario_lines_add(st->web[server], r.at,
		"%s - - [%02d/%s/%04d:%02d:%02d:%02d +0000] \"%s %s HTTP/1.1\" %d %lld \"%s\" "
		"\"%s\"",
		r.ip, p.day, months[p.month - 1], p.year, p.hour, p.minute, p.second, r.method,
		r.target, r.status, (long long)r.bytes, r.referer != NULL ? r.referer : "-",
		r.agent);
	utc_rfc3339(r.at - r.at % SECOND, time);
	time[19] = '\0';
	dice_text(&st->dice, DICE_HEX, 24, trace);
	scenario_lines_add(st->balancer, r.at,
		"http %s.%06dZ app/techsolutions-web/50dc6c495c0c9188 %s:%d %s:80 0.001 0.%03d "
		"0.000 %d %d %lld %lld "
		"\"%s http://www.techsolutions.example:80%s HTTP/1.1\" \"%s\" - - "
		"arn:aws:elasticloadbalancing:%s:%s:targetgroup/techsolutions-web/"
		"73e2d6bc24d8a067 "
		"\"Root=1-%08llx-%s\" \"-\" \"-\" 0 %s.%06dZ \"forward\" \"-\" \"-\" \"%s:80\" "
		"\"%d\" \"-\" \"-\"",
		time, p.ms * 1000 + 999, r.ip, port, s->world.server[server].private_ip,
		(int)dice_between(&st->dice, 2, 240), r.status, r.status,
		180 + (long long)strlen(r.target), (long long)r.bytes + 310, r.method, r.target,
		r.agent, s->world.region, s->world.account, (unsigned long long)(r.at / SECOND),
		trace, time, p.ms * 1000, s->world.server[server].private_ip, r.status);
}
