/*
 * make_trail FOLDER MEGABYTES [SEED]: a tree of CloudTrail objects as S3 holds them, of about so
 * many million bytes before compression, for the benchmarks. Several accounts and regions, users
 * with keys, hundreds of roles whose sessions are renewed, instances, AWS services, nested
 * parameters and answers, denied calls, data events; and in the midst of it a leaked key.
 * The same seed gives the same tree.
 */
#include <errno.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define LENGTH(a)     (sizeof(a) / sizeof((a)[0]))
#define ACCOUNTS      3
#define USERS         40
#define ROLES         250
#define INSTANCES     120
#define EVENT_ROOM    16384u
#define STEP_MINUTES  5
#define LEVEL         6                   /* of deflate */
#define START_SECONDS INT64_C(1780272000) /* 2026-06-01T00:00:00Z */

static const char *const regions[] = { "eu-west-1", "us-east-1", "eu-central-1", "us-west-2" };
static const char *const agents[] = {
	"Boto3/1.34.69 md/Botocore#1.34.69 ua/2.0 os/linux#5.10.219 md/arch#x86_64 "
	"lang/python#3.11.9",
	"aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 "
	"api/s3#1.58.2",
	"aws-sdk-java/2.25.60 Linux/5.10.219 OpenJDK_64-Bit_Server_VM/17.0.11 io/sync "
	"http/Apache",
	"aws-cli/2.17.9 md/awscrt#0.20.11 ua/2.0 os/linux#6.5.0-41-generic md/arch#x86_64 "
	"lang/python#3.11.8",
	"APN/1.0 HashiCorp/1.0 Terraform/1.8.5 (+https://www.terraform.io) "
	"terraform-provider-aws/5.55.0 aws-sdk-go-v2/1.27.2",
	"[aws-sdk-nodejs/2.1655.0 linux/v18.20.3 exec-env/AWS_Lambda_nodejs18.x promise]",
	"amazon-ssm-agent/3.3.484.0 (linux; amd64) aws-sdk-go/1.44.260",
	"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like "
	"Gecko) Chrome/126.0.0.0 Safari/537.36",
};

/* ---- chance ---- */

static uint64_t state;

static uint64_t draw(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static unsigned below(unsigned n)
{
	return (unsigned)(draw() % n);
}

/* Few are drawn often, most are drawn rarely. */
static unsigned skewed(unsigned n)
{
	unsigned a = below(n);
	unsigned b = below(n);
	unsigned c = below(n);
	unsigned least = a < b ? a : b;
	return least < c ? least : c;
}

/* The same number for the same thing every time. */
static uint64_t fixed(uint64_t kind, uint64_t n)
{
	uint64_t kept = state;
	state = kind * 1000003u + n;
	uint64_t v = draw();
	state = kept;
	return v;
}

/* ---- how much repeats itself ---- */

/* Different hashes: open addressing, 0 = free. */
struct distinct {
	uint64_t *slots;
	size_t n, cap; /* cap: a power of two */
};
static struct distinct identities; /* texts of userIdentity */
static struct distinct
	tuples; /* the same with service, call, region, address, program, error */

static bool put_hash(struct distinct *d, uint64_t hash)
{
	size_t i = hash & (d->cap - 1);
	while (d->slots[i] && d->slots[i] != hash) {
		i = (i + 1) & (d->cap - 1);
	}
	bool fresh = d->slots[i] == 0;
	d->slots[i] = hash;
	return fresh;
}

static void count_distinct(struct distinct *d, uint64_t hash)
{
	if (d->n * 2 >= d->cap) {
		struct distinct old = *d;
		d->cap = old.cap ? old.cap * 2 : 1024;
		d->slots = calloc(d->cap, sizeof(*d->slots));
		if (!d->slots) {
			abort();
		}
		for (size_t i = 0; i < old.cap; i++) {
			if (old.slots[i]) {
				(void)put_hash(d, old.slots[i]);
			}
		}
		free(old.slots);
	}
	d->n += put_hash(d, hash | 1);
}

static uint64_t hash_of(uint64_t h, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		h = (h ^ (unsigned char)p[i]) * 0x100000001b3u;
	}
	return h ^ h >> 29;
}

/* ---- text ---- */

static char *text;
static size_t text_n, text_cap;

