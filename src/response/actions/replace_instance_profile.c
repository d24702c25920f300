/*
 * replace-instance-profile: gives the instance the quarantine profile, or none when none is
 * configured. Credentials that the host has already fetched stay valid: revoke-role-sessions is the other half.
 */
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/iam.h"
#include "response/actions/registry.h"

#include <string.h>

#define WAIT_READS 12

static const char *quarantine(const struct action_ctx *c)
{
	const char *q = c->config ? c->config->quarantine_profile : NULL;
	return q && *q ? q : NULL;
}

/* {"Arn":..} or {"Name":..} from what the configuration gives. */
static json_t *profile_spec(const char *name_or_arn)
{
	bool arn = strncmp(name_or_arn, "arn:", 4) == 0;
	return json_pack("{s:s}", arn ? "Arn" : "Name", name_or_arn);
}

/* The association in force or on its way in; *out is NULL when there is none. New reference. */
static enum err_status association(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = ec2_filter("instance-id", c->id), *answer = NULL, *a, *found = NULL;
	enum err_status st = aws_call(
		c->aws, "ec2", "DescribeIamInstanceProfileAssociations", params, &answer, err);
	size_t i;
	json_array_foreach(json_object_get(answer, "IamInstanceProfileAssociations"), i, a)
	{
		const char *state = doc_text_or(a, "State", "");
		if (strcmp(state, "associated") == 0 ||
			(!found && strcmp(state, "associating") == 0)) {
			found = a;
		}
	}
	if (st == ERR_OK) {
		*out = json_incref(found);
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static const char *arn_of(const json_t *a)
{
	return doc_text_or(a, "IamInstanceProfile.Arn", "");
}

/* The association shows the profile wanted: by ARN, or by name when only that is known. */
static bool shows(const json_t *a, const char *wanted)
{
	if (strncmp(wanted, "arn:", 4) == 0) {
		return strcmp(arn_of(a), wanted) == 0;
	}
	return a && strcmp(iam_name_of(arn_of(a)), wanted) == 0;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *a = NULL, *params = NULL;
	TRY(association(c, &a, err));
	json_t *seen = json_pack("{s:s,s:s,s:s}", "instance", c->id, "profile", arn_of(a),
		"association", doc_text_or(a, "AssociationId", ""));
	if (!a) {
		st = ec2_skip(seen, N_("the instance has no instance profile"), before, needed);
		goto out;
	}
	if (quarantine(c) && shows(a, quarantine(c))) {
		st = ec2_skip(seen, N_("the instance has the quarantine profile already"),
			before, needed);
		goto out;
	}
	if (quarantine(c)) {
		params = json_pack("{s:s}", "InstanceProfileName", iam_name_of(quarantine(c)));
		st = aws_call(c->aws, "iam", "GetInstanceProfile", params, NULL, err);
		if (st != ERR_OK) {
			json_decref(seen);
			st = err_prefix(err,
				"response.quarantine_profile %s can't be used; create it or "
				"take it out of cordon.yaml",
				quarantine(c));
			goto out;
		}
	}
	*before = seen;
	*needed = true;
out:
	json_decref(params);
	json_decref(a);
	return st;
}

/* Until the profile shows as associated (NULL: until none does); *ok says whether it came so far. */
static enum err_status wait_for(const struct action_ctx *c, const char *wanted, bool *ok,
	json_t **last, struct err *err)
{
	enum err_status st = ERR_OK;
	*ok = false;
	for (int try = 0; try < WAIT_READS && !*ok && st == ERR_OK; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(*last);
		*last = NULL;
		st = association(c, last, err);
		*ok = st == ERR_OK &&
		      (wanted ? shows(*last, wanted) && strcmp(doc_text_or(*last, "State", ""),
								"associated") == 0
			      : !*last);
	}
	return st;
}

/* The change itself, whatever is there now: to `wanted` (NULL: none). */
static enum err_status set_profile(
	const struct action_ctx *c, const json_t *present, const char *wanted, struct err *err)
{
	const char *operation = "AssociateIamInstanceProfile";
	json_t *params = json_object();
	if (present) {
		json_object_set(
			params, "AssociationId", json_object_get(present, "AssociationId"));
		operation = wanted ? "ReplaceIamInstanceProfileAssociation"
				   : "DisassociateIamInstanceProfile";
	} else {
		json_object_set_new(params, "InstanceId", json_string(c->id));
	}
	if (wanted) {
		json_object_set_new(params, "IamInstanceProfile", profile_spec(wanted));
	}
	enum err_status st = ERR_OK;
	if (present || wanted) {
		st = aws_call(c->aws, "ec2", operation, params, NULL, err);
	}
	json_decref(params);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *now = NULL;
	const char *wanted = quarantine(c);
	bool there = false;
	(void)before;
	TRY(association(c, &now, err));
	/* A killed try may have done it. */
	if (wanted ? !(now && shows(now, wanted)) : now != NULL) {
		TRY(set_profile(c, now, wanted, err));
	}
	TRY(wait_for(c, wanted, &there, &now, err));
	*after = json_pack("{s:s,s:s}", "profile", wanted ? arn_of(now) : "", "association",
		doc_text_or(now, "AssociationId", ""));
out:
	json_decref(now);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *now = NULL;
	const char *wanted = doc_text_or(after, "profile", "");
	TRY(wait_for(c, *wanted ? wanted : NULL, ok, &now, err));
	*ok = *ok && strcmp(arn_of(now), doc_text_or(before, "profile", "")) != 0;
	*proof = json_pack(
		"{s:s,s:s}", "profile", arn_of(now), "state", doc_text_or(now, "State", ""));
	if (!*ok) {
		phrase_set(*proof, "text", N_("Instance {0} still shows the profile {1}."),
			PHRASE_ARGS(c->id, arn_of(now)));
	} else if (now) {
		phrase_set(*proof, "text", N_("Instance {0} has the quarantine profile {1}."),
			PHRASE_ARGS(c->id, arn_of(now)));
	} else {
		phrase_set(*proof, "text", N_("Instance {0} has no instance profile any more."),
			PHRASE_ARGS(c->id));
	}
out:
	json_decref(now);
	return st;
}

static enum err_status undo(const struct action_ctx *c, const json_t *before,
	const json_t *after, json_t **differences, struct err *err)
{
	enum err_status st = ERR_OK;
	json_t *now = NULL, *diffs = json_array();
	const char *old = doc_text_or(before, "profile", "");
	const char *made = after ? doc_text_or(after, "profile", "")
				 : (quarantine(c) ? quarantine(c) : "");
	bool there = true;
	TRY(association(c, &now, err));
	if (now && shows(now, old)) {
		goto done;
	}
	if (now ? !shows(now, made) : *made != '\0') {
		ec2_differ(diffs, &(struct ec2_difference){ .resource = c->id,
					  .what = "IamInstanceProfile",
					  .before = json_string(old),
					  .now = json_string(arn_of(now)),
					  .text = N_("Somebody gave the instance another "
						     "profile after the step."),
					  .blocking = true });
	}
	if (json_array_size(diffs) == 0 || ec2_forced(c)) {
		TRY(set_profile(c, now, old, err));
		TRY(wait_for(c, old, &there, &now, err));
	}
	if (!there) {
		st = err_set(err, ERR_FAILED,
			"instance %s does not show the profile %s as associated yet; run the "
			"undo again in a minute",
			c->id, old);
		goto out;
	}
done:
	st = ec2_undone(c, diffs, differences, err);
	diffs = NULL;
out:
	json_decref(diffs);
	json_decref(now);
	return st;
}

static const char *const calls[] = { "ec2:DescribeIamInstanceProfileAssociations",
	"ec2:ReplaceIamInstanceProfileAssociation", "ec2:DisassociateIamInstanceProfile",
	"ec2:AssociateIamInstanceProfile", "iam:GetInstanceProfile", "iam:PassRole", NULL };

const struct action action_replace_instance_profile = {
	.name = "replace-instance-profile",
	.title = N_("Replace the instance profile"),
	.why = N_("As long as the host has its role, whoever runs code on it fetches new "
		  "credentials as often as he likes. A profile without rights ends that, and "
		  "keeps the Systems Manager agent able to work."),
	.risk = N_("Software on the host that calls AWS loses its rights within minutes."),
	.undo_text = N_("The former profile, named by its ARN, is associated again."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 3,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
