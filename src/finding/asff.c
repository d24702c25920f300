/*
 * AWS Security Finding Format. GuardDuty's `service` block lies flattened in ProductFields
 * ("aws/guardduty/service/action/actionType"; until about 2019 without that prefix) and is put back
 * together here, so that guardduty.c reads it. Field names: ASFF 2018-10-08.
 */
#include "finding/details.h"
#include "finding/shapes.h"

#include <string.h>

#define MAX_FIELDS  2000
#define MAX_LEVELS  12
#define MAX_ELEMENT 64

static const struct {
	const char *asff, *cloudformation;
	enum finding_kind kind;
} kinds[] = {
	{ "AwsEc2Instance", "AWS::EC2::Instance", FINDING_INSTANCE },
	{ "AwsIamAccessKey", "AWS::IAM::AccessKey", FINDING_ACCESS_KEY },
	{ "AwsS3Bucket", "AWS::S3::Bucket", FINDING_S3_BUCKET },
	{ "AwsS3Object", "AWS::S3::Object", FINDING_S3_OBJECT },
	{ "AwsRdsDbInstance", "AWS::RDS::DBInstance", FINDING_RDS_INSTANCE },
	{ "AwsLambdaFunction", "AWS::Lambda::Function", FINDING_LAMBDA },
	{ "AwsEksCluster", "AWS::EKS::Cluster", FINDING_EKS_CLUSTER },
	{ "AwsEcsCluster", "AWS::ECS::Cluster", FINDING_ECS_CLUSTER },
	{ "Container", "AWS::Container::Container", FINDING_CONTAINER },
	{ "AwsEc2Volume", "AWS::EC2::Volume", FINDING_VOLUME },
	{ "AwsEc2Snapshot", "AWS::EC2::Snapshot", FINDING_SNAPSHOT },
	{ "AwsEc2Image", "AWS::EC2::Image", FINDING_IMAGE },
	{ "AwsBackupRecoveryPoint", "AWS::Backup::RecoveryPoint", FINDING_RECOVERY_POINT },
};

enum finding_kind asff_kind(const json_t *type)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (parts_is(type, kinds[i].asff) || parts_is(type, kinds[i].cloudformation)) {
			return kinds[i].kind;
		}
	}
	return FINDING_OTHER;
}

bool asff_is_task(const json_t *type)
{
	return parts_is(type, "AwsEcsTask") || parts_is(type, "AWS::ECS::Task");
}

bool asff_is(const json_t *doc)
{
	return json_is_string(json_object_get(doc, "ProductArn")) &&
	       json_is_array(json_object_get(doc, "Resources"));
}

/* "sourceIPs.0_" is element 0 of sourceIPs. */
static bool split_element(struct str piece, struct str *name, size_t *index)
{
	int64_t n = 0;
	size_t dot = str_find_char(piece, '.');
	if (dot == SIZE_MAX || !str_ends(piece, STR("_"))) {
		return false;
	}
	if (!str_to_i64(str_sub(piece, dot + 1, piece.n - dot - 2), &n) || n < 0 ||
		n >= MAX_ELEMENT) {
		return false;
	}
	*name = str_sub(piece, 0, dot);
	*index = (size_t)n;
	return true;
}

/*
 * Puts `value` (borrowed) under `piece` of `at` when it is the last piece, else makes the object
 * there. Gives the object to go on from; NULL at the end or when the place is taken.
 */
static json_t *put_piece(json_t *at, struct str piece, json_t *value)
{
	char key[128];
	struct str name = piece;
	size_t index = 0;
	bool element = split_element(piece, &name, &index);

	if (name.n == 0 || name.n >= sizeof(key)) {
		return NULL;
	}
	memcpy(key, name.p, name.n);
	key[name.n] = '\0';
	json_t *there = json_object_get(at, key);
	if (element) {
		if (there == NULL) {
			there = json_array();
			json_object_set_new(at, key, there);
		}
		while (json_is_array(there) && json_array_size(there) <= index) {
			json_array_append_new(there, json_object());
		}
		if (!json_is_array(there)) {
			return NULL;
		}
		if (value != NULL) {
			json_array_set(there, index, value);
			return NULL;
		}
		return json_array_get(there, index);
	}
	if (value != NULL) {
		json_object_set(at, key, value);
		return NULL;
	}
	if (there == NULL) {
		there = json_object();
		json_object_set_new(at, key, there);
	}
	return json_is_object(there) ? there : NULL;
}

