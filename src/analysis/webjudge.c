/* Is a request an attempt to exploit something? By what it holds once its encodings are undone. */
#include "analysis/weblog.h"

#include "base/hash.h"
#include "base/i18n.h"

#include <string.h>

#define DECODE_ROUNDS 3
#define HEADER_MAX    2048

/* The byte of two hex digits; false when they are none, and *c as it was. */
static bool hex_byte(const char *two, char *c)
{
	size_t n;
	return hash_unhex((struct str){ two, 2 }, c, 1, &n);
}

/* One round of percent decoding in place, and lower case; "+" is a blank. */
static size_t decode_round(char *s, size_t n)
{
	size_t out = 0;
	for (size_t i = 0; i < n; i++) {
		char c = s[i];
		if (c == '%' && i + 2 < n && hex_byte(s + i + 1, &c)) {
			i += 2;
		} else if (c == '\\' && i + 3 < n && s[i + 1] == 'x' &&
			   hex_byte(s + i + 2, &c)) {
			i += 3; /* nginx writes bytes it finds odd as \xNN */
		} else if (c == '+') {
			c = ' ';
		}
		s[out++] = c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
	}
	return out;
}

/* Removes Log4j's disguises: "${lower:j}" -> "j", "${::-j}" -> "j". */
static size_t undo_lookups(char *s, size_t n)
{
	size_t out = 0;
	for (size_t i = 0; i < n; i++) {
		bool lookup = s[i] == '$' && i + 1 < n && s[i + 1] == '{';
		size_t k = i + 2;
		size_t mark = 0;
		while (lookup && k < n && s[k] != '}' && s[k] != '$' && k - i < 40) {
			mark = s[k] == ':' || (s[k] == '-' && s[k - 1] == ':') ? k : mark;
			k++;
		}
		/* One byte between the last colon and the brace: a disguised letter. */
		if (lookup && mark && k < n && s[k] == '}' && k - mark == 2) {
			s[out++] = s[mark + 1];
			i = k;
		} else {
			s[out++] = s[i];
		}
	}
	return out;
}

struct pattern {
	enum web_attack attack;
	const char *needle;
	const char *also; /* must be there too, or NULL */
};

