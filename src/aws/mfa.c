/* The code of an MFA device, asked of the person at the terminal. */
#include "aws/aws.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PATIENCE_S  120
#define CODE_DIGITS 6

/* One line, at most; false at the end of the input or of patience, or when a signal came. */
static bool read_line(int fd, const sigset_t *open_to, char *out, size_t size)
{
	const struct timespec patience = { .tv_sec = PATIENCE_S };
	size_t n = 0;
	for (;;) {
		char c = 0;
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int ready = ppoll(&p, 1, &patience, open_to);
		if (ready <= 0 || read(fd, &c, 1) != 1) {
			return false;
		}
		if (c == '\n') {
			out[n] = '\0';
			return true;
		}
		if (n + 1 < size) {
			out[n++] = c;
		}
	}
}

static bool is_code(const char *code)
{
	return strlen(code) == CODE_DIGITS && strspn(code, "0123456789") == CODE_DIGITS;
}

static void say(int fd, const char *text)
{
	size_t n = strlen(text);
	while (n > 0) {
		ssize_t wrote = write(fd, text, n);
		if (wrote <= 0) {
			return;
		}
		text += wrote;
		n -= (size_t)wrote;
	}
}

enum err_status aws_mfa_terminal(
	void *env, const char *serial, char *code, size_t size, struct err *err)
{
	(void)env;
	struct termios before, quiet;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0 || tcgetattr(fd, &before) != 0) {
		if (fd >= 0) {
			(void)close(fd);
		}
		return err_set(err, ERR_CONFIG,
			"the code of MFA device %s is needed and there is no terminal to ask "
			"on; run this on one, or use a profile without mfa_serial",
			serial);
	}
	struct err clean = { 0 }; /* a serial comes from a file: no control characters */
	(void)err_set(&clean, ERR_OK, "MFA code for %s: ", serial);
	/* Signals wait for the poll, so that one that comes just before it ends it too. */
	sigset_t held, usual;
	(void)sigemptyset(&held);
	(void)sigaddset(&held, SIGINT);
	(void)sigaddset(&held, SIGTERM);
	(void)pthread_sigmask(SIG_BLOCK, &held, &usual);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(fd, TCSAFLUSH, &quiet);
	say(fd, clean.msg);
	bool got = read_line(fd, &usual, code, size);
	(void)tcsetattr(fd, TCSAFLUSH, &before);
	(void)pthread_sigmask(SIG_SETMASK, &usual, NULL);
	say(fd, "\n");
	(void)close(fd);
	if (!got) {
		return err_set(err, ERR_INTERRUPTED, "no MFA code was given");
	}
	return is_code(code) ? ERR_OK
			     : err_set(err, ERR_CONFIG,
				       "an MFA code is six digits; run the command again");
}
