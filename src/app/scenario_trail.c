/* CloudTrail records as the service writes them: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/ */
#include "app/scenario_parts.h"

#include "base/buf.h"
#include "base/gz.h"
#include "base/utc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 60000
#define FILE_MAX    ((size_t)32 * 1024 * 1024)
#define FILE_SPAN   (15 * MINUTE)

struct record {
	int64_t at;
	uint64_t shuffle; /* order within a file, which CloudTrail does not sort */
	bool global;      /* IAM, STS and sign-in report to us-east-1 */
	json_t *json;
};
struct scenario_trail {
	struct scenario *s;
	struct dice dice;
	struct record *items;
	size_t n, cap;
};

struct scenario_trail *scenario_trail_new(struct scenario *s)
{
	struct scenario_trail *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		BUG("out of memory");
	}
	t->s = s;
	dice_init(&t->dice, s->seed, "trail");
	return t;
}

void scenario_trail_free(struct scenario_trail *t)
{
	if (t == NULL) {
		return;
	}
	for (size_t i = 0; i < t->n; i++) {
		json_decref(t->items[i].json);
	}
	free(t->items);
	free(t);
}

static void keep(struct scenario_trail *t, int64_t at, bool global, json_t *json_taken)
{
	if (t->n == RECORDS_MAX) {
		t->s->arena.overflow = true;
		json_decref(json_taken);
		return;
	}
	if (t->n == t->cap) {
		struct record *more;

		t->cap = t->cap == 0 ? 512 : t->cap * 2;
		more = reallocarray(t->items, t->cap, sizeof(*more));
		if (more == NULL) {
			BUG("out of memory");
		}
		t->items = more;
	}
	t->items[t->n++] = (struct record){ at, dice_next(&t->dice), global, json_taken };
}

static json_t *identity(struct scenario_trail *t, const struct scenario_who *w)
{
	const char *account = t->s->world.account;
	json_t *id, *attributes;
	char since[32];

	utc_rfc3339(w->since, since);
	attributes = json_pack("{s:s, s:s}", "creationDate", since, "mfaAuthenticated",
		w->mfa ? "true" : "false");
	if (w->session == NULL) {
		id = json_pack("{s:s, s:s, s:o, s:s, s:s, s:s}", "type", "IAMUser",
			"principalId", w->id, "arn",
			json_sprintf("arn:aws:iam::%s:user/%s", account, w->user), "accountId",
			account, "accessKeyId", w->key, "userName", w->user);
		if (strncmp(w->key, "ASIA", 4) == 0) {
			json_object_set_new(id, "sessionContext",
				json_pack("{s:o, s:{}, s:{}}", "attributes",
					json_incref(attributes), "sessionIssuer",
					"webIdFederationData"));
			json_object_set_new(
				id, "sessionCredentialFromConsole", json_string("true"));
		}
		json_decref(attributes);
		return id;
	}
	id = json_pack("{s:s, s:o, s:o, s:s, s:s, s:{s:{s:s, s:s, s:o, s:s, s:s}, s:o}}",
		"type", "AssumedRole", "principalId", json_sprintf("%s:%s", w->id, w->session),
		"arn",
		json_sprintf(
			"arn:aws:sts::%s:assumed-role/%s/%s", account, w->user, w->session),
		"accountId", account, "accessKeyId", w->key, "sessionContext", "sessionIssuer",
		"type", "Role", "principalId", w->id, "arn",
		json_sprintf("arn:aws:iam::%s:role/%s", account, w->user), "accountId", account,
		"userName", w->user, "attributes", attributes);
	if (w->delivery != NULL) {
		json_object_set_new(json_object_get(id, "sessionContext"), "ec2RoleDelivery",
			json_string(w->delivery));
	}
	return id;
}

static bool is_global(const char *service)
{
	return strcmp(service, "iam") == 0 || strcmp(service, "signin") == 0;
}

static json_t *frame(struct scenario_trail *t, int64_t at, const char *service,
	const char *name, json_t *identity_taken)
{
	char time[32], uuid[37], request_id[20];

	utc_rfc3339(at - at % SECOND, time);
	dice_uuid(&t->dice, uuid);
	dice_text(&t->dice, DICE_UPPER, 16, request_id);
	return json_pack("{s:s, s:o, s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
		"eventVersion", "1.11", "userIdentity", identity_taken, "eventTime", time,
		"eventSource", json_sprintf("%s.amazonaws.com", service), "eventName", name,
		"awsRegion", is_global(service) ? "us-east-1" : t->s->world.region, "eventID",
		uuid, "requestID", request_id, "eventType", "AwsApiCall", "recipientAccountId",
		t->s->world.account, "eventCategory", "Management");
}

