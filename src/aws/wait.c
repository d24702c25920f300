/* Bounded polls: AWS's own waiters, and whatever a caller judges. */
#include "aws/client.h"
#include "aws/wait_table.h"

#include <stdio.h>
#include <string.h>

#define OTHER_PAUSE_MS   1000
#define OTHER_TIMEOUT_MS ((int64_t)300 * 1000)
#define MAX_DEPTH        8

/* ---- what an answer shows ---- */

struct seen {
	size_t n, fit;
	const char *expected;
	char first[80]; /* a value that did not fit, else the first one */
};

static void value_text(const json_t *v, char out[80])
{
	if (json_is_string(v)) {
		(void)snprintf(out, 80, "%s", json_string_value(v));
	} else if (json_is_boolean(v)) {
		(void)snprintf(out, 80, "%s", json_is_true(v) ? "true" : "false");
	} else if (json_is_integer(v)) {
		(void)snprintf(out, 80, "%lld", (long long)json_integer_value(v));
	} else {
		out[0] = '\0';
	}
}

static void see(const json_t *v, struct seen *s)
{
	char text[80];
	value_text(v, text);
	bool fits = strcmp(text, s->expected) == 0;
	if (s->n == 0 || (!fits && s->fit == s->n)) {
		(void)snprintf(s->first, sizeof(s->first), "%s", text);
	}
	s->n++;
	s->fit += fits;
}

/* NOLINTNEXTLINE(misc-no-recursion): one level a step of a path that is our own */
static void walk(const json_t *v, struct str path, int depth, struct seen *s)
{
	struct str step;
	char key[128];
	if (!v || json_is_null(v) || depth > MAX_DEPTH) {
		return;
	}
	if (!str_cut(&path, '.', &step)) {
		see(v, s);
		return;
	}
	bool all = str_ends(step, STR("[]"));
	(void)snprintf(
		key, sizeof(key), "%.*s", STR_ARG(str_sub(step, 0, step.n - (all ? 2 : 0))));
	v = json_object_get(v, key);
	if (!all) {
		walk(v, path, depth + 1, s);
		return;
	}
	size_t i;
	json_t *element;
	json_array_foreach(v, i, element)
	{
		walk(element, path, depth + 1, s);
	}
}

static size_t length(const json_t *answer, struct str path)
{
	struct seen s = { .expected = "" };
	if (str_ends(path, STR("[]")) || str_find_char(path, '[') != SIZE_MAX) {
		walk(answer, path, 0, &s);
		return s.n;
	}
	char plain[128];
	(void)snprintf(plain, sizeof(plain), "%.*s", STR_ARG(path));
	return json_array_size(doc_get(answer, plain));
}

/* Whether one acceptor fits; `state` gets the value of its path, for the person who waits. */
static bool fits(const struct wait_acceptor *a, const json_t *answer, const struct err *e,
	char state[80])
{
	int64_t status = answer ? 200 : e->http_status;
	int64_t wanted = 0;
	struct seen s = { .expected = a->expected };
	switch (a->matcher) {
	case WAIT_STATUS:
		return str_to_i64(str_from(a->expected), &wanted) && status == wanted;
	case WAIT_ERROR:
		return !answer && strcmp(e->code, a->expected) == 0;
	case WAIT_ANY_ERROR:
		return !answer && e->code[0] != '\0';
	case WAIT_NO_ERROR:
		return answer != NULL;
	case WAIT_SOME:
		return answer && length(answer, str_from(a->path)) > 0;
	case WAIT_NONE:
		return answer && length(answer, str_from(a->path)) == 0;
	case WAIT_PATH:
	case WAIT_PATH_ALL:
	case WAIT_PATH_ANY:
		break;
	}
	walk(answer, str_from(a->path), 0, &s);
	if (s.n > 0) {
		(void)snprintf(state, 80, "%s", s.first);
	}
	return a->matcher == WAIT_PATH_ANY ? s.fit > 0 : s.n > 0 && s.fit == s.n;
}

/* ---- the wait ---- */

struct wait {
	struct aws_client *client;
	const struct aws_wait *asked;
	const struct wait_waiter *waiter; /* NULL: the caller judges */
	const char *operation, *name;
	int64_t pause_ms, max_pause_ms, timeout_ms, began_us;
	char state[80];
};

static const struct wait_waiter *find(const char *service, const char *name)
{
	for (size_t i = 0; i < wait_table_size; i++) {
		if (strcmp(wait_table[i].service, service) == 0 &&
			strcmp(wait_table[i].name, name) == 0) {
			return &wait_table[i];
		}
	}
	return NULL;
}

static enum err_status unknown(const struct aws_wait *a, struct err *err)
{
	struct buf names;
	buf_init(&names, 4096);
	for (size_t i = 0; i < wait_table_size; i++) {
		if (strcmp(wait_table[i].service, a->service) == 0) {
			buf_printf(&names, "%s%s", names.n ? ", " : "", wait_table[i].name);
		}
	}
	(void)err_set(err, ERR_USAGE, "cordon knows no waiter %s of %s; it knows: %s",
		a->waiter, a->service, names.n ? names.p : "none");
	buf_deinit(&names);
	return ERR_USAGE;
}

