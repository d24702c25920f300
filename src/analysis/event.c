#include "analysis/event.h"

#include "analysis/table.h"
#include "base/utc.h"

static struct str text_at(struct scan_tape *t, uint32_t node, const char *path)
{
	return scan_text(t, scan_path(t, node, path));
}

struct str event_text(const struct event *e, uint32_t node, const char *path)
{
	return text_at(e->tape, node, path);
}

static enum event_identity identity_of(struct str type, struct str account)
{
	static const struct {
		const char *name;
		enum event_identity identity;
	} names[] = {
		{ "IAMUser", EVENT_IAM_USER },
		{ "AssumedRole", EVENT_ASSUMED_ROLE },
		{ "AWSService", EVENT_SERVICE },
		{ "Root", EVENT_ROOT },
		{ "AWSAccount", EVENT_ACCOUNT },
		{ "FederatedUser", EVENT_FEDERATED },
		{ "SAMLUser", EVENT_FEDERATED },
		{ "WebIdentityUser", EVENT_FEDERATED },
		{ "IdentityCenterUser", EVENT_FEDERATED },
		{ "Directory", EVENT_FEDERATED },
	};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (str_is(type, names[i].name)) {
			bool anonymous = names[i].identity == EVENT_ACCOUNT &&
					 (str_is(account, "ANONYMOUS_PRINCIPAL") ||
						 str_is(account, "anonymous"));
			return anonymous ? EVENT_ANONYMOUS : names[i].identity;
		}
	}
	return EVENT_UNKNOWN;
}

static bool is_service_address(struct str ip)
{
	return ip.n == 0 || str_is(ip, "AWS Internal") || str_ends(ip, STR(".amazonaws.com")) ||
	       str_ends(ip, STR(".amazonaws.com.cn"));
}

static void read_session(struct event *e, uint32_t context)
{
	struct scan_tape *t = e->tape;
	e->issuer_arn = text_at(t, context, "sessionIssuer.arn");
	e->issuer_name = text_at(t, context, "sessionIssuer.userName");
	uint32_t attributes = scan_member(t, context, STR("attributes"));
	e->creation = text_at(t, attributes, "creationDate");
	uint32_t mfa = scan_member(t, attributes, STR("mfaAuthenticated"));
	e->mfa_known = mfa != SCAN_NONE;
	e->mfa = e->mfa_known && scan_is_true(t, mfa);
	uint32_t delivery = scan_member(t, context, STR("ec2RoleDelivery"));
	e->delivery = scan_raw(t, delivery);
}

static void read_identity(struct event *e, uint32_t who)
{
	struct scan_tape *t = e->tape;
	struct str account = { "", 0 };
	uint32_t k = scan_type_of(t, who) == SCAN_OBJECT ? scan_first(t, who) : SCAN_NONE;
	struct str type = { "", 0 };
	for (; k != SCAN_NONE; k = scan_after(t, who, k + 1)) {
		struct str key = scan_raw(t, k);
		struct str value = scan_text(t, k + 1);
		if (str_eq(key, STR("type"))) {
			type = value;
		} else if (str_eq(key, STR("arn"))) {
			e->arn = value;
		} else if (str_eq(key, STR("principalId"))) {
			e->principal_id = value;
		} else if (str_eq(key, STR("accessKeyId"))) {
			e->key = value;
		} else if (str_eq(key, STR("userName"))) {
			e->user_name = value;
		} else if (str_eq(key, STR("invokedBy"))) {
			e->invoked_by = value;
		} else if (str_eq(key, STR("accountId"))) {
			account = value;
		} else if (str_eq(key, STR("sessionContext"))) {
			read_session(e, k + 1);
		}
	}
	e->identity = identity_of(type, account);
	if (e->account.n == 0) {
		e->account = account;
	}
	if (e->identity == EVENT_ASSUMED_ROLE) {
		size_t colon = str_find_char(e->principal_id, ':');
		e->session = colon == SIZE_MAX ? (struct str){ "", 0 }
					       : str_sub(e->principal_id, colon + 1, SIZE_MAX);
	}
}

static uint64_t content_hash(const struct scan_tape *t, uint32_t root, uint64_t seed)
{
	uint64_t h = seed;
	for (uint32_t i = root; i < t->nodes[root].next; i++) {
		const struct scan_node *n = &t->nodes[i];
		if (n->type == SCAN_OBJECT || n->type == SCAN_ARRAY) {
			h = table_mix(h, (uint64_t)n->type << 32 | (n->next - i));
		} else {
			h = table_hash(table_mix(h, n->type), scan_raw(t, i));
		}
	}
	return h;
}

