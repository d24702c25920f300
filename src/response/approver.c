#include "response/approver.h"

#include "finding/finding.h"

#include <stdio.h>
#include <string.h>

static bool fits(const char *glob, const char *name)
{
	char pattern[FINDING_MAX_ID + 1], text[FINDING_MAX_ID + 1];

	if (name == NULL || strlen(name) > FINDING_MAX_ID || strlen(glob) > FINDING_MAX_ID) {
		return false;
	}
	finding_name_of(str_trim(str_from(glob)), pattern);
	finding_name_of(str_trim(str_from(name)), text);
	return text[0] != '\0' && str_glob(str_from(pattern), str_from(text));
}

/* arn:P:sts::A:assumed-role/ROLE/SESSION -> arn:P:iam::A:role/ROLE; "" of any other. */
static void role_of(const char *arn, char out[FINDING_MAX_ID + 1])
{
	struct str rest = str_from(arn);
	size_t at = str_find(rest, STR(":assumed-role/")), sts = str_find(rest, STR(":sts::"));

	out[0] = '\0';
	if (at == SIZE_MAX || sts == SIZE_MAX || sts > at) {
		return;
	}
	struct str role = str_sub(rest, at + 14, rest.n);
	size_t slash = str_find_char(role, '/');
	role.n = slash == SIZE_MAX ? role.n : slash;
	(void)snprintf(out, FINDING_MAX_ID + 1, "%.*s:iam::%.*s:role/%.*s", (int)sts, arn,
		(int)(at - sts - 6), arn + sts + 6, STR_ARG(role));
}

bool approver_wants_arn(const json_t *who)
{
	const json_t *v;
	size_t i;

	json_array_foreach(who, i, v)
	{
		const char *name = json_string_value(v);
		if (name != NULL &&
			(str_starts(str_from(name), STR("arn:")) || name[0] == '*')) {
			return true;
		}
	}
	return false;
}

bool approver_listed(const json_t *who, const struct approver *by)
{
	char role[FINDING_MAX_ID + 1] = "";
	const json_t *v;
	size_t i;

	if (json_array_size(who) == 0) {
		return true;
	}
	if (by->arn != NULL) {
		role_of(by->arn, role);
	}
	json_array_foreach(who, i, v)
	{
		const char *glob = json_string_value(v);
		/* A name that looks like an ARN proves nothing. */
		bool is_arn = glob != NULL && str_starts(str_from(glob), STR("arn:"));
		if (glob != NULL && ((!is_arn && fits(glob, by->person)) ||
					    fits(glob, by->arn) || fits(glob, role))) {
			return true;
		}
	}
	return false;
}

void approver_refusal(const json_t *who, const struct approver *by, const char *step,
	const char *case_id, char out[600])
{
	char names[300] = "";
	const json_t *v;
	size_t i, used = 0;

	json_array_foreach(who, i, v)
	{
		int more = snprintf(names + used, sizeof(names) - used, "%s%.120s",
			i > 0 ? ", " : "", json_is_string(v) ? json_string_value(v) : "?");
		used = more > 0 && used + (size_t)more < sizeof(names) ? used + (size_t)more
								       : sizeof(names) - 1;
	}
	(void)snprintf(out, 600,
		"step %.60s of case %.31s is for %s to answer, and %.80s%s%.120s is not among "
		"them: nothing was decided. Ask one of them, or change approve.who of the "
		"playbook or response.approvers",
		step, case_id, names, by->person ? by->person : "",
		by->person && by->arn ? ", " : "", by->arn ? by->arn : "");
}