static enum err_status set_up(struct wait *w, struct err *err)
{
	const struct aws_wait *a = w->asked;
	if (a->waiter) {
		w->waiter = find(a->service, a->waiter);
		if (!w->waiter) {
			return unknown(a, err);
		}
		if (a->operation && strcmp(a->operation, w->waiter->operation) != 0) {
			return err_set(err, ERR_USAGE, "the waiter %s of %s asks %s, not %s",
				a->waiter, a->service, w->waiter->operation, a->operation);
		}
	} else if (!a->operation || !a->judge) {
		return err_set(
			err, ERR_USAGE, "a wait needs a waiter, or an operation and a judge");
	}
	int64_t pause = w->waiter ? (int64_t)w->waiter->delay_s * 1000 : OTHER_PAUSE_MS;
	int64_t limit = w->waiter ? pause * w->waiter->attempts : OTHER_TIMEOUT_MS;
	w->operation = w->waiter ? w->waiter->operation : a->operation;
	w->name = w->waiter ? w->waiter->name : a->operation;
	w->pause_ms = a->first_pause_ms > 0 ? a->first_pause_ms : pause;
	w->max_pause_ms = a->pause_ms > w->pause_ms ? a->pause_ms : w->pause_ms;
	w->timeout_ms = a->timeout_ms > 0 ? a->timeout_ms : limit;
	w->began_us = env_mono_us(w->client->env);
	return ERR_OK;
}

static enum aws_verdict judge(
	struct wait *w, const json_t *answer, const struct err *e, bool *expected)
{
	*expected = true;
	if (!w->waiter) {
		*expected = answer !=
			    NULL; /* an error that the judge does not accept stays what it is */
		return w->asked->judge(w->asked->ctx, answer, e);
	}
	for (size_t i = 0; i < w->waiter->n; i++) {
		const struct wait_acceptor *a = &wait_table_acceptors[w->waiter->first + i];
		if (fits(a, answer, e, w->state)) {
			return a->verdict;
		}
	}
	*expected = answer != NULL;
	return answer ? AWS_WAIT_ON : AWS_WAIT_FAILED;
}

static void tell(const struct wait *w, struct aws_look *look)
{
	look->state = w->state;
	if (w->asked->progress) {
		w->asked->progress(w->asked->ctx, look);
	}
}

static const char *seen_last(const struct wait *w)
{
	return w->state[0] ? w->state : "unknown";
}

/* One look. *next_ms gets the pause until the next, 0 when the wait is over. */
static enum err_status look(
	struct wait *w, int number, int64_t *next_ms, json_t **answer, struct err *err)
{
	struct err e = { 0 };
	bool expected;
	const struct aws_wait *a = w->asked;
	enum err_status st =
		aws_call(w->client, a->service, w->operation, a->params, answer, &e);
	if (st == ERR_INTERRUPTED || st == ERR_USAGE) {
		if (err) {
			*err = e;
		}
		return st;
	}
	enum aws_verdict verdict = judge(w, *answer, *answer ? NULL : &e, &expected);
	int64_t waited = (env_mono_us(w->client->env) - w->began_us) / 1000;
	bool over = verdict != AWS_WAIT_ON || waited + w->pause_ms > w->timeout_ms;
	struct aws_look shown = { .number = number,
		.waited_ms = waited,
		.next_ms = over ? 0 : w->pause_ms,
		.answer = *answer,
		.err = *answer ? NULL : &e };
	tell(w, &shown);
	*next_ms = shown.next_ms;
	if (verdict == AWS_WAIT_ON && over) {
		return err_set(err, ERR_LIMIT, "%s %s: not yet after %lld s and %d looks (%s)",
			a->service, w->name, (long long)(waited / 1000), number, seen_last(w));
	}
	if (verdict == AWS_WAIT_FAILED && (expected || *answer)) {
		(void)err_set(err, ERR_FAILED, "%s %s: can't be reached any more: %s",
			a->service, w->name, *answer ? seen_last(w) : e.msg);
		return ERR_FAILED;
	}
	if (verdict == AWS_WAIT_FAILED && err) {
		*err = e;
	}
	return verdict == AWS_WAIT_FAILED ? st : ERR_OK;
}

/* In pieces, so that a cancellation is seen soon. */
static void wait_through(struct wait *w, int64_t ms)
{
	while (ms > 0 && !atomic_load(&w->client->cancelled)) {
		int64_t piece = ms < HTTP_LOOK_MS ? ms : HTTP_LOOK_MS;
		env_sleep_ms(w->client->env, piece);
		ms -= piece;
	}
}

enum err_status aws_wait(
	struct aws_client *c, const struct aws_wait *asked, json_t **result, struct err *err)
{
	struct wait w = { .client = c, .asked = asked };
	json_t *answer = NULL;
	enum err_status st = set_up(&w, err);
	int64_t next_ms = 1;
	for (int number = 1; st == ERR_OK && next_ms > 0; number++) {
		json_decref(answer);
		answer = NULL;
		st = look(&w, number, &next_ms, &answer, err);
		if (st == ERR_OK && next_ms > 0) {
			wait_through(&w, next_ms);
			w.pause_ms = w.pause_ms * 2 < w.max_pause_ms ? w.pause_ms * 2
								     : w.max_pause_ms;
		}
	}
	if (st == ERR_OK && result) {
		*result = answer;
	} else {
		json_decref(answer);
	}
	return st;
}
