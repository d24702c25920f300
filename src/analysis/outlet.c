#include "analysis/outlet.h"

#define BLOCK ((size_t)1024 * 1024)

enum err_status outlet_open(
	struct outlet *o, struct env *env, const char *path, struct err *err)
{
	*o = (struct outlet){ .hash = hash_sha256_new() };
	buf_init(&o->buf, OUTLET_MAX);
	return env_file_new(env, path, 0600, &o->file, err);
}

static void write_out(struct outlet *o)
{
	struct str s = buf_view(&o->buf);
	if (!buf_ok(&o->buf)) {
		BUG("too much was added between two flows");
	}
	hash_sha256_add(o->hash, s.p, s.n);
	env_file_add(o->file, s);
	buf_reset(&o->buf);
}

void outlet_flow(struct outlet *o)
{
	if (o->buf.n >= BLOCK) {
		write_out(o);
	}
}

void outlet_drop(struct outlet *o)
{
	env_file_drop(o->file);
	hash_sha256_free(o->hash);
	buf_deinit(&o->buf);
	*o = (struct outlet){ .file = NULL };
}

enum err_status outlet_end(struct outlet *o, struct err *err)
{
	unsigned char digest[HASH_SHA256_BYTES];
	write_out(o);
	hash_sha256_end(o->hash, digest);
	env_file_add(o->file, (struct str){ (const char *)digest, sizeof(digest) });
	enum err_status st = env_file_end(o->file, err);
	o->file = NULL;
	outlet_drop(o);
	return st;
}
