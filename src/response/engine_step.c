#include "base/hash.h"
#include "base/log.h"
#include "base/phrase.h"
#include "response/engine_ctx.h"
#include "response/engine_run.h"

#include <stdio.h>
#include <string.h>

#define APPLY_TRIES  3   /* of a step that left the host half open */
#define VERIFY_TRIES 4   /* AWS shows some changes late; actions wait for those they know of */
#define PAUSE_MS     250 /* doubles */

/* One step being worked on; what its hooks need. */
struct at_work {
	struct engine_work *w;
	struct engine_step *s;
	struct action_ctx ctx;
	json_t *partial; /* merged notes, owned */
	json_t *facts;   /* snapshot, owned */
	json_t *before;  /* owned */
	json_t *calls;   /* mutating calls made, owned */
	char token[33];
};

static void tell(struct engine_work *w, const struct engine_step *s, const char *state,
	const json_t *payload)
{
	const struct engine_watch *watch = &w->e->watch;

	if (watch->step != NULL && s->action != NULL) {
		pthread_mutex_lock(&w->watch_lock);
		watch->step(watch->ctx, doc_text_or(s->planned, "id", ""), s->action, state,
			payload);
		pthread_mutex_unlock(&w->watch_lock);
	}
}

/* Without the journal nothing may be done: the first failure stops everything. */
static void stop_for(struct engine_work *w, const struct err *err)
{
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	if (w->fatal.status == ERR_OK) {
		w->fatal = *err;
	}
	pthread_mutex_unlock(&w->lock);
	log_err(LOG_ERROR, "the journal can't be written; no further step is started", err);
}

static json_t *payload_of(const struct engine_step *s, json_t *more_taken)
{
	json_t *p = json_pack("{s:s, s:s}", "step", doc_text_or(s->planned, "id", ""), "action",
		doc_text_or(s->planned, "action", ""));
	json_t *resource = json_object_get(s->planned, "resource");

	if (resource != NULL) {
		json_object_set(p, "resource", resource);
	}
	json_object_update(p, more_taken);
	json_decref(more_taken);
	return p;
}

enum err_status engine_step_record(struct engine_work *w, const struct engine_step *s,
	const char *kind, json_t *more_taken, const char *state)
{
	struct err err = { 0 };
	json_t *p = payload_of(s, more_taken);
	if (w->e->dry_run) {
		json_decref(p);
		return ERR_OK; /* a rehearsal leaves no trace */
	}
	enum err_status st = journal_append(w->e->journal, w->case_id, kind, p, NULL, &err);

	if (st != ERR_OK) {
		stop_for(w, &err);
	} else if (state != NULL) {
		tell(w, s, state, p);
	}
	json_decref(p);
	return st;
}

/* A durable note of the action; what it carries is merged into ctx.partial. */
static enum err_status progress(void *arg, const json_t *partial, struct err *err)
{
	struct at_work *a = arg;
	json_t *copy = json_deep_copy(partial);
	const char *text = doc_text_or(copy, "note", "progress");
	json_t *more = json_pack("{s:s, s:O}", "note", text, "partial", copy);

	json_object_update(a->partial, copy);
	json_decref(copy);
	if (engine_step_record(a->w, a->s, "step.progress", more, NULL) != ERR_OK) {
		return err_set(err, ERR_IO, "%s", a->w->fatal.msg);
	}
	return ERR_OK;
}

static enum err_status artifact(void *arg, const char *name, struct str bytes, struct err *err)
{
	struct at_work *a = arg;
	const struct engine *e = a->w->e;

	return e->artifact(e->artifact_ctx, a->ctx.step_id, name, bytes, err);
}

/*
 * The same for every try of one round of a step, so that what a killed try made is found again; a
 * new round (after an undo) gets another.
 */
static void make_token(struct at_work *a)
{
	char text[512], hex[HASH_SHA256_HEX];
	const char *old = doc_text_or(a->s->known, "token", "");

	if (a->s->interrupted && old[0] != '\0') {
		(void)snprintf(a->token, sizeof(a->token), "%s", old);
		return;
	}
	(void)snprintf(text, sizeof(text), "%s/%s/%lld", a->w->case_id,
		doc_text_or(a->s->planned, "id", ""),
		(long long)doc_int(a->s->known, "intents", 0));
	hash_sha256_hex(str_from(text), hex);
	(void)snprintf(a->token, sizeof(a->token), "%.32s", hex);
}

static void begin(struct engine_work *w, struct engine_step *s, struct at_work *a)
{
	const struct engine *e = w->e;
	const json_t *noted = s->interrupted ? json_object_get(s->known, "partial") : NULL;

	*a = (struct at_work){ .w = w, .s = s };
	a->partial = noted ? json_deep_copy(noted) : json_object();
	a->calls = json_array();
	pthread_mutex_lock(&w->lock);
	a->facts = json_deep_copy(w->facts);
	pthread_mutex_unlock(&w->lock);
	a->ctx = (struct action_ctx){ .env = e->env,
		.aws = e->aws,
		.config = e->config,
		.finding = e->finding,
		.case_id = w->case_id ? w->case_id : "dry-run",
		.account = e->account,
		.region = e->region,
		.facts = a->facts,
		.progress = progress,
		.hook_ctx = a };
	if (e->artifact != NULL && !e->dry_run) {
		a->ctx.artifact = artifact;
	}
	engine_ctx_fill(&a->ctx, s->planned, w->none);
	make_token(a);
	a->ctx.token = a->token;
	a->ctx.partial = a->partial;
}

