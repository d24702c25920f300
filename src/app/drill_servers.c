#include "app/drill.h"

#include <curl/curl.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILDREN   2
#define START_MS   60000
#define ANSWER_MAX ((size_t)256 * 1024 * 1024)

/* What the signal handler ends; written before the child can be missed. */
static volatile pid_t children[CHILDREN];

static void end_children(int signal_number)
{
	(void)signal_number;
	for (size_t i = 0; i < CHILDREN; i++) {
		if (children[i] > 0) {
			(void)kill(children[i], SIGTERM);
		}
	}
	_exit(130);
}

void drill_servers_guard(void)
{
	struct sigaction on = { .sa_handler = end_children };

	(void)sigaction(SIGINT, &on, NULL);
	(void)sigaction(SIGTERM, &on, NULL);
	(void)sigaction(SIGHUP, &on, NULL);
}

static bool exists(const char *path)
{
	return access(path, R_OK) == 0;
}

/* Looks for `name` beside the program and in each folder above it. */
static bool look_up(const char *from, const char *name, char out[4096])
{
	char folder[2048];
	size_t n = strlen(from);

	if (n >= sizeof(folder)) {
		return false;
	}
	memcpy(folder, from, n + 1);
	for (int depth = 0; depth < 8; depth++) {
		char *slash = strrchr(folder, '/');

		if (slash == NULL) {
			return false;
		}
		*slash = '\0';
		if (snprintf(out, 4096, "%s/%s", folder, name) < 4096 && exists(out)) {
			return true;
		}
	}
	out[0] = '\0';
	return false;
}

enum err_status drill_servers_find(struct env *env, struct drill_places *out, struct err *err)
{
	const char *told = env_var(env, "CORDON_VENV");
	char self[2048], moto[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	memset(out, 0, sizeof(*out));
	self[n > 0 ? n : 0] = '\0';
	if (told != NULL) {
		(void)snprintf(out->venv, sizeof(out->venv), "%s", told);
	} else if (look_up(self, "venv/bin/moto_server", moto)) {
		moto[strlen(moto) - strlen("/bin/moto_server")] = '\0';
		memcpy(out->venv, moto, sizeof(out->venv));
	}
	(void)snprintf(moto, sizeof(moto), "%.4000s/bin/moto_server", out->venv);
	if (out->venv[0] == '\0' || !exists(moto)) {
		return err_set(err, ERR_CONFIG,
			"the drill needs its emulator (moto) and found none%s%s; run `make "
			"drill` in cordon's source tree, which "
			"prepares it, or name the Python environment that holds moto_server in "
			"CORDON_VENV",
			told != NULL ? " in " : "", told != NULL ? told : "");
	}
	(void)look_up(self, "tests/emulator/stub.py", out->stub);
	(void)look_up(self, "deploy/ssm/cordon-isolate.yaml", out->document);
	return ERR_OK;
}

static int free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 &&
		getsockname(fd, (struct sockaddr *)&a, &n) == 0) {
		port = ntohs(a.sin_port);
	}
	if (fd >= 0) {
		close(fd);
	}
	return port;
}

static bool answers(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool up = fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;

	if (fd >= 0) {
		close(fd);
	}
	return up;
}

/* The child: hears nothing of the terminal's Ctrl-C and has only what it needs. */
_Noreturn static void become(char *const argv[], int in, int out, const char *record)
{
	char path[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", home[] = "HOME=/tmp",
	     lang[] = "LANG=C.UTF-8";
	char amis[] = "MOTO_EC2_LOAD_DEFAULT_AMIS=false", recorded[4200];
	char *const vars[] = { path, home, lang, amis, recorded, NULL };

	(void)snprintf(recorded, sizeof(recorded), "MOTO_RECORDER_FILEPATH=%s", record);

	(void)setpgid(0, 0);
	(void)dup2(in, STDIN_FILENO);
	(void)dup2(out, STDOUT_FILENO);
	if (argv[0] != NULL) {
		execve(argv[0], argv, vars);
	}
	_exit(127);
}

static pid_t start(char *const argv[], int in, int out, int log, const char *record)
{
	pid_t parent = getpid(), pid = fork();

	if (pid == 0) {
		if (log >= 0) {
			(void)dup2(log, STDERR_FILENO);
		}
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent) {
			_exit(1);
		}
		become(argv, in, out, record);
	}
	for (size_t i = 0; pid > 0 && i < CHILDREN; i++) {
		if (children[i] == 0) {
			children[i] = pid;
			break;
		}
	}
	return pid;
}

enum err_status drill_servers_moto(const struct drill_places *p, const char *log,
	struct drill_server *out, struct err *err)
{
	char program[4200], record[4096], number[16], host[] = "127.0.0.1", h[] = "-H",
						      pflag[] = "-p";
	char *const argv[] = { program, h, host, pflag, number, NULL };
	int sink = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int none = open("/dev/null", O_RDONLY | O_CLOEXEC);

