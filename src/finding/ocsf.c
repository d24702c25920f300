/*
 * OCSF Findings (Security Hub "Findings Imported V2", Security Lake). finding_info.types keeps
 * GuardDuty's spelling of the type. Field names: OCSF 1.6 Detection Finding, class 2004; Security
 * Lake's first source version writes class 2001 of OCSF 1.0 (`finding`, `cloud.account_uid`).
 * resources[].data is GuardDuty's own block in snake_case, which parts_at reads as it is.
 */
#include "finding/details.h"
#include "finding/shapes.h"

/* Words that differ from ASFF's by resource; ids are taken from wherever they are. */
static struct str resource_id(struct finding *f, enum finding_kind kind, const json_t *v)
{
	static const char *const instance[] = { "data.instance_id", "device.uid", "uid" };
	struct str uid = parts_id(f, parts_at(v, "uid"));

	if (kind == FINDING_INSTANCE) {
		for (size_t i = 0; i < sizeof(instance) / sizeof(*instance); i++) {
			struct str id = parts_tail(parts_id(f, parts_at(v, instance[i])));
			if (str_starts(id, STR("i-"))) {
				return id;
			}
		}
	}
	struct str key = parts_id(f, parts_at(v, "data.access_key_id"));
	return parts_known_as(kind, kind == FINDING_ACCESS_KEY && key.n > 0 ? key : uid);
}

static void read_instance(struct finding *f, struct finding_resource *r, const json_t *v)
{
	const json_t *eni = json_array_get(parts_at(v, "data.network_interfaces"), 0);
	struct str ip = parts_id(
		f, parts_at(json_array_get(parts_at(v, "device.network_interfaces"), 0), "ip"));

	r->vpc_id = parts_id(f, parts_at(eni, "vpc_id"));
	r->subnet_id = parts_id(f, parts_at(eni, "subnet_id"));
	r->public_ip = parts_id(f, parts_at(eni, "public_ip"));
	r->private_ip = parts_id(f, parts_at(eni, "private_ip_address"));
	if (r->public_ip.n == 0 && r->private_ip.n == 0) {
		*(parts_ip_is_private(ip) ? &r->private_ip : &r->public_ip) = ip;
	}
	r->instance_profile_arn = parts_id(f, parts_at(v, "data.iam_instance_profile.arn"));
	if (r->instance_profile_arn.n == 0) {
		r->instance_profile_arn =
			parts_id(f, parts_at(v, "device.instance_profile.uid_alt"));
	}
}

static void read_access_key(struct finding *f, struct finding_resource *r, const json_t *d)
{
	r->principal_id = parts_id(f, parts_at(d, "principal_id"));
	r->user_name = parts_id(f, parts_at(d, "user_name"));
	r->user_type = parts_id(f, parts_at(d, "user_type"));
}

/* What else GuardDuty's block of this kind says; `data` stands where the block would. */
static void read_block(struct finding *f, enum finding_kind kind, json_t *data)
{
	static const struct {
		enum finding_kind kind;
		const char *block;
	} blocks[] = {
		{ FINDING_LAMBDA, "lambdaDetails" },
		{ FINDING_RDS_INSTANCE, "rdsDbInstanceDetails" },
		{ FINDING_RDS_LIMITLESS, "rdsLimitlessDbDetails" },
		{ FINDING_ECS_CLUSTER, "ecsClusterDetails" },
	};

	details_read(f, data); /* a Kubernetes workload has no block of its own kind */
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		if (blocks[i].kind == kind) {
			json_t *resource = json_pack("{s:O?}", blocks[i].block, data);
			details_read(f, resource);
			json_decref(resource);
		}
	}
}

