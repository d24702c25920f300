/* The readers of the three shapes of one finding. Room-internal. */
#ifndef CORDON_FINDING_SHAPES_H
#define CORDON_FINDING_SHAPES_H

#include "finding/parts.h"

/* GuardDuty's own shape, camelCase or PascalCase. */
bool guardduty_is(const json_t *doc);
ERR_MUST_CHECK enum err_status guardduty_read(
	json_t *doc, const struct parts_origin *from, struct finding **out, struct err *err);
/* Reads `service` of GuardDuty (action, role, count, sample mark ...) into f. */
void guardduty_service(struct finding *f, const json_t *service);
/* Reads `service.detection.sequence`, or what ASFF has of it under Detection.Sequence. */
void guardduty_sequence(struct finding *f, const json_t *sequence);
/* Reads `service.action` alone. */
void guardduty_action(struct finding *f, const json_t *action);

/* AWS Security Finding Format (Security Hub). */
bool asff_is(const json_t *doc);
ERR_MUST_CHECK enum err_status asff_read(
	json_t *doc, const struct parts_origin *from, struct finding **out, struct err *err);
/* Kind of an ASFF resource type ("AwsEc2Instance") or a CloudFormation one ("AWS::EC2::Instance"). */
enum finding_kind asff_kind(const json_t *type);
/* The same two spellings of a task of ECS, which is no kind of its own but belongs to its cluster. */
bool asff_is_task(const json_t *type);

/* OCSF Findings category (class_uid 2xxx): finding_info, or `finding` of class 2001 up to OCSF 1.0. */
bool ocsf_is(const json_t *doc);
ERR_MUST_CHECK enum err_status ocsf_read(
	json_t *doc, const struct parts_origin *from, struct finding **out, struct err *err);

#endif
