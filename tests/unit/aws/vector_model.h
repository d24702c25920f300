/* A model made at run time from the shapes of a protocol test suite. */
#ifndef CORDON_TEST_VECTOR_MODEL_H
#define CORDON_TEST_VECTOR_MODEL_H

#include "aws/model.h"
#include "base/doc.h"

#define VECTOR_MAX 4000

struct vector_model {
	struct model m;
	struct buf text;
	uint32_t offsets[VECTOR_MAX];
	size_t n_texts;
	struct model_extra extras[32];
	size_t n_extras;
	struct model_member members[VECTOR_MAX];
	size_t n_members;
	struct model_shape shapes[VECTOR_MAX];
	size_t n_shapes;
	struct model_service service;
	struct model_operation op;
	json_t *ids; /* shape name -> index */
	const json_t *suite;
};

/* The operation `given` of a suite. Free with vector_model_free. */
struct vector_model *vector_model_new(const json_t *suite, const json_t *given);
void vector_model_free(struct vector_model *v);
struct model_call vector_model_call(const struct vector_model *v);

#endif