	out->port = free_port();
	out->keep = -1;
	(void)snprintf(program, sizeof(program), "%s/bin/moto_server", p->venv);
	(void)snprintf(number, sizeof(number), "%d", out->port);
	(void)snprintf(record, sizeof(record), "%s.requests", log);
	out->pid = start(argv, none, sink, sink, record);
	close(none);
	close(sink);
	if (out->pid < 0) {
		return err_set(
			err, ERR_FAILED, "the emulator can't be started: %s", err_errno(errno));
	}
	for (int waited = 0; waited < START_MS; waited += 20) {
		if (answers(out->port)) {
			return ERR_OK;
		}
		if (waitpid(out->pid, NULL, WNOHANG) == out->pid) {
			out->pid = 0;
			return err_set(err, ERR_FAILED,
				"the emulator ended at once; its own words are in %s", log);
		}
		env_sleep_ms(env_system(), 20);
	}
	return err_set(err, ERR_UNREACHABLE, "the emulator does not answer after %d s; see %s",
		START_MS / 1000, log);
}

enum err_status drill_servers_stub(const struct drill_places *p, const char *const *args,
	struct drill_server *out, struct err *err)
{
	char python[4200], line[32] = "";
	char *argv[32] = { python };
	size_t n = 1;
	int in[2], answer[2];
	ssize_t got;

	(void)snprintf(python, sizeof(python), "%s/bin/python3", p->venv);
	argv[n++] = str_dup(str_from(p->stub));
	for (size_t i = 0; args[i] != NULL && n < 30; i++) {
		argv[n++] = str_dup(str_from(args[i]));
	}
	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(answer, O_CLOEXEC) != 0) {
		BUG("no descriptors left");
	}
	out->pid = start(argv, in[0], answer[1], -1, "");
	for (size_t i = 1; i < n; i++) {
		free(argv[i]);
	}
	close(in[0]);
	close(answer[1]);
	out->keep = in[1];
	got = read(
		answer[0], line, sizeof(line) - 1); /* the port, once it listens; or the end */
	close(answer[0]);
	out->port = got > 0 ? (int)strtol(line, NULL, 10) : 0;
	if (out->port <= 0) {
		drill_servers_stop(out);
		return err_set(err, ERR_FAILED, "the stub for Systems Manager did not start");
	}
	return ERR_OK;
}

void drill_servers_stop(struct drill_server *s)
{
	if (s->pid <= 0) {
		return;
	}
	if (s->keep >= 0) {
		close(s->keep);
		s->keep = -1;
	}
	(void)kill(s->pid, SIGTERM);
	for (int i = 0; i < 250; i++) {
		if (waitpid(s->pid, NULL, WNOHANG) != 0) {
			goto gone;
		}
		env_sleep_ms(env_system(), 20);
	}
	(void)kill(s->pid, SIGKILL);
	(void)waitpid(s->pid, NULL, 0);
gone:
	for (size_t i = 0; i < CHILDREN; i++) {
		if (children[i] == s->pid) {
			children[i] = 0;
		}
	}
	s->pid = 0;
}

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
	struct buf *b = ctx;

	buf_add(b, p, size * n);
	return buf_ok(b) ? size * n : 0;
}

enum err_status drill_servers_http(
	const char *method, const char *url, const char *body, struct buf *out, struct err *err)
{
	CURL *c = curl_easy_init();
	struct curl_slist *type = curl_slist_append(NULL, "Content-Type: text/plain");
	struct buf answer = { 0 };
	long status = 0;
	CURLcode rc;

	buf_init(&answer, ANSWER_MAX);
	(void)curl_easy_setopt(c, CURLOPT_URL, url);
	(void)curl_easy_setopt(c, CURLOPT_NOPROXY, "*");
	(void)curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	(void)curl_easy_setopt(c, CURLOPT_TIMEOUT, 60L);
	(void)curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method);
	if (body != NULL) {
		(void)curl_easy_setopt(c, CURLOPT_POSTFIELDS, body);
		(void)curl_easy_setopt(c, CURLOPT_HTTPHEADER, type);
	}
	(void)curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take);
	(void)curl_easy_setopt(c, CURLOPT_WRITEDATA, &answer);
	rc = curl_easy_perform(c);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	curl_slist_free_all(type);
	curl_easy_cleanup(c);
	if (out != NULL && rc == CURLE_OK) {
		buf_add_str(out, buf_view(&answer));
	}
	buf_deinit(&answer);
	if (rc != CURLE_OK || status >= 400) {
		return err_set(err, ERR_UNREACHABLE, "%s %s: %s, HTTP %ld", method, url,
			curl_easy_strerror(rc), status);
	}
	return ERR_OK;
}
