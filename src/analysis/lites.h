/*
 * Lines of a timeline to come. Which of them will be wanted is known only at the end, and there
 * may be more than memory holds: of each edge the earliest K are kept, K being the largest number
 * with which all edges together stay below the ceiling. K depends on nothing but how many lines
 * each edge had, so it does not matter in which order they came; and it only ever falls while
 * they come, so what a smaller K lets go early is never missed later.
 * There are two sorts with a K and a ceiling each, 0 the everyday lines and 1 those that are
 * TRACK_MARKED: what an attack does is not crowded out by what everybody does all day.
 */
#ifndef CORDON_ANALYSIS_LITES_H
#define CORDON_ANALYSIS_LITES_H

#include "analysis/track.h"

#define LITES_EVERYDAY (384u * 1024)
#define LITES_MARKED   (192u * 1024)

/* Up to when lines with these tags are kept of the edge at present. */
int64_t lites_cut_ms(const struct track_edge *e, unsigned tags);
/* The line is counted in n_calls of the edge whether it is kept or not. */
void lites_add(struct track *t, const struct track_lite *lite);
/* Lines that several workers kept of one event are kept once. */
void lites_drop_copies(struct track *t);
/* After the last line, or after lines of another worker were taken in: back below the ceiling. */
void lites_trim(struct track *t);

#endif
