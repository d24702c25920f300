#include "app/progress.h"

#include <stdio.h>

#define EVERY_US INT64_C(200000)
#define LEAST_US INT64_C(500000) /* before that no rate is told */

void progress_begin(struct progress *p)
{
	p->began_us = env_mono_us(p->env);
}

void progress_text(uint64_t bytes, uint64_t total, int64_t elapsed_us, char out[64])
{
	uint64_t known = bytes < total ? bytes : total;
	bool early = elapsed_us < LEAST_US || bytes == 0;
	double rate = early ? 0 : (double)bytes / ((double)elapsed_us / 1e6);
	if (total == 0) {
		unsigned long long mb = bytes / 1000000;
		if (early) {
			(void)snprintf(out, 64, "%llu MB", mb);
		} else {
			(void)snprintf(out, 64, "%llu MB  %.1f MB/s", mb, rate / 1e6);
		}
		return;
	}
	unsigned percent = (unsigned)((double)known / (double)total * 100);
	if (early) {
		(void)snprintf(out, 64, "%3u %%", percent);
		return;
	}
	uint64_t left = (uint64_t)((double)(total - known) / rate + 0.5);
	(void)snprintf(out, 64, "%3u %%  %.1f MB/s  %llu:%02u:%02u", percent, rate / 1e6,
		(unsigned long long)(left / 3600), (unsigned)(left / 60 % 60),
		(unsigned)(left % 60));
}

void progress_show(void *ctx, uint64_t bytes, uint64_t total)
{
	struct progress *p = ctx;
	int64_t now = env_mono_us(p->env);
	bool done = total && bytes >= total;
	if (!done && now - p->shown_us < EVERY_US) {
		return;
	}
	char text[64];
	progress_text(bytes, total, now - p->began_us, text);
	p->shown_us = now;
	p->shown = !done;
	/* The line is taken away again when all is read. */
	(void)fprintf(stderr, done ? "\r%48s\r" : "\r%-48s", done ? "" : text);
}
