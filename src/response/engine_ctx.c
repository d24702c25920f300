#include "response/engine_ctx.h"

#include "base/crashpoint.h"
#include "base/phrase.h"

#include <stdio.h>
#include <string.h>

/* Longer than a lease lasts whose holder is gone. */
#define DOCUMENT_WAIT_MS 90000

void engine_ctx_fill(struct action_ctx *c, const json_t *step, const json_t *none)
{
	const json_t *with = json_object_get(step, "with");
	const json_t *partial = json_object_get(step, "partial");

	c->step_id = doc_text_or(step, "id", "");
	c->kind = doc_text_or(step, "resource.kind", "");
	c->id = doc_text_or(step, "resource.id", "");
	c->token = doc_text_or(step, "token", "");
	c->with = json_is_object(with) ? with : none;
	c->partial = json_is_object(partial) ? partial : none;
	if (c->facts == NULL) {
		c->facts = none;
	}
}

json_t *engine_ctx_gone(const struct action_ctx *c, const struct err *why)
{
	json_t *gone = json_object();

	phrase_set(gone, "reason",
		N_("{0} {1} is gone: nothing of it is left to contain. CloudTrail knows who "
		   "deleted it and when; look whether another one took its place ({2})"),
		PHRASE_ARGS(c->kind, c->id, why->msg));
	return gone;
}

json_t *engine_ctx_error(const struct err *e)
{
	json_t *out = json_pack("{s:s}", "status", err_name(e->status));

	json_object_set_new(out, "code", doc_str(str_from(e->code)));
	json_object_set_new(out, "message", doc_str(str_from(e->msg)));
	json_object_set_new(out, "call", doc_str(str_from(e->call)));
	json_object_set_new(out, "request_id", doc_str(str_from(e->request_id)));
	return out;
}

enum err_status engine_ctx_status(const char *name)
{
	for (int s = ERR_FAILED; s <= ERR_INTERRUPTED; s++) {
		if (strcmp(err_name((enum err_status)s), name) == 0) {
			return (enum err_status)s;
		}
	}
	return ERR_FAILED;
}

void engine_ctx_note_call(void *calls, const struct aws_event *ev)
{
	char call[96];

	if (!ev->mutating) {
		return;
	}
	CRASHPOINT(ev->operation);
	if (ev->phase == AWS_BEFORE) {
		return;
	}
	const char *iam = aws_operation_iam(ev->service, ev->operation);
	(void)snprintf(call, sizeof(call), "%s:%s", ev->service, ev->operation);
	json_t *note = json_pack("{s:s, s:s?, s:s}", "call", iam ? iam : call, "request_id",
		ev->request_id, "status", err_name(ev->status));
	if (ev->status == ERR_REFUSED) {
		json_object_set_new(note, "params", json_deep_copy(ev->params));
	}
	json_array_append_new(calls, note);
}

struct str engine_ctx_bucket(const json_t *step)
{
	struct str id = str_from(doc_text_or(step, "resource.id", ""));
	size_t slash = str_find_char(id, '/');

	return slash == SIZE_MAX ? id : str_sub(id, 0, slash);
}

enum err_status engine_ctx_take(
	struct engine_ctx_right *r, const struct action *a, const json_t *step, struct err *err)
{
	char name[256];

	if (a == NULL || a->document == NULL) {
		return ERR_OK;
	}
	(void)snprintf(
		name, sizeof(name), "%s %.*s", a->document, STR_ARG(engine_ctx_bucket(step)));
	enum err_status st =
		journal_lock_thing(r->journal, name, DOCUMENT_WAIT_MS, r->document, err);
	if (st != ERR_OK) {
		r->document[0] = '\0';
	}
	return st != ERR_CONFLICT
		       ? st
		       : err_set(err, ERR_CONFLICT,
				 "the %s is being written for another case; `cordon resume %s` "
				 "tries again",
				 name, r->case_id);
}

void engine_ctx_give(struct engine_ctx_right *r)
{
	if (r->document[0] != '\0') {
		journal_unlock(r->journal, r->document);
		r->document[0] = '\0';
	}
}

enum err_status engine_ctx_may_act(void *right, struct err *err)
{
	const struct engine_ctx_right *r = right;

	if (journal_holds(r->journal, r->case_id) &&
		(r->document[0] == '\0' || journal_holds(r->journal, r->document))) {
		return ERR_OK;
	}
	return err_set(err, ERR_REFUSED,
		"case %s: this process's hold on the case ran out, so it changes nothing more; "
		"`cordon resume %s` goes on where it was",
		r->case_id, r->case_id);
}
