/*
 * The tags of what a finding names, where the finding does not carry them: credentials, what an
 * attack sequence names, findings cut short. The environment of a step and exempt tags hang on them.
 */
#ifndef CORDON_RESPONSE_TAGS_H
#define CORDON_RESPONSE_TAGS_H

#include "aws/aws.h"
#include "finding/finding.h"

/*
 * Asks for the tags of every resource that has none (`tags` NULL) and sets them, in one round trip;
 * none when all are there. What is gone has no tags. *unknown gets [{kind,id}] of those that could
 * not be read (denied, unreachable): they count as production. Never fails.
 */
void tags_look_up(struct aws_client *aws, struct finding *f, json_t **unknown);

#endif
