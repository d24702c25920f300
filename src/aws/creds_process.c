/*
 * credential_process: a program that prints credentials as JSON. Run without a shell.
 * https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
 */
#include "aws/creds_doc.h"
#include "base/doc.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_WORDS  64
#define MAX_OUTPUT ((size_t)64 * 1024)
#define TIMEOUT_MS 60000

extern char **environ;

/* Words as a shell would cut them: blanks, '...', "...", backslash. False when a quote is open. */
static bool split(struct str s, struct buf *text, char *words[MAX_WORDS + 1], size_t *n)
{
	size_t starts[MAX_WORDS];
	char quote = 0;
	bool in_word = false;
	*n = 0;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];
		bool blank = !quote && (c == ' ' || c == '\t');
		if (blank) {
			if (in_word) {
				buf_putc(text, '\0');
			}
			in_word = false;
			continue;
		}
		if (!in_word) {
			if (*n == MAX_WORDS) {
				return false;
			}
			starts[(*n)++] = text->n;
			in_word = true;
		}
		if (c == quote) {
			quote = 0;
		} else if (!quote && (c == '\'' || c == '"')) {
			quote = c;
		} else if (c == '\\' && quote != '\'' && i + 1 < s.n) {
			buf_putc(text, s.p[++i]);
		} else {
			buf_putc(text, c);
		}
	}
	buf_putc(text, '\0');
	for (size_t i = 0; i < *n; i++) {
		words[i] = text->p + starts[i];
	}
	words[*n] = NULL;
	return !quote && *n > 0 && buf_ok(text);
}

static enum err_status start(char *words[], int fd, pid_t *pid, struct err *err)
{
	posix_spawn_file_actions_t actions;
	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_adddup2(&actions, fd, STDOUT_FILENO);
	int code = posix_spawnp(pid, words[0], &actions, NULL, words, environ);
	(void)posix_spawn_file_actions_destroy(&actions);
	return code == 0 ? ERR_OK
			 : err_set(err, ERR_CONFIG, "credential_process '%s' can't be run: %s",
				   words[0], err_errno(code));
}

/* All that comes before the pipe closes, under the ceiling and the clock. */
static bool collect(const struct creds_options *o, int fd, struct buf *out)
{
	int64_t end = env_mono_us(o->env) + (int64_t)TIMEOUT_MS * 1000;
	for (;;) {
		char chunk[4096];
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left_ms = (end - env_mono_us(o->env)) / 1000;
		if (left_ms <= 0 || (o->cancel && atomic_load(o->cancel))) {
			return false;
		}
		int ready = poll(&p, 1, left_ms < HTTP_LOOK_MS ? (int)left_ms : HTTP_LOOK_MS);
		if (ready == 0 || (ready < 0 && errno == EINTR)) {
			continue;
		}
		ssize_t n = read(fd, chunk, sizeof(chunk));
		if (n > 0) {
			buf_add(out, chunk, (size_t)n);
			OPENSSL_cleanse(chunk, sizeof(chunk));
		} else if (n == 0) {
			return buf_ok(out);
		} else if (errno != EINTR) {
			return false;
		}
		if (!buf_ok(out)) {
			return false;
		}
	}
}

static enum err_status run(
	const struct creds_options *o, char *words[], struct buf *out, struct err *err)
{
	int fds[2];
	pid_t pid = 0;
	if (pipe2(fds, O_CLOEXEC) != 0) {
		return err_set(err, ERR_IO, "can't make a pipe for credential_process");
	}
	enum err_status st = start(words, fds[1], &pid, err);
	(void)close(fds[1]);
	if (st == ERR_OK) {
		int status = 0;
		bool whole = collect(o, fds[0], out);
		if (!whole) {
			(void)kill(pid, SIGKILL);
		}
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
		}
		if (!whole) {
			st = err_set(err, ERR_CONFIG,
				"credential_process '%s' did not answer within %d s or printed "
				"too much",
				words[0], TIMEOUT_MS / 1000);
		} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
			st = err_set(err, ERR_CONFIG,
				"credential_process '%s' failed (exit %d); run it by hand to "
				"see why",
				words[0],
				WIFEXITED(status) ? WEXITSTATUS(status)
						  : 128 + WTERMSIG(status));
		}
	}
	(void)close(fds[0]);
	return st;
}

enum err_status creds_from_process(
	const struct creds_options *o, struct str command, struct creds **out, struct err *err)
{
	char *words[MAX_WORDS + 1];
	size_t n;
	struct buf text, answer;
	json_t *doc = NULL;
	enum err_status st;
	buf_init(&text, (size_t)16 * 1024);
	buf_init(&answer, MAX_OUTPUT);
	answer.wipe = true;
	if (!split(command, &text, words, &n)) {
		st = err_set(err, ERR_CONFIG,
			"credential_process has an open quote or too many words");
		goto out;
	}
	TRY(run(o, words, &answer, err));
	if (doc_parse(buf_view(&answer), MAX_OUTPUT, &doc, NULL) != ERR_OK ||
		doc_int(doc, "Version", 0) != 1) {
		st = err_set(err, ERR_CONFIG,
			"credential_process '%s' did not print a JSON document with Version 1",
			words[0]);
		goto out;
	}
	st = creds_doc_read(doc, "credential_process", out, err);
out:
	json_decref(doc);
	buf_deinit(&answer);
	buf_deinit(&text);
	return st;
}
