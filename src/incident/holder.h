/*
 * Who holds a lease, as a text that lets another process on the same machine see that the holder
 * is dead, so that a crashed run need not be waited for. Internal to src/incident.
 */
#ifndef CORDON_INCIDENT_HOLDER_H
#define CORDON_INCIDENT_HOLDER_H

#include "base/env.h"

/* "BOOT/PIDNS/PID/START/UUID" of this process; parts that can't be read are "-". */
void holder_name(struct env *env, char *out, size_t size);
/*
 * True only when the text names a process of this boot and this PID namespace that is no longer
 * there. False whenever that can't be told.
 */
bool holder_is_dead(const char *holder);
/* ERR_CONFLICT: the case's lease is another's. */
enum err_status holder_busy(const char *case_id, struct err *err);

#endif