static void set_or_null(json_t *record, const char *key, json_t *value_taken)
{
	json_object_set_new(record, key, value_taken != NULL ? value_taken : json_null());
}

/* Data events name the object and the bucket they touched. */
static void make_data_event(json_t *record, const struct scenario_call *c, const char *account)
{
	json_t *list = json_array();

	if (c->object != NULL) {
		json_array_append_new(list,
			json_pack("{s:s, s:o}", "type", "AWS::S3::Object", "ARN",
				json_sprintf("arn:aws:s3:::%s/%s", c->bucket, c->object)));
	}
	json_array_append_new(list,
		json_pack("{s:s, s:s, s:o}", "accountId", account, "type", "AWS::S3::Bucket",
			"ARN", json_sprintf("arn:aws:s3:::%s", c->bucket)));
	json_object_set_new(record, "resources", list);
	json_object_set_new(record, "eventCategory", json_string("Data"));
	json_object_set_new(record, "managementEvent", json_false());
}

const char *scenario_trail_add(struct scenario_trail *t, struct scenario_call c)
{
	const char *ip = c.ip != NULL ? c.ip : c.who->ip;
	const char *agent = c.agent != NULL ? c.agent : c.who->agent;
	json_t *r = frame(t, c.at, c.service, c.name, identity(t, c.who));
	const char *id;

	json_object_set_new(r, "sourceIPAddress", json_string(ip));
	json_object_set_new(r, "userAgent", json_string(agent));
	if (c.error != NULL) {
		json_object_set_new(r, "errorCode", json_string(c.error));
		json_object_set_new(r, "errorMessage",
			json_string(c.message != NULL ? c.message : c.error));
	}
	set_or_null(r, "requestParameters", c.request);
	set_or_null(r, "responseElements", c.response);
	json_object_set_new(r, "readOnly", json_boolean(!c.write));
	json_object_set_new(r, "managementEvent", json_true());
	json_object_set_new(r, "tlsDetails",
		json_pack("{s:s, s:s, s:o}", "tlsVersion", "TLSv1.3", "cipherSuite",
			"TLS_AES_128_GCM_SHA256", "clientProvidedHostHeader",
			json_sprintf("%s.%s.amazonaws.com", c.service, t->s->world.region)));
	if (c.bucket != NULL) {
		make_data_event(r, &c, t->s->world.account);
	}
	id = scenario_text(t->s, "%s", json_string_value(json_object_get(r, "eventID")));
	keep(t, c.at, is_global(c.service), r);
	return id;
}

const char *scenario_trail_instance_session(
	struct scenario_trail *t, int server, int64_t at, const char *key)
{
	struct scenario *s = t->s;
	const char *role = s->names.role[server],
		   *instance = s->world.server[server].instance_id;
	json_t *r = frame(t, at, "sts", "AssumeRole",
		json_pack(
			"{s:s, s:s}", "type", "AWSService", "invokedBy", "ec2.amazonaws.com"));
	char until[32];

	utc_rfc3339(at + 6 * HOUR, until);
	json_object_set_new(r, "sourceIPAddress", json_string("ec2.amazonaws.com"));
	json_object_set_new(r, "userAgent", json_string("ec2.amazonaws.com"));
	json_object_set_new(r, "requestParameters",
		json_pack("{s:o, s:s}", "roleArn",
			json_sprintf("arn:aws:iam::%s:role/%s", s->world.account, role),
			"roleSessionName", instance));
	json_object_set_new(r, "responseElements",
		json_pack("{s:{s:s, s:s, s:s}}", "credentials", "accessKeyId", key,
			"expiration", until, "sessionToken", "HIDDEN_DUE_TO_SECURITY_REASONS"));
	json_object_set_new(r, "readOnly", json_true());
	json_object_set_new(r, "managementEvent", json_true());
	json_object_set_new(r, "resources",
		json_pack("[{s:s, s:s, s:o}]", "accountId", s->world.account, "type",
			"AWS::IAM::Role", "ARN",
			json_sprintf("arn:aws:iam::%s:role/%s", s->world.account, role)));
	keep(t, at, false, r);
	return key;
}

