/* GuardDuty's own shape. Field names: botocore's guardduty model 2017-11-28 (camelCase). */
#include "finding/details.h"
#include "finding/shapes.h"

#include <string.h>

/* resource.resourceType -> kind. */
static const struct {
	const char *word;
	enum finding_kind kind;
} kind_words[] = {
	{ "Instance", FINDING_INSTANCE },
	{ "AccessKey", FINDING_ACCESS_KEY },
	{ "S3Bucket", FINDING_S3_BUCKET },
	{ "S3Object", FINDING_S3_OBJECT },
	{ "RDSDBInstance", FINDING_RDS_INSTANCE },
	{ "RDSLimitlessDB", FINDING_RDS_LIMITLESS },
	{ "Lambda", FINDING_LAMBDA },
	{ "EKSCluster", FINDING_EKS_CLUSTER },
	{ "ECSCluster", FINDING_ECS_CLUSTER },
	{ "Container", FINDING_CONTAINER },
	{ "EBSVolume", FINDING_VOLUME },
	{ "EBSSnapshot", FINDING_SNAPSHOT },
	{ "EC2Image", FINDING_IMAGE },
	{ "EBSRecoveryPoint", FINDING_RECOVERY_POINT },
	{ "EC2RecoveryPoint", FINDING_EC2_RECOVERY_POINT },
	{ "S3RecoveryPoint", FINDING_S3_RECOVERY_POINT },
};

/* service.detection.sequence.resources[].resourceType -> kind; the rest is FINDING_OTHER. */
static const struct {
	const char *word;
	enum finding_kind kind;
} sequence_words[] = {
	{ "EC2_INSTANCE", FINDING_INSTANCE },
	{ "ACCESS_KEY", FINDING_ACCESS_KEY },
	{ "S3_BUCKET", FINDING_S3_BUCKET },
	{ "S3_OBJECT", FINDING_S3_OBJECT },
	{ "EKS_CLUSTER", FINDING_EKS_CLUSTER },
	{ "ECS_CLUSTER", FINDING_ECS_CLUSTER },
	{ "CONTAINER", FINDING_CONTAINER },
	{ "EC2_IMAGE", FINDING_IMAGE },
};

static void read_instance(struct finding *f, const json_t *b)
{
	struct str id = parts_id(f, parts_at(b, "instanceId"));
	struct finding_resource *r = id.n > 0 ? parts_resource(f, FINDING_INSTANCE, id) : NULL;
	if (r == NULL) {
		return;
	}
	const json_t *first = json_array_get(parts_at(b, "networkInterfaces"), 0);
	r->vpc_id = parts_id(f, parts_at(first, "vpcId"));
	r->subnet_id = parts_id(f, parts_at(first, "subnetId"));
	r->public_ip = parts_id(f, parts_at(first, "publicIp"));
	r->private_ip = parts_id(f, parts_at(first, "privateIpAddress"));
	r->instance_profile_arn = parts_id(f, parts_at(b, "iamInstanceProfile.arn"));
	parts_tags(r, parts_at(b, "tags"));
}

static void read_access_key(struct finding *f, const json_t *b)
{
	struct str principal = parts_id(f, parts_at(b, "principalId"));
	struct str name = parts_id(f, parts_at(b, "userName"));
	struct str id = parts_id(f, parts_at(b, "accessKeyId"));
	if (principal.n == 0 && name.n == 0 && id.n == 0) {
		return;
	}
	struct finding_resource *r = parts_resource(f, FINDING_ACCESS_KEY, id);
	if (r != NULL) {
		r->principal_id = principal;
		r->user_name = name;
		r->user_type = parts_id(f, parts_at(b, "userType"));
	}
}

static struct str bucket_object_id(struct finding *f, struct str bucket, struct str key)
{
	if (bucket.n == 0 || key.n == 0) {
		return key;
	}
	char *p = arena_alloc(&f->arena, bucket.n + 1 + key.n);
	if (p == NULL) {
		return (struct str){ NULL, 0 };
	}
	memcpy(p, bucket.p, bucket.n);
	p[bucket.n] = '/';
	memcpy(p + bucket.n + 1, key.p, key.n);
	return (struct str){ p, bucket.n + 1 + key.n };
}

