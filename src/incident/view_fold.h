/* What view.c and its parts share. Internal to src/incident. */
#ifndef CORDON_INCIDENT_VIEW_FOLD_H
#define CORDON_INCIDENT_VIEW_FOLD_H

#include "base/doc.h"

#define VIEW_MAX_STEPS 2000

/* A fold under way: the view being filled, and its steps by id. */
struct view_fold {
	json_t *view;
	json_t *steps; /* view["steps"], borrowed */
	json_t *by_id; /* id -> step, owned */
};

/* One record, taken apart; everything borrowed. Missing text is "", payload is an object. */
struct view_record {
	const char *time, *actor, *kind;
	int64_t seq;
	json_t *payload;
};

/* Folds plan.made, approval.*, step.*, undo.*; false when the kind is none of these. */
bool view_steps_take(struct view_fold *f, const struct view_record *r);
/* State of the case by its steps alone, or NULL when it has none that decide. */
const char *view_steps_state(const struct view_fold *f);
/* obj[key] = v, or null when v is NULL; v is borrowed. */
void view_set(json_t *obj, const char *key, json_t *v);
void view_set_text(json_t *obj, const char *key, const char *text);
/* One English line that says what a record means. */
void view_say(const struct view_record *r, struct buf *out);
/* The part of that sentence that comes from the record (a name, a reason), or "". */
const char *view_detail(const struct view_record *r);

#endif