static void put_path(json_t *root, struct str path, json_t *value)
{
	json_t *at = root;
	struct str piece;

	for (int level = 0; level < MAX_LEVELS && at != NULL && str_cut(&path, '/', &piece);
		level++) {
		at = put_piece(at, piece, path.n == 0 ? value : NULL);
	}
}

/* Flattened fields whose key begins with `prefix` -> the nested document; new reference. */
static json_t *unflatten(json_t *fields, const char *prefix)
{
	json_t *out = json_object();
	const char *key = NULL;
	json_t *value = NULL;
	size_t seen = 0;

	json_object_foreach(fields, key, value)
	{
		struct str path = str_from(key);
		if (++seen > MAX_FIELDS) {
			break;
		}
		if (json_is_string(value) && str_starts(path, str_from(prefix))) {
			put_path(out, str_sub(path, strlen(prefix), SIZE_MAX), value);
		}
	}
	return out;
}

/* ProductFields -> the nested `service`; new reference. */
static json_t *service_of(json_t *fields)
{
	static const char *const old[] = { "action", "resourceRole", "additionalInfo",
		"archived", "count" };
	json_t *service = unflatten(fields, "aws/guardduty/service/");

	if (json_object_size(service) == 0) {
		json_t *bare = unflatten(fields, "");
		for (size_t i = 0; i < sizeof(old) / sizeof(*old); i++) {
			json_object_set(service, old[i], json_object_get(bare, old[i]));
		}
		json_decref(bare);
	}
	return service;
}

/*
 * "TTPs/Discovery/Recon:IAMUser-UserPermissions" -> "Recon:IAMUser/UserPermissions": the category
 * in front goes, and the dash (in 2021 a dot) after the family is the slash it stands for.
 */
static struct str guardduty_type(struct finding *f, const json_t *v)
{
	struct str s = parts_id(f, v);
	size_t colon = str_find_char(s, ':');
	if (colon == SIZE_MAX) {
		return (struct str){ NULL, 0 };
	}
	size_t start = colon;
	while (start > 0 && s.p[start - 1] != '/') {
		start--;
	}
	s = arena_str(&f->arena, str_sub(s, start, SIZE_MAX));
	for (size_t i = colon - start; i < s.n; i++) {
		if (s.p[i] == '-' || s.p[i] == '.' || s.p[i] == '/') {
			char *p = arena_alloc(&f->arena, s.n + 1);
			if (p == NULL) {
				break;
			}
			memcpy(p, s.p, s.n);
			p[i] = '/';
			return (struct str){ p, s.n };
		}
	}
	return s;
}

static void read_access_key(struct finding *f, struct finding_resource *r, const json_t *d)
{
	const json_t *issuer = parts_at(d, "SessionContext.SessionIssuer");

	r->principal_id = parts_id(f, parts_at(d, "PrincipalId"));
	r->user_type = parts_id(f, parts_at(d, "PrincipalType"));
	r->user_name = parts_id(f, parts_at(d, "UserName"));
	if (r->user_name.n == 0) {
		r->user_name = parts_id(f, parts_at(issuer, "UserName"));
	}
	if (r->user_name.n == 0) {
		r->user_name = parts_id(f, parts_at(d, "PrincipalName"));
	}
}

