/*
 * Whom the attack's addresses talked with, by the logs of the network: flows between them and our
 * hosts with their volume, and the names by which our hosts asked the Resolver for them.
 */
#ifndef CORDON_ANALYSIS_CONTACTS_H
#define CORDON_ANALYSIS_CONTACTS_H

#include "analysis/inquiry.h"

/*
 * [{"how":"out|in|asked","host","ip","name","port","bytes","first","last"}] in order of time, at
 * most CONTACTS_MAX; new reference. "out": from our host to the address. "name" is null when no host
 * asked for one.
 */
#define CONTACTS_MAX 500
json_t *contacts_json(const struct inquiry *q);

#endif