void scenario_trail_service(struct scenario_trail *t, int64_t at, const char *service,
	const char *name, json_t *request_taken)
{
	char host[64];
	json_t *r;

	snprintf(host, sizeof(host), "%s.amazonaws.com", service);
	r = frame(t, at, strcmp(name, "GetBucketAcl") == 0 ? "s3" : service, name,
		json_pack("{s:s, s:s}", "type", "AWSService", "invokedBy", host));
	json_object_set_new(r, "sourceIPAddress", json_string(host));
	json_object_set_new(r, "userAgent", json_string(host));
	set_or_null(r, "requestParameters", request_taken);
	set_or_null(r, "responseElements", NULL);
	json_object_set_new(r, "readOnly", json_true());
	json_object_set_new(r, "managementEvent", json_true());
	keep(t, at, false, r);
}

void scenario_trail_sign_in(
	struct scenario_trail *t, int64_t at, const struct scenario_who *who, bool success)
{
	struct scenario *s = t->s;
	json_t *id = json_pack("{s:s, s:s, s:s, s:s, s:s}", "type", "IAMUser", "principalId",
		who->id, "accountId", s->world.account, "accessKeyId", "", "userName",
		who->user);
	json_t *r;

	if (success) { /* a failed sign-in has no ARN */
		json_object_set_new(id, "arn",
			json_sprintf("arn:aws:iam::%s:user/%s", s->world.account, who->user));
	}
	r = frame(t, at, "signin", "ConsoleLogin", id);
	json_object_set_new(r, "eventType", json_string("AwsConsoleSignIn"));
	json_object_set_new(r, "sourceIPAddress", json_string(who->ip));
	json_object_set_new(r, "userAgent", json_string(who->agent));
	if (!success) {
		json_object_set_new(r, "errorMessage", json_string("Failed authentication"));
	}
	json_object_set_new(r, "requestParameters", json_null());
	json_object_set_new(r, "responseElements",
		json_pack("{s:s}", "ConsoleLogin", success ? "Success" : "Failure"));
	json_object_set_new(r, "additionalEventData",
		json_pack("{s:s, s:s, s:s}", "LoginTo",
			"https://console.aws.amazon.com/console/home", "MobileVersion", "No",
			"MFAUsed", success ? "Yes" : "No"));
	json_object_set_new(r, "readOnly", json_false());
	json_object_set_new(r, "managementEvent", json_true());
	keep(t, at, true, r);
}

static int by_file(const void *a, const void *b)
{
	const struct record *x = a, *y = b;
	int64_t i = x->at / FILE_SPAN, j = y->at / FILE_SPAN;

	if (x->global != y->global) {
		return x->global ? 1 : -1;
	}
	if (i != j) {
		return i < j ? -1 : 1;
	}
	return x->shuffle < y->shuffle ? -1 : x->shuffle > y->shuffle;
}

static void write_file(struct scenario_trail *t, const struct record *first, json_t *records)
{
	struct scenario *s = t->s;
	const char *region = first->global ? "us-east-1" : s->world.region;
	/* Delivered some minutes after the last event, and named by that time. */
	int64_t at = (first->at / FILE_SPAN + 1) * FILE_SPAN + 2 * MINUTE;
	struct utc_parts d = utc_split(first->at);
	struct buf packed = { 0 };
	json_t *root = json_pack("{s:O}", "Records", records);
	char *text = json_dumps(root, JSON_COMPACT);
	char stamp[32], tail[20];

	buf_init(&packed, FILE_MAX);
	utc_basic(at < s->now_ms ? at : s->now_ms, stamp);
	dice_text(&t->dice, DICE_UPPER, 16, tail);
	if (text == NULL || gz_deflate(str_from(text), &packed, NULL) != ERR_OK) {
		s->arena.overflow = true;
	}
	scenario_file_add(s, s->names.trail_bucket,
		scenario_text(s,
			"AWSLogs/%s/CloudTrail/%s/%04d/%02d/%02d/"
			"%s_CloudTrail_%s_%.13sZ_%s.json.gz",
			s->world.account, region, d.year, d.month, d.day, s->world.account,
			region, stamp, tail),
		arena_str(&s->arena, buf_view(&packed)));
	buf_deinit(&packed);
	free(text);
	json_decref(root);
}

void scenario_trail_write(struct scenario_trail *t)
{
	json_t *records = json_array();

	if (t->n > 0) {
		qsort(t->items, t->n, sizeof(*t->items), by_file);
	}
	t->s->n_events = t->n;
	for (size_t i = 0; i < t->n; i++) {
		const struct record *r = &t->items[i];

		json_array_append(records, r->json);
		if (dice_chance(&t->dice, 1)) { /* delivery is at least once */
			json_array_append(records, r->json);
		}
		if (i + 1 == t->n || r[1].global != r->global ||
			r[1].at / FILE_SPAN != r->at / FILE_SPAN) {
			write_file(t, r, records);
			json_array_clear(records);
		}
	}
	json_decref(records);
}
