/*
 * The least an IAM identity must be allowed so that cordon can do what its playbooks say: which
 * actions, on which resources, under which conditions. Facts: AWS's Service Authorization Reference.
 */
#ifndef CORDON_RESPONSE_POLICY_H
#define CORDON_RESPONSE_POLICY_H

#include "base/config.h"
#include "response/playbook.h"

struct policy_options {
	const struct config *config;
	const struct playbook_set *playbooks;
	const char *playbook;     /* only this one; NULL: all of the set */
	const char *account;      /* 12 digits, or NULL: any */
	const char *region;       /* NULL: any */
	const char *const *state; /* IAM actions of the case store (journal_calls), or NULL */
};

/*
 * The policy document ({"Version","Statement"}), every list sorted; new reference. ERR_NOT_FOUND when
 * there is no playbook of that name.
 */
ERR_MUST_CHECK enum err_status policy_make(
	const struct policy_options *o, json_t **out, struct err *err);
/* The table names this action. One that it does not name is allowed on "*", and a test complains. */
bool policy_knows(const char *action);

/* One group of the table: actions with the same resources and condition. policy_table.c. */
struct policy_group {
	const char *sid;
	/* Space-separated ARNs with {p} partition, {r} region, {a} account, {name} of a setting. */
	const char *resources;
	const char *condition; /* JSON text, or NULL */
	const char *actions;   /* space-separated */
};
extern const struct policy_group policy_groups[];
extern const size_t policy_n_groups;

#endif
