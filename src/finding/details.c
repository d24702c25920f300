#include "finding/details.h"

#include "finding/parts.h"

#include <string.h>

void details_set(struct finding_resource *r, const char *name, json_t *value_taken)
{
	if (r == NULL || value_taken == NULL) {
		json_decref(value_taken);
		return;
	}
	if (r->about == NULL) {
		r->about = json_object();
	}
	json_object_set_new(r->about, name, value_taken);
}

void details_text(struct finding_resource *r, const char *name, struct str text)
{
	if (text.n > 0) {
		details_set(r, name, doc_str(text));
	}
}

static struct finding_resource *first_of(struct finding *f, enum finding_kind kind)
{
	for (size_t i = 0; i < f->n_resources; i++) {
		if (f->resources[i].kind == kind) {
			return &f->resources[i];
		}
	}
	return NULL;
}

static void add_task(struct finding *f, struct finding_resource *cluster, struct str arn)
{
	if (cluster == NULL || arn.n == 0) {
		return;
	}
	json_t *tasks = json_object_get(cluster->about, "tasks");
	if (tasks == NULL) {
		details_set(cluster, "tasks", json_array());
		tasks = json_object_get(cluster->about, "tasks");
	}
	for (size_t i = 0; i < json_array_size(tasks); i++) {
		if (str_is(arn, json_string_value(json_array_get(tasks, i)))) {
			return;
		}
	}
	if (json_array_size(tasks) < DETAILS_MAX_TASKS) {
		json_array_append_new(tasks, doc_str(arn));
	} else {
		f->dropped++;
	}
}

/* The IAM identity behind a call to the cluster's API stands in the block of its access key. */
static void read_cluster_user(struct finding *f, struct finding_resource *cluster)
{
	const struct finding_resource *key = first_of(f, FINDING_ACCESS_KEY);
	if (key != NULL && str_is(key->user_type, "IAMUser")) {
		details_text(cluster, "user", key->user_name);
	} else if (key != NULL &&
		   (str_is(key->user_type, "AssumedRole") || str_is(key->user_type, "Role"))) {
		details_text(cluster, "role", key->user_name);
	}
}

static void read_kubernetes(struct finding *f, const json_t *resource)
{
	static const char *const fields[][2] = {
		{ "username", "kubernetesDetails.kubernetesUserDetails.username" },
		{ "workload", "kubernetesDetails.kubernetesWorkloadDetails.name" },
		{ "workload_type", "kubernetesDetails.kubernetesWorkloadDetails.type" },
		{ "namespace", "kubernetesDetails.kubernetesWorkloadDetails.namespace" },
		{ "service_account",
			"kubernetesDetails.kubernetesWorkloadDetails.serviceAccountName" },
	};
	struct finding_resource *cluster = first_of(f, FINDING_EKS_CLUSTER);

	for (size_t i = 0; cluster != NULL && i < sizeof(fields) / sizeof(fields[0]); i++) {
		details_text(
			cluster, fields[i][0], parts_id(f, parts_at(resource, fields[i][1])));
	}
	read_cluster_user(f, cluster);
}

void details_read(struct finding *f, const json_t *resource)
{
	struct str role = parts_id(f, parts_at(resource, "lambdaDetails.role"));

	details_text(first_of(f, FINDING_RDS_INSTANCE), "cluster",
		parts_id(f, parts_at(resource, "rdsDbInstanceDetails.dbClusterIdentifier")));
	details_text(first_of(f, FINDING_RDS_LIMITLESS), "cluster",
		parts_id(f, parts_at(resource, "rdsLimitlessDbDetails.dbClusterIdentifier")));
	details_text(first_of(f, FINDING_LAMBDA), "role", parts_tail(role));
	add_task(f, first_of(f, FINDING_ECS_CLUSTER),
		parts_id(f, parts_at(resource, "ecsClusterDetails.taskDetails.arn")));
	read_kubernetes(f, resource);
}

void details_task(struct finding *f, struct str arn)
{
	/* arn:aws:ecs:REGION:ACCOUNT:task/CLUSTER/ID */
	struct str rest = parts_arn(arn, 5);
	struct str word = { NULL, 0 };
	struct str cluster = { NULL, 0 };

	if (str_cut(&rest, '/', &word) && str_is(word, "task") &&
		str_cut(&rest, '/', &cluster) && cluster.n > 0 && rest.n > 0) {
		add_task(f, parts_resource(f, FINDING_ECS_CLUSTER, cluster), arn);
	}
}

void details_sequence(struct finding *f, const json_t *v)
{
	if (parts_is(parts_at(v, "resourceType"), "ECS_TASK")) {
		details_task(f, parts_id(f, parts_at(v, "uid")));
	} else if (parts_is(parts_at(v, "resourceType"), "KUBERNETES_WORKLOAD")) {
		details_text(first_of(f, FINDING_EKS_CLUSTER), "namespace",
			parts_id(f, parts_at(v, "data.kubernetesWorkload.namespace")));
	}
}