static void end(struct at_work *a)
{
	json_decref(a->partial);
	json_decref(a->facts);
	json_decref(a->before);
	json_decref(a->calls);
}

static enum engine_phase fail(struct at_work *a, const struct err *err)
{
	json_t *more =
		json_pack("{s:o, s:O}", "error", engine_ctx_error(err), "calls", a->calls);

	(void)!engine_step_record(a->w, a->s, "step.failed", more, "failed");
	return ENGINE_FAILED;
}

/*
 * `why` has the "reason", as a phrase or as it stands; taken. With "not_before" the step is not
 * needed yet: a later run looks again.
 */
static enum engine_phase skip(struct at_work *a, json_t *why)
{
	json_t *later = json_object_get(why, "not_before");
	json_t *more = json_pack("{s:b, s:s, s:O*, s:O*, s:O*}", "needed", later != NULL,
		"reason", doc_text_or(why, "reason", N_("it is in force already")), "template",
		json_object_get(why, "template"), "args", json_object_get(why, "args"),
		"not_before", later);

	json_decref(why);
	if (engine_step_record(a->w, a->s, "step.skipped", more, "skipped") != ERR_OK) {
		return ENGINE_FAILED;
	}
	return ENGINE_MET;
}

/*
 * The before-state, which undo will restore. Of an interrupted step it is the one in its intent:
 * what is there now may be half of our own work. Of a fresh plan's first steps it is what the plan
 * saw a moment ago; a step that waited for others looks again.
 */
static enum err_status see(struct at_work *a, bool *needed, struct err *err)
{
	struct engine_step *s = a->s;
	json_t *old = json_object_get(s->known, "before");
	json_t *planned = json_object_get(s->planned, "before");
	json_t *now = NULL;
	enum err_status st;

	*needed = true;
	if (a->w->fresh && !s->interrupted && s->n_needs == 0 && json_is_object(planned)) {
		a->before = json_deep_copy(planned);
		*needed = !json_is_false(json_object_get(s->planned, "needed"));
		return ERR_OK;
	}
	st = s->action->observe(&a->ctx, &now, needed, err);
	if (s->interrupted && json_is_object(old)) {
		/* Looked at for the record; a half-done step goes on whatever was seen. */
		json_t *more = json_pack(
			"{s:s, s:O?, s:{}}", "note", "resumed", "seen", now, "partial");
		json_decref(now);
		a->before = json_deep_copy(old);
		*needed = true;
		return engine_step_record(a->w, s, "step.progress", more, NULL);
	}
	a->before = st == ERR_OK && now != NULL ? now : json_object();
	json_object_del(a->before, "will");
	return st;
}

static bool worth_another_try(const struct at_work *a, enum err_status st)
{
	return json_is_true(json_object_get(a->partial, "half_open")) && st != ERR_REFUSED &&
	       st != ERR_INTERRUPTED && a->w->fatal.status == ERR_OK;
}

/* Above all nothing may stay half open: then apply, which goes on where it was, runs again. */
static enum err_status apply(struct at_work *a, json_t **after, struct err *err)
{
	enum err_status st = a->s->action->apply(&a->ctx, a->before, after, err);

	for (int i = 1; st != ERR_OK && i < APPLY_TRIES && worth_another_try(a, st); i++) {
		env_sleep_ms(a->w->e->env, PAUSE_MS << i);
		err_clear(err);
		st = a->s->action->apply(&a->ctx, a->before, after, err);
	}
	return st;
}

static enum err_status verify(
	struct at_work *a, const json_t *after, bool *ok, json_t **proof, struct err *err)
{
	enum err_status st = ERR_OK;

	*ok = false;
	for (int i = 0; i < VERIFY_TRIES && !*ok; i++) {
		if (i > 0) {
			env_sleep_ms(a->w->e->env, PAUSE_MS << i);
		}
		json_decref(*proof);
		*proof = NULL;
		err_clear(err);
		st = a->s->action->verify(&a->ctx, a->before, after, ok, proof, err);
		if (st != ERR_OK) {
			*ok = false;
		}
		if (st == ERR_DENIED || st == ERR_REFUSED || st == ERR_INTERRUPTED) {
			break;
		}
	}
	return st;
}

/* Success is claimed only after reading back. */
static enum engine_phase prove(struct at_work *a, const json_t *after)
{
	json_t *proof = NULL;
	bool ok = false;
	struct err err = { 0 };
	enum err_status st = verify(a, after, &ok, &proof, &err);

