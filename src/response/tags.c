#include "response/tags.h"

#include "base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 200 /* resources asked about; a sequence names some dozens */

/* One question about one resource. */
struct question {
	struct finding_resource *resource;
	struct aws_request request;
	json_t *params;
	const char *list; /* where the answer has the tags: a list or an object */
};

static json_t *arn_of(const struct finding *f, const struct finding_resource *r,
	const char *service, const char *kind)
{
	if (r->arn.n > 0) {
		return doc_str(r->arn);
	}
	return json_sprintf("arn:%.*s:%s:%.*s:%.*s:%s%.*s", STR_ARG(f->partition), service,
		STR_ARG(f->region), STR_ARG(f->account), kind, STR_ARG(r->id));
}

static void about_principal(struct question *q)
{
	const struct finding_resource *r = q->resource;
	bool user = str_is(r->user_type, "IAMUser");

	if (r->user_name.n == 0 || (!user && !str_is(r->user_type, "AssumedRole"))) {
		return; /* root, a federated user, nobody: nothing there to tag */
	}
	q->request.service = "iam";
	q->request.operation = user ? "ListUserTags" : "ListRoleTags";
	q->params = json_pack("{s:o}", user ? "UserName" : "RoleName", doc_str(r->user_name));
	q->list = "Tags";
}

static void about_bucket(struct question *q)
{
	struct str id = q->resource->id;
	size_t slash = str_find_char(id, '/');

	q->request.service = "s3";
	q->request.operation = "GetBucketTagging";
	q->params = json_pack(
		"{s:o}", "Bucket", doc_str(slash == SIZE_MAX ? id : str_sub(id, 0, slash)));
	q->list = "TagSet";
}

static void about_instance(struct question *q)
{
	q->request.service = "ec2";
	q->request.operation = "DescribeTags";
	q->params = json_pack("{s:[{s:s, s:[o]}]}", "Filters", "Name", "resource-id", "Values",
		doc_str(q->resource->id));
	q->list = "Tags";
}

/* Leaves the operation NULL where nothing can be asked. */
static void ask(const struct finding *f, struct question *q)
{
	const struct finding_resource *r = q->resource;

	if (r->kind == FINDING_ACCESS_KEY) {
		about_principal(q);
	} else if (r->id.n == 0) {
		return;
	} else if (r->kind == FINDING_INSTANCE) {
		about_instance(q);
	} else if (r->kind == FINDING_S3_BUCKET || r->kind == FINDING_S3_OBJECT) {
		about_bucket(q);
	} else if (r->kind == FINDING_RDS_INSTANCE) {
		q->request.service = "rds";
		q->request.operation = "ListTagsForResource";
		q->params = json_pack("{s:o}", "ResourceName", arn_of(f, r, "rds", "db:"));
		q->list = "TagList";
	} else if (r->kind == FINDING_LAMBDA) {
		q->request.service = "lambda";
		q->request.operation = "ListTags";
		q->params = json_pack("{s:o}", "Resource", arn_of(f, r, "lambda", "function:"));
		q->list = "Tags";
	} else if (r->kind == FINDING_EKS_CLUSTER) {
		q->request.service = "eks";
		q->request.operation = "DescribeCluster";
		q->params = json_pack("{s:o}", "name", doc_str(r->id));
		q->list = "cluster.tags";
	} else if (r->kind == FINDING_ECS_CLUSTER) {
		q->request.service = "ecs";
		q->request.operation = "ListTagsForResource";
		q->params = json_pack("{s:o}", "resourceArn", arn_of(f, r, "ecs", "cluster/"));
		q->list = "tags";
	}
}

/* [{"Key","Value"}], in either spelling, or {"key":"value"}, as {"key":"value"}. */
static json_t *as_object(json_t *found)
{
	json_t *out = json_is_object(found) ? json_copy(found) : json_object();
	const json_t *v = NULL;
	size_t i = 0;

	json_array_foreach(found, i, v)
	{
		const char *key = doc_text_or(v, "Key", doc_text(v, "key"));
		const char *value = doc_text_or(v, "Value", doc_text_or(v, "value", ""));
		if (key != NULL) {
			json_object_set_new(out, key, json_string(value));
		}
	}
	return out;
}

static void take(struct question *q, json_t *unknown)
{
	struct finding_resource *r = q->resource;
	struct str id = r->id.n > 0 ? r->id : r->user_name;

	if (q->request.status == ERR_OK || q->request.status == ERR_NOT_FOUND) {
		r->tags = as_object(doc_get(q->request.result, q->list));
		return;
	}
	log_err(LOG_WARN, "the tags of a resource can't be read; it counts as production",
		&q->request.err);
	json_array_append_new(unknown,
		json_pack("{s:s, s:o}", "kind", finding_kind_name(r->kind), "id", doc_str(id)));
}

void tags_look_up(struct aws_client *aws, struct finding *f, json_t **unknown)
{
	struct question *all = calloc(MOST, sizeof(*all));
	struct aws_request *requests = calloc(MOST, sizeof(*requests));
	size_t n = 0;

	if (all == NULL || requests == NULL) {
		BUG("out of memory");
	}
	*unknown = json_array();
	for (size_t i = 0; i < f->n_resources && n < MOST; i++) {
		all[n].resource = &f->resources[i];
		if (f->resources[i].tags == NULL) {
			ask(f, &all[n]);
		}
		if (all[n].request.operation != NULL) {
			all[n].request.params = all[n].params;
			requests[n] = all[n].request;
			n++;
		}
	}
	if (n > 0 && aws_call_many(aws, requests, n, NULL) != ERR_OK) {
		log_event(
			LOG_DEBUG, "not every tag could be read", NULL); /* take() says which */
	}
	for (size_t i = 0; i < n; i++) {
		all[i].request = requests[i];
		take(&all[i], *unknown);
		json_decref(all[i].params);
		json_decref(requests[i].result);
	}
	free(requests);
	free(all);
}
