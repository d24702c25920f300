/*
 * disable-event-sources: the mappings by which queues and streams feed a function, switched off, so
 * that what waits there is kept and not lost to a function that refuses it.
 */
#include "response/actions/function.h"
#include "response/actions/registry.h"
#include "response/actions/setting.h"

#include <string.h>

#define ON  "enabled"
#define OFF "disabled"

/* Lambda names nine states; a mapping that is on, or on its way there, counts as on. */
static const char *state_of(const json_t *mapping)
{
	const char *state = doc_text_or(mapping, "State", "");
	bool off = strcmp(state, "Disabled") == 0 || strcmp(state, "Disabling") == 0 ||
		   strcmp(state, "Deleting") == 0;
	return off ? OFF : ON;
}

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *params = function_named(c), *answer = NULL, *mapping, *sources = json_object();
	size_t i;
	enum err_status st = aws_call_paged(
		c->aws, "lambda", "ListEventSourceMappings", params, 0, &answer, err);
	if (st == ERR_OK) {
		*parts = json_object();
		json_array_foreach(json_object_get(answer, "EventSourceMappings"), i, mapping)
		{
			const char *id = doc_text_or(mapping, "UUID", "?");
			json_object_set_new(*parts, id, json_string(state_of(mapping)));
			json_object_set_new(sources, id,
				json_string(doc_text_or(mapping, "EventSourceArn", "?")));
		}
		json_object_set(notes, "sources", sources);
		*reason = i == 0 ? N_("no queue or stream feeds the function") : NULL;
	}
	json_decref(sources);
	json_decref(answer);
	json_decref(params);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	(void)c;
	return setting_all(parts, json_string(OFF));
}

static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	struct err local = { 0 };
	struct batch b;
	json_t *value;
	const char *name;
	enum err_status st = ERR_OK;
	(void)before;
	err = err ? err : &local;
	batch_init(&b);
	json_object_foreach(parts, name, value)
	{
		bool on = strcmp(json_string_value(value), ON) == 0;
		batch_add_lenient(&b, "lambda", "UpdateEventSourceMapping",
			json_pack("{s:s,s:b}", "UUID", name, "Enabled", on),
			"ResourceNotFound*");
	}
	for (int try = 0; try < 6; try++) {
		/* A mapping on its way from one state to another takes no change. */
		st = batch_run(&b, c->aws, err);
		if (st == ERR_OK || strncmp(err->code, "ResourceInUse", 13) != 0) {
			break;
		}
		ec2_pause(c, try);
	}
	batch_deinit(&b);
	return st;
}

static const struct setting setting = {
	.what = "EventSourceMapping",
	.in_force = N_("every event source of the function is switched off already"),
	.done = N_("No queue or stream feeds function {0} any more; what arrives there waits."),
	.not_done = N_("Event source {1} of function {0} is still on."),
	.reads = 8,
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "lambda:ListEventSourceMappings",
	"lambda:UpdateEventSourceMapping", NULL };

const struct action action_disable_event_sources = {
	.name = "disable-event-sources",
	.title = N_("Switch off what feeds the function"),
	.why = N_(
		"Messages in a queue or stream may be the attack itself, and are evidence "
		"either way. Switched off, they wait there; a function that is merely stopped "
		"would lose them after some tries."),
	.risk = N_("Work piles up in queues and streams; what is older than their retention is "
		   "lost."),
	.undo_text = N_("Those that were on are switched on again and go on where they were."),
	.kinds = "Lambda",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
