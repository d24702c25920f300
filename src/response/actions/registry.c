/* The list of all actions. A new measure is one file here and one line below, in name order. */
#include "response/actions/registry.h"

#include <string.h>

const struct action *const action_all[] = {
	&action_disable_imds,
	NULL,
};

const struct action *action_find(const char *name)
{
	if (!name) {
		return NULL;
	}
	for (size_t i = 0; action_all[i]; i++) {
		if (strcmp(action_all[i]->name, name) == 0) {
			return action_all[i];
		}
	}
	return NULL;
}
