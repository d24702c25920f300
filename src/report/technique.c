#include "report/sections.h"

#include <stdlib.h>
#include <string.h>

/* Names of MITRE ATT&CK (enterprise), for the techniques that cordon's rules and verdicts use. */
static const char *const names[][2] = {
	{ "T1018", "Remote System Discovery" },
	{ "T1021.004", "Remote Services: SSH" },
	{ "T1021.008", "Remote Services: Direct Cloud VM Connections" },
	{ "T1041", "Exfiltration Over C2 Channel" },
	{ "T1046", "Network Service Discovery" },
	{ "T1048", "Exfiltration Over Alternative Protocol" },
	{ "T1053.003", "Scheduled Task/Job: Cron" },
	{ "T1059", "Command and Scripting Interpreter" },
	{ "T1059.004", "Command and Scripting Interpreter: Unix Shell" },
	{ "T1059.009", "Command and Scripting Interpreter: Cloud API" },
	{ "T1069.003", "Permission Groups Discovery: Cloud Groups" },
	{ "T1070", "Indicator Removal" },
	{ "T1071", "Application Layer Protocol" },
	{ "T1071.004", "Application Layer Protocol: DNS" },
	{ "T1078", "Valid Accounts" },
	{ "T1078.004", "Valid Accounts: Cloud Accounts" },
	{ "T1082", "System Information Discovery" },
	{ "T1087", "Account Discovery" },
	{ "T1087.004", "Account Discovery: Cloud Account" },
	{ "T1098", "Account Manipulation" },
	{ "T1098.001", "Account Manipulation: Additional Cloud Credentials" },
	{ "T1098.003", "Account Manipulation: Additional Cloud Roles" },
	{ "T1098.004", "Account Manipulation: SSH Authorized Keys" },
	{ "T1105", "Ingress Tool Transfer" },
	{ "T1110", "Brute Force" },
	{ "T1110.001", "Brute Force: Password Guessing" },
	{ "T1110.003", "Brute Force: Password Spraying" },
	{ "T1110.004", "Brute Force: Credential Stuffing" },
	{ "T1133", "External Remote Services" },
	{ "T1136", "Create Account" },
	{ "T1136.001", "Create Account: Local Account" },
	{ "T1136.003", "Create Account: Cloud Account" },
	{ "T1190", "Exploit Public-Facing Application" },
	{ "T1199", "Trusted Relationship" },
	{ "T1213", "Data from Information Repositories" },
	{ "T1484.002", "Domain or Tenant Policy Modification: Trust Modification" },
	{ "T1485", "Data Destruction" },
	{ "T1486", "Data Encrypted for Impact" },
	{ "T1489", "Service Stop" },
	{ "T1490", "Inhibit System Recovery" },
	{ "T1496", "Resource Hijacking" },
	{ "T1498", "Network Denial of Service" },
	{ "T1505.003", "Server Software Component: Web Shell" },
	{ "T1525", "Implant Internal Image" },
	{ "T1526", "Cloud Service Discovery" },
	{ "T1528", "Steal Application Access Token" },
	{ "T1530", "Data from Cloud Storage" },
	{ "T1531", "Account Access Removal" },
	{ "T1535", "Unused/Unsupported Cloud Regions" },
	{ "T1537", "Transfer Data to Cloud Account" },
	{ "T1543.002", "Create or Modify System Process: Systemd Service" },
	{ "T1546", "Event Triggered Execution" },
	{ "T1548", "Abuse Elevation Control Mechanism" },
	{ "T1548.003", "Abuse Elevation Control Mechanism: Sudo and Sudo Caching" },
	{ "T1548.005", "Abuse Elevation Control Mechanism: Temporary Elevated Cloud Access" },
	{ "T1550.001", "Use Alternate Authentication Material: Application Access Token" },
	{ "T1552", "Unsecured Credentials" },
	{ "T1552.001", "Unsecured Credentials: Credentials In Files" },
	{ "T1552.005", "Unsecured Credentials: Cloud Instance Metadata API" },
	{ "T1555.006", "Credentials from Password Stores: Cloud Secrets Management Stores" },
	{ "T1556", "Modify Authentication Process" },
	{ "T1556.006", "Modify Authentication Process: Multi-Factor Authentication" },
	{ "T1567", "Exfiltration Over Web Service" },
	{ "T1567.002", "Exfiltration Over Web Service: Exfiltration to Cloud Storage" },
	{ "T1571", "Non-Standard Port" },
	{ "T1578", "Modify Cloud Compute Infrastructure" },
	{ "T1578.001", "Modify Cloud Compute Infrastructure: Create Snapshot" },
	{ "T1578.002", "Modify Cloud Compute Infrastructure: Create Cloud Instance" },
	{ "T1578.005",
		"Modify Cloud Compute Infrastructure: Modify Cloud Compute Configurations" },
	{ "T1580", "Cloud Infrastructure Discovery" },
	{ "T1595", "Active Scanning" },
	{ "T1619", "Cloud Storage Object Discovery" },
	{ "T1648", "Serverless Execution" },
	{ "T1651", "Cloud Administration Command" },
	{ "T1666", "Modify Cloud Resource Hierarchy" },
	{ "T1685", "Disable or Modify Tools" },
	{ "T1685.002", "Disable or Modify Tools: Disable or Modify Cloud Log" },
	{ "T1686", "Disable or Modify System Firewall" },
	{ "T1686.001", "Disable or Modify System Firewall: Cloud Firewall" },
};

