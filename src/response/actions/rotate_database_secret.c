/*
 * rotate-database-secret: a new master password through Secrets Manager, which keeps it there for
 * the applications. RotateSecret and not rds:ModifyDBInstance(RotateMasterUserPassword), which must
 * be applied immediately and so flushes whatever waits for the maintenance window.
 */
#include "base/phrase.h"
#include "response/actions/database.h"
#include "response/actions/registry.h"
#include "response/actions/ssm.h"

#include <string.h>

#define READS 12

/* The version that is AWSCURRENT, or NULL. Borrowed. */
static const char *current_version(const json_t *secret)
{
	json_t *stages = json_object_get(secret, "VersionIdsToStages"), *list, *stage;
	const char *version;
	size_t i;
	json_object_foreach(stages, version, list)
	{
		json_array_foreach(list, i, stage)
		{
			if (strcmp(json_string_value(stage) ? json_string_value(stage) : "",
				    "AWSCURRENT") == 0) {
				return version;
			}
		}
	}
	return NULL;
}

static enum err_status describe(
	const struct action_ctx *c, const char *secret, json_t **out, struct err *err)
{
	json_t *params = json_pack("{s:s}", "SecretId", secret);
	enum err_status st =
		aws_call(c->aws, "secretsmanager", "DescribeSecret", params, out, err);
	json_decref(params);
	return st;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *db = NULL, *secret = NULL, *seen = NULL;
	enum err_status st = ERR_OK;
	const char *given = ec2_with(c, "secret", NULL);
	TRY(database_read(c, &db, err));
	const char *arn = given ? given : doc_text(db, "secret");
	seen = json_pack("{s:s,s:s?}", "database", c->id, "secret", arn);
	if (!arn) {
		st = ec2_skip(json_incref(seen),
			N_("the master password is not kept in Secrets Manager, so only a "
			   "person can give it a new one: let RDS manage it from now on (aws "
			   "rds modify-db-instance --manage-master-user-password), or name the "
			   "secret in the step's parameter secret"),
			before, needed);
		goto out;
	}
	TRY(describe(c, arn, &secret, err));
	const char *version = current_version(secret);
	json_object_set_new(
		seen, "version", version ? json_string(version) : json_string("none"));
	json_object_set_new(seen, "will", json_pack("{s:s}", "password", "a new one"));
	*before = json_incref(seen);
	*needed = true;
out:
	json_decref(seen);
	json_decref(secret);
	json_decref(db);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	const char *arn = doc_text_or(before, "secret", "");
	json_t *secret = NULL, *params = NULL;
	char token[37];
	enum err_status st = ERR_OK;
	ssm_client_token(c->token, token);
	/* An earlier try of this step may have begun it: the version bears the step's own token. */
	TRY(describe(c, arn, &secret, err));
	const char *now = current_version(secret);
	bool begun = json_object_get(json_object_get(secret, "VersionIdsToStages"), token) ||
		     (now && strcmp(now, doc_text_or(before, "version", "")) != 0);
	if (!begun) {
		params = json_pack("{s:s,s:s}", "SecretId", arn, "ClientRequestToken", token);
		TRY(aws_call(c->aws, "secretsmanager", "RotateSecret", params, NULL, err));
	}
	*after = json_pack("{s:s}", "secret", arn);
out:
	json_decref(params);
	json_decref(secret);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	const char *arn = doc_text_or(after, "secret", "");
	const char *old = doc_text_or(before, "version", "");
	json_t *secret = NULL;
	enum err_status st = ERR_OK;
	*ok = false;
	for (int try = 0; try < READS && !*ok; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(secret);
		secret = NULL;
		TRY(describe(c, arn, &secret, err));
		const char *now = current_version(secret);
		*ok = now && strcmp(now, old) != 0;
	}
	*proof = json_pack("{s:s,s:s,s:s?}", "secret", arn, "old_version", old, "version",
		current_version(secret));
	if (*ok) {
		phrase_set(*proof, "text",
			N_("The master password of database {0} is a new one, kept in secret "
			   "{1}."),
			PHRASE_ARGS(c->id, arn));
	} else {
		phrase_set(*proof, "text",
			N_("The rotation of secret {0} was begun and is not finished: the old "
			   "password of database {1} still works."),
			PHRASE_ARGS(arn, c->id));
	}
out:
	json_decref(secret);
	return st;
}

static const char *const calls[] = { "rds:DescribeDBInstances", "rds:DescribeDBClusters",
	"secretsmanager:DescribeSecret", "secretsmanager:RotateSecret", NULL };

const struct action action_rotate_database_secret = {
	.name = "rotate-database-secret",
	.title = N_("Give the database a new master password"),
	.why = N_("Somebody logged in who should not have: the password is known. Secrets "
		  "Manager changes it in the database and in the secret at once, so that "
		  "applications which read the secret go on."),
	.risk = N_("Applications that keep the password elsewhere lose the database. Other "
		   "users of the database keep their passwords."),
	.undo_text = N_("It can't be undone: the old password is gone. The version before "
			"stays in the secret for a while as AWSPREVIOUS."),
	.kinds = "RDSDBInstance RDSLimitlessDB",
	.calls = calls,
	.rounds = 2,
	.reversible = false,
	.observe = observe,
	.apply = apply,
	.verify = verify,
};
