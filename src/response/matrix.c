#include "response/matrix.h"

#include "base/embed.h"
#include "finding/finding.h"

#include <stdio.h>
#include <string.h>

extern const struct embed_file finding_types[]; /* playbooks/types.list */

/* A line of the list, and the finding that stands for it. */
struct kind_of_finding {
	struct str type, kind, severity;
	const char *role; /* NULL: it makes no difference */
};

/* One resource of each kind, in the fields that GuardDuty has for it; %s is its tags. */
static const struct {
	const char *kind, *block;
} blocks[] = {
	{ "Instance",
		"\"instanceDetails\":{\"instanceId\":\"i-0a1b2c3d4e5f67890\",\"tags\":%s}" },
	{ "AccessKey", "\"accessKeyDetails\":{\"accessKeyId\":\"AKIAIOSFODNN7EXAMPLE\","
		       "\"userName\":\"somebody\",\"userType\":\"IAMUser\",\"tags\":%s}" },
	{ "S3Bucket",
		"\"s3BucketDetails\":[{\"name\":\"a-bucket\",\"tags\":%s,\"publicAccess\":{"
		"\"effectivePermission\":\"PUBLIC\"}}],\"accessKeyDetails\":{"
		"\"accessKeyId\":\"AKIAIOSFODNN7EXAMPLE\",\"userName\":\"somebody\","
		"\"userType\":\"IAMUser\"}" },
	{ "S3Object", "\"s3BucketDetails\":[{\"name\":\"a-bucket\",\"tags\":%s,"
		      "\"s3ObjectDetails\":[{\"key\":\"a/key\"}]}]" },
	{ "RDSDBInstance", "\"rdsDbInstanceDetails\":{\"dbInstanceIdentifier\":\"a-database\","
			   "\"tags\":%s}" },
	{ "RDSLimitlessDB", "\"rdsLimitlessDbDetails\":{\"dbShardGroupIdentifier\":\"a-shard-"
			    "group\",\"tags\":%s}" },
	{ "Lambda", "\"lambdaDetails\":{\"functionName\":\"a-function\",\"tags\":%s}" },
	{ "EKSCluster", "\"eksClusterDetails\":{\"name\":\"a-cluster\",\"tags\":%s}" },
	{ "ECSCluster", "\"ecsClusterDetails\":{\"name\":\"a-cluster\",\"tags\":%s}" },
	{ "Container", "\"containerDetails\":{\"id\":\"a-container\",\"tags\":%s}" },
};

static const char *block_of(struct str kind)
{
	for (size_t i = 0; i < sizeof(blocks) / sizeof(blocks[0]); i++) {
		if (str_is(kind, blocks[i].kind)) {
			return blocks[i].block;
		}
	}
	return "\"madeUp\":%s";
}

static double number_of(struct str severity)
{
	return str_is(severity, "critical") ? 9.5
	       : str_is(severity, "high")   ? 8.0
	       : str_is(severity, "medium") ? 5.0
					    : 2.0;
}

/* The template with `tags` in every hole. */
static void fill(struct buf *out, const char *template, const char *tags)
{
	for (const char *hole; (hole = strstr(template, "%s")) != NULL; template = hole + 2) {
		buf_add(out, template, (size_t)(hole - template));
		buf_puts(out, tags);
	}
	buf_puts(out, template);
}

/* A sequence names several things: an instance, a credential, a bucket, a cluster. */
static const char sequence[] =
	"\"detection\":{\"sequence\":{\"resources\":[{\"uid\":\"i-0a1b2c3d4e5f67890\","
	"\"resourceType\":\"EC2_INSTANCE\",\"tags\":%s},{\"uid\":\"a-bucket\",\"resourceType\":"
	"\"S3_BUCKET\",\"tags\":%s},{\"uid\":\"a-cluster\",\"resourceType\":\"EKS_CLUSTER\","
	"\"tags\":%s},{\"uid\":\"b-cluster\",\"resourceType\":\"ECS_CLUSTER\",\"tags\":%s}],"
	"\"actors\":[{"
	"\"user\":{\"name\":\"somebody\",\"type\":\"IAMUser\",\"uid\":\"AIDAEXAMPLE\","
	"\"credentialUid\":\"AKIAIOSFODNN7EXAMPLE\"}}]}},";

static struct finding *make(const struct kind_of_finding *k, bool production)
{
	const char *tags = production ? "[]" : "[{\"key\":\"Environment\",\"value\":\"test\"}]";
	struct finding_set set = { 0 };
	struct finding *f = NULL;
	struct buf b;

