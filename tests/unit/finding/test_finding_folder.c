/*
 * Every file of the shared findings folder. What is expected of each is worked out here from the
 * table in that folder's README and from the file's own text, not from cordon's reader.
 */
#include "base/env.h"
#include "base/gz.h"
#include "finding/finding.h"
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct row {
	char path[300], type[200], kind[120], shape[60];
};

static char *folder; /* ".../data/findings", NULL when there is none */

static bool read_whole(const char *name, struct buf *out)
{
	char path[600];
	(void)snprintf(path, sizeof(path), "%s/%s", folder, name);
	buf_init(out, 64u * 1024 * 1024);
	return env_read_file(env_system(), path, out, NULL) == ERR_OK;
}

static void copy(char *to, size_t size, struct str s)
{
	s = str_trim(s);
	(void)snprintf(to, size, "%.*s", STR_ARG(s));
}

/* "| `file` | type | resourceType | origin | shape | ..." */
static bool parse_row(struct str line, struct row *r)
{
	struct str cells[7];
	struct str rest = line;
	size_t n = 0;
	while (n < 7 && str_cut(&rest, '|', &cells[n])) {
		n++;
	}
	if (n < 6 || !str_starts(line, STR("| `"))) {
		return false;
	}
	struct str file = str_trim(cells[1]);
	copy(r->path, sizeof(r->path), str_sub(file, 1, file.n - 2));
	copy(r->type, sizeof(r->type), cells[2]);
	copy(r->kind, sizeof(r->kind), cells[3]);
	copy(r->shape, sizeof(r->shape), cells[5]);
	return strchr(r->path, '/') != NULL;
}

/* ASFF and CloudFormation names of the kinds that occur in the folder. */
static const char *guardduty_kind(const char *word)
{
	static const char *const pairs[][2] = { { "AwsEc2Instance", "Instance" },
		{ "AWS::EC2::Instance", "Instance" }, { "AwsIamAccessKey", "AccessKey" },
		{ "AwsEksCluster", "EKSCluster" }, { "AwsS3Bucket", "S3Bucket" },
		{ "AwsRdsDbInstance", "RDSDBInstance" },
		{ "AWS::Container::Container", "Container" }, { "AwsAccount", "Other" },
		{ "AWS::::Account", "Other" }, { "AwsCloudTrailTrail", "Other" },
		{ "AwsEc2SecurityGroup", "Other" }, { "AwsDynamoDbTable", "Other" },
		{ "AwsIamRole", "Other" }, { "AwsS3Object", "S3Object" },
		{ "AwsKmsKey", "Other" }, { "AwsSecretsManagerSecret", "Other" } };
	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++) {
		if (strcmp(pairs[i][0], word) == 0) {
			return pairs[i][1];
		}
	}
	return word;
}

/* "TTPs/Discovery/Recon:IAMUser-UserPermissions" -> "Recon:IAMUser/UserPermissions" */
static void guardduty_type(char *type)
{
	char *colon = strchr(type, ':');
	if (colon == NULL) {
		return;
	}
	char *start = colon;
	while (start > type && start[-1] != '/') {
		start--;
	}
	memmove(type, start, strlen(start) + 1);
	colon = strchr(type, ':');
	colon[strcspn(colon, "-./")] = '/';
}

/* The sample mark, looked for in the text with all spaces and backslashes taken out. */
static bool text_says_sample(struct str raw)
{
	static const char *const marks[] = { "\"sample\":true", "\"Sample\":true",
		"/sample\":\"true\"", "\"accessKeyId\":\"GeneratedFinding",
		"\"AccessKeyId\":\"GeneratedFinding", "\"vpcId\":\"GeneratedFinding",
		"\"VpcId\":\"GeneratedFinding" };
	struct buf squeezed;
	bool yes = false;
	buf_init(&squeezed, raw.n + 1);
	for (size_t i = 0; i < raw.n; i++) {
		if (strchr(" \n\r\t\\", raw.p[i]) == NULL) {
			buf_putc(&squeezed, raw.p[i]);
		}
	}
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		yes = yes || str_find(buf_view(&squeezed), str_from(marks[i])) != SIZE_MAX;
	}
	buf_deinit(&squeezed);
	return yes;
}

static bool is_list(const struct row *r)
{
	return r->type[0] == '(' && strncmp(r->path, "other/", 6) != 0;
}

#define EXPECT(cond, what)                                   \
	do {                                                 \
		if (!(cond)) {                               \
			fail_msg("%s: %s", r->path, (what)); \
		}                                            \
	} while (0)

/* One kind: that of the first resource. Several (the table sorts them): each occurs. */
static bool has_kinds(const struct row *r, const struct finding *f)
{
	struct str rest = str_from(r->kind);
	struct str piece;
	bool several = strchr(r->kind, ',') != NULL;

	while (str_cut(&rest, ',', &piece)) {
		char word[120];
		bool found = false;
		copy(word, sizeof(word), piece);
		for (size_t i = 0; i < (several ? f->n_resources : 1); i++) {
			found = found || strcmp(finding_kind_name(f->resources[i].kind),
						 guardduty_kind(word)) == 0;
		}
		if (!found) {
			return false;
		}
	}
	return true;
}