static void read_objects(struct finding *f, const json_t *buckets)
{
	size_t i = 0;
	size_t k = 0;
	json_t *b = NULL;
	json_t *o = NULL;

	json_array_foreach(buckets, i, b)
	{
		struct str bucket = parts_id(f, parts_at(b, "name"));
		json_array_foreach(parts_at(b, "s3ObjectDetails"), k, o)
		{
			struct str key = parts_id(f, parts_at(o, "key"));
			struct str id = bucket_object_id(f, bucket, key);
			struct finding_resource *r =
				id.n > 0 ? parts_resource(f, FINDING_S3_OBJECT, id) : NULL;
			if (r != NULL) {
				r->arn = parts_id(f, parts_at(o, "objectArn"));
				details_text(
					r, "version", parts_id(f, parts_at(o, "versionId")));
			}
		}
	}
}

static void read_buckets(struct finding *f, const json_t *buckets)
{
	size_t i = 0;
	json_t *b = NULL;

	json_array_foreach(buckets, i, b)
	{
		struct str id = parts_id(f, parts_at(b, "name"));
		struct finding_resource *r =
			id.n > 0 ? parts_resource(f, FINDING_S3_BUCKET, id) : NULL;
		if (r != NULL) {
			r->arn = parts_id(f, parts_at(b, "arn"));
			r->public_access = parts_is(
				parts_at(b, "publicAccess.effectivePermission"), "PUBLIC");
			parts_tags(r, parts_at(b, "tags"));
		}
	}
}

static void read_volumes(struct finding *f, const json_t *b)
{
	size_t i = 0;
	json_t *v = NULL;

	json_array_foreach(parts_at(b, "scannedVolumeDetails"), i, v)
	{
		struct str arn = parts_id(f, parts_at(v, "volumeArn"));
		struct finding_resource *r =
			arn.n > 0 ? parts_resource(f, FINDING_VOLUME, parts_tail(arn)) : NULL;
		if (r != NULL) {
			r->arn = arn;
		}
	}
}

/* A block that names one resource by plain fields; paths relative to `resource`. */
static const struct {
	enum finding_kind kind;
	const char *id, *arn, *tags, *vpc;
} plain_blocks[] = {
	{ FINDING_RDS_INSTANCE, "rdsDbInstanceDetails.dbInstanceIdentifier",
		"rdsDbInstanceDetails.dbInstanceArn", "rdsDbInstanceDetails.tags", NULL },
	{ FINDING_RDS_LIMITLESS, "rdsLimitlessDbDetails.dbShardGroupIdentifier",
		"rdsLimitlessDbDetails.dbShardGroupArn", "rdsLimitlessDbDetails.tags", NULL },
	{ FINDING_LAMBDA, "lambdaDetails.functionName", "lambdaDetails.functionArn",
		"lambdaDetails.tags", "lambdaDetails.vpcConfig.vpcId" },
	{ FINDING_EKS_CLUSTER, "eksClusterDetails.name", "eksClusterDetails.arn",
		"eksClusterDetails.tags", "eksClusterDetails.vpcId" },
	{ FINDING_ECS_CLUSTER, "ecsClusterDetails.name", "ecsClusterDetails.arn",
		"ecsClusterDetails.tags", NULL },
	{ FINDING_CONTAINER, "containerDetails.id", NULL, NULL, NULL },
	{ FINDING_SNAPSHOT, NULL, "ebsSnapshotDetails.snapshotArn", NULL, NULL },
	{ FINDING_IMAGE, NULL, "ec2ImageDetails.imageArn", NULL, NULL },
};