static void read_instance(struct finding *f, struct finding_resource *r, const json_t *d)
{
	size_t i = 0;
	json_t *v = NULL;

	r->vpc_id = parts_id(f, parts_at(d, "VpcId"));
	r->subnet_id = parts_id(f, parts_at(d, "SubnetId"));
	r->instance_profile_arn = parts_id(f, parts_at(d, "IamInstanceProfileArn"));
	json_array_foreach(parts_at(d, "IpV4Addresses"), i, v)
	{
		struct str ip = parts_id(f, v);
		struct str *place = parts_ip_is_private(ip) ? &r->private_ip : &r->public_ip;
		if (place->n == 0) {
			*place = ip;
		}
	}
}

static struct str resource_id(struct finding *f, enum finding_kind kind, const json_t *v)
{
	struct str key = parts_id(f, parts_at(v, "Details.AwsIamAccessKey.AccessKeyId"));

	return parts_known_as(kind,
		kind == FINDING_ACCESS_KEY && key.n > 0 ? key : parts_id(f, parts_at(v, "Id")));
}

/*
 * What GuardDuty has of a resource beyond ASFF's own fields stands under Details.Other, flattened
 * as in ProductFields ("kubernetesDetails/kubernetesUserDetails/username"). It may speak of other
 * resources of the finding, so these are read first.
 */
static void read_others(struct finding *f, const json_t *resources)
{
	size_t i = 0;
	json_t *v = NULL;

	json_array_foreach(resources, i, v)
	{
		json_t *other = unflatten(parts_at(v, "Details.Other"), "");
		details_read(f, other);
		json_decref(other);
	}
}

static void read_details(struct finding *f, struct finding_resource *r, const json_t *d)
{
	switch (r->kind) {
	case FINDING_INSTANCE:
		read_instance(f, r, parts_at(d, "AwsEc2Instance"));
		break;
	case FINDING_ACCESS_KEY:
		read_access_key(f, r, parts_at(d, "AwsIamAccessKey"));
		break;
	case FINDING_RDS_INSTANCE:
		details_text(r, "cluster",
			parts_id(f, parts_at(d, "AwsRdsDbInstance.DBClusterIdentifier")));
		break;
	case FINDING_LAMBDA:
		details_text(r, "role",
			parts_tail(parts_id(f, parts_at(d, "AwsLambdaFunction.Role"))));
		break;
	case FINDING_S3_OBJECT:
		details_text(r, "version", parts_id(f, parts_at(d, "AwsS3Object.VersionId")));
		break;
	case FINDING_S3_BUCKET:
		r->public_access = r->public_access ||
				   parts_is(json_object_get(parts_at(d, "Other"),
						    "publicAccess/effectivePermission"),
					   "PUBLIC");
		break;
	default:
		break;
	}
}

static void read_resource(struct finding *f, const json_t *v)
{
	const json_t *type = parts_at(v, "Type");
	enum finding_kind kind = asff_kind(type);
	struct str arn = parts_id(f, parts_at(v, "Id"));
	if (asff_is_task(type)) {
		details_task(f, arn);
	}
	struct finding_resource *r = parts_resource(f, kind, resource_id(f, kind, v));
	if (r == NULL) {
		return;
	}
	if (str_starts(arn, STR("arn:"))) {
		r->arn = arn;
	}
	parts_tags(r, parts_at(v, "Tags"));
	read_details(f, r, parts_at(v, "Details"));
}

/*
 * Product and Original carry GuardDuty's own number, Normalized stands on a scale to 100 (1 for
 * LOW). Where the label says another word, somebody changed it (an automation rule), and it counts.
 */
static double severity_of(const json_t *s)
{
	static const struct {
		const char *label, *word;
		double value;
	} labels[] = { { "INFORMATIONAL", "info", 0 }, { "LOW", "low", 2 },
		{ "MEDIUM", "medium", 5 }, { "HIGH", "high", 8 },
		{ "CRITICAL", "critical", 9 } };
	double normalized = parts_real(parts_at(s, "Normalized"), 0) / 10;
	double number = parts_real(parts_at(s, "Product"), 0);

	number = number > 0 && number <= 10 ? number : parts_real(parts_at(s, "Original"), 0);
	if (number <= 0 || number > 10) {
		number = normalized > 0 && normalized < 1 ? 1 : normalized;
	}
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		if (parts_is(parts_at(s, "Label"), labels[i].label)) {
			return strcmp(finding_severity_word(number), labels[i].word) == 0
				       ? number
				       : labels[i].value;
		}
	}
	return number;
}

