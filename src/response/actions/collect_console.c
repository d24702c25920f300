/*
 * collect-console: what the host wrote to its serial console, and a picture of its screen. Changes
 * nothing, needs no agent, works on a host that answers nobody.
 */
#include "base/hash.h"
#include "base/phrase.h"
#include "response/actions/ec2.h"
#include "response/actions/registry.h"

#include <string.h>

#define MAX_CONSOLE \
	((size_t)8 * 1024 * 1024) /* AWS keeps 64 KiB of text; a screen is some 100 KiB */

static enum err_status observe(
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err)
{
	json_t *instance = NULL;
	enum err_status st = ERR_OK;
	TRY(ec2_instance(c, &instance, err));
	*before = json_pack("{s:s}", "instance", c->id);
	*needed = true;
out:
	json_decref(instance);
	return st;
}

/* Hands one artifact over and describes it; `encoded` is base64. */
static enum err_status keep(const struct action_ctx *c, const char *name, const char *encoded,
	json_t **item, struct err *err)
{
	struct buf raw;
	char hex[HASH_SHA256_HEX];
	enum err_status st = ERR_OK;
	buf_init(&raw, MAX_CONSOLE);
	if (!hash_unbase64(str_from(encoded), &raw) || !buf_ok(&raw)) {
		st = err_set(err, ERR_INPUT, "AWS sent %s in a form that can't be read", name);
		goto out;
	}
	hash_sha256_hex(buf_view(&raw), hex);
	if (c->artifact && raw.n > 0) {
		TRY(c->artifact(c->hook_ctx, name, buf_view(&raw), err));
	}
	*item = json_pack("{s:s,s:I,s:s,s:b}", "name", name, "bytes", (json_int_t)raw.n,
		"sha256", hex, "kept", c->artifact && raw.n > 0);
out:
	buf_deinit(&raw);
	return st;
}

static json_t *absent(const char *name, const char *why)
{
	return json_pack("{s:s,s:s}", "name", name, "missing", why);
}

/* The newest output where the type allows it (Nitro), else what was kept at the last boot. */
static enum err_status console_output(
	const struct action_ctx *c, json_t **item, struct err *err)
{
	static const char name[] = "console-output.txt";
	json_t *params = json_pack("{s:s,s:b}", "InstanceId", c->id, "Latest", 1),
	       *answer = NULL;
	enum err_status st = aws_call(c->aws, "ec2", "GetConsoleOutput", params, &answer, err);
	if (st != ERR_OK && st != ERR_DENIED && st != ERR_UNREACHABLE) {
		json_object_del(params, "Latest");
		st = aws_call(c->aws, "ec2", "GetConsoleOutput", params, &answer, err);
	}
	TRY(st);
	const char *text = doc_text_or(answer, "Output", "");
	if (!*text) {
		*item = absent(name, "the instance wrote nothing to its console");
		goto out;
	}
	TRY(keep(c, name, text, item, err));
	json_object_set(*item, "time", json_object_get(answer, "Timestamp"));
out:
	json_decref(answer);
	json_decref(params);
	return st;
}

/* A picture is welcome, not needed: some types have no screen. */
static enum err_status screenshot(const struct action_ctx *c, json_t **item, struct err *err)
{
	static const char name[] = "console-screenshot.jpg";
	json_t *params = json_pack("{s:s}", "InstanceId", c->id), *answer = NULL;
	struct err local = { 0 };
	enum err_status st =
		aws_call(c->aws, "ec2", "GetConsoleScreenshot", params, &answer, &local);
	const char *image = doc_text_or(answer, "ImageData", "");
	if (st != ERR_OK || !*image) {
		*item = absent(name, st == ERR_OK ? "AWS sent no picture" : local.msg);
		st = ERR_OK;
	} else {
		st = keep(c, name, image, item, err);
	}
	json_decref(answer);
	json_decref(params);
	return st;
}

static enum err_status apply(
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err)
{
	json_t *output = NULL, *screen = NULL;
	enum err_status st = ERR_OK;
	(void)before;
	TRY(console_output(c, &output, err));
	TRY(screenshot(c, &screen, err));
	*after = json_pack("{s:[O,O]}", "artifacts", output, screen);
out:
	json_decref(output);
	json_decref(screen);
	return st;
}

static enum err_status verify(const struct action_ctx *c, const json_t *before,
	const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	size_t i, kept = 0, read = 0, n = 0;
	json_t *item;
	(void)before;
	(void)err;
	json_array_foreach(json_object_get(after, "artifacts"), i, item)
	{
		n++;
		read += json_object_get(item, "sha256") != NULL;
		kept += json_is_true(json_object_get(item, "kept"));
	}
	/* An instance that has written nothing is answered, not failed. */
	*ok = n > 0 && kept == read;
	*proof = json_pack("{s:O}", "artifacts", json_object_get(after, "artifacts"));
	if (read == 0) {
		phrase_set(*proof, "text",
			N_("{0} offers neither console output nor a picture of its screen."),
			PHRASE_ARGS(c->id));
	} else if (kept == read) {
		phrase_set(*proof, "text",
			N_("{0} of 2 console artifacts of {1} were taken and hashed."),
			PHRASE_ARGS(PHRASE_NUMBER(kept), c->id));
	} else {
		phrase_set(*proof, "text",
			N_("The console of {0} was read, but there is no place to keep it."),
			PHRASE_ARGS(c->id));
	}
	return ERR_OK;
}

static const char *const calls[] = { "ec2:DescribeInstances", "ec2:GetConsoleOutput",
	"ec2:GetConsoleScreenshot", NULL };

const struct action action_collect_console = {
	.name = "collect-console",
	.title = N_("Collect the console output and a picture of the screen"),
	.why = N_("Boot messages, crashes and what was printed to the console are gone after "
		  "a stop. Reading them needs no agent and the intruder does not see it."),
	.risk = N_("None: nothing is changed."),
	.undo_text = N_("Nothing to undo: nothing is changed."),
	.kinds = "Instance",
	.calls = calls,
	.rounds = 2,
	.reversible = false,
	.observe = observe,
	.apply = apply,
	.verify = verify,
};
