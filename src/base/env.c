#include "base/env.h"

#include "base/hash.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static int64_t system_now_ms(struct env *e)
{
	(void)e;
	struct timespec t;
	(void)clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t system_mono_us(struct env *e)
{
	(void)e;
	struct timespec t;
	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void system_random(struct env *e, void *out, size_t n)
{
	(void)e;
	unsigned char *p = out;
	while (n) {
		ssize_t got = getrandom(p, n, 0);
		if (got < 0 && errno != EINTR) {
			BUG("getrandom failed");
		}
		if (got > 0) {
			p += got;
			n -= (size_t)got;
		}
	}
}

static void system_sleep_ms(struct env *e, int64_t ms)
{
	(void)e;
	if (ms <= 0) {
		return;
	}
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) != 0 && errno == EINTR) {
	}
}

static const char *system_var(struct env *e, const char *name)
{
	(void)e;
	return getenv(name); /* NOLINT(concurrency-mt-unsafe): nothing here calls setenv */
}

static enum err_status read_all(int fd, const char *path, struct buf *out, struct err *err)
{
	char chunk[65536];
	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n == 0) {
			return ERR_OK;
		}
		if (n < 0 && errno == EINTR) {
			continue;
		}
		if (n < 0) {
			return err_set(
				err, ERR_IO, "can't read %s: %s", path, err_errno(errno));
		}
		buf_add(out, chunk, (size_t)n);
		if (out->wipe) {
			explicit_bzero(chunk, (size_t)n);
		}
		if (!buf_ok(out)) {
			return err_set(
				err, ERR_LIMIT, "%s is larger than %zu bytes", path, out->max);
		}
	}
}

static enum err_status system_read_file(
	struct env *e, const char *path, struct buf *out, struct err *err)
{
	(void)e;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
			"can't open %s: %s", path, err_errno(errno));
	}
	enum err_status st = read_all(fd, path, out, err);
	(void)close(fd);
	return st;
}

static bool write_all(int fd, struct str data)
{
	while (data.n) {
		ssize_t n = write(fd, data.p, data.n);
		if (n < 0 && errno != EINTR) {
			return false;
		}
		if (n > 0) {
			data = str_sub(data, (size_t)n, data.n);
		}
	}
	return true;
}

static void sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = !slash ? str_dup(STR("."))
			      : str_dup((struct str){ path, (size_t)(slash - path) + 1 });
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		(void)fsync(fd);
		(void)close(fd);
	}
	free(folder);
}

struct env_file {
	int fd, error; /* errno of the first failure, 0 = none */
	char path[4096], temp[4096];
};

enum err_status env_file_new(
	struct env *e, const char *path, int mode, struct env_file **out, struct err *err)
{
	char id[37];
	struct env_file *f = mem_zeroed(1, sizeof(*f));
	enum err_status st = ERR_OK;
	env_uuid(e, id);
	int n = snprintf(f->temp, sizeof(f->temp), "%s.%.8s.tmp", path, id);
	if (n < 0 || (size_t)n >= sizeof(f->temp)) {
		st = err_set(err, ERR_IO, "path is too long: %.80s...", path);
		goto out;
	}
	(void)snprintf(f->path, sizeof(f->path), "%s", path);
	f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
	if (f->fd < 0) {
		st = err_set(err, ERR_IO, "can't create %s: %s", path, err_errno(errno));
		goto out;
	}
	*out = f;
	f = NULL;
out:
	free(f);
	return st;
}

void env_file_add(struct env_file *f, struct str piece)
{
	if (f->error == 0 && !write_all(f->fd, piece)) {
		f->error = errno;
	}
}

void env_file_drop(struct env_file *f)
{
	if (f) {
		(void)close(f->fd);
		(void)unlink(f->temp);
		free(f);
	}
}

enum err_status env_file_end(struct env_file *f, struct err *err)
{
	if (f->error == 0 && (fsync(f->fd) != 0 || rename(f->temp, f->path) != 0)) {
		f->error = errno;
	}
	if (f->error) {
		enum err_status st =
			err_set(err, ERR_IO, "can't write %s: %s (nothing was changed)",
				f->path, err_errno(f->error));
		env_file_drop(f);
		return st;
	}
	(void)close(f->fd);
	sync_folder_of(f->path);
	free(f);
	return ERR_OK;
}

