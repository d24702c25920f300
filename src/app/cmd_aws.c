#include "app/app.h"

#include <signal.h>
#include <stdatomic.h>

#define MAX_PARAMS ((size_t)16 * 1024 * 1024)

static const struct app_option options[] = {
	{ "params", 'p', "JSON", N_("parameters as a JSON object, or @FILE, or @- for stdin"),
		NULL },
	{ "show-request", 0, NULL, N_("print the signed request as JSON and send nothing"),
		NULL },
	{ "presign", 0, "SECONDS",
		N_("print a URL that is good for this one call, and send nothing"), NULL },
	{ "paginate", 0, NULL, N_("follow all pages and join them"), NULL },
	{ "wait", 0, "WAITER", N_("ask again until AWS's waiter of that name is content"),
		NULL },
	{ 0 },
};

static enum err_status read_params(struct app *app, json_t **out, struct err *err)
{
	const char *text = app_opt(app, "params");
	if (!text) {
		*out = json_object();
		return ERR_OK;
	}
	struct buf file;
	buf_init(&file, MAX_PARAMS);
	enum err_status st = ERR_OK;
	struct str json = str_from(text);
	if (text[0] == '@') {
		st = app_read_input(app, text + 1, MAX_PARAMS, &file, err);
		json = buf_view(&file);
	}
	if (st == ERR_OK) {
		st = doc_parse(json, MAX_PARAMS, out, err);
		if (st == ERR_INPUT) {
			(void)err_prefix(err, "--params");
			st = err->status = text[0] == '@' ? ERR_INPUT : ERR_USAGE;
		}
	}
	buf_deinit(&file);
	return st;
}

/* What can be called: all services, or one's operations with what IAM calls them. */
static enum err_status list(struct app *app, const char *service, struct err *err)
{
	if (service) {
		enum err_status st = aws_operation_check(service, NULL, err);
		if (st != ERR_OK) {
			return st;
		}
	}
	json_t *all = aws_operations(service), *entry;
	size_t i;
	if (app->output == APP_TABLE) {
		json_array_foreach(all, i, entry)
		{
			(void)printf("%-14s %-44s %s\n", doc_text(entry, "service"),
				doc_text(entry, "operation"), doc_text(entry, "iam"));
		}
	} else {
		app_print_json(app, all);
	}
	json_decref(all);
	return ERR_OK;
}

/* The client of the one call, for the signal. */
static _Atomic(struct aws_client *) running;

static void on_interrupt(int number)
{
	(void)number;
	struct aws_client *client = atomic_load(&running);
	if (client) {
		aws_client_cancel(client);
	}
}

static void catch_interrupt(struct aws_client *client)
{
	/* Without SA_RESTART, so that a question at the terminal ends too. */
	struct sigaction act = { .sa_handler = on_interrupt };
	atomic_store(&running, client);
	(void)sigaction(SIGINT, &act, NULL);
	(void)sigaction(SIGTERM, &act, NULL);
}

static void say_look(void *ctx, const struct aws_look *look)
{
	const struct app *app = ctx;
	if (app->progress && look->next_ms > 0) {
		(void)fprintf(stderr, "%lld s: %s\n", (long long)(look->waited_ms / 1000),
			look->state[0] ? look->state : app_tr(app, N_("not yet")));
	}
}

static enum err_status presign(struct app *app, struct aws_client *client, const json_t *params,
	json_t **result, struct err *err)
{
	struct aws_presign what = {
		.service = app->args[0], .operation = app->args[1], .params = params
	};
	const char *text = app_opt(app, "presign");
	if (!str_to_i64(str_from(text), &what.expires_s) || what.expires_s < 1) {
		return err_set(err, ERR_USAGE,
			"--presign takes seconds, from 1 to %d, not '%s'", AWS_PRESIGN_MAX_S,
			text);
	}
	return aws_presign(client, &what, result, err);
}

static enum err_status perform(
	struct app *app, const json_t *params, json_t **result, struct err *err)
{
	const char *service = app->args[0], *operation = app->args[1];
	struct aws_client *client = NULL;
	enum err_status st = app_aws(app, &client, err);
	if (st != ERR_OK) {
		return st;
	}
	catch_interrupt(client);
	if (app_opt(app, "show-request")) {
		return aws_show_request(client, service, operation, params, result, err);
	}
	if (app_opt(app, "presign")) {
		return presign(app, client, params, result, err);
	}
	if (app_opt(app, "paginate")) {
		return aws_call_paged(client, service, operation, params, 0, result, err);
	}
	if (app_opt(app, "wait")) {
		struct aws_wait wait = { .service = service,
			.operation = operation,
			.waiter = app_opt(app, "wait"),
			.params = params,
			.progress = say_look,
			.ctx = app };
		return aws_wait(client, &wait, result, err);
	}
	return aws_call(client, service, operation, params, result, err);
}

static enum err_status run(struct app *app, struct err *err)
{
	json_t *params = NULL, *result = NULL;
	int modes = (app_opt(app, "show-request") != NULL) +
		    (app_opt(app, "paginate") != NULL) + (app_opt(app, "wait") != NULL);
	if (modes > 1) {
		return err_set(err, ERR_USAGE,
			"--show-request, --paginate and --wait exclude each other");
	}
	if (app->n_args < 2 && (modes || app_opt(app, "params"))) {
		return err_set(err, ERR_USAGE, "which operation? For the list: cordon aws%s%s",
			app->n_args ? " " : "", app->n_args ? app->args[0] : "");
	}
	if (app->n_args < 2) {
		return list(app, app->n_args ? app->args[0] : NULL, err);
	}
	enum err_status st = aws_operation_check(app->args[0], app->args[1], err);
	if (st == ERR_OK) {
		st = read_params(app, &params, err);
	}
	if (st == ERR_OK) {
		st = perform(app, params, &result, err);
	}
	if (st == ERR_OK && result) { /* a wait for something to be gone ends without one */
		app_print_json(app, result);
	}
	atomic_store(&running, NULL);
	json_decref(params);
	json_decref(result);
	return st;
}

const struct app_command cmd_aws = {
	.name = "aws",
	.usage = "[SERVICE [OPERATION]]",
	.summary = N_("Make one AWS call, or show what would be sent"),
	.text = N_(
		"Without an operation, lists what can be called. Parameters and results are "
		"JSON documents named as in AWS's own API, whatever the wire protocol. Blobs "
		"are base64 text; times are RFC 3339 text. With --dry-run, calls that change "
		"something are refused. Errors go to stderr with AWS's code and the request "
		"id."),
	.examples =
		"cordon aws sts GetCallerIdentity\tWho am I\n"
		"cordon aws ec2 DescribeInstances --paginate\tEvery instance of the region\n"
		"cordon aws sns ListTopics --show-request\tThe request, signed but not sent\n"
		"cordon aws ec2 DescribeSnapshots --wait SnapshotCompleted -p @ids.json\tCome "
		"back when the snapshots are there",
	.options = options,
	.min_args = 0,
	.max_args = 2,
	.run = run,
};
