/*
 * isolate-database: the security groups of a database swapped for an empty one made for the case,
 * and its public address off.
 *
 * Neither needs ApplyImmediately on an instance (rds:ModifyDBInstance: groups "as soon as
 * possible", PubliclyAccessible "regardless of the value of the ApplyImmediately parameter"), which
 * would also apply whatever waits for the maintenance window. A cluster's groups do need it: while
 * something waits there, it is sent only when the step says flush_pending.
 */
#include "base/phrase.h"
#include "response/actions/database.h"
#include "response/actions/quarantine.h"
#include "response/actions/registry.h"
#include "response/actions/setting.h"

#include <stdio.h>
#include <string.h>

#define CLUSTER     "groups:cluster/"
#define INSTANCE    "groups:instance/"
#define PUBLIC      "public:"
#define PLACEHOLDER "an empty group made for the case"

static void put(json_t *parts, const char *prefix, const json_t *id, json_t *value)
{
	char name[320];
	snprintf(name, sizeof(name), "%s%.255s", prefix,
		json_string_value(id) ? json_string_value(id) : "?");
	json_object_set(parts, name, value);
}

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *db = NULL, *instance;
	size_t i;
	enum err_status st = database_read(c, &db, err);
	(void)reason;
	if (st == ERR_OK) {
		st = database_vpc(c, db, err);
	}
	if (st != ERR_OK) {
		json_decref(db);
		return st;
	}
	*parts = json_object();
	bool clustered = doc_text(db, "cluster") != NULL;
	if (clustered) {
		put(*parts, CLUSTER, json_object_get(db, "cluster"),
			json_object_get(db, "groups"));
	}
	json_array_foreach(json_object_get(db, "instances"), i, instance)
	{
		const json_t *id = json_object_get(instance, "id");
		if (!clustered) {
			put(*parts, INSTANCE, id, json_object_get(instance, "groups"));
		}
		put(*parts, PUBLIC, id, json_object_get(instance, "public"));
	}
	json_object_set(notes, "vpc", json_object_get(db, "vpc"));
	json_object_set(notes, "pending", json_object_get(db, "pending"));
	json_decref(db);
	return ERR_OK;
}

/* The quarantine group once it is made (its id is in the step's notes). */
static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	const char *group = doc_text_or(c->partial, "groups[0].closed", PLACEHOLDER);
	json_t *out = json_object(), *copy = json_deep_copy(parts), *value;
	const char *name;
	json_object_foreach(copy, name, value)
	{
		if (strncmp(name, PUBLIC, strlen(PUBLIC)) == 0) {
			json_object_set_new(out, name, json_false());
		} else {
			json_object_set_new(out, name, json_pack("[s]", group));
		}
	}
	json_decref(copy);
	return out;
}

/* The parameters of the one call that changes an instance; borrowed from `calls`. */
static json_t *call_for(json_t *calls, const char *id)
{
	if (!json_object_get(calls, id)) {
		json_object_set_new(calls, id, json_pack("{s:s}", "DBInstanceIdentifier", id));
	}
	return json_object_get(calls, id);
}