static void check_one(const struct row *r, const struct finding *f, struct str raw)
{
	char type[200];
	bool fragment = strncmp(r->path, "fragments/", 10) == 0;
	bool sequence = strcmp(r->kind, "AttackSequence") == 0;

	(void)snprintf(type, sizeof(type), "%s", r->type);
	if (strncmp(r->shape, "asff", 4) == 0 && f->arn.n > 0 &&
		str_find(f->arn, STR(":guardduty:")) != SIZE_MAX) {
		guardduty_type(type);
	}
	if (strncmp(r->shape, "ocsf", 4) == 0 && (f->posture || type[0] == '\0')) {
		EXPECT(f->posture, "posture check");
	} else {
		EXPECT(str_is(f->type, type), "type");
	}
	if (!sequence && r->kind[0] != '\0') {
		EXPECT(f->n_resources > 0, "has a resource");
		EXPECT(has_kinds(r, f), "kinds of the resources");
	}
	EXPECT(f->sample == text_says_sample(raw), "sample");
	EXPECT(f->raw != NULL, "raw");
	EXPECT(f->dropped == 0, "nothing dropped");
	if (!fragment) {
		EXPECT(f->id.n > 0, "id");
		EXPECT(f->account.n > 0 ||
				strstr(r->path, "SSHBruteForce.eventbridge-abridged"),
			"account");
		EXPECT(f->region.n > 0, "region");
		EXPECT(f->updated_ms > 0, "updated");
		EXPECT(f->severity > 0 || f->posture, "severity");
	}
}

static void check_row(const struct row *r)
{
	struct buf raw;
	struct buf plain;
	struct err e = { 0 };
	struct finding_set set;
	EXPECT(read_whole(r->path, &raw), "can be read");
	if (finding_read(buf_view(&raw), &set, &e) != ERR_OK) {
		fail_msg("%s: %s", r->path, e.msg);
	}
	EXPECT(json_array_size(set.rejected) == 0, "nothing rejected");
	if (strncmp(r->path, "other/", 6) == 0) {
		EXPECT(set.n == 0 && set.not_findings == 1, "is no finding");
	} else if (is_list(r)) {
		EXPECT(set.n == (size_t)strtoul(r->type + 1, NULL, 10), "number of findings");
	} else {
		EXPECT(set.n == 1 && set.not_findings == 0, "one finding");
		check_one(r, set.items[0], buf_view(&raw));
	}
	/* The same in gzip. */
	struct finding_set again;
	buf_init(&plain, 64u * 1024 * 1024);
	if (!gz_is(buf_view(&raw)) && gz_deflate(buf_view(&raw), &plain, &e) == ERR_OK) {
		EXPECT(finding_read(buf_view(&plain), &again, &e) == ERR_OK, "reads in gzip");
		EXPECT(again.n == set.n, "same number in gzip");
		finding_set_deinit(&again);
	}
	buf_deinit(&plain);
	buf_deinit(&raw);
	finding_set_deinit(&set);
}

static void every_file_is_read(void **state)
{
	(void)state;
	if (folder == NULL) {
		skip();
	}
	struct buf table;
	size_t n = 0;
	assert_true(read_whole("README.md", &table));
	struct str rest = buf_view(&table);
	struct str line;
	struct row r;
	while (str_cut(&rest, '\n', &line)) {
		if (parse_row(line, &r)) {
			check_row(&r);
			n++;
		}
	}
	buf_deinit(&table);
	assert_int_equal(n, 296);
}

static void role_matters_as_the_types_say(void **state)
{
	(void)state;
	if (folder == NULL) {
		skip();
	}
	struct buf text;
	json_t *types = NULL;
	size_t i;
	size_t k;
	json_t *family;
	json_t *t;
	assert_true(read_whole("types.json", &text));
	assert_int_equal(doc_parse(buf_view(&text), DOC_MAX_BYTES, &types, NULL), ERR_OK);
	json_array_foreach(json_object_get(types, "families"), i, family)
	{
		json_array_foreach(json_object_get(family, "types"), k, t)
		{
			const char *name = doc_text(t, "type");
			/* "attempted" of EC2 is always inbound: there the role never says otherwise */
			bool expected = doc_true(t, "role_matters") ||
					(strstr(name, ":EC2/") && strcmp(doc_text(t, "reading"),
									  "attempted") == 0);
			if (finding_role_matters(str_from(name)) != expected) {
				fail_msg("%s", name);
			}
		}
	}
	json_decref(types);
	buf_deinit(&text);
}

int main(void)
{
	const char *shared = env_var(env_system(), "CORDON_SHARED");
	char path[500];
	if (shared != NULL) {
		(void)snprintf(path, sizeof(path), "%s/data/findings", shared);
		folder = path;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_file_is_read),
		cmocka_unit_test(role_matters_as_the_types_say),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
