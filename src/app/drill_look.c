/* A picture of the account through describe-calls, and what differs between two pictures. */
#include "app/drill.h"

#include <stdlib.h>
#include <string.h>

#define DIFFERENCES_MAX 200

/*
 * Marks that AWS gives anew whenever something is put back, and times that move by themselves; the
 * things themselves are compared.
 */
static const char *const given_anew[] = { "AssociationId", "AttachTime", "AttachmentId",
	"RequestId", "ResponseMetadata", "Timestamp", "RoleLastUsed", "LatestRestorableTime",
	"LaunchTime", "StateTransitionReason", NULL };

static void see(struct drill *d, json_t *look, const char *name, const char *service,
	const char *operation, json_t *params_taken)
{
	json_t *result = NULL;
	struct err e = { 0 };

	if (aws_call_paged(d->admin, service, operation, params_taken, 0, &result, &e) !=
		ERR_OK) {
		result = json_pack("{s:s}", "error", e.code[0] != '\0' ? e.code : e.msg);
	}
	json_object_set_new(look, name, result);
	json_decref(params_taken);
}

static void see_servers(struct drill *d, json_t *look)
{
	static const char *const attributes[] = { "disableApiTermination", "disableApiStop",
		"instanceInitiatedShutdownBehavior", "groupSet", NULL };
	const struct scenario *s = &d->story;
	char name[160];

	for (int i = 0; i < SCENARIO_SERVERS; i++) {
		const char *role = s->names.role[i], *id = s->world.server[i].instance_id;

		for (size_t k = 0; attributes[k] != NULL; k++) {
			(void)snprintf(name, sizeof(name), "%s %s", id, attributes[k]);
			see(d, look, name, "ec2", "DescribeInstanceAttribute",
				json_pack("{s:s, s:s}", "InstanceId", id, "Attribute",
					attributes[k]));
		}
		(void)snprintf(name, sizeof(name), "role %s", role);
		see(d, look, name, "iam", "GetRole", json_pack("{s:s}", "RoleName", role));
		(void)snprintf(name, sizeof(name), "role %s policies", role);
		see(d, look, name, "iam", "ListRolePolicies",
			json_pack("{s:s}", "RoleName", role));
		(void)snprintf(name, sizeof(name), "role %s attached", role);
		see(d, look, name, "iam", "ListAttachedRolePolicies",
			json_pack("{s:s}", "RoleName", role));
		(void)snprintf(name, sizeof(name), "profile %s", role);
		see(d, look, name, "iam", "GetInstanceProfile",
			json_pack("{s:s}", "InstanceProfileName", role));
	}
}

static void see_users(struct drill *d, json_t *look)
{
	const char *const users[] = { d->story.names.key_user, d->story.names.rogue_user };
	char name[160];

	for (size_t i = 0; i < 2 && users[i] != NULL; i++) {
		(void)snprintf(name, sizeof(name), "user %s keys", users[i]);
		see(d, look, name, "iam", "ListAccessKeys",
			json_pack("{s:s}", "UserName", users[i]));
		(void)snprintf(name, sizeof(name), "user %s policies", users[i]);
		see(d, look, name, "iam", "ListUserPolicies",
			json_pack("{s:s}", "UserName", users[i]));
		(void)snprintf(name, sizeof(name), "user %s attached", users[i]);
		see(d, look, name, "iam", "ListAttachedUserPolicies",
			json_pack("{s:s}", "UserName", users[i]));
		(void)snprintf(name, sizeof(name), "user %s tags", users[i]);
		see(d, look, name, "iam", "ListUserTags",
			json_pack("{s:s}", "UserName", users[i]));
	}
}

static void see_buckets(struct drill *d, json_t *look)
{
	static const char *const operations[] = { "GetBucketPolicy", "GetPublicAccessBlock",
		"GetBucketOwnershipControls", "GetBucketAcl", "GetBucketTagging",
		"GetBucketEncryption", NULL };
	char name[160];

	for (size_t k = 0; operations[k] != NULL; k++) {
		json_t *result = NULL,
		       *params = json_pack("{s:s}", "Bucket", d->story.names.files_bucket);
		struct err e = { 0 };

		if (aws_call(d->admin, "s3", operations[k], params, &result, &e) != ERR_OK) {
			result = json_pack("{s:s}", "error", e.code);
		}
		(void)snprintf(name, sizeof(name), "bucket %s %s", d->story.names.files_bucket,
			operations[k]);
		json_object_set_new(look, name, result);
		json_decref(params);
	}
}

enum err_status drill_look(struct drill *d, json_t **out, struct err *err)
{
	static const struct {
		const char *name, *service, *operation;
	} calls[] = { { "instances", "ec2", "DescribeInstances" },
		{ "network interfaces", "ec2", "DescribeNetworkInterfaces" },
		{ "security groups", "ec2", "DescribeSecurityGroups" },
		{ "network ACLs", "ec2", "DescribeNetworkAcls" },
		{ "volumes", "ec2", "DescribeVolumes" },
		{ "addresses", "ec2", "DescribeAddresses" },
		{ "profile associations", "ec2", "DescribeIamInstanceProfileAssociations" },
		{ "scaling groups", "autoscaling", "DescribeAutoScalingGroups" },
		{ "target groups", "elbv2", "DescribeTargetGroups" },
		{ "databases", "rds", "DescribeDBInstances" }, { "users", "iam", "ListUsers" },
		{ "roles", "iam", "ListRoles" } };
	json_t *look = json_object(), *none = json_object(), *groups;
	size_t i;
	json_t *group;
	char name[200];

