#include "base/i18n.h"
#include "base/utc.h"
#include "incident/view.h"

#include <string.h>

static const char *const causes[][2] = {
	{ "leaked_access_key", N_("leaked access key") },
	{ "instance_credential_theft", N_("stolen instance credentials") },
	{ "console_password", N_("stolen console password") },
	{ "web_exploitation", N_("exploited web application") },
	{ "ssh_bruteforce", N_("guessed SSH password") },
	{ "public_exposure", N_("public exposure") },
	{ "valid_credentials_known_origin", N_("valid credentials, known origin") },
	{ "no_incident", N_("no incident") },
	{ "undetermined", N_("undetermined") },
};

json_t *view_step(const json_t *view, const char *id)
{
	json_t *step;
	size_t i;

	json_array_foreach(json_object_get(view, "steps"), i, step)
	{
		if (id != NULL && strcmp(doc_text_or(step, "id", ""), id) == 0) {
			return step;
		}
	}
	return NULL;
}

const char *view_cause(const char *class_name)
{
	for (size_t i = 0; i < sizeof(causes) / sizeof(causes[0]); i++) {
		if (strcmp(causes[i][0], class_name) == 0) {
			return causes[i][1];
		}
	}
	return class_name;
}

/* Measures that only look or keep, take a host out of service, or wait for a person. */
static bool cuts_off(const char *action)
{
	static const char *const others[] = { "protect-", "snapshot-", "collect-", "find-",
		"detach-", "stop-", "hand-over" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strncmp(action, others[i], strlen(others[i])) == 0) {
			return false;
		}
	}
	return true;
}

int64_t view_contained_ms(const json_t *view)
{
	const json_t *steps = doc_get(view, "steps");
	int64_t latest = -1;

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		int64_t at = -1;
		if (strcmp(doc_text_or(step, "state", ""), "done") == 0 &&
			cuts_off(doc_text_or(step, "action", "")) &&
			utc_parse(str_from(doc_text_or(step, "finished", "")), &at) &&
			at > latest) {
			latest = at;
		}
	}
	return latest;
}
