/* A run under way: what scheduling, stepping and undoing share. Internal to src/response. */
#ifndef CORDON_RESPONSE_ENGINE_RUN_H
#define CORDON_RESPONSE_ENGINE_RUN_H

#include "response/engine.h"

#include <pthread.h>

/* Where a step stands in this run. */
enum engine_phase {
	ENGINE_WAITING,
	ENGINE_RUNNING,
	ENGINE_DONE,
	ENGINE_MET, /* not needed: in force already */
	ENGINE_FAILED,
	ENGINE_BLOCKED,  /* something it needs did not come about */
	ENGINE_PENDING,  /* a person must decide, or it waits for such a step */
	ENGINE_GIVEN_UP, /* rejected, undone, or only reported */
};

struct engine_need {
	size_t step;
	bool soft; /* it must have ended, however it ended */
};

struct engine_step {
	json_t *planned;             /* of the plan; owned */
	const json_t *known;         /* of the view, NULL when the case has no such step */
	const struct action *action; /* NULL: unknown to this cordon */
	enum engine_phase phase;
	bool interrupted; /* had its intent in an earlier run: go on with that before-state */
	bool applied;     /* its result is in the journal, only the proof is missing */
	bool urgent;      /* its half-done work may leave the host more open than before */
	bool unasked; /* wants an approval that was not asked for: the plan found nothing to do */
	struct engine_need *needs;
	size_t n_needs;
};

struct engine_work {
	const struct engine *e;
	const char *case_id;
	json_t *plan;  /* owned */
	json_t *view;  /* the case at the start; owned */
	json_t *none;  /* {} */
	json_t *facts; /* what steps made so far; under lock */
	bool fresh;    /* the plan's before-states were seen a moment ago */
	struct engine_step *steps;
	size_t n;
	pthread_mutex_t lock; /* phases, facts, running, stop */
	pthread_mutex_t watch_lock;
	pthread_cond_t changed;
	size_t running;
	bool stop;        /* start nothing more */
	struct err fatal; /* the journal failed: status is not ERR_OK then */
};

/* Carries one step through intent, apply, result, proof; gives the phase it ended in. */
enum engine_phase engine_step_run(struct engine_work *w, struct engine_step *s);
/* Appends a record about a step ({step, action, resource} and `more`, taken) and tells the watch.
 * A failure stops the run (w->fatal). */
ERR_MUST_CHECK enum err_status engine_step_record(struct engine_work *w,
	const struct engine_step *s, const char *kind, json_t *more_taken, const char *state);

/* Makes the run's steps out of plan and view: what is done, interrupted, still to do. */
ERR_MUST_CHECK enum err_status engine_settle_load(struct engine_work *w, struct err *err);
/* Settles the steps that this run will not start by itself: asks, gives up, blocks. */
void engine_settle_all(struct engine_work *w);
/* An unasked step has something to do after all. False: the question was put, and nothing may be done. */
bool engine_settle_late(struct engine_work *w, const struct engine_step *s);

/* The status a script sees for a response. */
enum err_status engine_answer_status(const json_t *response, struct err *err);
/*
 * The response of a dry run: the plan's steps as planned, each with `would_call` (the changing calls
 * that it sent and the client held back) or the error that kept it from coming so far.
 */
ERR_MUST_CHECK enum err_status engine_answer_rehearse(
	const char *case_id, const json_t *plan, json_t **out);

/* A person asked to stop (engine_interrupt). */
bool engine_interrupted(void);

#endif
