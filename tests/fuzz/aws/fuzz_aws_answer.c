/*
 * Byte 0: the operation, below 128 one of `calls`, else with byte 1 any. Byte 1: the HTTP status. Then
 * headers, an empty line, the body.
 */
#include "aws/errors.h"
#include "aws/proto.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct {
	const char *service, *operation;
} calls[] = { { "ec2", "DescribeInstances" }, { "iam", "GetAccountAuthorizationDetails" },
	{ "dynamodb", "Query" }, { "guardduty", "GetFindings" }, { "s3", "GetObject" },
	{ "s3", "ListObjectVersions" }, { "s3", "GetBucketAcl" },
	{ "sns", "GetTopicAttributes" }, { "lambda", "Invoke" }, { "sqs", "ReceiveMessage" },
	{ "s3", "GetBucketLocation" } };

static void any(size_t at, struct model_call *out)
{
	const struct model *m = &model_table;
	size_t n = 0, s = 0;
	for (size_t i = 0; i < m->n_services; i++) {
		n += m->services[i].n_operations;
	}
	at %= n;
	while (at >= (size_t)m->services[s].first_operation + m->services[s].n_operations) {
		s++;
	}
	*out = (struct model_call){ m, &m->services[s], &m->operations[at] };
}

static void fill(struct str text, struct wire_response *r)
{
	struct str line;
	while (str_cut(&text, '\n', &line) && line.n) {
		size_t colon = str_find_char(line, ':');
		if (colon == SIZE_MAX || r->headers.n > 100) {
			continue;
		}
		char *name = str_dup(str_sub(line, 0, colon));
		wire_add(&r->headers, name, str_trim(str_sub(line, colon + 1, SIZE_MAX)));
		free(name);
	}
	buf_add_str(&r->body, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const int statuses[] = { 200, 400, 403, 404, 500, 503 };
	struct model_call c;
	if (size < 2) {
		return 0;
	}
	if (data[0] >= 128) {
		any((((size_t)data[0] - 128) << 8) | data[1], &c);
	} else {
		size_t i = data[0] % (sizeof(calls) / sizeof(calls[0]));
		if (!model_find(&model_table, calls[i].service, calls[i].operation, &c)) {
			__builtin_trap();
		}
	}
	struct wire_response r;
	wire_response_init(&r, WIRE_MAX_BODY);
	r.status = statuses[data[1] % 6];
	fill((struct str){ (const char *)data + 2, size - 2 }, &r);
	json_t *result = NULL;
	if (proto_parse(&c, &r, &result, NULL) == ERR_OK) {
		char *text = json_dumps(result, JSON_ENCODE_ANY);
		if (!json_is_object(result) || !text) {
			__builtin_trap(); /* every answer must be a document that can be written */
		}
		free(text);
		json_decref(result);
	}
	(void)errors_hidden(&c, &r);
	struct err e = { 0 };
	if (errors_from(&c, &r, &e) == ERR_OK || !e.code[0]) {
		__builtin_trap();
	}
	wire_response_deinit(&r);
	return 0;
}