/* First match decides, so the telling ones stand first. All in lower case. */
static const struct pattern patterns[] = {
	{ WEB_SSRF_METADATA, "169.254.169.254", NULL },
	{ WEB_SSRF_METADATA, "169.254.170.2", NULL },
	{ WEB_SSRF_METADATA, "latest/meta-data", NULL },
	{ WEB_SSRF_METADATA, "latest/user-data", NULL },
	{ WEB_SSRF_METADATA, "latest/api/token", NULL },
	{ WEB_SSRF_METADATA, "latest/dynamic/instance-identity", NULL },
	{ WEB_SSRF_METADATA, "fd00:ec2::254", NULL },
	{ WEB_SSRF_METADATA, "2852039166", NULL },
	{ WEB_SSRF_METADATA, "0xa9fea9fe", NULL },
	{ WEB_SSRF_METADATA, "0xa9.0xfe.0xa9.0xfe", NULL },
	{ WEB_SSRF_METADATA, "0251.0376.0251.0376", NULL },
	{ WEB_SSRF_METADATA, "025177524776", NULL },
	{ WEB_SSRF_METADATA, "169.254.169.254.nip.io", NULL },
	{ WEB_SSRF_METADATA, "instance-data.ec2.internal", NULL },
	{ WEB_SSRF_METADATA, "a9fea9fe", "http" },
	{ WEB_JNDI, "${jndi:", NULL },
	{ WEB_SHELL, "shell.php", "=" },
	{ WEB_SHELL, "cmd.php", "=" },
	{ WEB_SHELL, "cmd.jsp", "=" },
	{ WEB_SHELL, "shell.jsp", "=" },
	{ WEB_SHELL, "cmd.aspx", "=" },
	{ WEB_SHELL, "c99.php", NULL },
	{ WEB_SHELL, "r57.php", NULL },
	{ WEB_SHELL, "wso.php", NULL },
	{ WEB_SHELL, "b374k", NULL },
	{ WEB_SHELL, ".php?cmd=", NULL },
	{ WEB_SHELL, ".jsp?cmd=", NULL },
	{ WEB_SHELL, ".aspx?cmd=", NULL },
	{ WEB_SHELL, ".asp?cmd=", NULL },
	{ WEB_SHELL, ".php?exec=", NULL },
	{ WEB_SHELL, ".jsp?pwd=", NULL },
	{ WEB_COMMAND, "eval-stdin.php", NULL },
	{ WEB_COMMAND, "execute-solution", "_ignition" },
	{ WEB_COMMAND, "invokefunction", "call_user_func" },
	{ WEB_COMMAND, "class.module.classloader", NULL },
	{ WEB_COMMAND, "getruntime(", NULL },
	{ WEB_COMMAND, "java.lang.runtime", NULL },
	{ WEB_COMMAND, "java.lang.processbuilder", NULL },
	{ WEB_COMMAND, "javax.script", NULL },
	{ WEB_COMMAND, "freemarker.template.utility.execute", NULL },
	{ WEB_COMMAND, "${script:", NULL },
	{ WEB_COMMAND, "%{#", NULL },
	{ WEB_COMMAND, "%{(#", NULL },
	{ WEB_COMMAND, "allow_url_include", NULL },
	{ WEB_COMMAND, "php://input", NULL },
	{ WEB_COMMAND, "data://text/plain", NULL },
	{ WEB_COMMAND, "/mgmt/tm/util/bash", NULL },
	{ WEB_COMMAND, "/invoker/jmxinvokerservlet", NULL },
	{ WEB_COMMAND, "/invoker/ejbinvokerservlet", NULL },
	{ WEB_COMMAND, "/_async/asyncresponseservice", NULL },
	{ WEB_COMMAND, "/wls-wsat/coordinatorporttype", NULL },
	{ WEB_COMMAND, "/autodiscover/autodiscover.json?@", NULL },
	{ WEB_COMMAND, "redirect:${", NULL },
	{ WEB_COMMAND, "ro0ab", "=" }, /* a serialised Java object */
	{ WEB_COMMAND, "pearcmd", "config-create" },
	{ WEB_COMMAND, "/dev/tcp/", NULL },
	{ WEB_COMMAND, "|sh", "http" },
	{ WEB_COMMAND, "| sh", "http" },
	{ WEB_COMMAND, "|bash", "http" },
	{ WEB_COMMAND, "| bash", "http" },
	{ WEB_COMMAND, "/bin/sh", NULL },
	{ WEB_COMMAND, "/bin/bash", NULL },
	{ WEB_COMMAND, "cmd.exe", NULL },
	{ WEB_COMMAND, "powershell", "=" },
	{ WEB_COMMAND, ";wget ", NULL },
	{ WEB_COMMAND, ";curl ", NULL },
	{ WEB_COMMAND, "|wget ", NULL },
	{ WEB_COMMAND, "|curl ", NULL },
	{ WEB_COMMAND, "`wget ", NULL },
	{ WEB_COMMAND, "`curl ", NULL },
	{ WEB_COMMAND, "$(curl ", NULL },
	{ WEB_COMMAND, "$(wget ", NULL },
	{ WEB_COMMAND, "wget http", "=" },
	{ WEB_COMMAND, "curl http", "=" },
	{ WEB_COMMAND, ";id;", NULL },
	{ WEB_COMMAND, "$(id)", NULL },
	{ WEB_COMMAND, ";cat /", NULL },
	{ WEB_COMMAND, "|cat /", NULL },
	{ WEB_COMMAND, "&&cat /", NULL },
	{ WEB_COMMAND, "system(", NULL },
	{ WEB_COMMAND, "passthru(", NULL },
	{ WEB_COMMAND, "shell_exec(", NULL },
	{ WEB_COMMAND, "__import__('os')", NULL },
	{ WEB_COMMAND, "popen(", NULL },
	{ WEB_COMMAND, "/setup.cgi", "cmd=" },
	{ WEB_SECRETS, "/proc/self/environ", NULL },
	{ WEB_SECRETS, "/proc/1/environ", NULL },
	{ WEB_SECRETS, "serviceaccount/token", NULL },
	{ WEB_SECRETS, ".aws/credentials", NULL },
	{ WEB_TRAVERSAL, "../../", NULL },
	{ WEB_TRAVERSAL, "..\\..\\", NULL },
	{ WEB_TRAVERSAL, "/..;/", NULL },
	{ WEB_TRAVERSAL, "/etc/passwd", NULL },
	{ WEB_TRAVERSAL, "/etc/shadow", NULL },
	{ WEB_TRAVERSAL, "win.ini", NULL },
	{ WEB_TRAVERSAL, "php://filter", NULL },
	{ WEB_TRAVERSAL, "file:///", "=" },
	{ WEB_SQL, "union select", NULL },
	{ WEB_SQL, "union all select", NULL },
	{ WEB_SQL, "information_schema", NULL },
	{ WEB_SQL, "' or '1'='1", NULL },
	{ WEB_SQL, "' or 1=1", NULL },
	{ WEB_SQL, "waitfor delay", NULL },
	{ WEB_SQL, "sleep(", "=" },
	{ WEB_SQL, "benchmark(", "=" },
	{ WEB_SQL, "xp_cmdshell", NULL },
	{ WEB_PROBE, "/.env", NULL },
	{ WEB_PROBE, "/.git/", NULL },
	{ WEB_PROBE, "/wp-config.php", NULL },
	{ WEB_PROBE, "/phpmyadmin", NULL },
	{ WEB_PROBE, "/actuator/", NULL },
	{ WEB_PROBE, "/solr/admin", NULL },
	{ WEB_PROBE, "/cgi-bin/", NULL },
	{ WEB_PROBE, "/server-status", NULL },
	{ WEB_PROBE, "/.svn/", NULL },
	{ WEB_PROBE, "/boaform/", NULL },
	{ WEB_PROBE, "/manager/html", NULL },
};

