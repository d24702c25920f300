/*
 * freeze-function: reserved concurrency 0, so that no version of the function is invoked any more,
 * whichever door the call comes through ("Configuring reserved concurrency", Lambda Developer
 * Guide). What runs at that moment runs to its end, 15 minutes at most.
 */
#include "response/actions/function.h"
#include "response/actions/registry.h"
#include "response/actions/setting.h"

#define PART "reserved"
#define NONE "none"

static enum err_status read_parts(const struct action_ctx *c, json_t *notes, json_t **parts,
	const char **reason, struct err *err)
{
	json_t *params = function_named(c), *answer = NULL;
	enum err_status st =
		aws_call(c->aws, "lambda", "GetFunctionConcurrency", params, &answer, err);
	(void)reason;
	if (st == ERR_OK) {
		json_t *n = json_object_get(answer, "ReservedConcurrentExecutions");
		*parts = json_pack(
			"{s:o}", PART, json_is_integer(n) ? json_incref(n) : json_string(NONE));
		if (json_object_size(notes) == 0) {
			json_object_set_new(notes, "doors", function_doors(c));
		}
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static json_t *wanted(const struct action_ctx *c, const json_t *parts)
{
	(void)c;
	(void)parts;
	return json_pack("{s:i}", PART, 0);
}

static enum err_status write_parts(
	const struct action_ctx *c, const json_t *before, json_t *parts, struct err *err)
{
	json_t *params = function_named(c), *n = json_object_get(parts, PART);
	const char *operation = "DeleteFunctionConcurrency";
	(void)before;
	if (json_is_integer(n)) {
		json_object_set(params, "ReservedConcurrentExecutions", n);
		operation = "PutFunctionConcurrency";
	}
	enum err_status st = aws_call(c->aws, "lambda", operation, params, NULL, err);
	json_decref(params);
	return st;
}

static const struct setting setting = {
	.what = "ReservedConcurrentExecutions",
	.in_force = N_("the function's reserved concurrency is 0 already"),
	.done = N_(
		"Function {0} has reserved concurrency 0: no call starts it any more. One that "
		"was running may run to its end, 15 minutes at most."),
	.not_done = N_("Function {0} does not show reserved concurrency 0."),
	.read = read_parts,
	.wanted = wanted,
	.write = write_parts,
};
SETTING_PHASES(setting)

static const char *const calls[] = { "lambda:GetFunctionConcurrency",
	"lambda:ListFunctionUrlConfigs", "lambda:GetPolicy", "lambda:PutFunctionConcurrency",
	"lambda:DeleteFunctionConcurrency", NULL };

const struct action action_freeze_function = {
	.name = "freeze-function",
	.title = N_("Stop the function from being invoked"),
	.why = N_("Code that works for an intruder must not run. Reserved concurrency 0 stops "
		  "every version and every door at once and changes neither code nor settings, "
		  "which stay as evidence."),
	.risk = N_(
		"Everything that calls the function gets an error; events may be lost or pile "
		"up at their source."),
	.undo_text = N_("The former reserved concurrency is set again, or deleted when there "
			"was none."),
	.kinds = "Lambda",
	.calls = calls,
	.rounds = 1,
	.reversible = true,
	.observe = observe,
	.apply = apply,
	.verify = verify,
	.undo = undo,
};