static void read_plain(struct finding *f, const json_t *resource, enum finding_kind kind)
{
	for (size_t i = 0; i < sizeof(plain_blocks) / sizeof(*plain_blocks); i++) {
		if (plain_blocks[i].kind != kind) {
			continue;
		}
		struct str arn = { NULL, 0 };
		struct str id = { NULL, 0 };
		if (plain_blocks[i].arn != NULL) {
			arn = parts_id(f, parts_at(resource, plain_blocks[i].arn));
		}
		if (plain_blocks[i].id != NULL) {
			id = parts_id(f, parts_at(resource, plain_blocks[i].id));
		}
		id = id.n > 0 ? id : parts_tail(arn);
		struct finding_resource *r = id.n > 0 ? parts_resource(f, kind, id) : NULL;
		if (r == NULL) {
			return;
		}
		r->arn = arn;
		if (plain_blocks[i].tags != NULL) {
			parts_tags(r, parts_at(resource, plain_blocks[i].tags));
		}
		if (plain_blocks[i].vpc != NULL) {
			r->vpc_id = parts_id(f, parts_at(resource, plain_blocks[i].vpc));
		}
	}
}

static void read_models(struct finding *f, const json_t *models)
{
	size_t i = 0;
	json_t *v = NULL;

	json_array_foreach(models, i, v)
	{
		struct str id = parts_id(f, parts_at(v, "modelId"));
		if (id.n > 0) {
			(void)parts_resource(f, FINDING_MODEL, id);
		}
	}
}

static void read_recovery_point(
	struct finding *f, const json_t *resource, enum finding_kind kind)
{
	struct str arn =
		parts_id(f, parts_at(resource, "recoveryPointDetails.recoveryPointArn"));
	struct finding_resource *r = arn.n > 0 ? parts_resource(f, kind, arn) : NULL;
	if (r != NULL) {
		r->arn = arn;
	}
}

static void read_kind(struct finding *f, const json_t *resource, enum finding_kind kind)
{
	switch (kind) {
	case FINDING_INSTANCE:
		read_instance(f, parts_at(resource, "instanceDetails"));
		break;
	case FINDING_ACCESS_KEY:
		read_access_key(f, parts_at(resource, "accessKeyDetails"));
		break;
	case FINDING_S3_BUCKET:
		read_buckets(f, parts_at(resource, "s3BucketDetails"));
		break;
	case FINDING_S3_OBJECT:
		read_objects(f, parts_at(resource, "s3BucketDetails"));
		break;
	case FINDING_VOLUME:
		read_volumes(f, parts_at(resource, "ebsVolumeDetails"));
		break;
	case FINDING_MODEL:
		read_models(f, parts_at(resource, "modelDetails"));
		break;
	case FINDING_RECOVERY_POINT:
	case FINDING_EC2_RECOVERY_POINT:
	case FINDING_S3_RECOVERY_POINT:
		read_recovery_point(f, resource, kind);
		break;
	default:
		read_plain(f, resource, kind);
		break;
	}
}

/* Order in which blocks beside the one of resourceType are taken in. */
static const enum finding_kind block_order[] = { FINDING_INSTANCE, FINDING_ACCESS_KEY,
	FINDING_S3_OBJECT, FINDING_S3_BUCKET, FINDING_RDS_INSTANCE, FINDING_RDS_LIMITLESS,
	FINDING_LAMBDA, FINDING_EKS_CLUSTER, FINDING_ECS_CLUSTER, FINDING_CONTAINER,
	FINDING_VOLUME, FINDING_SNAPSHOT, FINDING_IMAGE, FINDING_MODEL };

static void read_resource(struct finding *f, const json_t *resource)
{
	const json_t *word = parts_at(resource, "resourceType");
	enum finding_kind primary = FINDING_UNKNOWN;

	for (size_t i = 0; i < sizeof(kind_words) / sizeof(*kind_words); i++) {
		if (parts_is(word, kind_words[i].word)) {
			primary = kind_words[i].kind;
		}
	}
	if (primary != FINDING_UNKNOWN) {
		read_kind(f, resource, primary);
		if (f->n_resources == 0) {
			(void)parts_resource(f, primary, (struct str){ NULL, 0 });
		}
	} else if (json_is_string(word) && !parts_is(word, "AttackSequence")) {
		(void)parts_resource(f, FINDING_UNKNOWN, (struct str){ NULL, 0 });
	}
	for (size_t i = 0; i < sizeof(block_order) / sizeof(*block_order); i++) {
		/* Objects of a bucket are only of interest when the finding is about an object. */
		if (block_order[i] != primary && block_order[i] != FINDING_S3_OBJECT) {
			read_kind(f, resource, block_order[i]);
		}
	}
}

