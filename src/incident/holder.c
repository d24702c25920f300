#include "incident/holder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The first line of a small file in /proc; "" when it can't be read. */
static void slurp(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, out, size - 1) : -1;

	if (fd >= 0) {
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/*
 * Start time in ticks since boot: field 22 of /proc/PID/stat (proc(5)), counted after the last
 * ')' because the name before it may hold anything. It tells a reused PID from the old one.
 * "" for a process that is gone, or dead and only waiting to be reaped.
 */
static void start_time(const char *pid, char *out, size_t size)
{
	char path[64], stat[1024];

	(void)snprintf(path, sizeof path, "/proc/%.20s/stat", pid);
	slurp(path, stat, sizeof stat);
	const char *p = strrchr(stat, ')');
	if (p != NULL && (p[1] == '\0' || p[2] == 'Z' || p[2] == 'X')) {
		p = NULL;
	}
	for (int field = 2; p != NULL && field < 22; field++) {
		p = strchr(p + 1, ' ');
	}
	(void)snprintf(out, size, "%.*s", p ? (int)strcspn(p + 1, " ") : 0, p ? p + 1 : "");
}

/* Boot id and PID namespace: within both, a PID means one process. */
static void whereabouts(char *out, size_t size)
{
	char boot[64], ns[64];

	slurp("/proc/sys/kernel/random/boot_id", boot, sizeof boot);
	ssize_t n = readlink("/proc/self/ns/pid", ns, sizeof ns - 1);
	ns[n > 0 ? n : 0] = '\0';
	(void)snprintf(out, size, "%s/%s", boot[0] ? boot : "-", ns[0] ? ns : "-");
}

void holder_name(struct env *env, char *out, size_t size)
{
	char where[160], start[32], uuid[37], pid[16];

	whereabouts(where, sizeof where);
	(void)snprintf(pid, sizeof pid, "%ld", (long)getpid());
	start_time(pid, start, sizeof start);
	env_uuid(env, uuid);
	(void)snprintf(out, size, "%s/%s/%s/%s", where, pid, start[0] ? start : "-", uuid);
}

bool holder_is_dead(const char *holder)
{
	char where[160], start[32], pid[16];
	struct str rest = str_from(holder);
	struct str part[5];

	for (size_t i = 0; i < 5; i++) {
		if (!str_cut(&rest, '/', &part[i]) || part[i].n == 0 || str_is(part[i], "-")) {
			return false;
		}
	}
	whereabouts(where, sizeof where);
	struct str theirs = { part[0].p, part[0].n + 1 + part[1].n };
	if (!str_is(theirs, where) || part[2].n >= sizeof pid) {
		return false;
	}
	(void)snprintf(pid, sizeof pid, "%.*s", STR_ARG(part[2]));
	start_time(pid, start, sizeof start);
	return !str_is(part[3], start);
}

enum err_status holder_busy(const char *case_id, struct err *err)
{
	return err_set(err, ERR_CONFLICT,
		"case %s is being worked on by another process, a delivery of its finding or a "
		"colleague's command; nothing was changed by this one. Wait for it to end, "
		"then look with `cordon case show %s`, and repeat if that is still needed",
		case_id, case_id);
}
