/* Replays a corpus through a fuzz target: every file of the folders and files given. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int n_run;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 1;
	}
	(void)fseek(f, 0, SEEK_END);
	long size = ftell(f);
	(void)fseek(f, 0, SEEK_SET);
	uint8_t *data = malloc(size > 0 ? (size_t)size : 1);
	if (!data || fread(data, 1, (size_t)size, f) != (size_t)size) {
		(void)fprintf(stderr, "can't read %s\n", path);
		free(data);
		(void)fclose(f);
		return 1;
	}
	(void)fclose(f);
	(void)LLVMFuzzerTestOneInput(data, (size_t)size);
	free(data);
	n_run++;
	return 0;
}

static int replay(const char *path)
{
	struct stat sb;
	if (stat(path, &sb) != 0) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(sb.st_mode)) {
		return replay_file(path);
	}
	DIR *d = opendir(path);
	if (!d) {
		perror(path);
		return 1;
	}
	int bad = 0;
	for (struct dirent *e = readdir(d); e; e = readdir(d)) {
		char sub[4096];
		if (e->d_name[0] == '.') {
			continue;
		}
		(void)snprintf(sub, sizeof(sub), "%s/%s", path, e->d_name);
		bad |= replay_file(sub);
	}
	(void)closedir(d);
	return bad;
}

int main(int argc, char **argv)
{
	int bad = 0;
	for (int i = 1; i < argc; i++) {
		bad |= replay(argv[i]);
	}
	printf("%d inputs replayed\n", n_run);
	return bad || n_run == 0;
}
