/* Recommendations: a table by verdict, and what the state of the case itself asks for. */
#include "report/sections.h"

#include <string.h>

/* NOLINTBEGIN(bugprone-suspicious-missing-comma): each N_() is one text, however many lines it takes */
static const struct {
	const char *class_name;
	const char *texts[5];
} by_class[] = {
	{ "web_exploitation",
		{ N_("Correct the vulnerable request handler and deploy it before the host "
		     "goes back into service."),
			N_("Require IMDSv2 with a hop limit of 1 on every instance, so that a "
			   "forged request cannot reach the role's credentials."),
			N_("Put the application behind a web application firewall that blocks "
			   "requests for link-local addresses."),
			N_("Cut the instance role down to the objects the application really "
			   "needs."),
			N_("Rebuild the host from a trusted image; do not put the isolated one "
			   "back.") } },
	{ "instance_credential_theft",
		{ N_("Require IMDSv2 with a hop limit of 1 on every instance, so that a forged "
		     "request cannot reach the role's credentials."),
			N_("Limit the role to the network it is used from (aws:SourceVpc, "
			   "aws:SourceIp, aws:EC2InstanceSourceVPC)."),
			N_("Cut the instance role down to the objects the application really "
			   "needs."),
			N_("Find how the credentials left the host: look at the snapshots and "
			   "the web logs."),
			NULL } },
	{ "leaked_access_key",
		{ N_("Delete the leaked key; replace long-lived keys by roles or IAM Identity "
		     "Center."),
			N_("Find where it leaked (repository, image, chat, laptop) and remove "
			   "it there, history included."),
			N_("Delete every user, key and policy that the intruder made; they are "
			   "listed under Reach."),
			N_("Turn on secret scanning for the repositories of the team."),
			NULL } },
	{ "console_password",
		{ N_("Require MFA for every person, with a phishing-resistant second factor "
		     "for administrators."),
			N_("Change the password and end the sessions of the user."),
			N_("Look for mail rules, tokens and devices that the intruder "
			   "registered elsewhere with the same password."),
			NULL, NULL } },
	{ "ssh_bruteforce",
		{ N_("Switch off password sign-in for SSH; use Session Manager instead of an "
		     "open port 22."),
			N_("Close port 22 to the Internet in every security group."),
			N_("Rebuild the host from a trusted image; do not put the isolated one "
			   "back."),
			N_("Change every password and key that was stored on the host."),
			NULL } },
	{ "public_exposure",
		{ N_("Turn on S3 Block Public Access for the whole account."),
			N_("Find out from the access logs who read the data while it was "
			   "open."),
			N_("Check policies with IAM Access Analyzer before they are deployed."),
			NULL, NULL } },
	{ "valid_credentials_known_origin",
		{ N_("Ask the owner of the credentials whether the activity was theirs."),
			N_("If it was expected, add a suppression rule in GuardDuty; if not, "
			   "treat the credentials as stolen."),
			NULL, NULL, NULL } },
	{ "no_incident", { N_("Add a suppression rule in GuardDuty if the same activity will "
			      "come again."),
				 NULL, NULL, NULL, NULL } },
	{ "undetermined", { N_("Get the logs named under \"What is missing\" and run the "
			       "analysis again."),
				  N_("Keep the containment until the cause is known."), NULL,
				  NULL, NULL } },
};
/* NOLINTEND(bugprone-suspicious-missing-comma) */

static void item(struct sheet *s, const char *text)
{
	sheet_begin(s, SHEET_ITEM);
	sheet_say(s, text);
	sheet_end(s, SHEET_ITEM);
}

static bool any_evidence_unlocked(const json_t *view)
{
	const json_t *list = doc_get(view, "evidence");

	for (size_t i = 0; i < json_array_size(list); i++) {
		if (!doc_text(json_array_get(list, i), "retain_until")) {
			return true;
		}
	}
	return false;
}

void advice_write(struct sheet *s)
{
	const char *class_name = doc_text(s->view, "investigation.verdict.class");

	sheet_section(s, "advice", N_("Recommendations"));
	sheet_begin(s, SHEET_LIST);
	for (size_t i = 0; class_name && i < sizeof(by_class) / sizeof(by_class[0]); i++) {
		if (strcmp(by_class[i].class_name, class_name) != 0) {
			continue;
		}
		for (size_t j = 0; j < 5 && by_class[i].texts[j]; j++) {
			item(s, by_class[i].texts[j]);
		}
	}
	if (!class_name) {
		item(s, N_("Analyse the logs of the case to learn how it began."));
	}
	if (json_array_size(doc_get(s->view, "investigation.scope.data_accessed"))) {
		item(s, N_("Decide with the legal department whether the data that was read "
			   "has to be reported (GDPR: 72 hours)."));
	}
	if (json_array_size(doc_get(s->view, "investigation.inputs.gaps"))) {
		item(s, N_("Close the gaps in the logs: an organisation trail with data events "
			   "in a separate account."));
	}
	if (json_array_size(doc_get(s->view, "evidence")) == 0) {
		item(s, N_("Set up the evidence bucket (cordon doctor says how), so that the "
			   "next case is preserved."));
	} else if (any_evidence_unlocked(s->view)) {
		item(s, N_("Turn on Object Lock for the evidence bucket, so that evidence "
			   "cannot be deleted."));
	}
	sheet_end(s, SHEET_LIST);
	sheet_section_end(s);
}
