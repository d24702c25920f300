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

/* ProductFields -> the nested `service`; new reference. */
static json_t *unflatten(json_t *fields)
{
	static const char prefix[] = "aws/guardduty/service/";
	json_t *service = json_object();
	const char *key = NULL;
	json_t *value = NULL;
	size_t seen = 0;

	json_object_foreach(fields, key, value)
	{
		struct str path = str_from(key);
		if (++seen > MAX_FIELDS) {
			break;
		}
		if (!json_is_string(value)) {
			continue;
		}
		if (str_starts(path, str_from(prefix))) {
			put_path(service, str_sub(path, sizeof(prefix) - 1, SIZE_MAX), value);
		} else if (str_starts(path, STR("action/")) || str_is(path, "resourceRole") ||
			   str_is(path, "additionalInfo") || str_is(path, "archived") ||
			   str_is(path, "count")) {
			put_path(service, path, value);
		}
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
	struct str id = parts_id(f, parts_at(v, "Id"));

	if (kind == FINDING_ACCESS_KEY) {
		/* "AWS::IAM::AccessKey:AKIA...", and "...:null" for a console login */
		struct str key =
			parts_id(f, parts_at(v, "Details.AwsIamAccessKey.AccessKeyId"));
		key = key.n > 0 ? key : parts_tail(id);
		return str_is(key, "null") ? (struct str){ NULL, 0 } : key;
	}
	if (kind == FINDING_OTHER || !str_starts(id, STR("arn:"))) {
		return id;
	}
	if (kind == FINDING_S3_BUCKET || kind == FINDING_S3_OBJECT) {
		return parts_arn(id, 5);
	}
	if (kind == FINDING_LAMBDA) {
		/* arn:aws:lambda:region:account:function:name[:version] */
		struct str rest = parts_arn(id, 5);
		struct str piece = { NULL, 0 };
		(void)str_cut(&rest, ':', &piece);
		(void)str_cut(&rest, ':', &piece);
		return piece;
	}
	return parts_tail(id);
}

static void read_resource(struct finding *f, const json_t *v)
{
	enum finding_kind kind = asff_kind(parts_at(v, "Type"));
	struct str id = resource_id(f, kind, v);
	struct finding_resource *r = parts_resource(f, kind, id);
	if (r == NULL) {
		return;
	}
	struct str arn = parts_id(f, parts_at(v, "Id"));
	if (str_starts(arn, STR("arn:"))) {
		r->arn = arn;
	}
	parts_tags(r, parts_at(v, "Tags"));
	if (kind == FINDING_INSTANCE) {
		read_instance(f, r, parts_at(v, "Details.AwsEc2Instance"));
	} else if (kind == FINDING_ACCESS_KEY) {
		read_access_key(f, r, parts_at(v, "Details.AwsIamAccessKey"));
	} else if (kind == FINDING_RDS_INSTANCE) {
		details_text(r, "cluster",
			parts_id(f,
				parts_at(v, "Details.AwsRdsDbInstance.DBClusterIdentifier")));
	}
}

static double severity_of(const json_t *s)
{
	static const struct {
		const char *label;
		double value;
	} labels[] = { { "LOW", 2 }, { "MEDIUM", 5 }, { "HIGH", 8 }, { "CRITICAL", 9 } };
	double product = parts_real(parts_at(s, "Product"), 0);
	double normalized = parts_real(parts_at(s, "Normalized"), 0);

	if (product > 0 && product <= 10) {
		return product;
	}
	if (normalized > 0) {
		return normalized / 10;
	}
	for (size_t i = 0; i < sizeof(labels) / sizeof(*labels); i++) {
		if (parts_is(parts_at(s, "Label"), labels[i].label)) {
			return labels[i].value;
		}
	}
	return 0;
}

static bool is_guardduty(const json_t *doc)
{
	const char *product = json_string_value(json_object_get(doc, "ProductArn"));
	return parts_is(json_object_get(doc, "ProductName"), "GuardDuty") ||
	       str_ends(str_from(product), STR("product/aws/guardduty"));
}

enum err_status asff_read(
	json_t *doc, const struct parts_origin *from, struct finding **out, struct err *err)
{
	enum err_status st = ERR_OK;
	size_t i = 0;
	json_t *v = NULL;
	json_t *service = NULL;
	struct finding *f = parts_new(doc);
	const json_t *types = parts_at(doc, "Types");
	types = types != NULL ? types : parts_at(doc, "FindingProviderFields.Types");

	f->shape = FINDING_ASFF;
	f->arn = parts_id(f, parts_at(doc, "Id"));
	f->id = parts_tail(f->arn);
	f->title = parts_text(f, parts_at(doc, "Title"));
	f->description = parts_text(f, parts_at(doc, "Description"));
	f->account = parts_id(f, parts_at(doc, "AwsAccountId"));
	f->region = parts_id(f, parts_at(doc, "Region"));
	f->severity = severity_of(parts_at(doc, "Severity"));
	json_array_foreach(parts_at(doc, "Resources"), i, v)
	{
		read_resource(f, v);
	}
	if (is_guardduty(doc)) {
		service = unflatten(parts_at(doc, "ProductFields"));
		guardduty_service(f, service);
		json_array_foreach(types, i, v)
		{
			f->type = f->type.n > 0 ? f->type : guardduty_type(f, v);
		}
	}
	if (f->type.n == 0) {
		f->type = parts_id(f, json_array_get(types, 0));
		f->posture =
			!is_guardduty(doc) &&
			(parts_at(doc, "Compliance") != NULL ||
				str_starts(f->type, STR("Software and Configuration Checks/")));
	}
	if (f->action_type.n == 0) {
		guardduty_action(f, parts_at(doc, "Action"));
	}
	f->created_ms = parts_time(parts_at(doc, "CreatedAt"));
	f->updated_ms = parts_time(parts_at(doc, "UpdatedAt"));
	f->first_seen_ms = parts_time(parts_at(doc, "FirstObservedAt"));
	f->last_seen_ms = parts_time(parts_at(doc, "LastObservedAt"));
	f->sample = f->sample || parts_true(parts_at(doc, "Sample"));
	f->archived = f->archived || parts_is(parts_at(doc, "RecordState"), "ARCHIVED");
	parts_finish(f, from);
	TRY(parts_check(f, err));
	*out = f;
	f = NULL;
out:
	json_decref(service);
	finding_free(f);
	return st;
}
