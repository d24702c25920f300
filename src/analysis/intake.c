#include "analysis/intake.h"

#include "analysis/ledger.h"

#include <string.h>

void intake_memory(struct intake *in, struct str bytes)
{
	*in = (struct intake){ .rest = bytes, .input = { .fd = -1 } };
}

enum err_status intake_open(
	struct intake *in, const struct source *source, const char *path, struct err *err)
{
	*in = (struct intake){ .input = { .source = source, .fd = -1 } };
	enum err_status st = input_open(&in->input, path, err);
	in->hash = hash_sha256_new();
	return st;
}

void intake_close(struct intake *in)
{
	input_close(&in->input);
	input_deinit(&in->input);
	hash_sha256_free(in->hash);
	in->hash = NULL;
}

/* Drops what was taken from the window and shows what came, but for the last bytes: the hash. */
static bool more(struct intake *in)
{
	size_t taken = in->shown - in->rest.n;
	hash_sha256_add(in->hash, input_view(&in->input).p, taken);
	input_take(&in->input, taken);
	bool came = input_more(&in->input);
	in->rest = input_view(&in->input);
	in->rest.n -= in->rest.n < HASH_SHA256_BYTES ? in->rest.n : HASH_SHA256_BYTES;
	in->shown = in->rest.n;
	return came;
}

bool intake_has(struct intake *in, size_t n)
{
	while (in->rest.n < n) {
		if (!in->hash || !more(in)) {
			return false;
		}
	}
	return true;
}

struct str intake_take(struct intake *in, size_t n)
{
	struct str taken = str_sub(in->rest, 0, n);
	in->rest = str_sub(in->rest, taken.n, SIZE_MAX);
	return taken;
}

bool intake_bytes(struct intake *in, void *out, size_t n)
{
	if (!intake_has(in, n)) {
		return false;
	}
	memcpy(out, intake_take(in, n).p, n);
	return true;
}

bool intake_number(struct intake *in, uint64_t *v)
{
	(void)intake_has(in, LEDGER_NUMBER_MAX);
	return ledger_get(&in->rest, v);
}

bool intake_is_sound(struct intake *in)
{
	unsigned char digest[HASH_SHA256_BYTES];
	do {
		(void)intake_take(in, SIZE_MAX);
	} while (more(in));
	struct str end = input_view(&in->input);
	hash_sha256_end(in->hash, digest);
	return !in->input.trouble && end.n == sizeof(digest) &&
	       memcmp(end.p, digest, sizeof(digest)) == 0;
}