/*
 * A script where only what visitors uploaded should lie, called with a parameter: a web shell,
 * whatever its name.
 */
static bool is_uploaded_script(struct str s)
{
	static const char *const folders[] = { "/uploads/", "/upload/", "/files/", "/images/",
		"/img/", "/media/", "/tmp/", "/attachments/", "/avatars/", NULL };
	static const char *const scripts[] = { ".php?", ".php5?", ".phtml?", ".jsp?", ".jspx?",
		".aspx?", ".asp?", ".ashx?", NULL };
	bool folder = false;
	bool script = false;
	for (size_t i = 0; folders[i]; i++) {
		folder |= str_find(s, str_from(folders[i])) != SIZE_MAX;
	}
	for (size_t i = 0; folder && scripts[i]; i++) {
		size_t at = str_find(s, str_from(scripts[i]));
		script |= at != SIZE_MAX &&
			  str_find_char(str_sub(s, at, SIZE_MAX), '=') != SIZE_MAX;
	}
	return script;
}

static enum web_attack match(struct str s)
{
	if (is_uploaded_script(s)) {
		return WEB_SHELL;
	}
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
		const struct pattern *p = &patterns[i];
		if (str_find(s, str_from(p->needle)) != SIZE_MAX &&
			(!p->also || str_find(s, str_from(p->also)) != SIZE_MAX)) {
			return p->attack;
		}
	}
	return WEB_NONE;
}

/* ".../iam/security-credentials/NAME" -> NAME, in lower case as the decoding leaves it. */
static struct str role_in(struct str s)
{
	size_t at = str_find(s, STR("security-credentials/"));
	if (at == SIZE_MAX) {
		return (struct str){ "", 0 };
	}
	struct str name = str_sub(s, at + 21, SIZE_MAX);
	size_t n = 0;
	while (n < name.n && n < 64 && name.p[n] && !strchr(" &?#/\"'\\;", name.p[n])) {
		n++;
	}
	return str_sub(name, 0, n);
}

