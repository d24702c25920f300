/* What the model table tells without a client, and which name somebody may have meant. */
#include "aws/aws.h"
#include "aws/model.h"
#include "base/config.h"

#include <string.h>

#define NEAR_ENOUGH ((size_t)4)

bool aws_operation_known(const char *service, const char *operation)
{
	struct model_call call;
	return model_find(&model_table, service, operation, &call);
}

bool aws_operation_mutating(const char *service, const char *operation)
{
	struct model_call call;
	return model_find(&model_table, service, operation, &call) &&
	       (call.op->flags & MODEL_OP_MUTATING) != 0;
}

const char *aws_operation_iam(const char *service, const char *operation)
{
	struct model_call call;
	return model_find(&model_table, service, operation, &call)
		       ? model_text(&model_table, call.op->iam)
		       : NULL;
}

json_t *aws_operations(const char *service)
{
	const struct model *m = &model_table;
	json_t *list = json_array();
	for (size_t i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];
		if (service && strcmp(service, model_text(m, s->name)) != 0) {
			continue;
		}
		for (size_t k = 0; k < s->n_operations; k++) {
			const struct model_operation *op =
				&m->operations[s->first_operation + k];
			json_t *entry = json_pack("{s:s,s:s,s:s,s:b}", "service",
				model_text(m, s->name), "operation", model_text(m, op->name),
				"iam", model_text(m, op->iam), "mutating",
				op->flags & MODEL_OP_MUTATING);
			(void)json_array_append_new(list, entry);
		}
	}
	return list;
}

/* "describe-instances" and "describe_instances" are how other tools call DescribeInstances. */
static void squeeze(const char *name, struct buf *out)
{
	for (; *name; name++) {
		if (*name != '-' && *name != '_') {
			bool capital = *name >= 'A' && *name <= 'Z';
			buf_putc(out, (char)(capital ? *name - 'A' + 'a' : *name));
		}
	}
}

struct nearest {
	struct buf wanted;
	const char *name;
	size_t distance;
};

static void consider(struct nearest *n, const char *candidate, const char *name)
{
	struct buf b;
	buf_init(&b, 256);
	squeeze(candidate, &b);
	size_t d = config_distance(buf_view(&n->wanted), buf_view(&b));
	if (d < n->distance) {
		n->distance = d;
		n->name = name;
	}
	buf_deinit(&b);
}

/* The known name nearest to a mistaken one: of operations, or without one of services. */
static const char *near_name(const char *service, const char *operation)
{
	const struct model *m = &model_table;
	struct nearest n = { .distance = NEAR_ENOUGH };
	buf_init(&n.wanted, 256);
	squeeze(operation ? operation : service, &n.wanted);
	for (size_t i = 0; i < m->n_services; i++) {
		const struct model_service *s = &m->services[i];
		const char *name = model_text(m, s->name);
		if (!operation) {
			/* Also under the name of its endpoint: monitoring is cloudwatch. */
			consider(&n, name, name);
			consider(&n, model_text(m, s->endpoint_prefix), name);
		}
		for (size_t k = 0;
			operation && strcmp(service, name) == 0 && k < s->n_operations; k++) {
			const char *op =
				model_text(m, m->operations[s->first_operation + k].name);
			consider(&n, op, op);
		}
	}
	size_t most = n.wanted.n / 2; /* of a short name not everything is near */
	buf_deinit(&n.wanted);
	return n.distance <= most ? n.name : NULL;
}

enum err_status aws_operation_check(const char *service, const char *operation, struct err *err)
{
	bool known = model_service(&model_table, service) != NULL;
	if (known && (!operation || aws_operation_known(service, operation))) {
		return ERR_OK;
	}
	const char *near = near_name(service, known ? operation : NULL);
	const char *mean = near ? "; did you mean " : "", *end = near ? "? All" : "; all";
	near = near ? near : "";
	return known ? err_set(err, ERR_USAGE,
			       "no operation of %s that cordon knows is called %s%s%s%s: "
			       "cordon aws %s",
			       service, operation, mean, near, end, service)
		     : err_set(err, ERR_USAGE,
			       "no AWS service that cordon knows is called %s%s%s%s: cordon "
			       "aws",
			       service, mean, near, end);
}
