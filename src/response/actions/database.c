#include "response/actions/database.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Ids of a VpcSecurityGroups list, sorted: their order means nothing and AWS changes it. */
static json_t *groups_of(const json_t *list)
{
	const char *texts[64];
	json_t *out = json_array(), *made = json_array(), *group;
	size_t i, n = 0;
	json_array_foreach(list, i, group)
	{
		const char *id = doc_text_or(group, "VpcSecurityGroupId", "?");
		const char *state = doc_text_or(group, "Status", "active");
		bool settled = strcmp(state, "active") == 0;
		json_array_append_new(
			made, settled ? json_string(id) : json_sprintf("%s (%s)", id, state));
	}
	json_array_foreach(made, i, group)
	{
		if (n < sizeof(texts) / sizeof(texts[0])) {
			texts[n++] = json_string_value(group);
		}
	}
	qsort(texts, n, sizeof(texts[0]), by_text);
	for (i = 0; i < n; i++) {
		json_array_append_new(out, json_string(texts[i]));
	}
	json_decref(made);
	return out;
}

static void add_pending(json_t *out, json_t *values)
{
	const char *name;
	json_t *value;
	json_object_foreach(values, name, value)
	{
		json_array_append_new(out, json_string(name));
	}
}

static void add_instances(json_t *db, const json_t *answer)
{
	size_t i;
	json_t *instance;
	json_array_foreach(json_object_get(answer, "DBInstances"), i, instance)
	{
		json_array_append_new(json_object_get(db, "instances"),
			json_pack("{s:s,s:o,s:b}", "id",
				doc_text_or(instance, "DBInstanceIdentifier", "?"), "groups",
				groups_of(json_object_get(instance, "VpcSecurityGroups")),
				"public", doc_true(instance, "PubliclyAccessible")));
		add_pending(json_object_get(db, "pending"),
			json_object_get(instance, "PendingModifiedValues"));
		if (doc_text(instance, "DBSubnetGroup.VpcId")) {
			json_object_set(db, "vpc", doc_get(instance, "DBSubnetGroup.VpcId"));
		}
		if (!doc_text(db, "secret") &&
			doc_text(instance, "MasterUserSecret.SecretArn")) {
			json_object_set(
				db, "secret", doc_get(instance, "MasterUserSecret.SecretArn"));
		}
	}
}

static enum err_status read_cluster(
	const struct action_ctx *c, const char *id, json_t *db, struct err *err)
{
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	size_t at_cluster = batch_add(
		&b, "rds", "DescribeDBClusters", json_pack("{s:s}", "DBClusterIdentifier", id));
	size_t at_members =
		batch_add(&b, "rds", "DescribeDBInstances", ec2_filter("db-cluster-id", id));
	TRY(batch_run(&b, c->aws, err));
	const json_t *cluster = doc_get(batch_result(&b, at_cluster), "DBClusters[0]");
	if (!cluster) {
		st = err_set(err, ERR_NOT_FOUND, "database cluster %s does not exist here", id);
		goto out;
	}
	json_object_set_new(db, "cluster", json_string(id));
	json_object_set_new(
		db, "groups", groups_of(json_object_get(cluster, "VpcSecurityGroups")));
	if (doc_text(cluster, "MasterUserSecret.SecretArn")) {
		json_object_set(db, "secret", doc_get(cluster, "MasterUserSecret.SecretArn"));
	}
	add_pending(json_object_get(db, "pending"),
		json_object_get(cluster, "PendingModifiedValues"));
	add_instances(db, batch_result(&b, at_members));
out:
	batch_deinit(&b);
	return st;
}

enum err_status database_vpc(const struct action_ctx *c, json_t *db, struct err *err)
{
	const char *group =
		doc_text_or(db, "groups[0]", doc_text(db, "instances[0].groups[0]"));
	json_t *params, *answer = NULL;
	enum err_status st = ERR_OK;
	if (doc_text(db, "vpc")) {
		return ERR_OK;
	}
	if (!group) {
		return err_set(
			err, ERR_NOT_FOUND, "database %s has no instance in a VPC", c->id);
	}
	params = json_pack("{s:[s]}", "GroupIds", group);
	TRY(aws_call(c->aws, "ec2", "DescribeSecurityGroups", params, &answer, err));
	json_object_set(db, "vpc", doc_get(answer, "SecurityGroups[0].VpcId"));
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

enum err_status database_read(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *db = json_pack("{s:n,s:n,s:[],s:[],s:n,s:[]}", "cluster", "vpc", "instances",
		"groups", "secret", "pending");
	json_t *params = json_pack("{s:s}", "DBInstanceIdentifier", c->id), *answer = NULL;
	const char *cluster = ec2_with(c, "cluster", NULL);
	enum err_status st = ERR_OK;
	if (!cluster && strcmp(c->kind, "RDSLimitlessDB") != 0) {
		TRY(aws_call(c->aws, "rds", "DescribeDBInstances", params, &answer, err));
		cluster = doc_text(answer, "DBInstances[0].DBClusterIdentifier");
	}
	if (cluster) {
		TRY(read_cluster(c, cluster, db, err));
	} else if (answer) {
		add_instances(db, answer);
	} else {
		st = err_set(err, ERR_NOT_FOUND,
			"the finding does not name the cluster of shard group %s: give it in "
			"the step's parameter cluster",
			c->id);
		goto out;
	}
	*out = db;
	db = NULL;
out:
	json_decref(answer);
	json_decref(params);
	json_decref(db);
	return st;
}

void database_name(const struct action_ctx *c, char out[DATABASE_NAME_MAX])
{
	char raw[DATABASE_NAME_MAX];
	size_t n = 0;
	snprintf(raw, sizeof(raw), "cordon-%.80s-%.8s", c->case_id, c->token);
	for (const char *p = raw; *p; p++) {
		bool plain = isalnum((unsigned char)*p);
		if (plain || (n > 0 && out[n - 1] != '-')) {
			out[n++] = (char)(plain ? *p : '-');
		}
	}
	while (n > 0 && out[n - 1] == '-') {
		n--;
	}
	out[n] = '\0';
}
