/* unpack NAMES THREADS: libdeflate over the files whose names are in NAMES, and nothing else. */
#include <fcntl.h>
#include <libdeflate.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OUT_MAX     (256u << 20)
#define THREADS_MAX 64

static char *names;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static char *take(void)
{
	(void)pthread_mutex_lock(&lock);
	char *name = *names ? names : NULL;
	if (name) {
		names += strcspn(names, "\n");
		*names++ = 0;
	}
	(void)pthread_mutex_unlock(&lock);
	return name;
}

static void *work(void *arg)
{
	struct libdeflate_decompressor *d = libdeflate_alloc_decompressor();
	char *out = malloc(OUT_MAX);
	char *in = malloc(OUT_MAX);
	for (char *name = take(); name; name = take()) {
		int fd = open(name, O_RDONLY | O_CLOEXEC);
		ssize_t n = fd < 0 ? -1 : read(fd, in, OUT_MAX);
		size_t got = 0;
		if (n < 0 || libdeflate_gzip_decompress(d, in, (size_t)n, out, OUT_MAX, &got) !=
				     LIBDEFLATE_SUCCESS) {
			fprintf(stderr, "unpack: %s\n", name);
			exit(1);
		}
		(void)close(fd);
	}
	libdeflate_free_decompressor(d);
	free(out);
	free(in);
	return arg;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	struct stat sb;
	int n = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 0;
	int fd = argc > 1 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0 || n < 1 || n > THREADS_MAX || fstat(fd, &sb) != 0) {
		fprintf(stderr, "usage: unpack NAMES THREADS\n");
		return 2;
	}
	names = calloc(1, (size_t)sb.st_size + 1);
	if (!names || read(fd, names, (size_t)sb.st_size) != sb.st_size) {
		return 1;
	}
	for (int i = 1; i < n; i++) {
		if (pthread_create(&threads[i], NULL, work, NULL) != 0) {
			return 1;
		}
	}
	(void)work(NULL);
	for (int i = 1; i < n; i++) {
		(void)pthread_join(threads[i], NULL);
	}
	return 0;
}
