#include "analysis/agent.h"

#include <stdio.h>
#include <string.h>

/* First needle that the agent holds, without regard to case, names the family. */
static const struct {
	const char *needle, *family;
	bool with_system; /* the operating system tells callers of this kind apart */
} families[] = {
	{ "stratus-red-team", "stratus-red-team", false },
	{ "pacu", "pacu", false },
	{ "trufflehog", "trufflehog", false },
	{ "cloudfox", "cloudfox", false },
	{ "scoutsuite", "scoutsuite", false },
	{ "prowler", "prowler", false },
	{ "cloudsploit", "cloudsploit", false },
	{ "steampipe", "steampipe", false },
	{ "sqlmap", "sqlmap", false },
	{ "terraform", "terraform", false },
	{ "pulumi", "pulumi", false },
	{ "cloudformation", "cloudformation", false },
	{ "aws-cdk", "aws-cdk", false },
	{ "ansible", "ansible", false },
	{ "amazon-ssm-agent", "ssm-agent", false },
	{ "cwagent", "cloudwatch-agent", false },
	{ "amazoncloudwatchagent", "cloudwatch-agent", false },
	{ "amazon-ecs-agent", "ecs-agent", false },
	{ "amazon ecs agent", "ecs-agent", false },
	{ "s3 browser", "s3-browser", false },
	{ "aws-cli", "aws-cli", true },
	{ "boto3", "boto3", true },
	{ "botocore", "boto3", true },
	{ "aws-sdk-go-v2", "aws-sdk-go-v2", true },
	{ "aws-sdk-go", "aws-sdk-go", true },
	{ "aws-sdk-java", "aws-sdk-java", true },
	{ "aws-sdk-js", "aws-sdk-js", true },
	{ "aws-sdk-rust", "aws-sdk-rust", true },
	{ "aws-sdk-nodejs", "aws-sdk-js", true },
	{ "aws-internal", "aws-internal", false },
	{ "aws internal", "aws-internal", false },
	{ "console.amazonaws.com", "aws-console", false },
	{ "console.aws.amazon.com", "aws-console", false },
	{ "mozilla/", "browser", true },
};

static const struct {
	const char *needle, *system;
} systems[] = {
	{ "kali", "kali" },
	{ "parrot", "parrot" },
	{ "pentoo", "pentoo" },
	{ "windows", "windows" },
	{ "darwin", "macos" },
	{ "macos", "macos" },
	{ "mac os", "macos" },
	{ "linux", "linux" },
};

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool holds(struct str s, const char *needle)
{
	size_t n = strlen(needle);
	for (size_t i = 0; i + n <= s.n; i++) {
		size_t k = 0;
		while (k < n && lower(s.p[i + k]) == needle[k]) {
			k++;
		}
		if (k == n) {
			return true;
		}
	}
	return false;
}

/* The first word up to a slash or blank: "MyTool/1.2 (x)" -> "mytool". */
static struct str first_word(struct str agent, char out[AGENT_FAMILY_MAX])
{
	size_t n = 0;
	for (size_t i = 0; i < agent.n && n + 1 < AGENT_FAMILY_MAX; i++) {
		char c = agent.p[i];
		if (c == '[' && n == 0) {
			continue;
		}
		if (c == '/' || c == ' ' || c == ',' || c == ']' || c == '_' || c == ';') {
			break;
		}
		out[n++] = lower(c);
	}
	out[n] = 0;
	return (struct str){ out, n };
}

#define AGENT_LOOKED_AT 512

struct str agent_family(struct str agent, char out[AGENT_FAMILY_MAX])
{
	agent = str_sub(agent, 0, AGENT_LOOKED_AT);
	size_t i = 0;
	size_t count = sizeof(families) / sizeof(families[0]);
	while (i < count && !holds(agent, families[i].needle)) {
		i++;
	}
	if (i == count) {
		return first_word(agent, out);
	}
	const char *system = "";
	for (size_t k = 0; families[i].with_system && k < sizeof(systems) / sizeof(systems[0]);
		k++) {
		if (holds(agent, systems[k].needle)) {
			system = systems[k].system;
			break;
		}
	}
	int n = snprintf(out, AGENT_FAMILY_MAX, "%s%s%s", families[i].family,
		*system ? " " : "", system);
	return (struct str){ out, n > 0 ? (size_t)n : 0 };
}

/* What an SDK says about the call, not about itself. */
static struct str without_call(struct str agent)
{
	static const char *const marks[] = { " prompt/", " command/", " cfg/", " api/",
		" md/prompt", " md/command", " exec-env/", " app/", " Resource", "]" };
	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		agent = str_sub(agent, 0, str_find(agent, str_from(marks[i])));
	}
	return agent;
}

struct str agent_program(struct str agent, char out[AGENT_PROGRAM_MAX])
{
	char family[AGENT_FAMILY_MAX];
	struct str f = agent_family(agent, family);
	struct str rest = without_call(str_sub(agent, 0, AGENT_LOOKED_AT));
	memcpy(out, f.p, f.n);
	size_t n = f.n;
	out[n++] = AGENT_BUILD;
	for (size_t i = 0; i < rest.n && n + 1 < AGENT_PROGRAM_MAX; i++) {
		bool digit = rest.p[i] >= '0' && rest.p[i] <= '9';
		bool inside = i > 0 && (rest.p[i] == '.' || rest.p[i] == '-') &&
			      rest.p[i - 1] >= '0' && rest.p[i - 1] <= '9';
		if (digit || inside) {
			out[n++] = rest.p[i];
		}
	}
	return (struct str){ out, n };
}

struct str agent_family_of(struct str program)
{
	return str_sub(program, 0, str_find_char(program, AGENT_BUILD));
}

static bool one_of(struct str family, const char *const *names)
{
	for (; *names; names++) {
		if (str_is(family, *names)) {
			return true;
		}
	}
	return false;
}

bool agent_is_iac(struct str family)
{
	static const char *const names[] = { "terraform", "pulumi", "cloudformation", "aws-cdk",
		"ansible", NULL };
	return one_of(family, names);
}

bool agent_is_audit(struct str family)
{
	static const char *const names[] = { "scoutsuite", "prowler", "cloudsploit",
		"steampipe", NULL };
	return one_of(family, names);
}

bool agent_is_host(struct str family)
{
	static const char *const names[] = { "ssm-agent", "cloudwatch-agent", "ecs-agent",
		NULL };
	return one_of(family, names);
}

const char *agent_attack_tool(struct str family)
{
	static const struct {
		const char *word, *name;
	} tools[] = {
		{ "stratus-red-team", "Stratus Red Team" },
		{ "pacu", "Pacu" },
		{ "trufflehog", "TruffleHog" },
		{ "cloudfox", "CloudFox" },
		{ "sqlmap", "sqlmap" },
		{ "kali", "Kali Linux" },
		{ "parrot", "Parrot OS" },
		{ "pentoo", "Pentoo" },
	};
	for (size_t i = 0; i < sizeof(tools) / sizeof(tools[0]); i++) {
		if (holds(family, tools[i].word)) {
			return tools[i].name;
		}
	}
	return NULL;
}
