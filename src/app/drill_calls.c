#include "app/drill_calls.h"

json_t *drill_calls_get(
	struct drill_calls *c, const char *service, const char *operation, json_t *params_taken)
{
	json_t *result = NULL;

	if (params_taken == NULL) {
		BUG("a call of the drill could not be written");
	}
	if (c->st == ERR_OK) {
		c->st = aws_call(c->aws, service, operation, params_taken, &result, c->err);
		if (c->st != ERR_OK) {
			(void)err_prefix(c->err, "%s:%s", service, operation);
		}
	}
	json_decref(params_taken);
	return result;
}

void drill_calls_do(
	struct drill_calls *c, const char *service, const char *operation, json_t *params_taken)
{
	json_decref(drill_calls_get(c, service, operation, params_taken));
}

const char *drill_calls_text(struct drill_calls *c, const char *service, const char *operation,
	json_t *params_taken, const char *path)
{
	json_t *result = drill_calls_get(c, service, operation, params_taken);
	const char *text = arena_cstr(c->arena, str_from(doc_text_or(result, path, "")));

	if (c->st == ERR_OK && text[0] == '\0') {
		c->st = err_set(
			c->err, ERR_FAILED, "%s:%s gave no %s", service, operation, path);
	}
	json_decref(result);
	return text;
}
