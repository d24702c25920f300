#include "response/actions/batch.h"

#include <stdlib.h>
#include <string.h>

void batch_init(struct batch *b)
{
	*b = (struct batch){ 0 };
}

void batch_deinit(struct batch *b)
{
	for (size_t i = 0; i < b->n; i++) {
		json_t *params = NULL;
		/* The request borrows its parameters as const; this batch is their owner. */
		/* NOLINTNEXTLINE(bugprone-sizeof-expression): it is the pointer that is copied */
		memcpy(&params, &b->reqs[i].params, sizeof(params));
		json_decref(params);
		json_decref(b->reqs[i].result);
	}
	free(b->reqs);
	free(b->lenient);
	*b = (struct batch){ 0 };
}

static void grow(struct batch *b)
{
	if (b->n < b->cap) {
		return;
	}
	if (b->cap >= BATCH_MAX) {
		BUG("batch: too many calls");
	}
	size_t cap = b->cap ? b->cap * 2 : 16;
	struct aws_request *reqs = realloc(b->reqs, cap * sizeof(*reqs));
	if (!reqs) {
		BUG("out of memory");
	}
	b->reqs = reqs;
	const char **lenient = realloc(b->lenient, cap * sizeof(*lenient));
	if (!lenient) {
		BUG("out of memory");
	}
	b->lenient = lenient;
	b->cap = cap;
}

size_t batch_add_lenient(struct batch *b, const char *service, const char *operation,
	json_t *params_taken, const char *lenient)
{
	if (!params_taken) {
		BUG("batch: parameters could not be built");
	}
	grow(b);
	b->reqs[b->n] = (struct aws_request){
		.service = service,
		.operation = operation,
		.params = params_taken,
	};
	b->lenient[b->n] = lenient;
	return b->n++;
}

size_t batch_add(
	struct batch *b, const char *service, const char *operation, json_t *params_taken)
{
	return batch_add_lenient(b, service, operation, params_taken, NULL);
}

static bool forgiven(const struct batch *b, size_t i)
{
	const struct aws_request *r = &b->reqs[i];
	if (!b->lenient[i] || r->status == ERR_REFUSED || r->status == ERR_INTERRUPTED) {
		return false;
	}
	return str_glob(str_from(b->lenient[i]), str_from(r->err.code));
}

enum err_status batch_run(struct batch *b, struct aws_client *c, struct err *err)
{
	/* A batch may be sent again: what the last time gave is forgotten. */
	for (size_t i = 0; i < b->n; i++) {
		json_decref(b->reqs[i].result);
		b->reqs[i].result = NULL;
		b->reqs[i].status = ERR_OK;
		err_clear(&b->reqs[i].err);
	}
	for (size_t at = 0; at < b->n; at += BATCH_PARALLEL) {
		size_t n = b->n - at < BATCH_PARALLEL ? b->n - at : BATCH_PARALLEL;
		/* Failures are judged one by one below. */
		enum err_status first = aws_call_many(c, b->reqs + at, n, NULL);
		(void)first;
	}
	for (size_t i = 0; i < b->n; i++) {
		if (b->reqs[i].status != ERR_OK && !forgiven(b, i)) {
			if (err) {
				*err = b->reqs[i].err;
			}
			return b->reqs[i].status;
		}
	}
	return ERR_OK;
}

json_t *batch_result(const struct batch *b, size_t i)
{
	return i < b->n && b->reqs[i].status == ERR_OK ? b->reqs[i].result : NULL;
}

bool batch_ok(const struct batch *b, size_t i)
{
	return i < b->n && b->reqs[i].status == ERR_OK;
}
