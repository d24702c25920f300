/*
 * A measure that sets something: a few named parts of one resource are read, written, read back,
 * and written back. Parts are members of a JSON object ({"reserved": 5}), so that a run killed half
 * way and a change by somebody else are told apart part by part.
 */
#ifndef CORDON_RESPONSE_ACTIONS_SETTING_H
#define CORDON_RESPONSE_ACTIONS_SETTING_H

#include "response/actions/ec2.h"

struct setting {
	const char *what;     /* as differences name it: "FunctionConcurrency" */
	const char *in_force; /* N_() why the step is skipped when nothing is left to set */
	const char *done;     /* N_() proof; {0} is the resource */
	const char
		*not_done; /* N_() the same when the parts don't show; {0} resource, {1} part */
	bool fleeting; /* parts are things that come and go: one that is away is JSON null */
	int reads;     /* so often it is read again until it shows; 0 = 4 */
	/*
	 * The parts as they are now; new reference. Facts for people go into `notes`, an object that
	 * becomes part of `before`. An N_() sentence in *reason: the measure does not apply here.
	 */
	enum err_status (*read)(const struct action_ctx *c, json_t *notes, json_t **parts,
		const char **reason, struct err *err);
	/* The parts that shall change, with their new values; new reference. */
	json_t *(*wanted)(const struct action_ctx *c, const json_t *parts);
	/*
	 * Gives the parts these values. Harmless when repeated. `before` is what observe gave.
	 */
	enum err_status (*write)(const struct action_ctx *c, const json_t *before,
		json_t *parts, struct err *err);
};

/* Every part with this one value; takes it. New reference: what `wanted` often gives. */
json_t *setting_all(const json_t *parts, json_t *value_taken);

/*
 * The four phases of struct action. before = {"parts", ..notes}; after = {"parts"}: the wanted
 * ones. Undo gives each part its old value back, unless it is neither the old nor ours: that one
 * is named and left alone unless forced; a part that is gone is named.
 */
ERR_MUST_CHECK enum err_status setting_observe(const struct setting *s,
	const struct action_ctx *c, json_t **before, bool *needed, struct err *err);
ERR_MUST_CHECK enum err_status setting_apply(const struct setting *s,
	const struct action_ctx *c, const json_t *before, json_t **after, struct err *err);
ERR_MUST_CHECK enum err_status setting_verify(const struct setting *s,
	const struct action_ctx *c, const json_t *after, bool *ok, json_t **proof,
	struct err *err);
ERR_MUST_CHECK enum err_status setting_undo(const struct setting *s, const struct action_ctx *c,
	const json_t *before, const json_t *after, json_t **differences, struct err *err);
/* The same for an action whose undo has more to do: differences go into the caller's list. */
ERR_MUST_CHECK enum err_status setting_restore(const struct setting *s,
	const struct action_ctx *c, const json_t *before, const json_t *after,
	json_t *differences, struct err *err);

/* The phases of a file whose measure is nothing but the struct setting named. */
#define SETTING_PHASES(s)                                                                 \
	static enum err_status observe(                                                   \
		const struct action_ctx *c, json_t **before, bool *needed, struct err *e) \
	{                                                                                 \
		return setting_observe(&(s), c, before, needed, e);                       \
	}                                                                                 \
	static enum err_status apply(const struct action_ctx *c, const json_t *before,    \
		json_t **after, struct err *e)                                            \
	{                                                                                 \
		return setting_apply(&(s), c, before, after, e);                          \
	}                                                                                 \
	static enum err_status verify(const struct action_ctx *c, const json_t *before,   \
		const json_t *after, bool *ok, json_t **proof, struct err *e)             \
	{                                                                                 \
		(void)before;                                                             \
		return setting_verify(&(s), c, after, ok, proof, e);                      \
	}                                                                                 \
	static enum err_status undo(const struct action_ctx *c, const json_t *before,     \
		const json_t *after, json_t **differences, struct err *e)                 \
	{                                                                                 \
		return setting_undo(&(s), c, before, after, differences, e);              \
	}

#endif
