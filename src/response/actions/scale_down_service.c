/* scale-down-service: desired count 0 for the services that the tasks belong to. */
#include "response/actions/registry.h"
#include "response/actions/setting.h"
#include "response/actions/task.h"

#include <string.h>

#define MAX_SERVICES 10 /* what DescribeServices takes at once */

/* Services of the step: a parameter, or those that its tasks belong to. New reference. */
static enum err_status services_meant(
	const struct action_ctx *c, json_t **names, struct err *err)
{
	const char *given = ec2_with(c, "service", NULL);
	json_t *tasks = NULL, *seen = NULL, *task, *value;
	const char *name;
	size_t i;
	enum err_status st = ERR_OK;
	if (given) {
		*names = json_pack("[s]", given);
		goto out;
	}
	TRY(task_read(c, &tasks, err));
	seen = json_object();
	json_array_foreach(tasks, i, task)
	{
		if (doc_text(task, "service") && json_object_size(seen) < MAX_SERVICES) {
			json_object_set_new(seen, doc_text(task, "service"), json_true());
		}
	}
	*names = json_array();
	json_object_foreach(seen, name, value)
	{
		json_array_append_new(*names, json_string(name));
	}
out:
	json_decref(seen);
	json_decref(tasks);
	return st;
}

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *names = NULL, *params = NULL, *answer = NULL, *service, *kept = json_object();
	size_t i, daemons = 0;
	enum err_status st = ERR_OK;
	TRY(services_meant(c, &names, err));
	*parts = json_object();
	if (json_array_size(names) == 0) {
		*reason = N_("the tasks belong to no service: stop-task ends them for good");
		goto out;
	}
	params = json_pack("{s:s,s:O}", "cluster", c->id, "services", names);
	TRY(aws_call(c->aws, "ecs", "DescribeServices", params, &answer, err));
	json_array_foreach(json_object_get(answer, "services"), i, service)
	{
		const char *name = doc_text_or(service, "serviceName", "?");
		json_object_set(kept, name, json_object_get(service, "taskDefinition"));
		if (strcmp(doc_text_or(service, "schedulingStrategy", ""), "DAEMON") == 0) {
			daemons++;
		} else {
			json_object_set_new(*parts, name,
				json_integer((json_int_t)doc_int(service, "desiredCount", 0)));
		}
	}
	json_object_set(notes, "definitions", kept);
	if (json_object_size(*parts) == 0) {
		*reason =
			daemons ? N_("it is a daemon service: ECS keeps one task on every "
				     "instance and takes no count; drain the instance instead")
				: N_("the service does not exist (any more)");
	}
out:
	json_decref(kept);
	json_decref(answer);
	json_decref(params);
	json_decref(names);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	(void)c;
	return setting_all(parts, json_integer(0));
}

static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	struct batch b;
	json_t *value;
	const char *name;
	(void)before;
	batch_init(&b);
	json_object_foreach(parts, name, value)
	{
		/* Nothing but the count is given, so the definition stays the one it is. */
		batch_add(&b, "ecs", "UpdateService",
			json_pack("{s:s,s:s,s:O}", "cluster", c->id, "service", name,
				"desiredCount", value));
	}
	enum err_status st = batch_run(&b, c->aws, err);
	batch_deinit(&b);
	return st;
}

static const struct setting setting = {
	.what = "DesiredCount",
	.in_force = N_("the desired count is 0 already"),
	.done = N_("The services of the tasks in cluster {0} want no task any more; their task "
		   "definitions are the ones they were."),
	.not_done = N_("Service {1} of cluster {0} still wants tasks: something scales it up "
		       "again; suspend its scaling policy."),
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "ecs:DescribeServices", "ecs:DescribeTasks",
	"ecs:DescribeContainerInstances", "ecs:UpdateService", NULL };

const struct action action_scale_down_service = {
	.name = "scale-down-service",
	.title = N_("Scale the services to 0 tasks"),
	.why = N_("A service replaces a stopped task within seconds by another with the same "
		  "hole, or the same malware in its image. With a desired count of 0 it stays "
		  "away until people have looked."),
	.risk = N_("The services are down."),
	.undo_text = N_("The former desired count is set again; the task definition was never "
			"touched."),
	.kinds = "ECSCluster",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
