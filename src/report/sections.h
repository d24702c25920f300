/* The sections of a report, top to bottom; each shows its part of the case on a sheet. */
#ifndef CORDON_REPORT_SECTIONS_H
#define CORDON_REPORT_SECTIONS_H

#include "report/sheet.h"

void headline_write(struct sheet *s);  /* what happened, how it stands, clocks */
void decisions_write(struct sheet *s); /* what needs a person now */
void measures_write(struct sheet *s);  /* what was done: before -> after, undo */
void cause_write(struct sheet *s);     /* root cause, for, against, missing, alternatives */
void timeline_write(struct sheet *s);  /* three lanes */
/* Chooses the entries that timeline_write prints and numbers them in s->events; call it first. */
void timeline_choose(struct sheet *s);
void graph_write(struct sheet *s);     /* drawing and nested list of the chain */
void reach_write(struct sheet *s);     /* what was touched; the limits of the logs */
void custody_write(struct sheet *s);   /* evidence with hashes, versions, locks */
void technique_write(struct sheet *s); /* MITRE ATT&CK */
void told_write(struct sheet *s);      /* messages, notes */
void advice_write(struct sheet *s);    /* recommendations */
void appendix_write(struct sheet *s);  /* raw findings, footer */

/* "entry", "means", "action" in words (not translated). */
const char *graph_link_words(const char *link);
/* "action.done" in words, or the text itself (not translated). */
const char *told_event_words(const char *event);
/* ATT&CK technique name of "T1530", or NULL (never translated). */
const char *technique_name(const char *id);
/*
 * "attack.t1552.005" or "T1552.005" as "T1552.005", and an id of earlier versions of ATT&CK as the
 * current one; false when it is no technique.
 */
bool technique_id(const char *tag, char out[16]);
/* The words and tone of a case's or a step's state. */
const char *headline_story(const json_t *view); /* one sentence of the verdict, or NULL */
const char *headline_state_words(const char *state, enum sheet_tone *tone);
const char *measures_state_words(const char *state, enum sheet_tone *tone);
/* What an undo found changed since the step, as a fact of its card; nothing when nothing was. */
void measures_differences(struct sheet *s, const json_t *step);
/* The name of an action for people: "Isolate the instance from the network" (not translated). */
const char *measures_title(const json_t *step);

#endif