static void read_remote(struct finding *f, const json_t *block, const json_t *remote)
{
	const json_t *ip = parts_at(remote, "ipAddressV4");
	struct finding_actor *a = parts_actor(f, ip, NULL);
	if (a == NULL) {
		a = parts_actor(f, parts_at(remote, "ipAddressV6"), NULL);
	}
	if (a == NULL) {
		return;
	}
	struct str country = parts_text(f, parts_at(remote, "country.countryName"));
	struct str org = parts_text(f, parts_at(remote, "organization.asnOrg"));
	a->country = country.n > 0 ? country
				   : parts_text(f, parts_at(remote, "country.countryCode"));
	a->org = org.n > 0 ? org : parts_text(f, parts_at(remote, "organization.org"));
	a->asn = parts_int(parts_at(remote, "organization.asn"), 0);
	a->asn = a->asn < 0 ? 0 : a->asn;
	a->port = parts_int(parts_at(block, "remotePortDetails.port"), 0);
	a->port = a->port < 0 || a->port > 65535 ? 0 : a->port;
}

static void read_action_block(struct finding *f, const json_t *block)
{
	size_t i = 0;
	json_t *v = NULL;

	read_remote(f, block, parts_at(block, "remoteIpDetails"));
	json_array_foreach(parts_at(block, "portProbeDetails"), i, v)
	{
		read_remote(f, v, parts_at(v, "remoteIpDetails"));
	}
	const json_t *sources = parts_at(block, "sourceIPs");
	sources = sources != NULL ? sources : parts_at(block, "sourceIps");
	json_array_foreach(sources, i, v)
	{
		/* The API server lists the proxies in between too. */
		if (json_is_string(v) && !parts_ip_is_private(str_from(json_string_value(v)))) {
			(void)parts_actor(f, v, NULL);
		}
	}
}

void guardduty_action(struct finding *f, const json_t *action)
{
	static const char *const blocks[] = { "awsApiCallAction", "networkConnectionAction",
		"portProbeAction", "kubernetesApiCallAction", "rdsLoginAttemptAction" };

	f->action_type = parts_id(f, parts_at(action, "actionType"));
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		read_action_block(f, parts_at(action, blocks[i]));
	}
	(void)parts_actor(f, NULL, parts_at(action, "dnsRequestAction.domain"));
	f->direction =
		parts_id(f, parts_at(action, "networkConnectionAction.connectionDirection"));
	const json_t *api = parts_at(action, "awsApiCallAction");
	f->api = parts_id(f, parts_at(api, "api"));
	f->service_name = parts_id(f, parts_at(api, "serviceName"));
	f->user_agent = parts_text(f, parts_at(api, "userAgent"));
	if (f->user_agent.n == 0) {
		f->user_agent =
			parts_text(f, parts_at(action, "kubernetesApiCallAction.userAgent"));
	}
}

/* The mark of CreateSampleFindings: additionalInfo.sample, or in the JSON text of .value. */
static bool is_sample(const json_t *info)
{
	const json_t *value = parts_at(info, "value");
	if (parts_true(parts_at(info, "sample"))) {
		return true;
	}
	/* In old ASFF additionalInfo itself is the JSON text. */
	value = json_is_string(info) ? info : value;
	if (!json_is_string(value)) {
		return false;
	}
	json_t *inner = NULL;
	struct str text = { json_string_value(value), json_string_length(value) };
	if (doc_parse(text, (size_t)1 << 20, &inner, NULL) != ERR_OK) {
		return false;
	}
	bool yes = parts_true(parts_at(inner, "sample"));
	json_decref(inner);
	return yes;
}

