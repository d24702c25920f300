/* stop-task: the tasks that a finding names are stopped; their definition stays. */
#include "base/phrase.h"
#include "response/actions/registry.h"
#include "response/actions/task.h"

#define READS 10 /* a container has 30 seconds to end by itself before it is killed */

/* Those of the list that still run; new reference. */
static json_t *running(const json_t *tasks)
{
	json_t *out = json_array(), *task;
	size_t i;
	json_array_foreach(tasks, i, task)
	{
		if (!task_ended(task)) {
			json_array_append(out, task);
		}
	}
	return out;
}

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *tasks = NULL;
	enum err_status st = task_read(c, &tasks, err);
	if (st != ERR_OK) {
		return st;
	}
	*before = json_pack("{s:s,s:o}", "cluster", c->id, "tasks", running(tasks));
	json_decref(tasks);
	*needed = json_array_size(json_object_get(*before, "tasks")) > 0;
	return *needed ? ERR_OK
		       : ec2_skip(*before, N_("no task of the finding runs any more"), before,
				 needed);
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	struct batch b;
	json_t *task;
	size_t i;
	batch_init(&b);
	json_array_foreach(json_object_get(before, "tasks"), i, task)
	{
		batch_add(&b, "ecs", "StopTask",
			json_pack("{s:s,s:O,s:o}", "cluster", c->id, "task",
				json_object_get(task, "task"), "reason",
				json_sprintf("cordon case %.100s", c->case_id)));
	}
	enum err_status st = batch_run(&b, c->aws, err);
	batch_deinit(&b);
	if (st == ERR_OK) {
		*after = json_object();
	}
	return st;
}

/* The first service that one of the tasks belongs to, or NULL. */
static const char *service_among(const json_t *tasks)
{
	size_t i;
	json_t *task;
	json_array_foreach(tasks, i, task)
	{
		if (doc_text(task, "service")) {
			return doc_text(task, "service");
		}
	}
	return NULL;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	json_t *stopped = json_object_get(before, "tasks"), *tasks = NULL, *left = NULL;
	const char *service = service_among(stopped);
	enum err_status st = ERR_OK;
	(void)after;
	*ok = false;
	for (int try = 0; try < READS && !*ok; try++) {
		if (try > 0) {
			ec2_pause(c, try);
		}
		json_decref(tasks);
		json_decref(left);
		tasks = left = NULL;
		TRY(task_read(c, &tasks, err));
		left = running(tasks);
		*ok = json_array_size(left) == 0;
	}
	*proof = json_pack("{s:O}", "tasks", tasks);
	if (!*ok) {
		phrase_set(*proof, "text", N_("Task {0} was told to stop and is still {1}."),
			PHRASE_ARGS(doc_text_or(left, "[0].task", "?"),
				doc_text_or(left, "[0].status", "?")));
	} else if (service) {
		phrase_set(*proof, "text",
			N_("The tasks have stopped (how many: {0}). Service {1} starts others "
			   "from the same definition unless it is scaled to 0."),
			PHRASE_ARGS(PHRASE_NUMBER(json_array_size(stopped)), service));
	} else {
		phrase_set(*proof, "text",
			N_("The tasks have stopped (how many: {0}); they stood alone, so "
			   "nothing starts them again."),
			PHRASE_ARGS(PHRASE_NUMBER(json_array_size(stopped))));
	}
out:
	json_decref(left);
	json_decref(tasks);
	return st;
}

static const char *const calls[] = { "ecs:DescribeTasks", "ecs:DescribeContainerInstances",
	"ecs:StopTask", NULL };

const struct action action_stop_task = {
	.name = "stop-task",
	.title = N_("Stop the tasks"),
	.why = N_("A container that works for an intruder is made to be replaced. What it was "
		  "started from, its task definition, stays for the investigation."),
	.risk = N_("What the task was doing is lost, with its memory and its disk."),
	.undo_text =
		N_("It can't be undone: a stopped task does not come back. A service starts "
		   "another by itself; a standalone task is started with aws ecs run-task "
		   "from the definition that the case keeps."),
	.kinds = "ECSCluster",
	.calls = calls,
	.rounds = 1,
	.reversible = false,
	.observe = observe,
	.apply = apply,
	.verify = verify,
};
