#include "app/serve_web.h"

#include "app/approve_web.h"
#include "app/listener.h"
#include "base/log.h"
#include "response/approval_link.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct serve_web {
	struct flow flow;
	struct secret *key;
	struct listener *web;
	pthread_mutex_t lock; /* one decision at a time: the journal has one actor */
};

static void answer(void *ctx, const struct listener_request *r, struct listener_answer *out)
{
	struct serve_web *s = ctx;
	const struct approve_web w = {
		.env = s->flow.env, .journal = s->flow.journal, .key = s->key
	};
	const struct approve_web_request request = { .method = r->method,
		.query = r->query,
		.body = r->body,
		.source_ip =
			r->forwarded_for.n > 0 ? str_sub(r->forwarded_for, 0, 100) : r->peer,
		.accept_language = r->accept_language };
	struct approve_web_answer a;

	(void)pthread_mutex_lock(&s->lock);
	approve_web_answer(&w, &request, &a);
	(void)pthread_mutex_unlock(&s->lock);
	out->status = a.status;
	out->headers = approve_web_headers;
	buf_add_str(&out->body, buf_view(&a.html));
	(void)snprintf(out->csp, sizeof(out->csp), "%s", a.csp);
	(void)snprintf(out->after, sizeof(out->after), "%s", a.case_id);
	approve_web_deinit(&a);
}

static void run(void *ctx, const char *case_id)
{
	struct serve_web *s = ctx;
	json_t *response = NULL;
	struct err err = { 0 };

	(void)pthread_mutex_lock(&s->lock);
	enum err_status st = flow_resume(&s->flow, case_id, &response, &err);
	(void)pthread_mutex_unlock(&s->lock);
	if (st != ERR_OK && st != ERR_AWAITING) {
		log_err(LOG_ERROR, "what was approved by a link was not carried out in full",
			&err);
	}
	json_decref(response);
}

enum err_status serve_web_start(const struct flow *f, struct journal *journal_taken,
	struct serve_web **out, struct err *err)
{
	struct serve_web *s = calloc(1, sizeof(*s));
	enum err_status st = ERR_OK;

	if (s == NULL) {
		BUG("out of memory");
	}
	s->flow = *f;
	s->flow.journal = journal_taken;
	(void)pthread_mutex_init(&s->lock, NULL);
	if (f->config->listen == NULL) {
		goto out;
	}
	TRY(approval_link_key(f->env, f->aws, f->config, &s->key, err));
	if (s->key == NULL) {
		st = err_set(err, ERR_CONFIG,
			"serve.listen is set, but approvals.key is not: no link could be "
			"valid");
		goto out;
	}
	const struct listener_handler handler = { .answer = answer, .after = run, .ctx = s };
	TRY(listener_start(f->config->listen, &handler, &s->web, err));
	log_event(LOG_INFO, "answering approval links",
		json_pack("{s:s, s:i}", "listen", f->config->listen, "port",
			listener_port(s->web)));
	*out = s;
	return ERR_OK;
out:
	serve_web_stop(s);
	return st;
}

void serve_web_stop(struct serve_web *s)
{
	if (s == NULL) {
		return;
	}
	listener_stop(s->web);
	secret_free(s->key);
	journal_close(s->flow.journal);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}