static void read_sequence_resource(struct finding *f, const json_t *v)
{
	const json_t *word = parts_at(v, "resourceType");
	struct str uid = parts_id(f, parts_at(v, "uid"));
	enum finding_kind kind = FINDING_OTHER;

	for (size_t i = 0; i < sizeof(sequence_words) / sizeof(*sequence_words); i++) {
		if (parts_is(word, sequence_words[i].word)) {
			kind = sequence_words[i].kind;
		}
	}
	struct str id = parts_known_as(kind, uid);
	struct finding_resource *r = id.n > 0 ? parts_resource(f, kind, id) : NULL;
	if (r == NULL) {
		return;
	}
	r->arn = str_starts(uid, STR("arn:")) ? uid : (struct str){ NULL, 0 };
	parts_tags(r, parts_at(v, "tags"));
	if (kind == FINDING_INSTANCE) {
		const json_t *d = parts_at(v, "data.ec2Instance");
		r->instance_profile_arn = parts_id(f, parts_at(d, "iamInstanceProfile.arn"));
	} else if (kind == FINDING_ACCESS_KEY) {
		const json_t *d = parts_at(v, "data.accessKey");
		r->principal_id = parts_id(f, parts_at(d, "principalId"));
		r->user_name = parts_id(f, parts_at(d, "userName"));
		r->user_type = parts_id(f, parts_at(d, "userType"));
	} else if (kind == FINDING_S3_BUCKET) {
		r->public_access =
			parts_is(parts_at(v, "data.s3Bucket.effectivePermission"), "PUBLIC");
	}
}

static void read_sequence_actor(struct finding *f, const json_t *user)
{
	struct str key = parts_id(f, parts_at(user, "credentialUid"));
	struct str principal = parts_id(f, parts_at(user, "uid"));
	if (key.n == 0 && principal.n == 0) {
		return;
	}
	struct finding_resource *r = parts_resource(f, FINDING_ACCESS_KEY, key);
	if (r != NULL && r->principal_id.n == 0) {
		r->principal_id = principal;
		r->user_name = parts_id(f, parts_at(user, "name"));
		r->user_type = parts_id(f, parts_at(user, "type"));
	}
}

static void read_sequence_endpoint(struct finding *f, const json_t *v)
{
	struct finding_actor *a = parts_actor(f, parts_at(v, "ip"), parts_at(v, "domain"));
	if (a != NULL) {
		int64_t port = parts_int(parts_at(v, "port"), 0);
		int64_t asn = parts_int(parts_at(v, "autonomousSystem.number"), 0);
		a->country = parts_text(f, parts_at(v, "location.country"));
		a->org = parts_text(f, parts_at(v, "autonomousSystem.name"));
		a->port = port > 0 && port <= 65535 ? port : 0;
		a->asn = asn > 0 ? asn : 0;
	}
}

void guardduty_sequence(struct finding *f, const json_t *sequence)
{
	size_t i = 0;
	json_t *v = NULL;

	json_array_foreach(parts_at(sequence, "resources"), i, v)
	{
		read_sequence_resource(f, v);
	}
	json_array_foreach(parts_at(sequence, "resources"), i, v)
	{
		details_sequence(f, v);
	}
	json_array_foreach(parts_at(sequence, "actors"), i, v)
	{
		read_sequence_actor(f, parts_at(v, "user"));
	}
	json_array_foreach(parts_at(sequence, "endpoints"), i, v)
	{
		read_sequence_endpoint(f, v);
	}
	json_array_foreach(parts_at(sequence, "signals"), i, v)
	{
		struct finding_signal *s = parts_signal(f);
		if (s == NULL) {
			continue;
		}
		s->uid = parts_id(f, parts_at(v, "uid"));
		s->uid = s->uid.n > 0 ? s->uid : parts_id(f, parts_at(v, "id")); /* ASFF */
		s->name = parts_text(f, parts_at(v, "name"));
		s->first_ms = parts_time(parts_at(v, "firstSeenAt"));
		s->last_ms = parts_time(parts_at(v, "lastSeenAt"));
		s->count = parts_int(parts_at(v, "count"), 1);
		s->severity = parts_real(parts_at(v, "severity"), 0);
	}
}