/* ATT&CK 19 gave these other ids; rules of earlier years still carry the old ones. */
static const char *const moved[][2] = {
	{ "T1562", "T1685" },
	{ "T1562.001", "T1685" },
	{ "T1562.002", "T1685.001" },
	{ "T1562.004", "T1686" },
	{ "T1562.006", "T1685" },
	{ "T1562.007", "T1686.001" },
	{ "T1562.008", "T1685.002" },
	{ "T1562.012", "T1685.004" },
};

const char *technique_name(const char *id)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i][0], id) == 0) {
			return names[i][1];
		}
	}
	return NULL;
}

bool technique_id(const char *tag, char out[16])
{
	const char *p = strncmp(tag, "attack.", 7) == 0 ? tag + 7 : tag;
	size_t n = strlen(p);

	if ((*p != 't' && *p != 'T') || n < 5 || n > 9 ||
		strspn(p + 1, "0123456789.") != n - 1) {
		return false;
	}
	(void)snprintf(out, 16, "T%s", p + 1);
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		if (strcmp(moved[i][0], out) == 0) {
			(void)snprintf(out, 16, "%s", moved[i][1]);
			break;
		}
	}
	return true;
}

/* Adds one sighting of a technique: id -> list of events (at most a dozen are kept). */
static void seen(json_t *set, const char *tag, const json_t *events)
{
	char id[16] = "";
	json_t *list = NULL;

	if (!tag || !technique_id(tag, id) || json_object_size(set) > 60) {
		return;
	}
	list = json_object_get(set, id);
	if (!list) {
		list = json_array();
		(void)json_object_set_new(set, id, list);
	}
	for (size_t i = 0; i < json_array_size(events) && json_array_size(list) < 12; i++) {
		json_t *event = json_array_get(events, i);
		bool there = false;
		for (size_t j = 0; j < json_array_size(list); j++) {
			there = there || json_equal(json_array_get(list, j), event);
		}
		if (!there) {
			(void)json_array_append(list, event);
		}
	}
}

static json_t *collect(const json_t *view)
{
	const json_t *chain = doc_get(view, "investigation.verdict.chain");
	const json_t *timeline = doc_get(view, "investigation.timeline");
	const json_t *rules = doc_get(view, "investigation.detections");
	json_t *set = json_object();

	for (size_t i = 0; i < json_array_size(chain); i++) {
		const json_t *link = json_array_get(chain, i);
		seen(set, doc_text(link, "technique"), doc_get(link, "events"));
	}
	for (size_t i = 0; i < json_array_size(timeline); i++) {
		const json_t *e = json_array_get(timeline, i);
		json_t *one = json_array();
		if (doc_get(e, "event")) {
			(void)json_array_append(one, doc_get(e, "event"));
		}
		for (size_t j = 0; j < json_array_size(doc_get(e, "tags")); j++) {
			seen(set, json_string_value(json_array_get(doc_get(e, "tags"), j)),
				one);
		}
		json_decref(one);
	}
	for (size_t i = 0; i < json_array_size(rules); i++) {
		const json_t *r = json_array_get(rules, i);
		for (size_t j = 0; j < json_array_size(doc_get(r, "tags")); j++) {
			seen(set, json_string_value(json_array_get(doc_get(r, "tags"), j)),
				doc_get(r, "events"));
		}
	}
	return set;
}

