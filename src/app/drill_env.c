#include "app/drill.h"

#include <stdlib.h>
#include <string.h>

static struct drill_env *self(struct env *e)
{
	return (struct drill_env *)e;
}

static int64_t now_ms(struct env *e)
{
	return env_now_ms(self(e)->outer);
}

static int64_t mono_us(struct env *e)
{
	return env_mono_us(self(e)->outer);
}

static void fill_random(struct env *e, void *out, size_t n)
{
	env_random(self(e)->outer, out, n);
}

static void sleep_for(struct env *e, int64_t ms)
{
	env_sleep_ms(self(e)->outer, ms);
}

static const char *variable(struct env *e, const char *name)
{
	const struct drill_env *d = self(e);

	for (size_t i = 0; i < d->n; i++) {
		if (strcmp(d->vars[i].name, name) == 0) {
			return d->vars[i].value;
		}
	}
	if (strncmp(name, "AWS_", 4) == 0 || strncmp(name, "CORDON_", 7) == 0 ||
		strncmp(name, "XDG_", 4) == 0 || strcmp(name, "HOME") == 0) {
		return NULL;
	}
	return env_var(d->outer, name);
}

static enum err_status read_file(
	struct env *e, const char *path, struct buf *out, struct err *err)
{
	return env_read_file(self(e)->outer, path, out, err);
}

static enum err_status write_file(
	struct env *e, const char *path, struct str data, int mode, struct err *err)
{
	return env_write_file(self(e)->outer, path, data, mode, err);
}

void drill_env_init(struct drill_env *e, struct env *outer)
{
	static const struct env_vtable table = { now_ms, mono_us, fill_random, sleep_for,
		variable, read_file, write_file };

	*e = (struct drill_env){ .base = { &table }, .outer = outer };
}

void drill_env_set(struct drill_env *e, const char *name, const char *value)
{
	size_t i = 0;

	while (i < e->n && strcmp(e->vars[i].name, name) != 0) {
		i++;
	}
	if (i == DRILL_VARS) {
		BUG("more variables than the drill's environment holds");
	}
	if (i == e->n) {
		e->vars[e->n++].name = name;
	} else {
		free(e->vars[i].value);
	}
	e->vars[i].value = str_dup(str_from(value));
}

void drill_env_deinit(struct drill_env *e)
{
	for (size_t i = 0; i < e->n; i++) {
		free(e->vars[i].value);
	}
	e->n = 0;
}
