#include "app/serve_web.h"

#include "app/approve_web.h"
#include "app/listener.h"
#include "base/log.h"
#include "response/approval_link.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct serve_web {
	struct flow flow;
	struct secret *key;
	struct listener *web;
	pthread_mutex_t lock; /* one decision at a time: the journal has one actor */
};

static void add_head(struct buf *out, const struct approve_web_answer *a)
{
	buf_printf(out, "HTTP/1.1 %d %s\r\n", a->status, a->status == 200 ? "OK" : "Refused");
	for (size_t i = 0; approve_web_headers[i] != NULL; i += 2) {
		buf_printf(
			out, "%s: %s\r\n", approve_web_headers[i], approve_web_headers[i + 1]);
	}
	buf_printf(out,
		"Content-Security-Policy: %s\r\nContent-Length: %zu\r\nConnection: "
		"close\r\n\r\n",
		a->csp, a->html.n);
}

static void answer(void *ctx, const struct listener_request *r, struct str body,
	const char *peer, struct buf *out, char after[32])
{
	struct serve_web *s = ctx;
	const struct approve_web w = {
		.env = s->flow.env, .journal = s->flow.journal, .key = s->key
	};
	const struct approve_web_request request = { .method = r->method,
		.query = r->query,
		.body = body,
		.source_ip = r->forwarded_for.n > 0 ? str_sub(r->forwarded_for, 0, 100)
						    : str_from(peer),
		.accept_language = r->accept_language };
	struct approve_web_answer a;

	(void)pthread_mutex_lock(&s->lock);
	approve_web_answer(&w, &request, &a);
	(void)pthread_mutex_unlock(&s->lock);
	add_head(out, &a);
	if (!str_is(r->method, "HEAD")) {
		buf_add_str(out, buf_view(&a.html));
	}
	(void)snprintf(after, 32, "%s", a.case_id);
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
	const struct listener_handler handler = {
		.env = f->env, .answer = answer, .after = run, .ctx = s
	};
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