__attribute__((format(printf, 1, 2))) static void put(const char *fmt, ...)
{
	va_list ap;
	if (text_cap - text_n < EVENT_ROOM) {
		text_cap += 4u << 20;
		text = realloc(text, text_cap);
		if (!text) {
			abort();
		}
	}
	va_start(ap, fmt);
	int n = vsnprintf(text + text_n, EVENT_ROOM, fmt, ap);
	va_end(ap);
	if (n < 0 || (unsigned)n >= EVENT_ROOM) {
		abort();
	}
	text_n += (size_t)n;
}

static void put_uuid(void)
{
	uint64_t a = draw();
	uint64_t b = draw();
	put("%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32),
		(unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
		((unsigned)(b >> 48) & 0x3fff) | 0x8000, b & 0xffffffffffffu);
}

static void put_random(unsigned n)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	for (unsigned i = 0; i < n; i++) {
		put("%c", digits[draw() & 63]);
	}
}

/* Sixteen capital letters and digits, as in key ids. */
static const char *tail(uint64_t v)
{
	static char out[17];
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	for (int i = 0; i < 16; i++) {
		out[i] = digits[(v >> (i * 4)) & 31];
	}
	return out;
}

static void put_time(int64_t seconds)
{
	time_t t = (time_t)seconds;
	struct tm tm;
	char out[32];
	(void)gmtime_r(&t, &tm);
	(void)strftime(out, sizeof(out), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put("%s", out);
}

/* ---- who ---- */

enum who { USER, ROLE, INSTANCE, SERVICE };

struct caller {
	enum who kind;
	unsigned n;
	const char *agent;
	char account[16], ip[48];
};

/* Who works where at what: most callers keep to one region and to a few kinds of call. */
static struct caller draw_caller(const char *account)
{
	struct caller c = { .kind = ROLE };
	unsigned r = below(100);
	(void)snprintf(c.account, sizeof(c.account), "%s", account);
	if (r < 22) {
		c.kind = USER;
		c.n = skewed(USERS);
		c.agent = agents[fixed(1, c.n) % 5];
		(void)snprintf(
			c.ip, sizeof(c.ip), "203.0.113.%u", (unsigned)(fixed(2, c.n) % 60));
	} else if (r < 64) {
		c.n = skewed(ROLES);
		c.agent = agents[fixed(3, c.n) % 6];
		(void)snprintf(c.ip, sizeof(c.ip), "10.%u.%u.%u", (unsigned)(fixed(4, c.n) % 4),
			(unsigned)(fixed(5, c.n) % 250), 4 + below(3));
	} else if (r < 84) {
		c.kind = INSTANCE;
		c.n = skewed(INSTANCES);
		c.agent = agents[fixed(6, c.n) % 2 ? 6 : 0];
		(void)snprintf(c.ip, sizeof(c.ip), "52.%u.%u.7",
			16 + (unsigned)(fixed(7, c.n) % 8), (unsigned)(fixed(8, c.n) % 250));
	} else {
		static const char *const services[] = { "autoscaling.amazonaws.com",
			"ec2.amazonaws.com", "lambda.amazonaws.com", "ecs-tasks.amazonaws.com",
			"cloudtrail.amazonaws.com", "config.amazonaws.com" };
		c.kind = SERVICE;
		c.n = below((unsigned)LENGTH(services));
		c.agent = services[c.n];
		(void)snprintf(c.ip, sizeof(c.ip), "%s", services[c.n]);
	}
	return c;
}

static void put_session(const struct caller *c, int64_t now)
{
	unsigned hours = c->kind == INSTANCE ? 6 : 1;
	int64_t began = now - now % (hours * INT64_C(3600)) + (int64_t)(fixed(9, c->n) % 600);
	began = began > now ? began - hours * INT64_C(3600) : began;
	uint64_t session = fixed(10 + c->kind, c->n * UINT64_C(100000000) + (uint64_t)began);
	char role[64];
	char name[64];
	(void)snprintf(role, sizeof(role), "%s-%u",
		c->kind == INSTANCE ? "app-server" : "svc-worker",
		c->kind == INSTANCE ? c->n % 12 : c->n);
	if (c->kind == INSTANCE) {
		(void)snprintf(name, sizeof(name), "i-0%016" PRIx64, fixed(12, c->n));
	} else {
		(void)snprintf(
			name, sizeof(name), "%.30s-%u", role, (unsigned)(session % 100000));
	}
	const char *id = tail(fixed(13, c->n));
	put("{\"type\":\"AssumedRole\",\"principalId\":\"AROA%s:%s\",\"arn\":\"arn:aws:sts::%s:"
	    "assumed-role/%s/%s\",\"accountId\":\"%s\",",
		id, name, c->account, role, name, c->account);
	put("\"accessKeyId\":\"ASIA%s\",", tail(session));
	put("\"sessionContext\":{\"sessionIssuer\":{\"type\":\"Role\",\"principalId\":\"AROA%"
	    "s\",\"arn\":\"arn:aws:iam::%s:role/"
	    "%s\",\"accountId\":\"%s\",\"userName\":\"%s\"},\"attributes\":{\"creationDate\":"
	    "\"",
		tail(fixed(13, c->n)), c->account, role, c->account, role);
	put_time(began);
	put("\",\"mfaAuthenticated\":\"false\"}%s}}",
		c->kind == INSTANCE ? ",\"ec2RoleDelivery\":\"2.0\"" : "");
}

static void put_identity(const struct caller *c, int64_t now)
{
	if (c->kind == USER) {
		put("{\"type\":\"IAMUser\",\"principalId\":\"AIDA%s\",", tail(fixed(20, c->n)));
		put("\"arn\":\"arn:aws:iam::%s:user/staff/"
		    "user-%u\",\"accountId\":\"%s\",\"accessKeyId\":\"AKIA%s\",\"userName\":"
		    "\"user-%u\"}",
			c->account, c->n, c->account, tail(fixed(21, c->n)), c->n);
	} else if (c->kind == SERVICE) {
		put("{\"type\":\"AWSService\",\"invokedBy\":\"%s\"}", c->agent);
	} else {
		put_session(c, now);
	}
}

/* ---- what ---- */

static const char *const tables[] = { "orders", "sessions", "inventory", "customers", "audit" };

static void ask_s3(void)
{
	unsigned bucket = skewed(60);
	put("{\"bucketName\":\"prod-data-%u\",\"Host\":\"prod-data-%u.s3.amazonaws.com\","
	    "\"key\":\"exports/%s/%02u/%02u/part-%05u-%016" PRIx64 "%016" PRIx64 ".parquet\"}",
		bucket, bucket, tables[bucket % 5], 1 + below(12), 1 + below(28), below(20000),
		draw(), draw());
}

static void tell_s3(void)
{
	put("null,\"additionalEventData\":{\"SignatureVersion\":\"SigV4\",\"CipherSuite\":"
	    "\"TLS_AES_128_GCM_SHA256\",\"bytesTransferredIn\":0,\"AuthenticationMethod\":"
	    "\"AuthHeader\",\"x-amz-id-2\":\"");
	put_random(76);
	put("\",\"bytesTransferredOut\":%u},\"resources\":[{\"type\":\"AWS::S3::Object\","
	    "\"ARN\":\"arn:aws:s3:::prod-data-%u/exports/"
	    "part-%05u\"},{\"accountId\":\"111122223333\",\"type\":\"AWS::S3::Bucket\",\"ARN\":"
	    "\"arn:aws:s3:::prod-data-%u\"}]",
		below(4000000), skewed(60), below(20000), skewed(60));
}

static void ask_describe(void)
{
	static const char *const filters[] = { "tag:Environment", "vpc-id",
		"instance-state-name", "tag:aws:autoscaling:groupName" };
	put("{\"maxResults\":%u,\"instancesSet\":{},\"filterSet\":{\"items\":[",
		100 * (1 + below(10)));
	unsigned n = 1 + below(3);
	for (unsigned i = 0; i < n; i++) {
		put("%s{\"name\":\"%s\",\"valueSet\":{\"items\":[{\"value\":\"%s-%u\"}]}}",
			i ? "," : "", filters[below(4)], tables[below(5)], skewed(40));
	}
	put("]}}");
}

static void tell_nothing(void)
{
	put("null");
}

static void ask_assume(void)
{
	unsigned role = skewed(ROLES);
	put("{\"roleArn\":\"arn:aws:iam::111122223333:role/"
	    "svc-worker-%u\",\"roleSessionName\":\"svc-worker-%u-%u\",\"durationSeconds\":"
	    "3600}",
		role, role, below(100000));
}

static void tell_assume(void)
{
	put("{\"credentials\":{\"accessKeyId\":\"ASIA%s\",\"sessionToken\":\"IQoJb3JpZ2luX2VjE",
		tail(draw()));
	put_random(560);
	put("\",\"expiration\":\"Jun 14, 2026, 3:14:05 "
	    "PM\"},\"assumedRoleUser\":{\"assumedRoleId\":\"AROA%s:worker\",\"arn\":\"arn:aws:"
	    "sts::111122223333:assumed-role/svc-worker-%u/worker\"}}",
		tail(fixed(13, 1)), skewed(ROLES));
}

static void ask_decrypt(void)
{
	put("{\"encryptionContext\":{\"aws:s3:arn\":\"arn:aws:s3:::prod-data-%u/%016" PRIx64
	    "\"},\"encryptionAlgorithm\":\"SYMMETRIC_DEFAULT\"}",
		skewed(60), draw());
}

static void tell_decrypt(void)
{
	put("null,\"resources\":[{\"accountId\":\"111122223333\",\"type\":\"AWS::KMS::Key\","
	    "\"ARN\":\"arn:aws:kms:eu-west-1:111122223333:key/%08x-1234-4321-8765-%012" PRIx64
	    "\"}]",
		(unsigned)fixed(30, skewed(20)), fixed(31, skewed(20)) & 0xffffffffffffu);
}

static void ask_run(void)
{
	put("{\"instancesSet\":{\"items\":[{\"imageId\":\"ami-0%07x\",\"minCount\":1,"
	    "\"maxCount\":%u}]},\"instanceType\":\"m6i.large\",\"blockDeviceMapping\":{},"
	    "\"monitoring\":{\"enabled\":true},\"disableApiTermination\":false,"
	    "\"networkInterfaceSet\":{\"items\":[{\"deviceIndex\":0,\"subnetId\":\"subnet-0%"
	    "07x\",\"groupSet\":{\"items\":[{\"groupId\":\"sg-0%07x\"}]}}]},\"clientToken\":\"",
		(unsigned)fixed(40, below(6)) & 0xfffffff, 1 + below(4),
		(unsigned)fixed(41, below(9)) & 0xfffffff,
		(unsigned)fixed(42, below(9)) & 0xfffffff);
	put_uuid();
	put("\"}");
}

static void tell_run(void)
{
	put("{\"requestId\":\"");
	put_uuid();
	put("\",\"reservationId\":\"r-0%08x\",\"ownerId\":\"111122223333\",\"groupSet\":{},"
	    "\"instancesSet\":{\"items\":[",
		(unsigned)draw());
	unsigned n = 1 + below(3);
	for (unsigned i = 0; i < n; i++) {
		put("%s{\"instanceId\":\"i-0%016" PRIx64
		    "\",\"imageId\":\"ami-0%07x\",\"currentState\":{\"code\":0,\"name\":"
		    "\"pending\"},\"privateDnsName\":\"ip-10-0-%u-%u.eu-west-1.compute."
		    "internal\",\"amiLaunchIndex\":%u,\"productCodes\":{},\"instanceType\":"
		    "\"m6i.large\",\"launchTime\":1781430%03u000,\"placement\":{"
		    "\"availabilityZone\":\"eu-west-1%c\",\"tenancy\":\"default\"},"
		    "\"monitoring\":{\"state\":\"pending\"},\"subnetId\":\"subnet-0%07x\","
		    "\"vpcId\":\"vpc-0a1b2c3d\",\"privateIpAddress\":\"10.0.%u.%u\","
		    "\"stateReason\":{\"code\":\"pending\",\"message\":\"pending\"},"
		    "\"architecture\":\"x86_64\",\"rootDeviceType\":\"ebs\",\"rootDeviceName\":"
		    "\"/dev/"
		    "xvda\",\"virtualizationType\":\"hvm\",\"hypervisor\":\"xen\",\"tagSet\":{"
		    "\"items\":[{\"key\":\"Name\",\"value\":\"worker\"},{\"key\":"
		    "\"Environment\",\"value\":\"prod\"}]}}",
			i ? "," : "", draw(), (unsigned)fixed(40, below(6)) & 0xfffffff,
			below(250), below(250), i, below(1000), 'a' + (int)below(3),
			(unsigned)fixed(41, below(9)) & 0xfffffff, below(250), below(250));
	}
	put("]}}");
}

static void ask_table(void)
{
	put("{\"tableName\":\"%s-%u\",\"key\":{\"pk\":\"", tables[below(5)], below(8));
	put_uuid();
	put("\"},\"consistentRead\":false}");
}

static void ask_policy(void)
{
	unsigned role = skewed(ROLES);
	put("{\"roleName\":\"svc-worker-%u\",\"policyName\":\"inline-%u\",\"policyDocument\":"
	    "\"{\\\"Version\\\":\\\"2012-10-17\\\",\\\"Statement\\\":[{\\\"Effect\\\":"
	    "\\\"Allow\\\",\\\"Action\\\":[\\\"s3:GetObject\\\",\\\"s3:ListBucket\\\",\\\"kms:"
	    "Decrypt\\\"],\\\"Resource\\\":[\\\"arn:aws:s3:::prod-data-%u\\\",\\\"arn:aws:s3:::"
	    "prod-data-%u/*\\\"]}]}\"}",
		role, below(20), skewed(60), skewed(60));
}

static void ask_little(void)
{
	put("{\"logGroupNamePrefix\":\"/aws/lambda/fn-%u\",\"limit\":50}", skewed(300));
}

static void ask_nothing(void)
{
	put("null");
}

static const struct call {
	const char *source, *name;
	unsigned weight;
	bool read_only, data;
	void (*ask)(void), (*tell)(void);
} calls[] = {
	{ "s3", "GetObject", 230, true, true, ask_s3, tell_s3 },
	{ "s3", "PutObject", 70, false, true, ask_s3, tell_s3 },
	{ "s3", "HeadObject", 40, true, true, ask_s3, tell_s3 },
	{ "s3", "GetBucketAcl", 25, true, false, ask_s3, tell_nothing },
	{ "sts", "AssumeRole", 90, true, false, ask_assume, tell_assume },
	{ "kms", "Decrypt", 110, true, false, ask_decrypt, tell_decrypt },
	{ "kms", "GenerateDataKey", 40, true, false, ask_decrypt, tell_decrypt },
	{ "ec2", "DescribeInstances", 90, true, false, ask_describe, tell_nothing },
	{ "ec2", "DescribeNetworkInterfaces", 30, true, false, ask_describe, tell_nothing },
	{ "ec2", "DescribeVolumes", 20, true, false, ask_describe, tell_nothing },
	{ "ec2", "DescribeSecurityGroups", 20, true, false, ask_describe, tell_nothing },
	{ "ec2", "RunInstances", 14, false, false, ask_run, tell_run },
	{ "dynamodb", "GetItem", 45, true, true, ask_table, tell_nothing },
	{ "dynamodb", "UpdateItem", 25, false, true, ask_table, tell_nothing },
	{ "dynamodb", "DescribeTable", 15, true, false, ask_table, tell_nothing },
	{ "logs", "DescribeLogGroups", 18, true, false, ask_little, tell_nothing },
	{ "logs", "CreateLogStream", 30, false, false, ask_little, tell_nothing },
	{ "iam", "GetRole", 14, true, false, ask_policy, tell_nothing },
	{ "iam", "PutRolePolicy", 3, false, false, ask_policy, tell_nothing },
	{ "iam", "ListRoles", 6, true, false, ask_nothing, tell_nothing },
	{ "sts", "GetCallerIdentity", 20, true, false, ask_nothing, tell_nothing },
	{ "ssm", "UpdateInstanceInformation", 25, false, false, ask_little, tell_nothing },
	{ "secretsmanager", "GetSecretValue", 10, true, false, ask_little, tell_nothing },
	{ "lambda", "ListFunctions20150331", 8, true, false, ask_nothing, tell_nothing },
	{ "elasticloadbalancing", "DescribeTargetHealth", 25, true, false, ask_describe,
		tell_nothing },
};

static const struct call *draw_any_call(void)
{
	unsigned total = 0;
	for (size_t i = 0; i < LENGTH(calls); i++) {
		total += calls[i].weight;
	}
	unsigned at = below(total);
	size_t i = 0;
	while (at >= calls[i].weight) {
		at -= calls[i++].weight;
	}
	return &calls[i];
}

/* Nineteen calls of twenty are of the few kinds that the caller makes all day. */
static const struct call *draw_call(const struct caller *who)
{
	if (below(20) == 0) {
		return draw_any_call();
	}
	uint64_t kept = state;
	state = fixed(50 + who->kind, who->n * 8 + kept % 4);
	const struct call *usual = draw_any_call();
	state = kept + 1;
	return usual;
}

static void put_end(const struct call *c, const char *account, const char *region)
{
	put(",\"requestID\":\"");
	put_uuid();
	put("\",\"eventID\":\"");
	put_uuid();
	put("\",\"readOnly\":%s,\"eventType\":\"AwsApiCall\",\"managementEvent\":%s,"
	    "\"recipientAccountId\":\"%s\",\"eventCategory\":\"%s\",\"tlsDetails\":{"
	    "\"tlsVersion\":\"TLSv1.3\",\"cipherSuite\":\"TLS_AES_128_GCM_SHA256\","
	    "\"clientProvidedHostHeader\":\"%s.%s.amazonaws.com\"}}",
		c->read_only ? "true" : "false", c->data ? "false" : "true", account,
		c->data ? "Data" : "Management", c->source, region);
}

static void put_event(const char *account, const char *region, int64_t now)
{
	struct caller who = draw_caller(account);
	for (int i = 0; i < 8 && strcmp(regions[fixed(60 + who.kind, who.n) % LENGTH(regions)],
					 region) != 0;
		i++) {
		who = draw_caller(account);
	}
	const struct call *c = draw_call(&who);
	put("{\"eventVersion\":\"1.11\",\"userIdentity\":");
	size_t from = text_n;
	put_identity(&who, now);
	uint64_t hash = hash_of(1, text + from, text_n - from);
	count_distinct(&identities, hash);
	put(",\"eventTime\":\"");
	put_time(now);
	from = text_n;
	put("\",\"eventSource\":\"%s.amazonaws.com\",\"eventName\":\"%s\",\"awsRegion\":\"%s\","
	    "\"sourceIPAddress\":\"%s\",\"userAgent\":\"%s\"",
		c->source, c->name, region, who.ip, who.agent);
	bool denied = below(100) < 3;
	if (denied) {
		put(",\"errorCode\":\"AccessDenied\",\"errorMessage\":\"User is not authorized "
		    "to perform: %s:%s on resource \"",
			c->source, c->name);
	}
	count_distinct(&tuples, hash_of(hash, text + from, text_n - from));
	put(",\"requestParameters\":");
	c->ask();
	put(",\"responseElements\":");
	if (denied) {
		put("null");
	} else {
		c->tell();
	}
	put_end(c, account, region);
}

/* The key of a user in other hands: looks around, is denied, gives itself rights, makes a key. */
static void put_attack(const char *account, int64_t now)
{
	static const struct {
		const char *source, *name, *error, *asked;
	} steps[] = {
		{ "sts", "GetCallerIdentity", NULL, "null" },
		{ "iam", "ListUsers", "AccessDenied", "null" },
		{ "iam", "ListRoles", "AccessDenied", "null" },
		{ "s3", "ListBuckets", "AccessDenied", "null" },
		{ "secretsmanager", "ListSecrets", "AccessDenied", "null" },
		{ "rds", "DescribeDBInstances", "AccessDenied", "null" },
		{ "iam", "AttachUserPolicy", NULL,
			"{\"userName\":\"user-30\",\"policyArn\":\"arn:aws:iam::aws:policy/"
			"AdministratorAccess\"}" },
		{ "iam", "CreateUser", NULL, "{\"userName\":\"backup-svc\"}" },
		{ "iam", "CreateAccessKey", NULL, "{\"userName\":\"backup-svc\"}" },
		{ "cloudtrail", "StopLogging", NULL, "{\"name\":\"main\"}" },
	};
	struct caller who = { .kind = USER, .n = 30 };
	struct call c = { .read_only = false };
	(void)snprintf(who.account, sizeof(who.account), "%s", account);
	for (size_t i = 0; i < LENGTH(steps); i++) {
		c.source = steps[i].source;
		put(",{\"eventVersion\":\"1.11\",\"userIdentity\":");
		put_identity(&who, now);
		put(",\"eventTime\":\"");
		put_time(now + (int64_t)i * 20);
		put("\",\"eventSource\":\"%s.amazonaws.com\",\"eventName\":\"%s\","
		    "\"awsRegion\":\"us-east-1\",\"sourceIPAddress\":\"198.51.100.23\","
		    "\"userAgent\":\"Boto3/1.34.1 md/Kali\"",
			steps[i].source, steps[i].name);
		if (steps[i].error) {
			put(",\"errorCode\":\"%s\"", steps[i].error);
		}
		put(",\"requestParameters\":%s,\"responseElements\":null", steps[i].asked);
		put_end(&c, account, "us-east-1");
	}
}

/* ---- files ---- */

static void die(const char *what)
{
	fprintf(stderr, "make_trail: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void make_folders(char *path)
{
	for (char *p = path + 1; *p; p++) {
		if (*p == '/') {
			*p = 0;
			if (mkdir(path, 0755) != 0 && errno != EEXIST) {
				die(path);
			}
			*p = '/';
		}
	}
}

static size_t write_file(const char *root, const char *account, const char *region, int64_t now)
{
	static struct libdeflate_compressor *z;
	static unsigned char *packed;
	static size_t room;
	char path[1024];
	char day[32];
	char minute[32];
	struct tm tm;
	time_t t = (time_t)now;
	z = z ? z : libdeflate_alloc_compressor(LEVEL);
	size_t bound = libdeflate_gzip_compress_bound(z, text_n);
	if (bound > room) {
		room = bound;
		packed = realloc(packed, room);
	}
	if (!z || !packed) {
		abort();
	}
	size_t n = libdeflate_gzip_compress(z, text, text_n, packed, room);
	(void)gmtime_r(&t, &tm);
	(void)strftime(day, sizeof(day), "%Y/%m/%d", &tm);
	(void)strftime(minute, sizeof(minute), "%Y%m%dT%H%MZ", &tm);
	(void)snprintf(path, sizeof(path),
		"%s/AWSLogs/%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%s_%s.json.gz", root, account,
		region, day, account, region, minute, tail(draw()));
	make_folders(path);
	FILE *f = fopen(path, "wb");
	if (!f || fwrite(packed, 1, n, f) != n || fclose(f) != 0) {
		die(path);
	}
	return n;
}

int main(int argc, char **argv)
{
	static const char *const accounts[ACCOUNTS] = { "111122223333", "444455556666",
		"777788889999" };
	uint64_t want = argc > 2 ? strtoull(argv[2], NULL, 10) * 1000000 : 0;
	uint64_t made = 0;
	uint64_t packed = 0;
	uint64_t events = 0;
	uint64_t files = 0;
	bool attacked = false;
	if (want == 0) {
		fprintf(stderr, "usage: make_trail FOLDER MEGABYTES [SEED]\n");
		return 2;
	}
	state = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	for (int64_t now = START_SECONDS; made < want; now += STEP_MINUTES * 60) {
		for (unsigned i = 0; i < ACCOUNTS * LENGTH(regions) && made < want; i++) {
			const char *account = accounts[i % ACCOUNTS];
			const char *region = regions[i / ACCOUNTS];
			unsigned n = 20 + skewed(2400);
			text_n = 0;
			put("{\"Records\":[");
			for (unsigned k = 0; k < n; k++) {
				put("%s", k ? "," : "");
				put_event(account, region,
					now - (int64_t)below(STEP_MINUTES * 60));
			}
			if (!attacked && made * 2 >= want) {
				put_attack(account, now);
				attacked = true;
			}
			put("]}");
			packed += write_file(argv[1], account, region, now);
			made += text_n;
			events += n;
			files++;
		}
	}
	printf("{\"files\":%" PRIu64 ",\"events\":%" PRIu64 ",\"bytes\":%" PRIu64
	       ",\"packed\":%" PRIu64 ",\"identities\":%zu,\"tuples\":%zu}\n",
		files, events, made, packed, identities.n, tuples.n);
	return 0;
}
