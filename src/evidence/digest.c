#include "evidence/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static bool write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);
		if (w < 0 && errno == EINTR) {
			continue;
		}
		if (w <= 0) {
			return false;
		}
		p += w;
		n -= (size_t)w;
	}
	return true;
}

static bool take(void *ctx, const void *p, size_t n)
{
	struct digest *d = ctx;

	hash_sha256_add(d->hash, p, n);
	d->size += n;
	if (d->fd >= 0 && !write_all(d->fd, p, n)) {
		d->write_failed = true;
		return false;
	}
	return true;
}

enum err_status digest_open(struct digest *d, const char *path, struct err *err)
{
	*d = (struct digest){ .fd = -1 };
	if (path) {
		d->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (d->fd < 0) {
			return err_set(err, ERR_IO, "%s: %s", path, err_errno(errno));
		}
	}
	d->hash = hash_sha256_new();
	d->sink = (struct aws_sink){ take, d };
	return ERR_OK;
}

enum err_status digest_close(struct digest *d, char out[HASH_SHA256_HEX], struct err *err)
{
	unsigned char raw[HASH_SHA256_BYTES];
	bool failed = d->write_failed;

	if (!d->hash) {
		return ERR_OK;
	}
	hash_sha256_end(d->hash, raw);
	hash_hex(raw, sizeof(raw), out);
	hash_sha256_free(d->hash);
	d->hash = NULL;
	if (d->fd >= 0) {
		failed = close(d->fd) != 0 || failed;
	}
	d->fd = -1;
	return failed ? err_set(err, ERR_IO, "a copy could not be written; is the disk full?")
		      : ERR_OK;
}

static size_t read_some(void *ctx, void *out, size_t n)
{
	struct digest_file *f = ctx;
	ssize_t r = 0;

	do {
		r = read(f->fd, out, n);
	} while (r < 0 && errno == EINTR);
	return r < 0 ? SIZE_MAX : (size_t)r;
}

static bool rewind_file(void *ctx)
{
	struct digest_file *f = ctx;

	return lseek(f->fd, 0, SEEK_SET) == 0;
}

enum err_status digest_file_open(struct digest_file *f, const char *path, uint64_t size,
	const char *sha256_hex, struct err *err)
{
	f->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (f->fd < 0) {
		return err_set(err, ERR_IO, "%s: %s", path, err_errno(errno));
	}
	f->source = (struct aws_source){ .read = read_some,
		.rewind = rewind_file,
		.ctx = f,
		.size = size,
		.sha256_hex = sha256_hex };
	return ERR_OK;
}

void digest_file_close(struct digest_file *f)
{
	if (f->source.read) {
		(void)close(f->fd);
	}
	*f = (struct digest_file){ .fd = -1 };
}