	for (size_t k = 0; k < sizeof(calls) / sizeof(calls[0]); k++) {
		see(d, look, calls[k].name, calls[k].service, calls[k].operation,
			json_incref(none));
	}
	groups = doc_get(json_object_get(look, "target groups"), "TargetGroups");
	json_array_foreach(groups, i, group)
	{
		const char *arn = doc_text_or(group, "TargetGroupArn", "");

		(void)snprintf(name, sizeof(name), "targets %s",
			doc_text_or(group, "TargetGroupName", ""));
		see(d, look, name, "elbv2", "DescribeTargetHealth",
			json_pack("{s:s}", "TargetGroupArn", arn));
	}
	see_servers(d, look);
	see_users(d, look);
	see_buckets(d, look);
	json_decref(none);
	if (doc_get(json_object_get(look, "instances"), "Reservations") == NULL) {
		json_decref(look);
		return err_set(
			err, ERR_UNREACHABLE, "the emulated account can't be read any more");
	}
	*out = look;
	return ERR_OK;
}

static bool is_given_anew(const char *key)
{
	for (size_t i = 0; given_anew[i] != NULL; i++) {
		if (strcmp(given_anew[i], key) == 0) {
			return true;
		}
	}
	return false;
}

static void note(json_t *list, const char *path, const json_t *before, const json_t *after)
{
	char *a = before != NULL ? json_dumps(before, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	char *b = after != NULL ? json_dumps(after, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;

	if (json_array_size(list) < DIFFERENCES_MAX) {
		json_array_append_new(
			list, json_sprintf("%s: %.300s -> %.300s", path,
				      a != NULL ? a : "(absent)", b != NULL ? b : "(absent)"));
	}
	free(a);
	free(b);
}

/* NOLINTBEGIN(misc-no-recursion): answers of AWS, as deep as jansson lets them be */
static void compare(json_t *list, const char *path, const json_t *before, const json_t *after);

static void compare_objects(
	json_t *list, const char *path, const json_t *before, const json_t *after)
{
	/* jansson walks objects through a mutable handle, but nothing is changed here. */
	union {
		const json_t *borrowed;
		json_t *handle;
	} a = { before }, b = { after };
	const char *key;
	json_t *value;
	char inner[600];

	json_object_foreach(a.handle, key, value)
	{
		if (!is_given_anew(key)) {
			(void)snprintf(inner, sizeof(inner), "%.400s%s%.150s", path,
				path[0] != '\0' ? "." : "", key);
			compare(list, inner, value, json_object_get(after, key));
		}
	}
	json_object_foreach(b.handle, key, value)
	{
		if (!is_given_anew(key) && json_object_get(before, key) == NULL) {
			(void)snprintf(inner, sizeof(inner), "%.400s%s%.150s", path,
				path[0] != '\0' ? "." : "", key);
			note(list, inner, NULL, value);
		}
	}
}

static bool same(const json_t *a, const json_t *b)
{
	json_t *list = json_array();
	bool equal;

	compare(list, "", a, b);
	equal = json_array_size(list) == 0;
	json_decref(list);
	return equal;
}

/* Order in a list means nothing: equal members are paired first, the rest in turn. */
static void compare_arrays(
	json_t *list, const char *path, const json_t *before, const json_t *after)
{
	json_t *left = json_array(), *right = json_copy((json_t *)(uintptr_t)after);
	char inner[600];
	size_t i, n;

	for (i = 0; i < json_array_size(before); i++) {
		json_t *member = json_array_get(before, i);
		size_t j = 0;

		while (j < json_array_size(right) && !same(member, json_array_get(right, j))) {
			j++;
		}
		if (j < json_array_size(right)) {
			json_array_remove(right, j);
		} else {
			json_array_append(left, member);
		}
	}
	n = json_array_size(left) > json_array_size(right) ? json_array_size(left)
							   : json_array_size(right);
	for (i = 0; i < n; i++) {
		(void)snprintf(inner, sizeof(inner), "%.500s[%zu]", path, i);
		compare(list, inner, json_array_get(left, i), json_array_get(right, i));
	}
	json_decref(left);
	json_decref(right);
}

static void compare(json_t *list, const char *path, const json_t *before, const json_t *after)
{
	if (json_is_object(before) && json_is_object(after)) {
		compare_objects(list, path, before, after);
	} else if (json_is_array(before) && json_is_array(after)) {
		compare_arrays(list, path, before, after);
	} else if (before == NULL || after == NULL || !json_equal(before, after)) {
		note(list, path, before, after);
	}
}
/* NOLINTEND(misc-no-recursion) */

json_t *drill_look_differences(const json_t *before, const json_t *after)
{
	json_t *list = json_array();

	compare(list, "", before, after);
	return list;
}
