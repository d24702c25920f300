/*
 * One phase of one action, alone, for the tests: `action_driver ACTION observe|apply|verify|undo`.
 * Reads on stdin {"case","step","token","id","kind","with","before","after","partial","actors":[ip],
 * "isolation_endpoints":[..],"settle_seconds","isolation_groups":[..],"never_block":[..],"facts":{},"quarantine_profile","notes_file","artifacts",
 * "die_at": n, "die_after": n}; prints one JSON document. `die_at` kills the process when the n-th
 * mutating call is about to be sent, `die_after` when the n-th was answered, as a lost host would.
 * Notes are in notes_file before the action goes on, as with the journal.
 */
#include "response/action.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct driver {
	json_t *input, *notes, *calls, *artifacts, *undeclared;
	json_t *note_rounds; /* round trips made when each note was written */
	struct aws_client *aws;
	const struct action *action;
	int64_t mutating, die_at;
	int64_t answered, die_after;
};

/* A call that the action's `calls` do not name would be refused by the policy made of them. */
static void check_declared(struct driver *d, const struct aws_event *event)
{
	const char *iam = aws_operation_iam(event->service, event->operation);
	/* AWS lets everybody ask who they are. */
	bool known = !iam || strcmp(iam, "sts:GetCallerIdentity") == 0;
	for (size_t i = 0; !known && d->action->calls[i]; i++) {
		known = strcmp(d->action->calls[i], iam) == 0;
	}
	if (!known) {
		json_array_append_new(d->undeclared, json_string(iam));
	}
}

static void observer(void *ctx, const struct aws_event *event)
{
	struct driver *d = ctx;
	if (event->phase != AWS_BEFORE) {
		if (event->mutating && ++d->answered == d->die_after) {
			raise(SIGKILL);
		}
		return;
	}
	check_declared(d, event);
	if (event->mutating && ++d->mutating == d->die_at) {
		raise(SIGKILL);
	}
	char name[160];
	snprintf(name, sizeof(name), "%s:%s", event->service, event->operation);
	json_array_append_new(d->calls, json_string(name));
}

static enum err_status progress(void *ctx, const json_t *partial, struct err *err)
{
	struct driver *d = ctx;
	struct aws_stats stats = { 0 };
	aws_client_stats(d->aws, &stats);
	json_array_append_new(d->notes, json_deep_copy(partial));
	json_array_append_new(d->note_rounds, json_integer((json_int_t)stats.rounds));
	const char *path = doc_text(d->input, "notes_file");
	FILE *f = path ? fopen(path, "a") : NULL;
	if (!f) {
		return path ? err_set(err, ERR_IO, "can't write %s", path) : ERR_OK;
	}
	char *text = json_dumps(partial, JSON_COMPACT);
	fprintf(f, "%s\n", text);
	free(text);
	fclose(f);
	return ERR_OK;
}

static enum err_status artifact(void *ctx, const char *name, struct str bytes, struct err *err)
{
	struct driver *d = ctx;
	(void)err;
	json_array_append_new(d->artifacts,
		json_pack("{s:s,s:I}", "name", name, "bytes", (json_int_t)bytes.n));
	return ERR_OK;
}

/* Borrowed texts of an array in the input. */
static struct config_list list_of(const json_t *array, const char **store, size_t max)
{
	size_t n = 0;
	while (n < json_array_size(array) && n < max) {
		store[n] = json_string_value(json_array_get(array, n));
		n++;
	}
	return (struct config_list){ .items = store, .n = n };
}

static enum err_status run(struct driver *d, const struct action_ctx *c, const char *phase,
	const struct action *a, json_t *out, struct err *err)
{
	const json_t *before = json_object_get(d->input, "before");
	const json_t *after = json_object_get(d->input, "after");
	json_t *result = NULL;
	bool flag = false;
	enum err_status st = ERR_USAGE;
	after = json_is_null(after) ? NULL : after;
	if (strcmp(phase, "observe") == 0) {
		st = a->observe(c, &result, &flag, err);
		json_object_set_new(out, "needed", json_boolean(flag));
		json_object_set_new(out, "before", result ? result : json_null());
	} else if (strcmp(phase, "apply") == 0) {
		st = a->apply(c, before, &result, err);
		json_object_set_new(out, "after", result ? result : json_null());
	} else if (strcmp(phase, "verify") == 0) {
		st = a->verify(c, before, after, &flag, &result, err);
		json_object_set_new(out, "ok", json_boolean(flag));
		json_object_set_new(out, "proof", result ? result : json_null());
	} else if (strcmp(phase, "undo") == 0 && a->undo) {
		st = a->undo(c, before, after, &result, err);
		json_object_set_new(out, "differences", result ? result : json_null());
	}
	return st;
}

