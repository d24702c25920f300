#include "response/actions/task.h"

#include <string.h>

/* The service in a task's group ("service:web" -> "web"), or NULL for a standalone task. */
static const char *service_of(const char *group)
{
	return strncmp(group, "service:", 8) == 0 ? group + 8 : NULL;
}

static json_t *interfaces_of(const json_t *task)
{
	json_t *out = json_array(), *attachment, *detail;
	size_t i, k;
	json_array_foreach(json_object_get(task, "attachments"), i, attachment)
	{
		json_array_foreach(json_object_get(attachment, "details"), k, detail)
		{
			if (strcmp(doc_text_or(detail, "name", ""), "networkInterfaceId") ==
				0) {
				json_array_append(out, json_object_get(detail, "value"));
			}
		}
	}
	return out;
}

/* The EC2 hosts behind the tasks; none on Fargate. */
static enum err_status add_hosts(
	const struct action_ctx *c, const json_t *answer, json_t *out, struct err *err)
{
	json_t *ids = json_array(), *params = NULL, *hosts = NULL, *task, *host;
	size_t i, k;
	enum err_status st = ERR_OK;
	json_array_foreach(json_object_get(answer, "tasks"), i, task)
	{
		if (doc_text(task, "containerInstanceArn")) {
			json_array_append(ids, json_object_get(task, "containerInstanceArn"));
		}
	}
	if (json_array_size(ids) == 0) {
		goto out;
	}
	params = json_pack("{s:s,s:O}", "cluster", c->id, "containerInstances", ids);
	TRY(aws_call(c->aws, "ecs", "DescribeContainerInstances", params, &hosts, err));
	json_array_foreach(json_object_get(answer, "tasks"), i, task)
	{
		json_array_foreach(json_object_get(hosts, "containerInstances"), k, host)
		{
			if (doc_eq(json_object_get(host, "containerInstanceArn"),
				    json_object_get(task, "containerInstanceArn"))) {
				json_object_set(json_array_get(out, i), "instance",
					json_object_get(host, "ec2InstanceId"));
			}
		}
	}
out:
	json_decref(hosts);
	json_decref(params);
	json_decref(ids);
	return st;
}

enum err_status task_read(const struct action_ctx *c, json_t **out, struct err *err)
{
	json_t *wanted = json_object_get(c->with, "tasks"), *found = json_array(), *task;
	json_t *params = json_pack("{s:s,s:O?}", "cluster", c->id, "tasks", wanted);
	json_t *answer = NULL;
	size_t i;
	enum err_status st = ERR_OK;
	if (json_array_size(wanted) == 0 || json_array_size(wanted) > TASK_MAX) {
		st = err_set(err, ERR_NOT_FOUND,
			"the finding names no task of cluster %s (or more than %d): give them "
			"in the step's parameter tasks",
			c->id, TASK_MAX);
		goto out;
	}
	TRY(aws_call(c->aws, "ecs", "DescribeTasks", params, &answer, err));
	json_array_foreach(json_object_get(answer, "tasks"), i, task)
	{
		const char *group = doc_text_or(task, "group", "");
		json_array_append_new(
			found, json_pack("{s:s,s:s,s:s?,s:s,s:s,s:s,s:n,s:o}", "task",
				       doc_text_or(task, "taskArn", "?"), "group", group,
				       "service", service_of(group), "definition",
				       doc_text_or(task, "taskDefinitionArn", "?"),
				       "launch_type", doc_text_or(task, "launchType", "?"),
				       "status", doc_text_or(task, "lastStatus", "?"),
				       "instance", "interfaces", interfaces_of(task)));
	}
	TRY(add_hosts(c, answer, found, err));
	*out = json_incref(found);
out:
	json_decref(answer);
	json_decref(params);
	json_decref(found);
	return st;
}

bool task_ended(const json_t *task)
{
	return strcmp(doc_text_or(task, "status", ""), "STOPPED") == 0;
}