static void row(struct sheet *s, const char *id, const json_t *events)
{
	const char *name = technique_name(id);
	const char *dot = strchr(id, '.');

	sheet_begin(s, SHEET_ROW);
	sheet_begin(s, SHEET_CELL);
	if (s->html) {
		/* A link is no request: nothing is fetched unless somebody follows it. */
		buf_printf(s->out,
			"<a rel=\"noreferrer\" "
			"href=\"https://attack.mitre.org/techniques/%.*s%s%s/\">",
			dot ? (int)(dot - id) : (int)strlen(id), id, dot ? "/" : "",
			dot ? dot + 1 : "");
		sheet_text(s, id);
		buf_puts(s->out, "</a>");
	} else {
		sheet_text(s, id);
	}
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	sheet_text(s, name ? name : "-");
	sheet_end(s, SHEET_CELL);
	sheet_begin(s, SHEET_CELL);
	sheet_events(s, events);
	sheet_end(s, SHEET_CELL);
	sheet_end(s, SHEET_ROW);
}

static void detections(struct sheet *s)
{
	static const char *const columns[] = { N_("Rule"), N_("Level"), N_("Hits"),
		N_("First and last"), N_("Events"), NULL };
	const json_t *list = doc_get(s->view, "investigation.detections");
	char count[24] = "";

	if (json_array_size(list) == 0) {
		return;
	}
	sheet_heading(s, N_("Rules that matched"));
	sheet_table(s, N_("Sigma rules that matched the logs"), columns);
	for (size_t i = 0; i < json_array_size(list) && i < 60 && sheet_room(s, 0.88); i++) {
		const json_t *r = json_array_get(list, i);
		const char *level = doc_text_or(r, "level", "");
		bool grave = strcmp(level, "high") == 0 || strcmp(level, "critical") == 0;
		sheet_begin(s, SHEET_ROW);
		sheet_begin(s, SHEET_CELL);
		sheet_text(s, doc_text(r, "title"));
		sheet_end(s, SHEET_CELL);
		sheet_begin(s, SHEET_CELL);
		sheet_badge(s, grave ? SHEET_BAD : SHEET_PLAIN, level);
		sheet_end(s, SHEET_CELL);
		sheet_begin(s, SHEET_CELL);
		(void)snprintf(count, sizeof(count), "%lld", (long long)doc_int(r, "count", 0));
		sheet_text(s, count);
		sheet_end(s, SHEET_CELL);
		sheet_begin(s, SHEET_CELL);
		sheet_time(s, doc_get(r, "first"));
		buf_puts(s->out, " \xe2\x80\x93 ");
		sheet_time(s, doc_get(r, "last"));
		sheet_end(s, SHEET_CELL);
		sheet_begin(s, SHEET_CELL);
		sheet_events_most(s, doc_get(r, "events"), 3);
		sheet_end(s, SHEET_CELL);
		sheet_end(s, SHEET_ROW);
	}
	sheet_table_end(s);
}

void technique_write(struct sheet *s)
{
	static const char *const columns[] = { N_("Technique"), N_("Name"), N_("Events"),
		NULL };
	json_t *set = collect(s->view);
	const char *id = NULL;
	json_t *events = NULL;

	if (json_object_size(set)) {
		sheet_section(s, "attack", "MITRE ATT&CK");
		sheet_table(s, N_("Techniques seen"), columns);
		json_object_foreach(set, id, events)
		{
			row(s, id, events);
		}
		sheet_table_end(s);
		detections(s);
		sheet_section_end(s);
	}
	json_decref(set);
}
