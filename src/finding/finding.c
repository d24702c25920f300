#include "finding/finding.h"

#include "base/gz.h"
#include "finding/envelope.h"

#include <stdlib.h>
#include <string.h>

const char *finding_kind_name(enum finding_kind kind)
{
	switch (kind) {
	case FINDING_UNKNOWN:
		return "Unknown";
	case FINDING_INSTANCE:
		return "Instance";
	case FINDING_ACCESS_KEY:
		return "AccessKey";
	case FINDING_S3_BUCKET:
		return "S3Bucket";
	case FINDING_S3_OBJECT:
		return "S3Object";
	case FINDING_RDS_INSTANCE:
		return "RDSDBInstance";
	case FINDING_RDS_LIMITLESS:
		return "RDSLimitlessDB";
	case FINDING_LAMBDA:
		return "Lambda";
	case FINDING_EKS_CLUSTER:
		return "EKSCluster";
	case FINDING_ECS_CLUSTER:
		return "ECSCluster";
	case FINDING_CONTAINER:
		return "Container";
	case FINDING_VOLUME:
		return "EBSVolume";
	case FINDING_SNAPSHOT:
		return "EBSSnapshot";
	case FINDING_IMAGE:
		return "EC2Image";
	case FINDING_RECOVERY_POINT:
		return "EBSRecoveryPoint";
	case FINDING_EC2_RECOVERY_POINT:
		return "EC2RecoveryPoint";
	case FINDING_S3_RECOVERY_POINT:
		return "S3RecoveryPoint";
	case FINDING_MODEL:
		return "Model";
	case FINDING_OTHER:
		return "Other";
	}
	BUG("unknown finding kind");
}

const char *finding_role_name(enum finding_role role)
{
	switch (role) {
	case FINDING_ROLE_ACTOR:
		return "ACTOR";
	case FINDING_ROLE_TARGET:
		return "TARGET";
	case FINDING_ROLE_NONE:
		break;
	}
	return NULL;
}

const char *finding_severity_word(double severity)
{
	return severity >= 9   ? "critical"
	       : severity >= 7 ? "high"
	       : severity >= 4 ? "medium"
	       : severity >= 1 ? "low"
			       : "info";
}

bool finding_role_matters(struct str type)
{
	static const char *const inbound[] = { "Recon:EC2/PortProbe*",
		"UnauthorizedAccess:EC2/SSHBruteForce", "UnauthorizedAccess:EC2/RDPBruteForce",
		"UnauthorizedAccess:EC2/TorIPCaller" /* until 2022 */ };

	for (size_t i = 0; i < sizeof(inbound) / sizeof(*inbound); i++) {
		if (str_glob(str_from(inbound[i]), type)) {
			return true;
		}
	}
	return false;
}

