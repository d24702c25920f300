#include "analysis/input.h"
#include "base/i18n.h"
#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK      (1024u * 1024)
#define WINDOW_MAX (65u * 1024 * 1024)
#define WHOLE_MAX  (8u * 1024 * 1024)  /* compressed bytes that libdeflate gets in one piece */
#define WHOLE_OUT  (48u * 1024 * 1024) /* and what may come out of them */
/* CloudTrail compresses 6 to 1, silly text 100 to 1; deflate's limit is 1032 to 1. */
#define BOMB_RATIO 400u
#define BOMB_FROM  (64u * 1024 * 1024)

void input_deinit(struct input *in)
{
	free(in->buf);
	free(in->raw);
	libdeflate_free_decompressor(in->whole);
	*in = (struct input){ .fd = -1 };
}

void input_close(struct input *in)
{
	if (in->z_open) {
		(void)inflateEnd(&in->z);
		in->z_open = false;
	}
	if (in->remote) {
		in->source->close(in->remote);
		in->remote = NULL;
	}
	if (in->fd > STDERR_FILENO) {
		(void)close(in->fd);
	}
	in->fd = -1;
}

struct str input_view(const struct input *in)
{
	return (struct str){ in->buf ? in->buf + in->start : "", in->end - in->start };
}

void input_take(struct input *in, size_t n)
{
	in->start += n < in->end - in->start ? n : in->end - in->start;
}

/* What lies in front of `raw` may be overwritten meanwhile: it was taken before. */
static size_t read_kept(struct input *in, void *into, size_t n)
{
	size_t got = in->kept_n - in->kept_at;
	got = got < n ? got : n;
	memmove(into, in->raw + in->kept_at, got);
	in->kept_at += got;
	in->n_raw += got;
	return got;
}

static size_t came(struct input *in, size_t n)
{
	in->n_raw += n;
	if (in->told && n) {
		in->told(in->told_ctx, n);
	}
	return n;
}

static size_t read_some(struct input *in, void *into, size_t n)
{
	ssize_t got = 0;
	if (in->kept_at < in->kept_n) {
		return read_kept(in, into, n);
	}
	if (in->remote) {
		return came(in, in->source->read(in->remote, into, n, &in->trouble));
	}
	do {
		got = read(in->fd, into, n);
	} while (got < 0 && errno == EINTR);
	if (got < 0) {
		in->trouble = N_("the file could not be read to its end");
		return 0;
	}
	return came(in, (size_t)got);
}

/*
 * The whole file in one piece, when it is small and holds exactly one member. Otherwise what was
 * read is kept.
 */
static bool inflate_whole(struct input *in, size_t size)
{
	if (in->raw_cap < size) {
		in->raw = mem_grown(in->raw, size, 1);
		in->raw_cap = size;
	}
	size_t have = 0;
	while (have < size) {
		size_t got = read_some(in, in->raw + have, size - have);
		if (got == 0) {
			break;
		}
		have += got;
	}
	uint32_t isize = 0;
	if (have == size && size >= 18) {
		memcpy(&isize, in->raw + size - 4, 4);
	}
	bool done = false;
	if (!in->whole) {
		in->whole = libdeflate_alloc_decompressor();
	}
	if (in->whole && isize > 0 && isize <= WHOLE_OUT) {
		if (in->cap < isize) {
			in->buf = mem_grown(in->buf, isize, 1);
			in->cap = isize;
		}
		size_t used = 0;
		size_t out = 0;
		done = libdeflate_gzip_decompress_ex(in->whole, in->raw, size, in->buf, isize,
			       &used, &out) == LIBDEFLATE_SUCCESS &&
		       used == size;
		if (done) {
			in->end = out;
			in->n_out = out;
			in->eof = true;
		}
	}
	if (!done) {
		in->n_raw = 0;
		in->kept_at = 0;
		in->kept_n = have;
	}
	return done;
}

static enum err_status open_remote(struct input *in, const char *path, struct err *err)
{
	uint64_t size = 0;
	in->remote = in->source
			     ? in->source->open(in->source->ctx, path, &size, &in->changed_ms)
			     : NULL;
	if (!in->remote) {
		return err_set(err, ERR_NOT_FOUND, "can't open %s", path);
	}
	in->pipe = true; /* only its first bytes will tell whether it is gzip */
	if (size <= WHOLE_MAX && inflate_whole(in, (size_t)size)) {
		in->pipe = false;
		in->gz = true;
	} else if (in->trouble) {
		input_close(in);
		return err_set(err, ERR_IO, "can't read %s: %s", path, in->trouble);
	}
	return ERR_OK;
}

