/* Pages: the tokens of one answer become parameters of the next call, the lists are joined. */
#include "aws/aws.h"
#include "aws/model.h"

#include <stdio.h>
#include <string.h>

#define DEFAULT_PAGES 1000

/* "Contents[-1].Key" below v; borrowed, NULL when any step is missing. */
static json_t *walk(json_t *v, struct str path)
{
	struct str step;
	while (v && str_cut(&path, '.', &step)) {
		bool last = str_ends(step, STR("[-1]"));
		struct str name = last ? str_sub(step, 0, step.n - 4) : step;
		char key[128];
		(void)snprintf(key, sizeof(key), "%.*s", STR_ARG(name));
		v = json_object_get(v, key);
		if (last) {
			size_t n = json_array_size(v);
			v = n ? json_array_get(v, n - 1) : NULL;
		}
	}
	return v;
}

static bool is_set(const json_t *v)
{
	return v && !json_is_null(v) && !(json_is_string(v) && json_string_length(v) == 0);
}

/* "NextMarker||Contents[-1].Key": the first alternative that is set. */
static json_t *token_value(json_t *page, struct str expression)
{
	while (expression.n) {
		size_t bar = str_find(expression, STR("||"));
		json_t *v = walk(page, str_sub(expression, 0, bar));
		if (is_set(v)) {
			return v;
		}
		expression = bar == SIZE_MAX ? (struct str){ 0 }
					     : str_sub(expression, bar + 2, SIZE_MAX);
	}
	return NULL;
}

/* Appends b to a: lists and maps grow, numbers add up (DynamoDB's Count). */
static void join(json_t *a, const char *key, json_t *b)
{
	json_t *have = json_object_get(a, key);
	if (!have) {
		(void)json_object_set(a, key, b);
	} else if (json_is_array(have) && json_is_array(b)) {
		(void)json_array_extend(have, b);
	} else if (json_is_object(have) && json_is_object(b)) {
		(void)json_object_update(have, b);
	} else if (json_is_integer(have) && json_is_integer(b)) {
		(void)json_integer_set(have, json_integer_value(have) + json_integer_value(b));
	}
}

static void add_page(json_t *sum, json_t *page, struct str results)
{
	struct str path;
	while (str_cut(&results, ',', &path)) {
		json_t *into = sum, *from = page;
		char key[128];
		size_t dot = str_find_char(path, '.');
		for (; dot != SIZE_MAX && into; dot = str_find_char(path, '.')) {
			(void)snprintf(
				key, sizeof(key), "%.*s", STR_ARG(str_sub(path, 0, dot)));
			into = json_object_get(into, key);
			from = json_object_get(from, key);
			path = str_sub(path, dot + 1, SIZE_MAX);
		}
		(void)snprintf(key, sizeof(key), "%.*s", STR_ARG(path));
		json_t *more = json_object_get(from, key);
		if (into && more) {
			join(into, key, more);
		}
	}
}

/* Moves the tokens of `page` into `params`; false when there is no further page. */
static bool next_page(
	const struct model *m, const struct model_pager *p, json_t *page, json_t *params)
{
	struct str more = str_from(model_text(m, p->more));
	struct str in = str_from(model_text(m, p->in_tokens));
	struct str out = str_from(model_text(m, p->out_tokens));
	struct str name, expression;
	bool any = false;
	if (more.n && !json_is_true(walk(page, more))) {
		return false;
	}
	while (str_cut(&in, ',', &name) && str_cut(&out, ',', &expression)) {
		char key[128];
		(void)snprintf(key, sizeof(key), "%.*s", STR_ARG(name));
		json_t *v = token_value(page, expression);
		if (v) {
			any = true;
			(void)json_object_set(params, key, v);
		} else {
			(void)json_object_del(params, key);
		}
	}
	return any;
}

/* The sum is the first page; its tokens would mislead. */
static void drop_tokens(const struct model *m, const struct model_pager *p, json_t *sum)
{
	struct str out = str_from(model_text(m, p->out_tokens)), path;
	while (str_cut(&out, ',', &path)) {
		char key[128];
		(void)snprintf(key, sizeof(key), "%.*s",
			STR_ARG(str_sub(path, 0, str_find(path, STR("||")))));
		(void)json_object_del(sum, key);
	}
	const char *more = model_text(m, p->more);
	if (json_object_get(sum, more)) {
		(void)json_object_set_new(sum, more, json_false());
	}
}

struct walk {
	struct aws_client *client;
	const char *service, *operation;
	const struct model *m;
	const struct model_pager *pager;
	json_t *ask, *sum;
};

/* One page more; *more tells whether another one follows. */
static enum err_status one_page(struct walk *w, bool *more, struct err *err)
{
	json_t *page = NULL, *before = json_deep_copy(w->ask);
	enum err_status st = aws_call(w->client, w->service, w->operation, w->ask, &page, err);
	if (st == ERR_OK) {
		/* The same tokens again would ask for the same page for ever. */
		*more = next_page(w->m, w->pager, page, w->ask) && !json_equal(before, w->ask);
		if (w->sum) {
			add_page(w->sum, page, str_from(model_text(w->m, w->pager->results)));
		} else {
			w->sum = json_incref(page);
		}
	}
	json_decref(page);
	json_decref(before);
	return st;
}

/* NOLINTNEXTLINE(readability-function-size): aws_call and a page ceiling */
enum err_status aws_call_paged(struct aws_client *c, const char *service, const char *operation,
	const json_t *params, int max_pages, json_t **result, struct err *err)
{
	struct model_call call;
	if (!model_find(&model_table, service, operation, &call) || call.op->pager == 0) {
		return aws_call(c, service, operation, params, result, err);
	}
	struct walk w = { .client = c,
		.service = service,
		.operation = operation,
		.m = call.m,
		.pager = &call.m->pagers[call.op->pager - 1],
		.ask = params ? json_copy((json_t *)(uintptr_t)params) : json_object() };
	enum err_status st = ERR_OK;
	bool more = true;
	max_pages = max_pages > 0 ? max_pages : DEFAULT_PAGES;
	for (int pages = 0; more && st == ERR_OK; pages++) {
		st = pages < max_pages
			     ? one_page(&w, &more, err)
			     : err_set(err, ERR_LIMIT,
				       "%s %s: more than %d pages; narrow the request", service,
				       operation, max_pages);
	}
	if (st == ERR_OK) {
		drop_tokens(w.m, w.pager, w.sum);
	}
	if (st == ERR_OK && result) {
		*result = json_incref(w.sum);
	}
	json_decref(w.ask);
	json_decref(w.sum);
	return st;
}