void guardduty_service(struct finding *f, const json_t *service)
{
	const json_t *role = parts_at(service, "resourceRole");

	guardduty_action(f, parts_at(service, "action"));
	if (parts_is(role, "ACTOR")) {
		f->role = FINDING_ROLE_ACTOR;
	} else if (parts_is(role, "TARGET")) {
		f->role = FINDING_ROLE_TARGET;
	}
	f->count = parts_int(parts_at(service, "count"), 1);
	f->archived = f->archived || parts_true(parts_at(service, "archived"));
	f->first_seen_ms = parts_time(parts_at(service, "eventFirstSeen"));
	f->last_seen_ms = parts_time(parts_at(service, "eventLastSeen"));
	f->sample = f->sample || is_sample(parts_at(service, "additionalInfo"));
	guardduty_sequence(f, parts_at(service, "detection.sequence"));
}

bool guardduty_is(const json_t *doc)
{
	static const char *const blocks[] = { "resourceType", "instanceDetails",
		"accessKeyDetails", "s3BucketDetails", "rdsDbInstanceDetails",
		"rdsDbUserDetails", "lambdaDetails", "eksClusterDetails", "ecsClusterDetails",
		"containerDetails", "kubernetesDetails" };
	const json_t *resource = parts_at(doc, "resource");
	const json_t *service = parts_at(doc, "service");
	const json_t *type = parts_at(doc, "type");

	if (json_is_string(type) &&
		str_find_char(str_from(json_string_value(type)), ':') != SIZE_MAX &&
		(parts_at(doc, "severity") != NULL || parts_at(doc, "accountId") != NULL ||
			resource != NULL || service != NULL)) {
		return true;
	}
	for (size_t i = 0; i < sizeof(blocks) / sizeof(*blocks); i++) {
		if (parts_at(resource, blocks[i]) != NULL) {
			return true;
		}
	}
	return parts_is(parts_at(service, "serviceName"), "guardduty") ||
	       parts_at(service, "detectorId") != NULL;
}

enum err_status guardduty_read(
	json_t *doc, const struct parts_origin *from, struct finding **out, struct err *err)
{
	enum err_status st = ERR_OK;
	const json_t *type = parts_at(doc, "type");
	struct finding *f = parts_new(doc);

	if (type != NULL && !json_is_string(type)) {
		st = err_set(err, ERR_INPUT, "the finding's type is not a text");
		goto out;
	}
	f->shape = FINDING_GUARDDUTY;
	f->id = parts_id(f, parts_at(doc, "id"));
	f->arn = parts_id(f, parts_at(doc, "arn"));
	f->type = parts_id(f, type);
	f->title = parts_text(f, parts_at(doc, "title"));
	f->description = parts_text(f, parts_at(doc, "description"));
	f->account = parts_id(f, parts_at(doc, "accountId"));
	f->region = parts_id(f, parts_at(doc, "region"));
	f->partition = parts_id(f, parts_at(doc, "partition"));
	f->severity = parts_real(parts_at(doc, "severity"), 0);
	f->created_ms = parts_time(parts_at(doc, "createdAt"));
	f->updated_ms = parts_time(parts_at(doc, "updatedAt"));
	f->sequence_arn = parts_id(f, parts_at(doc, "associatedAttackSequenceArn"));
	read_resource(f, parts_at(doc, "resource"));
	guardduty_service(f, parts_at(doc, "service"));
	details_read(f, parts_at(doc, "resource"));
	parts_finish(f, from);
	TRY(parts_check(f, err));
	*out = f;
	f = NULL;
out:
	finding_free(f);
	return st;
}