static void answer(const struct driver *d, struct aws_client *aws, enum err_status st,
	const struct err *err, json_t *out)
{
	struct aws_stats stats = { 0 };
	aws_client_stats(aws, &stats);
	json_object_set_new(out, "status", json_string(err_name(st)));
	json_object_set_new(
		out, "error", json_pack("{s:s,s:s}", "code", err->code, "message", err->msg));
	json_object_set(out, "notes", d->notes);
	json_object_set(out, "note_rounds", d->note_rounds);
	json_object_set(out, "calls", d->calls);
	json_object_set(out, "artifacts", d->artifacts);
	json_object_set(out, "undeclared", d->undeclared);
	json_object_set_new(out, "rounds", json_integer((json_int_t)stats.rounds));
	json_dumpf(out, stdout, JSON_COMPACT);
	putchar('\n');
}

int main(int argc, char **argv)
{
	const struct action *a = argc == 3 ? action_find(argv[1]) : NULL;
	struct driver d = { .input = json_loadf(stdin, 0, NULL),
		.notes = json_array(),
		.note_rounds = json_array(),
		.calls = json_array(),
		.artifacts = json_array(),
		.undeclared = json_array(),
		.action = a };
	if (!a || !d.input) {
		fputs("usage: action_driver ACTION PHASE < input.json\n", stderr);
		return 2;
	}
	const char *endpoints[32], *never[32], *groups[32];
	struct config config = { .quarantine_profile = doc_text(d.input, "quarantine_profile"),
		.isolation_endpoints =
			list_of(json_object_get(d.input, "isolation_endpoints"), endpoints, 32),
		.settle_seconds = doc_int(d.input, "settle_seconds", 0),
		.isolation_groups =
			list_of(json_object_get(d.input, "isolation_groups"), groups, 32),
		.never_block = list_of(json_object_get(d.input, "never_block"), never, 32) };
	const json_t *ips = json_object_get(d.input, "actors");
	struct finding_actor actors[16] = { 0 };
	struct finding finding = { .actors = actors };
	for (size_t i = 0; i < json_array_size(ips) && i < 16; i++) {
		actors[i].ip = str_from(json_string_value(json_array_get(ips, i)));
		finding.n_actors++;
	}
	d.die_at = doc_int(d.input, "die_at", 0);
	d.die_after = doc_int(d.input, "die_after", 0);
	struct err err = { 0 };
	struct aws_client *aws = NULL;
	const struct aws_options options = { .observer = observer,
		.observer_ctx = &d,
		.max_attempts = 1,
		.refuse_mutating = doc_true(d.input, "dry_run") };
	enum err_status st = aws_client_new(env_system(), &options, &aws, &err);
	d.aws = aws;
	json_t *out = json_object(), *none = json_object();
	const json_t *partial = json_object_get(d.input, "partial");
	const json_t *with = json_object_get(d.input, "with");
	const json_t *facts = json_object_get(d.input, "facts");
	struct action_ctx c = { .env = env_system(),
		.aws = aws,
		.config = &config,
		.finding = &finding,
		.case_id = doc_text_or(d.input, "case", "2026-0001"),
		.step_id = doc_text_or(d.input, "step", a->name),
		.token = doc_text_or(d.input, "token", "0123456789abcdef"),
		.account = "123456789012",
		.region = "eu-west-1",
		.kind = doc_text_or(d.input, "kind", "Instance"),
		.id = doc_text_or(d.input, "id", ""),
		.with = with ? with : none,
		.facts = facts ? facts : none,
		.progress = progress,
		.artifact = artifact,
		.hook_ctx = &d,
		.partial = partial ? partial : none };
	if (st == ERR_OK) {
		st = run(&d, &c, argv[2], a, out, &err);
	}
	answer(&d, aws, st, &err, out);
	aws_client_free(aws);
	json_decref(none);
	json_decref(out);
	json_decref(d.undeclared);
	json_decref(d.artifacts);
	json_decref(d.calls);
	json_decref(d.notes);
	json_decref(d.note_rounds);
	json_decref(d.input);
	return st == ERR_OK ? 0 : err_exit_code(st);
}