static enum err_status add_cluster(const struct action_ctx *c, struct batch *b, const char *id,
	json_t *groups, struct err *err)
{
	json_t *params = json_pack("{s:s}", "DBClusterIdentifier", id), *answer = NULL;
	enum err_status st =
		aws_call(c->aws, "rds", "DescribeDBClusters", params, &answer, err);
	if (st == ERR_OK) {
		bool waits = json_object_size(doc_get(
				     answer, "DBClusters[0].PendingModifiedValues")) > 0;
		json_object_set(params, "VpcSecurityGroupIds", groups);
		if (!waits || doc_true(c->with, "flush_pending")) {
			json_object_set_new(params, "ApplyImmediately", json_true());
		}
		batch_add(b, "rds", "ModifyDBCluster", json_incref(params));
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	json_t *calls = json_object(), *value;
	struct err local = { 0 };
	struct batch b;
	const char *name;
	enum err_status st = ERR_OK;
	(void)before;
	err = err ? err : &local;
	batch_init(&b);
	json_object_foreach(parts, name, value)
	{
		if (strncmp(name, CLUSTER, strlen(CLUSTER)) == 0) {
			TRY(add_cluster(c, &b, name + strlen(CLUSTER), value, err));
		} else if (strncmp(name, INSTANCE, strlen(INSTANCE)) == 0) {
			json_object_set(call_for(calls, name + strlen(INSTANCE)),
				"VpcSecurityGroupIds", value);
		} else {
			json_object_set(call_for(calls, name + strlen(PUBLIC)),
				"PubliclyAccessible", value);
		}
	}
	json_object_foreach(calls, name, value)
	{
		batch_add(&b, "rds", "ModifyDBInstance", json_incref(value));
	}
	for (int try = 0; try < 8; try++) {
		/* "backing-up" or "modifying": refused until that is over. */
		st = batch_run(&b, c->aws, err);
		if (st == ERR_OK || strncmp(err->code, "InvalidDB", 9) != 0) {
			break;
		}
		ec2_pause(c, try);
	}
out:
	batch_deinit(&b);
	json_decref(calls);
	return st;
}

static const struct setting setting = {
	.what = "DBSecurityGroups",
	.in_force = N_("the database is in the quarantine group of this step already"),
	.done = N_("Database {0} is in an empty security group only and has no public address. "
		   "Sessions that were open live until they end: end them in the database."),
	.not_done = N_("Database {0} does not show the new value of {1} yet."),
	.reads = 12,
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	return setting_observe(&setting, c, before, needed, err);
}

/* The group, made or found again, and emptied; *mine is `c` knowing it. */
static enum err_status make_group(const struct action_ctx *c, const json_t *before,
	json_t **groups, json_t **partial, struct err *err)
{
	json_t *vpcs = json_pack("[O]", json_object_get(before, "vpc")), *none = json_array();
	json_t *noted = json_object_get(c->partial, "groups");
	struct batch b;
	enum err_status st = ERR_OK;
	batch_init(&b);
	if (json_array_size(noted) > 0) {
		*groups = json_incref(noted);
	} else {
		TRY(quarantine_make(c, vpcs, QUARANTINE_CLOSED, groups, err));
		TRY(ec2_note(c, json_pack("{s:s,s:O}", "note", "group made", "groups", *groups),
			err));
	}
	quarantine_add_closing(&b, *groups, none);
	TRY(batch_run(&b, c->aws, err));
	TRY(quarantine_clean(c, *groups, none, err));
	*partial = json_pack("{s:O}", "groups", *groups);
out:
	batch_deinit(&b);
	json_decref(none);
	json_decref(vpcs);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	struct action_ctx mine = *c;
	json_t *groups = NULL, *partial = NULL;
	enum err_status st = ERR_OK;
	TRY(make_group(c, before, &groups, &partial, err));
	mine.partial = partial;
	TRY(setting_apply(&setting, &mine, before, after, err));
	json_object_set(*after, "groups", groups);
out:
	json_decref(partial);
	json_decref(groups);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *ids = quarantine_ids(json_object_get(after, "groups"), "closed");
	json_t *rules = NULL, *params = ec2_filter_list("group-id", ids);
	enum err_status st = ERR_OK;
	TRY(setting_verify(&setting, c, after, ok, proof, err));
	TRY(aws_call(c->aws, "ec2", "DescribeSecurityGroupRules", params, &rules, err));
	json_object_set(*proof, "rules", json_object_get(rules, "SecurityGroupRules"));
	if (*ok && json_array_size(json_object_get(rules, "SecurityGroupRules")) > 0) {
		*ok = false;
		phrase_set(*proof, "text",
			N_("Somebody put rules into the quarantine group of database {0}."),
			PHRASE_ARGS(c->id));
	} else if (!*ok && json_array_size(json_object_get(before, "pending")) > 0) {
		phrase_set(*proof, "text",
			N_("Database {0} has changes that wait for its maintenance window, so "
			   "its cluster's groups were not applied at once: apply those "
			   "changes, or give the step flush_pending."),
			PHRASE_ARGS(c->id));
	}
out:
	json_decref(rules);
	json_decref(params);
	json_decref(ids);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	json_t *groups = json_incref(json_object_get(after ? after : c->partial, "groups"));
	json_t *diffs = json_array();
	enum err_status st = ERR_OK;
	if (!groups) {
		/* Killed before the note: the database was not touched, the group may be there. */
		TRY(quarantine_find(c, &groups, err));
	} else {
		TRY(setting_restore(&setting, c, before, after, diffs, err));
	}
	TRY(quarantine_delete(c, groups, diffs, err));
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(groups);
	return st;
}

static const char *const calls[] = { "rds:DescribeDBInstances", "rds:DescribeDBClusters",
	"rds:ModifyDBInstance", "rds:ModifyDBCluster", "ec2:CreateSecurityGroup",
	"ec2:CreateTags", "ec2:DescribeSecurityGroups", "ec2:DescribeSecurityGroupRules",
	"ec2:RevokeSecurityGroupEgress", "ec2:RevokeSecurityGroupIngress",
	"ec2:DescribeNetworkInterfaces", "ec2:DeleteSecurityGroup", NULL };

const struct action action_isolate_database = {
	.name = "isolate-database",
	.title = N_("Isolate the database from the network"),
	.why = N_("Whoever has a password for the database needs a way to it. An empty "
		  "security group in place of its own, and no public address, take the way "
		  "while the data stays where it is."),
	.risk = N_("Every application that uses the database loses it. Sessions that are open "
		   "already may live on until they end."),
	.undo_text = N_("The former security groups and the public address setting are put "
			"back; the group made for the case is deleted."),
	.kinds = "RDSDBInstance RDSLimitlessDB",
	.calls = calls,
	.rounds = 4,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
