/*
 * Bytes of one log file through a window: plain or gzip (several members too), read in blocks.
 * Small gzip files are inflated whole by libdeflate; large ones stream through zlib.
 */
#ifndef CORDON_ANALYSIS_INPUT_H
#define CORDON_ANALYSIS_INPUT_H

#include "analysis/source.h"
#include "base/err.h"
#include "base/str.h"

#include <zlib.h>

struct input {
	const struct source *source; /* of paths that are no files; or NULL. Set beforehand. */
	void (*told)(void *ctx, uint64_t n); /* of bytes as they come in; or NULL, as above */
	void *told_ctx;
	struct source_object *remote; /* what is read, when it comes from there */
	int64_t changed_ms;           /* of such an object: when it was written last */
	int fd;
	bool gz, pipe, eof, z_open;
	bool member_done; /* zlib stands between two gzip members */
	z_stream z;
	char *buf;
	size_t start, end, cap; /* the window is buf[start, end) */
	void *whole;            /* libdeflate's decompressor */
	unsigned char *raw;     /* compressed bytes */
	size_t raw_cap;
	size_t kept_at, kept_n; /* bytes in `raw` that were read once already, and are again */
	uint64_t n_raw, n_out;  /* bytes taken from the file; bytes that came out */
	const char *trouble;    /* what ended the file early; NULL = nothing. Static. */
};

/* Memory is kept from file to file: zero-initialise once, input_deinit at the end. */
void input_deinit(struct input *in);
/* Opens a path, or stdin for "-". ERR_NOT_FOUND, ERR_DENIED or ERR_IO; `trouble` may say more. */
ERR_MUST_CHECK enum err_status input_open(struct input *in, const char *path, struct err *err);
void input_close(struct input *in);
/* The bytes at hand; valid until the next call. */
struct str input_view(const struct input *in);
/* Drops n bytes from the front. */
void input_take(struct input *in, size_t n);
/*
 * Brings more bytes behind those at hand; false when there are none (see `trouble`) or when the
 * window holds its ceiling of 65 MiB already.
 */
bool input_more(struct input *in);

#endif