/* Length of a dotted IPv4 address at the front, or 0. */
static size_t address_at(struct str s)
{
	size_t i = 0;
	for (int part = 0; part < 4; part++) {
		unsigned n = 0;
		size_t begin = i;
		while (i < s.n && i - begin < 3 && s.p[i] >= '0' && s.p[i] <= '9') {
			n = n * 10 + (unsigned)(s.p[i++] - '0');
		}
		if (i == begin || n > 255 || (part < 3 && (i >= s.n || s.p[i++] != '.'))) {
			return 0;
		}
	}
	return i < s.n && (s.p[i] == '.' || (s.p[i] >= '0' && s.p[i] <= '9')) ? 0 : i;
}

/*
 * The address that the request names, one behind a slash ("http://", "/dev/tcp/") before others;
 * the metadata service and the host itself aside.
 */
static struct str callee_in(struct str s)
{
	struct str found = { "", 0 };
	for (size_t i = 0; i < s.n; i++) {
		char before = i ? s.p[i - 1] : ' ';
		bool begins = !((before >= '0' && before <= '9') || before == '.');
		struct str rest = str_sub(s, i, SIZE_MAX);
		struct str ip = str_sub(rest, 0, begins ? address_at(rest) : 0);
		if (ip.n == 0 || str_starts(ip, STR("169.254.")) ||
			str_starts(ip, STR("127.")) || str_starts(ip, STR("0."))) {
			continue;
		}
		if (before == '/') {
			return ip;
		}
		found = found.n ? found : ip;
	}
	return found;
}

static size_t put(char *room, size_t size, size_t n, struct str s)
{
	size_t take = s.n < size - n ? s.n : size - n;
	if (take) {
		memcpy(room + n, s.p, take);
	}
	return n + take;
}

/* Matches before and after every round of decoding; the text is left decoded to the end. */
static enum web_attack match_decoded(char *room, size_t *n)
{
	enum web_attack attack = match((struct str){ room, *n });
	for (int i = 0; i < DECODE_ROUNDS; i++) {
		*n = undo_lookups(room, decode_round(room, *n));
		if (attack == WEB_NONE || attack == WEB_PROBE) {
			enum web_attack more = match((struct str){ room, *n });
			attack = more != WEB_NONE ? more : attack;
		}
	}
	return attack;
}

static void take_aim(struct web_aim *aim, enum web_attack attack, struct str decoded)
{
	struct str none = { "", 0 };
	if (aim) {
		aim->role = attack == WEB_SSRF_METADATA ? role_in(decoded) : none;
		aim->callee = attack == WEB_COMMAND || attack == WEB_JNDI || attack == WEB_SHELL
				      ? callee_in(decoded)
				      : none;
	}
}

enum web_attack web_judge(
	const struct web_line *l, char *room, size_t size, struct web_aim *aim)
{
	size_t n = put(room, size, 0, l->target);
	enum web_attack attack = match_decoded(room, &n);
	/* Headers that the log shows carry some attacks; other patterns are common words there. */
	bool shock = attack == WEB_NONE || attack == WEB_PROBE;
	if (shock) {
		char header[HEADER_MAX];
		size_t m = put(header, sizeof(header), 0, l->agent);
		m = put(header, sizeof(header), m, STR(" "));
		m = put(header, sizeof(header), m, l->referer);
		enum web_attack in_header = match_decoded(header, &m);
		bool function = str_find((struct str){ header, m }, STR("() {")) != SIZE_MAX;
		if (in_header == WEB_JNDI || function) {
			attack = function ? WEB_COMMAND : WEB_JNDI;
			n = put(room, size, 0, (struct str){ header, m });
		}
	}
	take_aim(aim, attack, (struct str){ room, n });
	return attack;
}

const char *web_attack_text(enum web_attack a)
{
	switch (a) {
	case WEB_SSRF_METADATA:
		return N_("made the server ask the instance metadata service for credentials");
	case WEB_COMMAND:
		return N_("tried to run a command");
	case WEB_JNDI:
		return N_("tried a Log4Shell lookup");
	case WEB_SHELL:
		return N_("talked to a web shell");
	case WEB_TRAVERSAL:
		return N_("tried to read files outside the site");
	case WEB_SECRETS:
		return N_("tried to read a file that holds credentials");
	case WEB_SQL:
		return N_("tried SQL injection");
	case WEB_PROBE:
		return N_("probed for known weak spots");
	default:
		return "";
	}
}
