/*
 * The outside world as an interface: clock, randomness, sleep, environment variables, files.
 * main() passes env_system(); a test passes env_fake and every run is the same.
 */
#ifndef CORDON_BASE_ENV_H
#define CORDON_BASE_ENV_H

#include "base/buf.h"
#include "base/err.h"

struct env;
struct env_vtable {
	int64_t (*now_ms)(struct env *);  /* wall clock, ms since 1970 UTC */
	int64_t (*mono_us)(struct env *); /* monotonic, microseconds */
	void (*random)(struct env *, void *out, size_t n);
	void (*sleep_ms)(struct env *, int64_t ms);
	const char *(*var)(struct env *, const char *name); /* environment variable or NULL */
	/* Whole file into `out` (its ceiling applies: ERR_LIMIT). */
	enum err_status (*read_file)(
		struct env *, const char *path, struct buf *out, struct err *);
	/* Whole file, durable and atomic: temporary name, fsync, rename, fsync of the folder. */
	enum err_status (*write_file)(
		struct env *, const char *path, struct str data, int mode, struct err *);
};
struct env {
	const struct env_vtable *v;
};

/* The real world. Static, thread-safe, never freed. */
struct env *env_system(void);

/*
 * A world for tests: the clock starts at `now_ms` and moves only by sleep (and by `tick_us` a
 * mono_us call), randomness comes from `seed`, variables from a NULL-terminated list of
 * "NAME=value" (borrowed), files are the real ones.
 */
struct env_fake {
	struct env base;
	int64_t now_ms;
	int64_t mono_us;
	int64_t tick_us;
	uint64_t seed;
	const char *const *vars;
};
void env_fake_init(struct env_fake *f, int64_t now_ms, uint64_t seed, const char *const *vars);

/* Conveniences over the table. */
int64_t env_now_ms(struct env *e);
int64_t env_mono_us(struct env *e);
void env_random(struct env *e, void *out, size_t n);
void env_sleep_ms(struct env *e, int64_t ms);
/* The variable, or NULL when unset or empty. */
const char *env_var(struct env *e, const char *name);
ERR_MUST_CHECK enum err_status env_read_file(
	struct env *e, const char *path, struct buf *out, struct err *err);
ERR_MUST_CHECK enum err_status env_write_file(
	struct env *e, const char *path, struct str data, int mode, struct err *err);
/*
 * The same for who has it piece by piece: the file is there, whole, when env_file_end says so, and
 * otherwise as it was. Ended or dropped once; both free it.
 */
struct env_file;
ERR_MUST_CHECK enum err_status env_file_new(
	struct env *e, const char *path, int mode, struct env_file **out, struct err *err);
void env_file_add(struct env_file *f, struct str piece);
ERR_MUST_CHECK enum err_status env_file_end(struct env_file *f, struct err *err);
void env_file_drop(struct env_file *f);
/* Random lower-case UUID version 4 text into out[37]. */
void env_uuid(struct env *e, char out[37]);
/* The same of random bytes that are there already. */
void env_uuid_of(const unsigned char random[16], char out[37]);

#endif
