#include "app/app.h"

#define MAX_PARAMS ((size_t)16 * 1024 * 1024)

static const struct app_option options[] = {
	{ "params", 'p', "JSON", N_("parameters as a JSON object, or @FILE, or @- for stdin"),
		NULL },
	{ "show-request", 0, NULL, N_("print the signed request as JSON and send nothing"),
		NULL },
	{ "paginate", 0, NULL, N_("follow all pages and join them"), NULL },
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
		}
	}
	buf_deinit(&file);
	return st;
}

/* What can be called: all services, or one's operations with what IAM calls them. */
static enum err_status list(struct app *app, const char *service, struct err *err)
{
	json_t *all = aws_operations(service), *entry;
	size_t i;
	if (json_array_size(all) == 0) {
		json_decref(all);
		return err_set(err, ERR_USAGE, "cordon knows no AWS service %s", service);
	}
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

static enum err_status perform(
	struct app *app, const json_t *params, json_t **result, struct err *err)
{
	const char *service = app->args[0], *operation = app->args[1];
	struct aws_client *client = NULL;
	enum err_status st = app_aws(app, &client, err);
	if (st != ERR_OK) {
		return st;
	}
	if (app_opt(app, "show-request")) {
		return aws_show_request(client, service, operation, params, result, err);
	}
	if (app_opt(app, "paginate")) {
		return aws_call_paged(client, service, operation, params, 0, result, err);
	}
	return aws_call(client, service, operation, params, result, err);
}

static enum err_status run(struct app *app, struct err *err)
{
	json_t *params = NULL, *result = NULL;
	if (app->n_args < 2) {
		return list(app, app->n_args ? app->args[0] : NULL, err);
	}
	enum err_status st = read_params(app, &params, err);
	if (st == ERR_OK) {
		st = perform(app, params, &result, err);
	}
	if (st == ERR_OK) {
		app_print_json(app, result);
	}
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
		"cordon aws sns ListTopics --show-request\tThe request, signed but not sent",
	.options = options,
	.min_args = 0,
	.max_args = 2,
	.run = run,
};
