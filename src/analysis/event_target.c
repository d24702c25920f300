#include "analysis/event.h"

#include <string.h>

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

/* Names of things in parameters, the most telling first; dots lead into objects. */
static const char *const things[] = { "bucketName", "userName", "roleName", "roleArn",
	"groupName", "policyArn", "instanceId", "instanceIds", "functionName", "secretId",
	"snapshotId", "dBSnapshotIdentifier", "dBInstanceIdentifier", "dBClusterIdentifier",
	"imageId", "groupId", "trailName", "detectorId", "flowLogIds.item",
	"DeleteFlowLogsRequest.FlowLogId.content", "keyId", "name", "parameterName",
	"policyName", "queueUrl", "topicArn", "tableName", "clusterName", "instancesSet.items",
	"resourceArn", "vpcId", "volumeId", "networkInterfaceId" };
#define THINGS       (sizeof(things) / sizeof(things[0]))
#define THING_KEYMAX 32

/* Place in `things` of each that has a key of this length: ended by THINGS. */
struct things_by_length {
	uint8_t of[THING_KEYMAX][8];
};

static const struct things_by_length *by_length(void)
{
	static _Thread_local struct things_by_length t;
	if (t.of[0][0] == THINGS) {
		return &t;
	}
	memset(&t, THINGS, sizeof(t));
	for (size_t i = 0; i < THINGS; i++) {
		size_t n = strcspn(things[i], ".");
		size_t k = 0;
		while (t.of[n][k] != THINGS) {
			k++;
		}
		t.of[n][k] = (uint8_t)i;
	}
	return &t;
}

static size_t thing_of(const struct things_by_length *t, struct str key)
{
	if (key.n >= THING_KEYMAX) {
		return THINGS;
	}
	const uint8_t *of = t->of[key.n];
	while (*of != THINGS && memcmp(things[*of], key.p, key.n) != 0) {
		of++;
	}
	return *of;
}

/* An array stands for its first item. */
static struct str thing_text(const struct event *e, size_t thing)
{
	uint32_t node = scan_path(e->tape, e->request, things[thing]);
	if (scan_type_of(e->tape, node) == SCAN_ARRAY) {
		node = scan_first(e->tape, node);
	}
	if (scan_type_of(e->tape, node) == SCAN_OBJECT) {
		node = scan_member(e->tape, node, STR("instanceId"));
	}
	return scan_text(e->tape, node);
}

/* A bucket is the most telling thing, and the first one in what S3 writes. */
static struct str first_bucket(struct str parameters)
{
	const struct str key = STR("{\"bucketName\":\"");
	struct str rest = str_sub(parameters, key.n, SIZE_MAX);
	size_t n = str_find_char(str_sub(rest, 0, 256), '"');
	bool plain = str_starts(parameters, key) && n != SIZE_MAX &&
		     str_find_char(str_sub(rest, 0, n), '\\') == SIZE_MAX;
	return plain ? str_sub(rest, 0, n) : (struct str){ "", 0 };
}

struct str event_target(const struct event *e)
{
	uint8_t of[THINGS];
	enum skim_result r = SKIM_OK;
	struct str raw = scan_raw(e->tape, e->request);
	if (scan_type_of(e->tape, e->request) != SCAN_OBJECT) {
		return (struct str){ "", 0 };
	}
	struct str bucket = first_bucket(raw);
	if (bucket.n) {
		return bucket;
	}
	struct skim_out skim = scan_skim(e->tape, e->request, &r);
	if (r != SKIM_OK) {
		return (struct str){ "", 0 };
	}
	const struct things_by_length *t = by_length();
	uint64_t there = 0;
	for (size_t i = skim.n; i-- > 0;) {
		size_t thing = thing_of(
			t, (struct str){ raw.p + skim.members[i].key, skim.members[i].key_n });
		if (thing < THINGS) {
			of[thing] = (uint8_t)i;
			there |= UINT64_C(1) << thing;
		}
	}
	for (; there; there &= there - 1) {
		size_t thing = (size_t)__builtin_ctzll(there);
		const struct skim_member *m = &skim.members[of[thing]];
		bool plain = m->first == '"' && !m->value_escaped;
		struct str s = plain ? (struct str){ raw.p + m->value, m->value_n }
				     : thing_text(e, thing);
		if (s.n) {
			return s;
		}
	}
	return (struct str){ "", 0 };
}