static enum err_status system_write_file(
	struct env *e, const char *path, struct str data, int mode, struct err *err)
{
	struct env_file *f = NULL;
	enum err_status st = env_file_new(e, path, mode, &f, err);
	if (st == ERR_OK && f) {
		env_file_add(f, data);
		st = env_file_end(f, err);
	}
	return st;
}

struct env *env_system(void)
{
	static const struct env_vtable table = {
		.now_ms = system_now_ms,
		.mono_us = system_mono_us,
		.random = system_random,
		.sleep_ms = system_sleep_ms,
		.var = system_var,
		.read_file = system_read_file,
		.write_file = system_write_file,
	};
	static struct env env = { &table };
	return &env;
}

static struct env_fake *fake(struct env *e)
{
	return (struct env_fake *)(void *)e;
}

static int64_t fake_now_ms(struct env *e)
{
	return fake(e)->now_ms;
}

static int64_t fake_mono_us(struct env *e)
{
	return fake(e)->mono_us += fake(e)->tick_us;
}

/* splitmix64: enough for reproducible test data, never used outside tests. */
static void fake_random(struct env *e, void *out, size_t n)
{
	unsigned char *p = out;
	for (size_t i = 0; i < n; i++) {
		uint64_t z = fake(e)->seed += 0x9e3779b97f4a7c15u;
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
		z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
		p[i] = (unsigned char)(z >> 56);
	}
}

static void fake_sleep_ms(struct env *e, int64_t ms)
{
	fake(e)->now_ms += ms;
	fake(e)->mono_us += ms * 1000;
}

static const char *fake_var(struct env *e, const char *name)
{
	size_t n = strlen(name);
	for (const char *const *v = fake(e)->vars; v && *v; v++) {
		if (strncmp(*v, name, n) == 0 && (*v)[n] == '=') {
			return *v + n + 1;
		}
	}
	return NULL;
}

void env_fake_init(struct env_fake *f, int64_t now_ms, uint64_t seed, const char *const *vars)
{
	static const struct env_vtable table = {
		.now_ms = fake_now_ms,
		.mono_us = fake_mono_us,
		.random = fake_random,
		.sleep_ms = fake_sleep_ms,
		.var = fake_var,
		.read_file = system_read_file,
		.write_file = system_write_file,
	};
	*f = (struct env_fake){
		.base = { &table }, .now_ms = now_ms, .seed = seed, .vars = vars
	};
}

int64_t env_now_ms(struct env *e)
{
	return e->v->now_ms(e);
}

int64_t env_mono_us(struct env *e)
{
	return e->v->mono_us(e);
}

void env_random(struct env *e, void *out, size_t n)
{
	e->v->random(e, out, n);
}

void env_sleep_ms(struct env *e, int64_t ms)
{
	e->v->sleep_ms(e, ms);
}

const char *env_var(struct env *e, const char *name)
{
	const char *v = e->v->var(e, name);
	return v && *v ? v : NULL;
}

enum err_status env_read_file(struct env *e, const char *path, struct buf *out, struct err *err)
{
	return e->v->read_file(e, path, out, err);
}

enum err_status env_write_file(
	struct env *e, const char *path, struct str data, int mode, struct err *err)
{
	return e->v->write_file(e, path, data, mode, err);
}

void env_uuid_of(const unsigned char random[16], char out[37])
{
	static const size_t bytes[] = { 4, 2, 2, 2, 6 };
	unsigned char b[16];
	memcpy(b, random, sizeof(b));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	for (size_t i = 0, from = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++) {
		hash_hex(b + from, bytes[i], out);
		from += bytes[i];
		out += 2 * bytes[i];
		*out++ = '-';
	}
	out[-1] = '\0';
}

void env_uuid(struct env *e, char out[37])
{
	unsigned char random[16];
	env_random(e, random, sizeof(random));
	env_uuid_of(random, out);
}
