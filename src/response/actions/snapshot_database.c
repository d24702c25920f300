/* snapshot-database: a snapshot of the instance, or of the whole cluster that it belongs to. */
#include "base/phrase.h"
#include "response/actions/database.h"
#include "response/actions/registry.h"

#include <string.h>

static bool clustered(const json_t *before)
{
	return doc_text(before, "cluster") != NULL;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	char name[DATABASE_NAME_MAX];
	json_t *db = NULL;
	enum err_status st = database_read(c, &db, err);
	if (st != ERR_OK) {
		return st;
	}
	database_name(c, name);
	*before = json_pack("{s:s,s:O,s:O,s:s}", "database", c->id, "cluster",
		json_object_get(db, "cluster"), "instances", json_object_get(db, "instances"),
		"snapshot", name);
	*needed = true;
	json_decref(db);
	return ERR_OK;
}

static json_t *tags(const struct action_ctx *c)
{
	return json_pack("[{s:s,s:s},{s:s,s:s}]", "Key", EC2_TAG_CASE, "Value", c->case_id,
		"Key", EC2_TAG_STEP, "Value", c->step_id);
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	const char *name = doc_text_or(before, "snapshot", "");
	struct batch b;
	batch_init(&b);
	/* A snapshot of that name is the one an earlier try of this step made. */
	if (clustered(before)) {
		batch_add_lenient(&b, "rds", "CreateDBClusterSnapshot",
			json_pack("{s:O,s:s,s:o}", "DBClusterIdentifier",
				json_object_get(before, "cluster"),
				"DBClusterSnapshotIdentifier", name, "Tags", tags(c)),
			"DBClusterSnapshotAlreadyExists*");
	} else {
		batch_add_lenient(&b, "rds", "CreateDBSnapshot",
			json_pack("{s:s,s:s,s:o}", "DBInstanceIdentifier", c->id,
				"DBSnapshotIdentifier", name, "Tags", tags(c)),
			"DBSnapshotAlreadyExists*");
	}
	enum err_status st = batch_run(&b, c->aws, err);
	batch_deinit(&b);
	if (st == ERR_OK) {
		*after = json_pack("{s:s}", "snapshot", name);
	}
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	bool whole = clustered(before);
	const char *name = doc_text_or(after, "snapshot", "");
	json_t *answer = NULL;
	json_t *params = json_pack(
		"{s:s}", whole ? "DBClusterSnapshotIdentifier" : "DBSnapshotIdentifier", name);
	enum err_status st = ERR_OK;
	TRY(aws_call(c->aws, "rds",
		whole ? "DescribeDBClusterSnapshots" : "DescribeDBSnapshots", params, &answer,
		err));
	const json_t *snapshot =
		doc_get(answer, whole ? "DBClusterSnapshots[0]" : "DBSnapshots[0]");
	const char *state = doc_text_or(snapshot, "Status", "missing");
	*ok = snapshot && strcmp(state, "failed") != 0;
	*proof = json_pack("{s:s,s:s}", "snapshot", name, "status", state);
	if (*ok) {
		phrase_set(*proof, "text",
			N_("Snapshot {0} of database {1} exists; its state is {2}. It restores "
			   "the moment at which it was begun."),
			PHRASE_ARGS(name, c->id, state));
	} else {
		phrase_set(*proof, "text",
			N_("The snapshot of database {0} did not come about; its state is "
			   "{1}."),
			PHRASE_ARGS(c->id, state));
	}
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

static const char *const calls[] = { "rds:DescribeDBInstances", "rds:DescribeDBClusters",
	"rds:CreateDBSnapshot", "rds:CreateDBClusterSnapshot", "rds:DescribeDBSnapshots",
	"rds:DescribeDBClusterSnapshots", "rds:AddTagsToResource", NULL };

const struct action action_snapshot_database = {
	.name = "snapshot-database",
	.title = N_("Snapshot the database"),
	.why = N_("An intruder in a database can delete or encrypt it. A snapshot keeps the "
		  "data as it is now, out of reach of a database password."),
	.risk = N_("A single-AZ instance may pause for seconds while the snapshot begins. It "
		   "costs money until it is deleted."),
	.undo_text = N_("Nothing is undone: the snapshot is evidence and a way back. Delete it "
			"when the case is closed and nobody needs it."),
	.kinds = "RDSDBInstance RDSLimitlessDB",
	.calls = calls,
	.rounds = 1,
	.reversible = false,
	.observe = observe,
	.apply = apply,
	.verify = verify,
};