/* Security Hub vouches for the ARN; ProductName is whatever the importer wrote. */
static bool is_guardduty(const json_t *doc)
{
	const char *product = json_string_value(json_object_get(doc, "ProductArn"));
	return str_ends(str_from(product), STR(":product/aws/guardduty"));
}

static bool is_closed(const json_t *doc)
{
	const json_t *status = parts_at(doc, "Workflow.Status");
	return parts_is(parts_at(doc, "RecordState"), "ARCHIVED") ||
	       parts_is(status, "SUPPRESSED") || parts_is(status, "RESOLVED") ||
	       parts_is(parts_at(doc, "WorkflowState"), "RESOLVED");
}

static void read_type(struct finding *f, const json_t *doc)
{
	const json_t *types = parts_at(doc, "Types");
	size_t i = 0;
	json_t *v = NULL;

	if (json_array_size(types) == 0) {
		types = parts_at(doc, "FindingProviderFields.Types");
	}
	f->foreign = !is_guardduty(doc);
	json_array_foreach(types, i, v)
	{
		f->type = f->foreign || f->type.n > 0 ? f->type : guardduty_type(f, v);
	}
	if (f->type.n == 0) {
		f->type = parts_id(f, json_array_get(types, 0));
		f->posture =
			f->foreign &&
			(parts_at(doc, "Compliance") != NULL ||
				str_starts(f->type, STR("Software and Configuration Checks/")));
	}
}

enum err_status asff_read(
	json_t *doc, const struct parts_origin *from, struct finding **out, struct err *err)
{
	enum err_status st = ERR_OK;
	size_t i = 0;
	json_t *v = NULL;
	json_t *service = NULL;
	struct finding *f = parts_new(doc);
	const json_t *severity = parts_at(doc, "Severity");

	f->shape = FINDING_ASFF;
	f->arn = parts_id(f, parts_at(doc, "Id"));
	f->id = parts_tail(f->arn);
	f->title = parts_text(f, parts_at(doc, "Title"));
	f->description = parts_text(f, parts_at(doc, "Description"));
	f->account = parts_id(f, parts_at(doc, "AwsAccountId"));
	f->region = parts_id(f, parts_at(doc, "Region"));
	f->severity = severity_of(
		severity ? severity : parts_at(doc, "FindingProviderFields.Severity"));
	read_type(f, doc);
	json_array_foreach(parts_at(doc, "Resources"), i, v)
	{
		read_resource(f, v);
	}
	if (!f->foreign) {
		service = service_of(parts_at(doc, "ProductFields"));
		guardduty_service(f, service);
		guardduty_sequence(f, parts_at(doc, "Detection.Sequence"));
	}
	read_others(f, parts_at(doc, "Resources"));
	if (f->action_type.n == 0) {
		guardduty_action(f, parts_at(doc, "Action"));
	}
	f->created_ms = parts_time(parts_at(doc, "CreatedAt"));
	f->updated_ms = parts_time(parts_at(doc, "UpdatedAt"));
	f->first_seen_ms = parts_time(parts_at(doc, "FirstObservedAt"));
	f->last_seen_ms = parts_time(parts_at(doc, "LastObservedAt"));
	f->sample = f->sample || parts_true(parts_at(doc, "Sample"));
	f->archived = f->archived || is_closed(doc);
	parts_finish(f, from);
	TRY(parts_check(f, err));
	*out = f;
	f = NULL;
out:
	json_decref(service);
	finding_free(f);
	return st;
}