enum err_status input_open(struct input *in, const char *path, struct err *err)
{
	struct str name = str_from(path);
	*in = (struct input){ .source = in->source,
		.told = in->told,
		.told_ctx = in->told_ctx,
		.fd = -1,
		.buf = in->buf,
		.cap = in->cap,
		.raw = in->raw,
		.raw_cap = in->raw_cap,
		.whole = in->whole };
	if (source_takes(path)) {
		return open_remote(in, path, err);
	}
	in->fd = str_is(name, "-") ? STDIN_FILENO
				   : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (in->fd < 0) {
		enum err_status st = errno == ENOENT   ? ERR_NOT_FOUND
				     : errno == EACCES ? ERR_DENIED
						       : ERR_IO;
		return err_set(err, st, "can't open %s: %s", path, err_errno(errno));
	}
	struct stat sb;
	bool regular = fstat(in->fd, &sb) == 0 && S_ISREG(sb.st_mode);
	if (!regular && in->fd != STDIN_FILENO) {
		input_close(in);
		return err_set(err, ERR_IO, "%s is neither a file nor a folder", path);
	}
	in->pipe = !regular;
	unsigned char magic[2] = { 0, 0 };
	if (regular && pread(in->fd, magic, 2, 0) == 2 && magic[0] == 0x1f &&
		magic[1] == 0x8b) {
		in->gz = true;
		if (sb.st_size <= WHOLE_MAX && lseek(in->fd, 0, SEEK_CUR) == 0) {
			(void)inflate_whole(in, (size_t)sb.st_size);
		}
	}
	return ERR_OK;
}

static void start_zlib(struct input *in)
{
	if (!in->z_open) {
		/* The bytes of a pipe may be there already: inflateInit2 keeps next_in and avail_in. */
		if (inflateInit2(&in->z, 16 + MAX_WBITS) != Z_OK) {
			BUG("out of memory");
		}
		in->z_open = true;
	}
}

/* Between two members: another one follows, or zero padding, or rubbish. */
static void next_member(struct input *in)
{
	while (in->z.avail_in && *in->z.next_in == 0) {
		in->z.next_in++;
		in->z.avail_in--;
	}
	if (in->z.avail_in == 0) {
		return;
	}
	if (*in->z.next_in != 0x1f) {
		in->trouble = N_("bytes after the end of the gzip data");
		return;
	}
	in->member_done = inflateReset(&in->z) != Z_OK;
}

static bool refill(struct input *in)
{
	if (in->raw_cap < BLOCK) {
		in->raw = mem_grown(in->raw, BLOCK, 1);
		in->raw_cap = BLOCK;
	}
	size_t got = read_some(in, in->raw, BLOCK);
	if (got == 0 && !in->member_done && !in->trouble) {
		in->trouble = N_("the gzip data is cut off");
	}
	in->z.next_in = in->raw;
	in->z.avail_in = (unsigned)got;
	return got > 0;
}

/* Inflates at least one byte to the end of the window, or none when there are no more. */
static size_t inflate_some(struct input *in)
{
	start_zlib(in);
	in->z.next_out = (unsigned char *)in->buf + in->end;
	in->z.avail_out = BLOCK;
	while (in->z.avail_out == BLOCK && !in->trouble) {
		if (in->z.avail_in == 0 && !refill(in)) {
			break;
		}
		if (in->member_done) {
			next_member(in);
			continue;
		}
		int r = inflate(&in->z, Z_NO_FLUSH);
		if (r == Z_STREAM_END) {
			in->member_done = true;
		} else if (r != Z_OK && r != Z_BUF_ERROR) {
			in->trouble = N_("the gzip data is corrupt");
		}
	}
	return BLOCK - in->z.avail_out;
}

/* A pipe can't be looked at beforehand: its first bytes tell whether they are gzip. */
static size_t first_of_pipe(struct input *in)
{
	size_t got = 0;
	while (got < 2) {
		size_t n = read_some(in, in->buf + got, BLOCK - got);
		if (n == 0) {
			return got;
		}
		got += n;
	}
	if ((unsigned char)in->buf[0] != 0x1f || (unsigned char)in->buf[1] != 0x8b) {
		return got;
	}
	in->gz = true;
	if (in->raw_cap < BLOCK) {
		in->raw = mem_grown(in->raw, BLOCK, 1);
		in->raw_cap = BLOCK;
	}
	memcpy(in->raw, in->buf, got);
	in->z.next_in = in->raw;
	in->z.avail_in = (unsigned)got;
	return inflate_some(in);
}

static size_t fetch(struct input *in)
{
	if (in->pipe) {
		in->pipe = false;
		return first_of_pipe(in);
	}
	return in->gz ? inflate_some(in) : read_some(in, in->buf + in->end, BLOCK);
}

bool input_more(struct input *in)
{
	if (in->eof || in->trouble) {
		return false;
	}
	if (in->start > 0) {
		memmove(in->buf, in->buf + in->start, in->end - in->start);
		in->end -= in->start;
		in->start = 0;
	}
	if (in->cap - in->end < BLOCK) {
		if (in->end >= WINDOW_MAX) {
			return false;
		}
		size_t cap = in->cap * 2 > 2 * (size_t)BLOCK ? in->cap * 2 : 2 * (size_t)BLOCK;
		in->cap = cap > WINDOW_MAX + BLOCK ? WINDOW_MAX + BLOCK : cap;
		in->buf = mem_grown(in->buf, in->cap, 1);
	}
	size_t got = fetch(in);
	in->end += got;
	in->n_out += got;
	if (in->gz && in->n_out > BOMB_FROM && in->n_out / BOMB_RATIO > in->n_raw) {
		in->trouble = N_("inflates more than 400 to 1: taken for a gzip bomb");
		return got > 0;
	}
	in->eof = got == 0;
	return got > 0;
}