/* One member of the record; unknown ones are left to who asks for them. */
static void read_member(struct event *e, struct str key, uint32_t value, struct str *when)
{
	struct scan_tape *t = e->tape;
	const struct {
		struct str name;
		struct str *text;
	} texts[] = {
		{ STR("eventName"), &e->name },
		{ STR("eventSource"), &e->source },
		{ STR("eventTime"), when },
		{ STR("eventID"), &e->id },
		{ STR("awsRegion"), &e->region },
		{ STR("sourceIPAddress"), &e->ip },
		{ STR("userAgent"), &e->agent },
		{ STR("errorCode"), &e->error_code },
		{ STR("errorMessage"), &e->error_message },
		{ STR("recipientAccountId"), &e->account },
		{ STR("vpcEndpointId"), &e->vpc_endpoint },
		{ STR("vpcEndpointAccountId"), &e->vpc_endpoint_account },
	};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (str_eq(key, texts[i].name)) {
			*texts[i].text = scan_text(t, value);
			return;
		}
	}
	if (str_eq(key, STR("requestParameters"))) {
		e->request = value;
	} else if (str_eq(key, STR("responseElements"))) {
		e->response = value;
	} else if (str_eq(key, STR("additionalEventData"))) {
		e->extra = value;
	} else if (str_eq(key, STR("readOnly"))) {
		e->read_only = scan_is_true(t, value);
	} else if (str_eq(key, STR("eventCategory"))) {
		e->data_event = str_is(scan_text(t, value), "Data");
	} else if (str_eq(key, STR("sessionCredentialFromConsole"))) {
		e->console = scan_is_true(t, value);
	}
}

bool event_read(struct scan_tape *t, uint32_t root, uint64_t seed, struct event *out)
{
	if (scan_type_of(t, root) != SCAN_OBJECT) {
		return false;
	}
	struct event e = { .tape = t,
		.root = root,
		.request = SCAN_NONE,
		.response = SCAN_NONE,
		.extra = SCAN_NONE };
	struct str when = { "", 0 };
	uint32_t who = SCAN_NONE;
	for (uint32_t k = scan_first(t, root); k != SCAN_NONE; k = scan_after(t, root, k + 1)) {
		struct str key = scan_raw(t, k);
		if (str_eq(key, STR("userIdentity"))) {
			who = k + 1;
		} else {
			read_member(&e, key, k + 1, &when);
		}
	}
	if (e.name.n == 0 || e.source.n == 0 || !utc_parse(when, &e.time_ms)) {
		return false;
	}
	read_identity(&e, who);
	e.service_ip = is_service_address(e.ip);
	if (e.identity == EVENT_UNKNOWN && e.invoked_by.n && e.service_ip) {
		e.identity = EVENT_SERVICE;
	}
	e.hash = content_hash(t, root, seed);
	*out = e;
	return true;
}

void event_fragment(struct scan_tape *t, uint32_t root, struct event *out)
{
	*out = (struct event){ .tape = t,
		.root = root,
		.name = text_at(t, root, "eventName"),
		.id = text_at(t, root, "eventID"),
		.request = SCAN_NONE,
		.response = SCAN_NONE,
		.extra = SCAN_NONE };
}

bool event_denied(const struct event *e)
{
	static const char *const codes[] = { "AccessDenied", "AccessDeniedException",
		"Client.UnauthorizedOperation", "UnauthorizedOperation", "AuthorizationError",
		"NotAuthorized", "UnauthorizedAccess", "AllAccessDisabled" };
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (str_is(e->error_code, codes[i])) {
			return true;
		}
	}
	return false;
}

bool event_succeeded(const struct event *e)
{
	if (str_is(e->name, "ConsoleLogin")) {
		return str_is(event_text(e, e->response, "ConsoleLogin"), "Success");
	}
	return e->error_code.n == 0;
}

struct str event_plain_name(struct str name)
{
	size_t n = name.n;
	if (n > 2 && name.p[n - 2] == 'v' && name.p[n - 1] >= '0' && name.p[n - 1] <= '9') {
		n -= 2;
	}
	size_t end = n;
	while (n > 0 && name.p[n - 1] >= '0' && name.p[n - 1] <= '9') {
		n--;
	}
	/* Lambda's calls carry the API's date, eight digits, with "v2" or "v1" or nothing. */
	return end - n == 8 ? str_sub(name, 0, n) : name;
}

/* The first of the fields that is there, from the most telling on; arrays give their first item. */
static struct str first_of(const struct event *e, const char *const *fields)
{
	if (scan_type_of(e->tape, e->request) != SCAN_OBJECT) {
		return (struct str){ "", 0 };
	}
	for (size_t i = 0; fields[i]; i++) {
		uint32_t node = scan_path(e->tape, e->request, fields[i]);
		if (scan_type_of(e->tape, node) == SCAN_ARRAY) {
			node = scan_first(e->tape, node);
		}
		struct str s = scan_text(e->tape, node);
		if (s.n) {
			return s;
		}
	}
	return (struct str){ "", 0 };
}

struct str event_subject(const struct event *e)
{
	static const char *const fields[] = { "userName", "roleName", "groupName", NULL };
	return first_of(e, fields);
}

struct str event_target(const struct event *e)
{
	static const char *const fields[] = { "bucketName", "userName", "roleName", "roleArn",
		"groupName", "policyArn", "instanceId", "instanceIds", "functionName",
		"secretId", "snapshotId", "dBSnapshotIdentifier", "dBInstanceIdentifier",
		"dBClusterIdentifier", "imageId", "groupId", "trailName", "detectorId",
		"flowLogIds.item", "DeleteFlowLogsRequest.FlowLogId.content", "keyId", "name",
		"parameterName", "policyName", "queueUrl", "topicArn", "tableName",
		"clusterName", "instancesSet.items", "resourceArn", "vpcId", "volumeId",
		"networkInterfaceId", NULL };
	struct str s = first_of(e, fields);
	if (s.n) {
		return s;
	}
	uint32_t items = scan_path(e->tape, e->request, "instancesSet.items");
	return event_text(e, scan_first(e->tape, items), "instanceId");
}