	if (st != ERR_OK) {
		json_decref(proof);
		proof = json_pack("{s:o}", "error", engine_ctx_error(&err));
		phrase_set(proof, "text", N_("It could not be read back: {0}"),
			PHRASE_ARGS(err.msg));
	}
	json_t *more =
		json_pack("{s:b, s:o}", "verified", ok, "proof", proof ? proof : json_null());
	st = engine_step_record(a->w, a->s, "step.verified", more, ok ? "done" : "failed");
	return ok && st == ERR_OK ? ENGINE_DONE : ENGINE_FAILED;
}

static void share(struct at_work *a, const json_t *after)
{
	json_t *fact = json_pack("{s:s, s:O*, s:O, s:o}", "action",
		doc_text_or(a->s->planned, "action", ""), "resource",
		json_object_get(a->s->planned, "resource"), "before", a->before, "after",
		json_deep_copy(after));

	pthread_mutex_lock(&a->w->lock);
	json_object_set_new(a->w->facts, a->ctx.step_id, fact);
	pthread_mutex_unlock(&a->w->lock);
}

static bool held_back(const json_t *calls)
{
	const json_t *c;
	size_t i;

	json_array_foreach(calls, i, c)
	{
		if (strcmp(doc_text_or(c, "status", ""), err_name(ERR_REFUSED)) == 0) {
			return true;
		}
	}
	return false;
}

/* The same apply, up to the changing call that the client holds back; later steps go on as if. */
static enum engine_phase rehearse(struct at_work *a)
{
	struct err err = { 0 };
	json_t *after = NULL;
	enum err_status st = a->s->action->apply(&a->ctx, a->before, &after, &err);

	json_object_set(a->s->planned, "would_call", a->calls);
	json_decref(after);
	if (st != ERR_OK && !held_back(a->calls)) {
		json_object_set_new(a->s->planned, "error", engine_ctx_error(&err));
		return ENGINE_FAILED;
	}
	const json_t *forecast = json_object_get(a->s->planned, "after");
	share(a, forecast != NULL ? forecast : a->w->none);
	return ENGINE_DONE;
}

static enum engine_phase change(struct at_work *a)
{
	struct err err = { 0 };
	json_t *after = NULL;
	int64_t start = env_mono_us(a->w->e->env);
	json_t *more = json_pack("{s:O, s:O, s:s}", "with",
		json_object_get(a->s->planned, "with"), "before", a->before, "token", a->token);

	if (more == NULL) {
		more = json_pack(
			"{s:{}, s:O, s:s}", "with", "before", a->before, "token", a->token);
	}
	if (engine_step_record(a->w, a->s, "step.intent", more, "running") != ERR_OK) {
		return ENGINE_FAILED;
	}
	enum err_status st = apply(a, &after, &err);
	if (st != ERR_OK) {
		json_decref(after);
		return fail(a, &err);
	}
	after = after ? after : json_object();
	more = json_pack("{s:O, s:O, s:I}", "after", after, "calls", a->calls, "elapsed_ms",
		(json_int_t)((env_mono_us(a->w->e->env) - start) / 1000));
	enum engine_phase phase = ENGINE_FAILED;
	if (engine_step_record(a->w, a->s, "step.result", more, NULL) == ERR_OK) {
		share(a, after);
		phase = prove(a, after);
	}
	json_decref(after);
	return phase;
}

static enum engine_phase work(struct at_work *a)
{
	struct err err = { 0 };
	bool needed = true;

	if (a->s->applied) {
		json_t *after = json_object_get(a->s->known, "after");
		a->before = json_deep_copy(json_object_get(a->s->known, "before"));
		share(a, after);
		return prove(a, after);
	}
	enum err_status st = see(a, &needed, &err);
	if (st == ERR_NOT_FOUND) {
		return skip(a, engine_ctx_gone(&a->ctx, &err));
	}
	if (st != ERR_OK) {
		return fail(a, &err);
	}
	if (!needed) {
		return skip(a,
			json_incref(doc_text(a->before, "reason") ? a->before : a->s->planned));
	}
	if (!engine_settle_late(a->w, a->s)) {
		return ENGINE_PENDING;
	}
	return a->w->e->dry_run ? rehearse(a) : change(a);
}

enum engine_phase engine_step_run(struct engine_work *w, struct engine_step *s)
{
	struct at_work a;
	struct engine_ctx_right right = { .journal = w->e->journal, .case_id = w->case_id };
	struct err err = { 0 };
	enum engine_phase phase;

	begin(w, s, &a);
	aws_thread_observer(engine_ctx_note_call, a.calls);
	aws_thread_gate(w->e->dry_run ? NULL : engine_ctx_may_act, &right);
	if (!w->e->dry_run && engine_ctx_take(&right, s->action, s->planned, &err) != ERR_OK) {
		phase = fail(&a, &err);
	} else {
		phase = work(&a);
	}
	engine_ctx_give(&right);
	aws_thread_gate(NULL, NULL);
	aws_thread_observer(NULL, NULL);
	end(&a);
	return phase;
}
