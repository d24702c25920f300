/*
 * A whole file of any kind, gzip or not, through the walk of every format, to the settled state:
 * what is counted adds up, and every record that is shown can be shown.
 */
#include "analysis/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen_records {
	uint64_t n, fresh;
	size_t length;
};

static void see(void *ctx, const struct record *rec)
{
	struct seen_records *s = ctx;
	const struct str texts[] = { rec->principal, rec->ip, rec->key, rec->action,
		rec->target, rec->outcome, rec->agent, rec->region, rec->account, rec->id,
		rec->text };
	s->n++;
	s->fresh += rec->fresh;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		for (size_t k = 0; k < texts[i].n; k++) {
			s->length += (size_t)texts[i].p[k]; /* every byte is there to be read */
		}
	}
}

static void read_all(int fd, struct seen_records *seen, bool only_records)
{
	static struct reader_shared shared;
	static struct reader r;
	char path[64];
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	reader_shared_init(&shared, 7);
	shared.on_record = see;
	shared.on_record_ctx = seen;
	shared.only_records = only_records;
	reader_init(&r, &shared);
	reader_file(&r, path);
	uint64_t copies = r.track.n_events - r.track.n_unique + r.n_copies;
	if (copies > r.track.n_events + r.n_records) {
		abort();
	}
	reader_settle(&r);
	reader_deinit(&r);
	reader_shared_deinit(&shared);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen_records kept = { 0 };
	struct seen_records only = { 0 };
	int fd = memfd_create("fuzz", MFD_CLOEXEC);
	if (fd < 0 || write(fd, data, size) != (ssize_t)size) {
		abort();
	}
	read_all(fd, &kept, false);
	read_all(fd, &only, true);
	/* Lines without a year are judged later, so only what is told at once must agree. */
	if (kept.n != only.n) {
		abort();
	}
	(void)close(fd);
	return 0;
}
