#include "base/folder.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OPEN_FOLDERS 16

static enum err_status make_one(const char *path, int mode, struct err *err)
{
	struct stat sb;
	if (mkdir(path, (mode_t)mode) == 0) {
		return ERR_OK;
	}
	int error = errno;
	if (error == EEXIST && stat(path, &sb) == 0 && S_ISDIR(sb.st_mode)) {
		return ERR_OK;
	}
	return err_set(err, ERR_IO, "can't make the folder %s: %s", path, err_errno(error));
}

enum err_status folder_make(const char *path, int mode, struct err *err)
{
	char *copy = str_dup(str_from(path));
	enum err_status st = ERR_OK;
	for (char *p = copy + 1; *copy && *p && st == ERR_OK; p++) {
		if (*p == '/') {
			*p = '\0';
			st = make_one(copy, mode, err);
			*p = '/';
		}
	}
	if (st == ERR_OK && *copy) {
		st = make_one(copy, mode, err);
	}
	free(copy);
	return st;
}

enum err_status folder_temp(struct env *env, char **out, struct err *err)
{
	const char *base = env_var(env, "TMPDIR");
	struct buf path;
	buf_init(&path, 4096);
	buf_printf(&path, "%s/cordon-XXXXXX", base ? base : "/tmp");
	if (!buf_ok(&path) || !mkdtemp(path.p)) {
		int error = errno;
		buf_deinit(&path);
		return err_set(err, ERR_IO,
			"can't make a temporary folder below %s: %s (set TMPDIR to a folder "
			"with room)",
			base ? base : "/tmp", err_errno(error));
	}
	*out = buf_steal(&path);
	return ERR_OK;
}

static int remove_entry(const char *path, const struct stat *sb, int type, struct FTW *at)
{
	(void)sb;
	(void)type;
	(void)at;
	return remove(path);
}

void folder_remove(const char *path)
{
	(void)nftw(path, remove_entry, OPEN_FOLDERS, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}