	buf_init(&b, 65536);
	buf_printf(&b,
		"{\"accountId\":\"111122223333\",\"region\":\"eu-west-1\",\"arn\":\"arn:aws:"
		"guardduty:"
		"eu-west-1:111122223333:detector/d/finding/"
		"f\",\"type\":\"%.*s\",\"severity\":%.1f,"
		"\"resource\":{\"resourceType\":\"%.*s\",",
		STR_ARG(k->type), number_of(k->severity), STR_ARG(k->kind));
	fill(&b, block_of(k->kind), tags);
	buf_puts(&b, "},\"service\":{");
	fill(&b, str_is(k->kind, "AttackSequence") ? sequence : "", tags);
	buf_printf(&b,
		"\"resourceRole\":\"%s\",\"action\":{\"actionType\":\"NETWORK_"
		"CONNECTION\",\"networkConnectionAction\":{\"remoteIpDetails\":{"
		"\"ipAddressV4\":"
		"\"198.51.100.77\"}}}}}",
		k->role ? k->role : "TARGET");
	if (finding_read(buf_view(&b), &set, NULL) == ERR_OK && set.n == 1) {
		f = set.items[0];
		set.items[0] = NULL;
	}
	finding_set_deinit(&set);
	buf_deinit(&b);
	return f;
}

/* The cell: what the route says, without what is the same in every cell. */
static json_t *cell_of(const json_t *route)
{
	json_t *steps = json_array();
	const json_t *s;
	size_t i;

	json_array_foreach(json_object_get(route, "steps"), i, s)
	{
		json_array_append_new(
			steps, json_pack("{s:O, s:O}", "id", json_object_get(s, "id"), "mode",
				       json_object_get(s, "mode")));
	}
	return json_pack("{s:O, s:o, s:O}", "mode", json_object_get(route, "mode"), "steps",
		steps, "held_back", json_object_get(route, "held_back"));
}

static enum err_status one_cell(const struct playbook_set *s, const struct config *config,
	const struct kind_of_finding *k, bool production, json_t **route, struct err *err)
{
	struct config tagged = *config; /* borrows everything */
	struct finding *f = make(k, production);

	tagged.environment_tag = "Environment";
	if (f == NULL) {
		return err_set(err, ERR_INPUT,
			"the list of finding types can't be read at %.*s", STR_ARG(k->type));
	}
	enum err_status st = playbook_route(s, &tagged, f, route, err);
	finding_free(f);
	return st;
}

static enum err_status both_cells(const struct playbook_set *s, const struct config *config,
	const struct kind_of_finding *k, json_t *row, json_t *cells, struct err *err)
{
	enum err_status st = ERR_OK;

	for (int production = 1; st == ERR_OK && production >= 0; production--) {
		json_t *route = NULL;
		st = one_cell(s, config, k, production == 1, &route, err);
		if (st == ERR_OK) {
			json_object_set_new(
				cells, production ? "production" : "other", cell_of(route));
			json_object_set(row, "playbook", json_object_get(route, "playbook"));
		}
		json_decref(route);
	}
	return st;
}

static enum err_status make_row(const struct playbook_set *s, const struct config *config,
	const struct kind_of_finding *k, json_t **out, struct err *err)
{
	static const char *const modes[] = { "observe", "approve", "auto" };
	json_t *by_mode = json_object();
	json_t *row =
		json_pack("{s:s, s:o, s:o, s:o, s:s?, s:n, s:O}", "schema", "cordon.matrix/1",
			"type", doc_str(k->type), "kind", doc_str(k->kind), "severity",
			doc_str(k->severity), "role", k->role, "playbook", "modes", by_mode);
	enum err_status st = ERR_OK;

	for (int m = CONFIG_OBSERVE; st == ERR_OK && m <= CONFIG_AUTO; m++) {
		struct config moded = *config;
		json_t *cells = json_object();
		moded.mode = (enum config_mode)m;
		json_object_set_new(by_mode, modes[m], cells);
		st = both_cells(s, &moded, k, row, cells, err);
	}
	if (st == ERR_OK) {
		*out = json_incref(row);
	}
	json_decref(row);
	json_decref(by_mode);
	return st;
}

static enum err_status each_role(const struct playbook_set *s, const struct config *config,
	struct kind_of_finding *k, matrix_row_fn row, void *ctx, struct err *err)
{
	static const char *const roles[] = { "TARGET", "ACTOR" };
	bool matters = finding_role_matters(k->type);
	enum err_status st = ERR_OK;

	for (size_t i = 0; st == ERR_OK && i < (matters ? 2u : 1u); i++) {
		json_t *made = NULL;
		k->role = matters ? roles[i] : NULL;
		st = make_row(s, config, k, &made, err);
		if (st == ERR_OK) {
			st = row(ctx, made, err);
		}
		json_decref(made);
	}
	return st;
}

enum err_status matrix_each(const struct playbook_set *s, const struct config *config,
	const struct matrix_options *options, matrix_row_fn row, void *ctx, struct err *err)
{
	struct str list = { finding_types[0].data, finding_types[0].size }, line;
	enum err_status st = ERR_OK;

	while (st == ERR_OK && str_cut(&list, '\n', &line)) {
		struct kind_of_finding k = { 0 };
		struct str kinds;
		if (line.n == 0 || line.p[0] == '#' || !str_cut(&line, ' ', &k.type) ||
			!str_cut(&line, ' ', &kinds)) {
			continue;
		}
		k.severity = options->severity ? str_from(options->severity) : line;
		while (st == ERR_OK && str_cut(&kinds, ',', &k.kind)) {
			st = each_role(s, config, &k, row, ctx, err);
		}
	}
	return st;
}