static void read_resource(struct finding *f, const json_t *v)
{
	const json_t *type = parts_at(v, "type");
	const json_t *data = parts_at(v, "data");
	enum finding_kind kind = asff_kind(type);
	struct str uid = parts_id(f, parts_at(v, "uid"));
	if (asff_is_task(type)) {
		details_task(f, uid);
	}
	struct finding_resource *r = parts_resource(f, kind, resource_id(f, kind, v));
	if (r == NULL) {
		return;
	}
	if (str_starts(uid, STR("arn:"))) {
		r->arn = uid;
	}
	parts_tags(r, parts_at(v, "tags"));
	if (kind == FINDING_INSTANCE) {
		read_instance(f, r, v);
	} else if (kind == FINDING_ACCESS_KEY) {
		read_access_key(f, r, data);
	} else if (kind == FINDING_S3_BUCKET) {
		r->public_access =
			parts_is(parts_at(data, "publicAccess.effectivePermission"), "PUBLIC");
	} else if (kind == FINDING_S3_OBJECT) {
		details_text(r, "version", parts_id(f, parts_at(data, "versionId")));
	}
}

/* Which end is the remote one is not said: the one that is neither private nor our instance's. */
static void read_endpoint(struct finding *f, const json_t *end)
{
	const json_t *ip = parts_at(end, "ip");
	if (!json_is_string(ip) || parts_ip_is_private(str_from(json_string_value(ip)))) {
		return;
	}
	for (size_t i = 0; i < f->n_resources; i++) {
		if (str_is(f->resources[i].public_ip, json_string_value(ip))) {
			return;
		}
	}
	struct finding_actor *a = parts_actor(f, ip, NULL);
	if (a != NULL) {
		int64_t port = parts_int(parts_at(end, "port"), 0);
		int64_t asn = parts_int(parts_at(end, "autonomous_system.number"), 0);
		a->country = parts_text(f, parts_at(end, "location.country"));
		a->org = parts_text(f, parts_at(end, "autonomous_system.name"));
		a->port = port > 0 && port <= 65535 ? port : 0;
		a->asn = asn > 0 ? asn : 0;
	}
}

/*
 * OCSF has no resourceRole. Who opened the connection tells the same for the types where it
 * matters: the instance that calls out acts.
 */
static void read_direction(struct finding *f, const json_t *direction_id)
{
	int64_t direction = parts_int(direction_id, 0);

	if (f->direction.n > 0 || direction < 1 || direction > 2) {
		return;
	}
	f->direction = direction == 1 ? STR("INBOUND") : STR("OUTBOUND");
	f->role = direction == 1 ? FINDING_ROLE_TARGET : FINDING_ROLE_ACTOR;
}

static void read_evidence(struct finding *f, const json_t *v)
{
	const json_t *user = parts_at(v, "actor.user");
	struct str key = parts_id(f, parts_at(user, "credential_uid"));

	read_endpoint(f, parts_at(v, "src_endpoint"));
	read_endpoint(f, parts_at(v, "dst_endpoint"));
	(void)parts_actor(f, NULL, parts_at(v, "query.hostname"));
	read_direction(f, parts_at(v, "connection_info.direction_id"));
	if (f->api.n == 0) {
		f->api = parts_id(f, parts_at(v, "api.operation"));
		f->service_name = parts_id(f, parts_at(v, "api.service.name"));
	}
	if (f->user_agent.n == 0) {
		f->user_agent = parts_text(f, parts_at(v, "http_request.user_agent"));
	}
	if (key.n > 0) {
		struct finding_resource *r = parts_resource(f, FINDING_ACCESS_KEY, key);
		if (r != NULL && r->principal_id.n == 0) {
			r->principal_id = parts_id(f, parts_at(user, "uid"));
			r->user_name = parts_id(f, parts_at(user, "name"));
			r->user_type = parts_id(f, parts_at(user, "type"));
		}
	}
}

static struct str type_of(struct finding *f, const json_t *types)
{
	size_t i = 0;
	json_t *v = NULL;

	/* ["Threats", "Execution:Runtime/NewBinaryExecuted"] */
	json_array_foreach(types, i, v)
	{
		struct str s = parts_id(f, v);
		size_t colon = str_find_char(s, ':');
		size_t slash = str_find_char(s, '/');
		if (colon != SIZE_MAX && slash != SIZE_MAX && colon < slash) {
			return s;
		}
	}
	return parts_id(f, json_array_get(types, 0));
}

