/* What the files of scan.h share. */
#ifndef CORDON_ANALYSIS_SCAN_PARTS_H
#define CORDON_ANALYSIS_SCAN_PARTS_H

#include "analysis/scan.h"

/* A new node without children at the end of the tape; NULL when it is full. */
struct scan_node *scan_push(struct scan_tape *t, enum scan_type type, uint32_t start);
/* Scans the value at text[start, end) to the end of the tape. */
enum scan_result scan_more(struct scan_tape *t, uint32_t start, uint32_t end);
/* Lays out the members or items of a lazy node. */
void scan_lay_out(struct scan_tape *t, uint32_t node);

#endif
