#include "app/lambda.h"

#include "base/config.h"
#include "base/log.h"
#include "flow/flow.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

/* Kept back from the deadline for the answer itself and the journal. */
#define MARGIN_MS 1500

struct runtime {
	struct env *env;
	struct config config;
	struct aws_client *aws;
	struct journal *journal;
	struct playbook_set *playbooks;
	struct lambda_api *api;
	bool cold;
};

static volatile sig_atomic_t ending;

static void on_term(int signal_number)
{
	(void)signal_number;
	ending = 1;
	_exit(0); /* Lambda freezes or ends a runtime between invocations; what was begun is in the journal */
}

bool lambda_wanted(struct env *env, const char *argv0)
{
	const char *base = argv0 != NULL ? strrchr(argv0, '/') : NULL;

	base = base != NULL ? base + 1 : argv0;
	return env_var(env, "AWS_LAMBDA_RUNTIME_API") != NULL ||
	       (base != NULL && strcmp(base, "bootstrap") == 0);
}

static void set_log(struct env *env, const struct config *config)
{
	enum log_level level = LOG_INFO;
	const char *asked = env_var(env, "AWS_LAMBDA_LOG_LEVEL");

	(void)log_level_from(asked != NULL ? asked : config->log_level, &level);
	if (asked == NULL && level > LOG_INFO) {
		level = LOG_INFO; /* a function that says nothing can't be watched */
	}
	log_setup(env, level, STDERR_FILENO);
	log_text(env_var(env, "AWS_LAMBDA_LOG_FORMAT") != NULL &&
		 str_eq_nocase(str_from(env_var(env, "AWS_LAMBDA_LOG_FORMAT")), STR("text")));
}

bool lambda_state_alone(struct env *env, const char *state)
{
	return env_var(env, "AWS_LAMBDA_FUNCTION_NAME") != NULL &&
	       !str_starts(str_from(state), STR("dynamodb:"));
}

static enum err_status begin(struct runtime *r, struct err *err)
{
	enum err_status st = config_load(r->env, NULL, &r->config, err);

	if (st != ERR_OK) {
		return st;
	}
	const struct aws_options opts = { .region = r->config.region,
		.call_timeout_ms = r->config.aws_timeout_seconds * 1000 };

	set_log(r->env, &r->config);
	TRY(playbook_load(r->env, &r->config, &r->playbooks, err));
	TRY(aws_client_new(r->env, &opts, &r->aws, err));
	if (r->config.state_unset) {
		r->config.state = LAMBDA_STATE;
	}
	if (lambda_state_alone(r->env, r->config.state)) {
		log_event(LOG_WARN,
			"the cases are kept in a file of this instance of the function: they "
			"end with it, and another instance does not know them; set `state` "
			"(CORDON_STATE) to dynamodb:TABLE",
			json_pack("{s:s}", "state", r->config.state));
	}
	st = journal_open(r->env, r->config.state, &opts, &r->journal, err);
out:
	return st;
}

static void end(struct runtime *r)
{
	log_context_take(NULL);
	journal_close(r->journal);
	aws_client_free(r->aws);
	playbook_set_free(r->playbooks);
	config_deinit(&r->config);
	lambda_api_free(r->api);
}

static const char *or_empty(const char *s)
{
	return s != NULL ? s : "";
}

static void set_context(struct runtime *r, const struct lambda_invocation *i)
{
	log_context_take(json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b}", "service", "cordon",
		"function_name", or_empty(env_var(r->env, "AWS_LAMBDA_FUNCTION_NAME")),
		"function_memory_size",
		or_empty(env_var(r->env, "AWS_LAMBDA_FUNCTION_MEMORY_SIZE")), "function_arn",
		i->function_arn, "function_request_id", i->request_id, "xray_trace_id",
		i->trace_id, "cold_start", r->cold ? 1 : 0));
	r->cold = false;
}

static enum err_status serve_one(
	struct runtime *r, struct lambda_invocation *i, struct err *err)
{
	const struct flow f = { .env = r->env,
		.aws = r->aws,
		.journal = r->journal,
		.config = &r->config,
		.playbooks = r->playbooks };
	struct err failed = { 0 };
	json_t *answer = NULL;
	enum err_status st;

	set_context(r, i);
	aws_client_set_deadline(
		r->aws, i->deadline_ms > MARGIN_MS ? i->deadline_ms - MARGIN_MS : 0);
	st = lambda_event_answer(&f, buf_view(&i->event), &answer, &failed);
	if (st == ERR_OK) {
		st = lambda_api_respond(r->api, i->request_id, answer, err);
	} else {
		log_err(LOG_ERROR, "the invocation failed", &failed);
		st = lambda_api_fail(r->api, i->request_id, &failed, err);
	}
	json_decref(answer);
	return st;
}

int lambda_main(struct env *env)
{
	struct runtime r = { .env = env, .cold = true };
	struct sigaction term = { .sa_handler = on_term };
	const char *address = env_var(env, "AWS_LAMBDA_RUNTIME_API");
	struct err err = { 0 }, second = { 0 };
	enum err_status st;

	(void)sigaction(SIGTERM, &term, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	log_setup(env, LOG_INFO, STDERR_FILENO);
	if (address == NULL) {
		err_set(&err, ERR_CONFIG,
			"started as `bootstrap`, but AWS_LAMBDA_RUNTIME_API is not set: this "
			"name is for AWS Lambda; on a "
			"command line call the program `cordon`");
		log_err(LOG_ERROR, "not in Lambda", &err);
		return err_exit_code(ERR_CONFIG);
	}
	r.api = lambda_api_new(address);
	st = begin(&r, &err);
	if (st != ERR_OK) {
		log_err(LOG_FATAL, "initialisation failed", &err);
		if (lambda_api_fail(r.api, NULL, &err, &second) != ERR_OK) {
			log_err(LOG_ERROR, "the failure could not be reported", &second);
		}
		end(&r);
		return 1;
	}
	while (!ending) {
		struct lambda_invocation i;

		st = lambda_api_next(r.api, &i, &err);
		if (st != ERR_OK) {
			log_err(LOG_WARN, "the runtime ends", &err);
			break;
		}
		if (serve_one(&r, &i, &second) != ERR_OK) {
			log_err(LOG_ERROR, "the answer was not taken", &second);
		}
		buf_deinit(&i.event);
	}
	end(&r);
	return 0;
}
