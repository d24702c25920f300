/* Playbooks: YAML the user reads and edits (design 4.3), and the choice of one for a finding. */
#ifndef CORDON_RESPONSE_PLAYBOOK_H
#define CORDON_RESPONSE_PLAYBOOK_H

#include "base/config.h"
#include "finding/finding.h"

struct playbook_set;

/* Loads config->playbooks (every *.yaml, by name) or the built-in ones. ERR_CONFIG: FILE:LINE and why. */
ERR_MUST_CHECK enum err_status playbook_load(struct env *env, const struct config *config,
	struct playbook_set **out, struct err *err);
void playbook_set_free(struct playbook_set *s);
/* [{"name","title","file","answers":[globs],"steps":[{..}]}]; new reference. */
json_t *playbook_list(const struct playbook_set *s);

/* The text of the playbook's file, comments and all; borrowed from the set. ERR_NOT_FOUND. */
ERR_MUST_CHECK enum err_status playbook_source(
	const struct playbook_set *s, const char *name, struct str *out, struct err *err);

/*
 * Decides for a finding, offline: the document `cordon.route/1` of design 4.8 (new reference):
 * which playbook, which mode, which steps on which resources (a step is repeated for every
 * resource of its kind; ids "isolate-network" or "isolate-network:i-0abc" when there are several),
 * `needs`, `with`, and what the static guards (sample, target-only, exempt, own action) hold back.
 * `needs` of a step: ids that must be done before; those that are in its `soft` too need only have
 * ended, however (failed, skipped). `approve`: {"who":[..],"until_minutes":n,"on_expiry":"hold|skip"}.
 * A step on an AccessKey carries `user` or `role` (whose credential it is) in `with`; its resource id
 * is that name when the finding names no key.
 * A step's mode is the playbook's matrix of severity and environment (unknown environment counts
 * as production) narrowed by config->mode.
 */
ERR_MUST_CHECK enum err_status playbook_route(const struct playbook_set *s,
	const struct config *config, const struct finding *f, json_t **out, struct err *err);

#endif