void finding_name_of(struct str text, char out[FINDING_MAX_ID + 1])
{
	size_t n = 0;

	text = str_trim(text);
	while (n < text.n && n < FINDING_MAX_ID) {
		char c = text.p[n];
		out[n++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
	}
	out[n] = '\0';
}

void finding_name(const struct finding *f, char out[FINDING_MAX_ID + 1])
{
	finding_name_of(str_trim(f->arn).n > 0 ? f->arn : f->id, out);
}

const struct finding_resource *finding_resource_of(
	const struct finding *f, enum finding_kind kind)
{
	for (size_t i = 0; i < f->n_resources; i++) {
		if (f->resources[i].kind == kind) {
			return &f->resources[i];
		}
	}
	return NULL;
}

json_t *finding_json(const struct finding *f)
{
	json_t *resources = json_array();
	json_t *ips = json_array();
	const char *role = finding_role_name(f->role);

	for (size_t i = 0; i < f->n_resources; i++) {
		json_array_append_new(resources,
			json_pack("{s:s, s:o}", "kind", finding_kind_name(f->resources[i].kind),
				"id", doc_str(f->resources[i].id)));
	}
	for (size_t i = 0; i < f->n_actors; i++) {
		if (f->actors[i].ip.n > 0) {
			json_array_append_new(ips, doc_str(f->actors[i].ip));
		}
	}
	return json_pack("{s:o, s:o, s:o, s:f, s:o, s:o, s:o, s:o, s:o, s:b}", "id",
		doc_str(f->id), "arn", doc_str(f->arn), "type", doc_str(f->type), "severity",
		f->severity, "account", doc_str(f->account), "region", doc_str(f->region),
		"resources", resources, "actor_ips", ips, "role",
		role != NULL ? json_string(role) : json_null(), "sample", (int)f->sample);
}

void finding_free(struct finding *f)
{
	if (f == NULL) {
		return;
	}
	for (size_t i = 0; i < f->n_resources; i++) {
		json_decref(f->resources[i].tags);
		json_decref(f->resources[i].about);
	}
	json_decref(f->raw);
	arena_deinit(&f->arena);
	free(f);
}

void finding_set_deinit(struct finding_set *s)
{
	for (size_t i = 0; i < s->n; i++) {
		finding_free(s->items[i]);
	}
	free(s->items);
	json_decref(s->rejected);
	*s = (struct finding_set){ 0 };
}

/* One line of JSON lines; *objects counts those that are whole objects. */
static enum err_status read_line(
	struct str line, struct finding_set *set, size_t *objects, struct err *err)
{
	json_t *doc = NULL;
	struct err why = { 0 };

	if (line.n == 0) {
		return ERR_OK;
	}
	if (doc_parse(line, FINDING_MAX_BYTES, &doc, &why) != ERR_OK) {
		return envelope_reject(set, why.msg, err);
	}
	*objects += json_is_object(doc) ? 1 : 0;
	enum err_status st = envelope_open(doc, set, err);
	json_decref(doc);
	return st;
}

static enum err_status read_text(struct str text, struct finding_set *set, struct err *err)
{
	json_t *doc = NULL;
	struct err whole = { 0 };
	struct str line;
	size_t objects = 0;
	enum err_status st = doc_parse(text, FINDING_MAX_BYTES, &doc, &whole);
	if (st == ERR_OK) {
		st = envelope_open(doc, set, err);
		json_decref(doc);
		return st;
	}
	if (st == ERR_LIMIT || str_find_char(text, '\n') == SIZE_MAX) {
		return err_set(err, st, "%s", whole.msg);
	}
	st = ERR_OK;
	while (st == ERR_OK && str_cut(&text, '\n', &line)) {
		st = read_line(str_trim(line), set, &objects, err);
	}
	/* Without a single object among its lines the text is one broken document. */
	if (st == ERR_OK && objects == 0) {
		st = err_set(err, ERR_INPUT, "%s", whole.msg);
	}
	return st;
}

enum err_status finding_read(struct str data, struct finding_set *out, struct err *err)
{
	enum err_status st = ERR_OK;
	struct buf plain;
	struct finding_set set = { .rejected = json_array() };

	buf_init(&plain, FINDING_MAX_BYTES);
	if (gz_is(data)) {
		TRY(gz_inflate(data, &plain, err));
		data = buf_view(&plain);
	}
	if (data.n > FINDING_MAX_BYTES) {
		st = err_set(err, ERR_LIMIT,
			"%zu bytes are more than a list of findings may have (%zu MiB)", data.n,
			FINDING_MAX_BYTES >> 20);
		goto out;
	}
	if (str_starts(data, STR("\xEF\xBB\xBF"))) {
		data = str_sub(data, 3, SIZE_MAX);
	}
	TRY(read_text(str_trim(data), &set, err));
	if (set.n == 0 && set.not_findings == 0) {
		const char *reason = doc_text_or(
			json_array_get(set.rejected, 0), "reason", "the list is empty");
		st = err_set(err, ERR_INPUT, "no finding in it: %s", reason);
		goto out;
	}
	*out = set;
	set = (struct finding_set){ 0 };
out:
	buf_deinit(&plain);
	finding_set_deinit(&set);
	return st;
}
