/* What the files that read events share. */
#ifndef CORDON_ANALYSIS_EVENT_PARTS_H
#define CORDON_ANALYSIS_EVENT_PARTS_H

/*
 * Seed of hashes of the content: always the same, because events with the same id and time are told in
 * the order of it. That can't be abused, as part of every record is chosen at random by AWS.
 */
#define EVENT_CONTENT_SEED UINT64_C(0x0c5a1f0ec0de1e55)

#endif
