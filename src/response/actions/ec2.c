#include "response/actions/ec2.h"

#include "base/phrase.h"

#include <stdio.h>
#include <string.h>

json_t *ec2_by_instance(const char *id)
{
	return json_pack("{s:[s]}", "InstanceIds", id);
}

json_t *ec2_filter(const char *name, const char *value)
{
	return json_pack("{s:[{s:s,s:[s]}]}", "Filters", "Name", name, "Values", value);
}

json_t *ec2_filter_list(const char *name, const json_t *values)
{
	return json_pack(
		"{s:[{s:s,s:o}]}", "Filters", "Name", name, "Values", json_deep_copy(values));
}

json_t *ec2_tag_spec(const struct action_ctx *c, const char *type)
{
	return json_pack("[{s:s,s:[{s:s,s:s},{s:s,s:s},{s:s,s:s}]}]", "ResourceType", type,
		"Tags", "Key", EC2_TAG_CASE, "Value", c->case_id, "Key", EC2_TAG_STEP, "Value",
		c->step_id, "Key", EC2_TAG_TOKEN, "Value", c->token);
}

const char *ec2_tag(const json_t *tags, const char *key)
{
	size_t i;
	json_t *tag;
	json_array_foreach(tags, i, tag)
	{
		const char *k = doc_text(tag, "Key");
		if (k && strcmp(k, key) == 0) {
			return doc_text_or(tag, "Value", "");
		}
	}
	return NULL;
}

enum err_status ec2_instance_of(
	const json_t *answer, const char *id, json_t **out, struct err *err)
{
	json_t *instance = doc_get(answer, "Reservations[0].Instances[0]");
	if (!instance) {
		return err_set(err, ERR_NOT_FOUND,
			"instance %s does not exist in this account and region: nothing to "
			"contain",
			id);
	}
	const char *state = doc_text_or(instance, "State.Name", "");
	if (strcmp(state, "terminated") == 0 || strcmp(state, "shutting-down") == 0) {
		return err_set(err, ERR_NOT_FOUND,
			"instance %s is %s: nothing is left to contain; its snapshots and "
			"logs may still tell what happened",
			id, state);
	}
	*out = json_incref(instance);
	return ERR_OK;
}

enum err_status ec2_instance(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *params = ec2_by_instance(c->id);
	json_t *answer = NULL;
	enum err_status st = ERR_OK;
	TRY(aws_call(c->aws, "ec2", "DescribeInstances", params, &answer, err));
	TRY(ec2_instance_of(answer, c->id, out, err));
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

size_t ec2_add_interfaces(struct batch *b, const char *instance)
{
	return batch_add(b, "ec2", "DescribeNetworkInterfaces",
		ec2_filter("attachment.instance-id", instance));
}

json_t *ec2_groups_of(const json_t *interface)
{
	json_t *ids = json_array();
	size_t i;
	json_t *group;
	json_array_foreach(doc_get(interface, "Groups"), i, group)
	{
		json_array_append(ids, doc_get(group, "GroupId"));
	}
	return ids;
}

enum err_status ec2_skip(
	json_t *before_taken, const char *reason, json_t **before, bool *needed)
{
	json_object_set_new(before_taken, "reason", json_string(reason));
	*before = before_taken;
	*needed = false;
	return ERR_OK;
}

const char *ec2_with(const struct action_ctx *c, const char *name, const char *otherwise)
{
	const char *value = json_string_value(json_object_get(c->with, name));
	return value ? value : otherwise;
}

enum err_status ec2_note(const struct action_ctx *c, json_t *partial_taken, struct err *err)
{
	enum err_status st = ERR_OK;
	if (c->progress) {
		st = c->progress(c->hook_ctx, partial_taken, err);
	}
	json_decref(partial_taken);
	return st;
}

void ec2_pause(const struct action_ctx *c, int try)
{
	env_sleep_ms(c->env, (int64_t)250 * (try + 1));
}

void ec2_differ(json_t *differences, const struct ec2_difference *d)
{
	json_t *entry = json_pack("{s:s,s:s,s:o,s:o,s:b}", "resource", d->resource, "what",
		d->what, "before", d->before ? d->before : json_null(), "now",
		d->now ? d->now : json_null(), "blocking", d->blocking);
	phrase_set(entry, "text", d->text, NULL);
	json_array_append_new(differences, entry);
}

bool ec2_forced(const struct action_ctx *c)
{
	return doc_true(c->with, "force");
}

enum err_status ec2_undone(
	const struct action_ctx *c, json_t *differences_taken, json_t **out, struct err *err)
{
	size_t blocking = 0;
	const json_t *first = NULL;
	size_t i;
	json_t *d;
	json_array_foreach(differences_taken, i, d)
	{
		if (json_is_true(json_object_get(d, "blocking"))) {
			first = blocking++ ? first : d;
		}
	}
	enum err_status st = ERR_OK;
	if (blocking && !ec2_forced(c)) {
		st = err_set(err, ERR_CONFLICT,
			"%zu left alone because somebody changed it meanwhile; %s: %s Look at "
			"what `cordon undo %s` lists, then overwrite it with "
			"`cordon undo %s --force`",
			blocking, doc_text_or(first, "resource", c->id),
			doc_text_or(first, "text", ""), c->case_id, c->case_id);
	}
	*out = differences_taken;
	return st;
}
