/*
 * What a measure on a resource needs beside its id, out of GuardDuty's own blocks, into the
 * resource's `about`: the tasks of an ECS cluster, the role of a function, who acted in a Kubernetes
 * cluster. Names are those of the actions' parameters (docs/actions).
 */
#ifndef CORDON_FINDING_DETAILS_H
#define CORDON_FINDING_DETAILS_H

#include "finding/finding.h"

#define DETAILS_MAX_TASKS 100 /* of one cluster; what lies beyond is counted in `dropped` */

/* Sets r->about[name]; takes the value. A NULL resource or an empty text is ignored. */
void details_set(struct finding_resource *r, const char *name, json_t *value_taken);
/* The same with text. */
void details_text(struct finding_resource *r, const char *name, struct str text);
/* From the finding's `resource` (may be NULL), after its blocks and any sequence were read as resources. */
void details_read(struct finding *f, const json_t *resource);
/* A task of ECS by its ARN, new or old style, to its cluster; ignored when the ARN names no cluster. */
void details_task(struct finding *f, struct str arn);
/* From an ECS_TASK or KUBERNETES_WORKLOAD of an attack sequence: to the cluster that it is in. */
void details_sequence(struct finding *f, const json_t *v);

#endif