static double severity_of(const json_t *id)
{
	static const double values[] = { 0, 0.5, 2, 5, 8, 9, 10 };
	int64_t n = parts_int(id, 0);
	return n >= 0 && n < (int64_t)(sizeof(values) / sizeof(*values)) ? values[n] : 0;
}

static json_t *info_of(const json_t *doc)
{
	json_t *info = json_object_get(doc, "finding_info");
	return info != NULL ? info : json_object_get(doc, "finding");
}

bool ocsf_is(const json_t *doc)
{
	/* Athena writes numbers of its exports as text. */
	return parts_int(json_object_get(doc, "class_uid"), 0) / 1000 == 2 &&
	       json_is_object(info_of(doc));
}

/* Security Hub vouches for the product's ARN; a name is believed only where there is none. */
static bool is_guardduty(const json_t *doc)
{
	const json_t *product = parts_at(doc, "metadata.product");
	const char *uid = json_string_value(parts_at(product, "uid"));

	if (uid == NULL) {
		return product == NULL || parts_is(parts_at(product, "name"), "GuardDuty");
	}
	return str_ends(str_from(uid), STR(":product/aws/guardduty")) ||
	       str_ends(str_from(uid), STR(":productv2/aws/guardduty"));
}

static bool is_posture(const json_t *doc)
{
	/* 2003 Compliance Finding; Prowler reports its checks as 2004 with a pass/fail code. */
	return parts_int(parts_at(doc, "class_uid"), 0) == 2003 ||
	       parts_at(doc, "compliance") != NULL ||
	       parts_at(doc, "unmapped.compliance") != NULL ||
	       parts_is(parts_at(doc, "status_code"), "FAIL") ||
	       parts_is(parts_at(doc, "status_code"), "PASS");
}

enum err_status ocsf_read(
	json_t *doc, const struct parts_origin *from, struct finding **out, struct err *err)
{
	enum err_status st = ERR_OK;
	size_t i = 0;
	json_t *v = NULL;
	struct finding *f = parts_new(doc);
	const json_t *info = info_of(doc);

	f->shape = FINDING_OCSF;
	f->arn = parts_id(f, parts_at(info, "uid"));
	f->id = parts_tail(f->arn);
	f->type = type_of(f, parts_at(info, "types"));
	f->title = parts_text(f, parts_at(info, "title"));
	f->description = parts_text(f, parts_at(info, "desc"));
	f->foreign = !is_guardduty(doc);
	f->account = parts_id(f, parts_at(doc, "cloud.account.uid"));
	if (f->account.n == 0) {
		f->account = parts_id(f, parts_at(doc, "cloud.account_uid"));
	}
	f->region = parts_id(f, parts_at(doc, "cloud.region"));
	f->partition = parts_id(f, parts_at(doc, "cloud.cloud_partition"));
	f->severity = severity_of(parts_at(doc, "severity_id"));
	f->created_ms = parts_time(parts_at(info, "created_time"));
	f->updated_ms = parts_time(parts_at(info, "modified_time"));
	f->first_seen_ms = parts_time(parts_at(info, "first_seen_time"));
	f->last_seen_ms = parts_time(parts_at(info, "last_seen_time"));
	f->count = parts_int(parts_at(doc, "count"), 1);
	json_array_foreach(parts_at(doc, "resources"), i, v)
	{
		read_resource(f, v);
	}
	json_array_foreach(parts_at(doc, "evidences"), i, v)
	{
		read_evidence(f, v);
	}
	json_array_foreach(parts_at(doc, "resources"), i, v)
	{
		read_block(f, asff_kind(parts_at(v, "type")), parts_at(v, "data"));
	}
	int64_t status = parts_int(parts_at(doc, "status_id"), 0);
	status = status > 0 ? status : parts_int(parts_at(doc, "state_id"), 0); /* class 2001 */
	/* status_id 3 Suppressed, 4 Resolved, 5 Archived; activity_id 3 Close */
	f->archived =
		(status >= 3 && status <= 5) || parts_int(parts_at(doc, "activity_id"), 0) == 3;
	f->posture = is_posture(doc);
	parts_finish(f, from);
	TRY(parts_check(f, err));
	*out = f;
	f = NULL;
out:
	finding_free(f);
	return st;
}
