#include "analysis/columns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16

/* Every name that a member has at the depths which columns and structs reach. */
static const char *const names[] = { "eventVersion", "userIdentity", "eventTime", "eventSource",
	"eventName", "awsRegion", "sourceIPAddress", "userAgent", "errorCode", "errorMessage",
	"requestParameters", "responseElements", "additionalEventData", "requestID", "eventID",
	"readOnly", "resources", "eventType", "apiVersion", "managementEvent",
	"recipientAccountId", "sharedEventID", "annotation", "vpcEndpointId",
	"vpcEndpointAccountId", "serviceEventDetails", "addendum", "edgeDeviceDetails",
	"insightDetails", "eventCategory", "tlsDetails", "sessionCredentialFromConsole",
	"eventContext", "type", "principalId", "arn", "accountId", "accessKeyId", "userName",
	"invokedBy", "sessionContext", "attributes", "mfaAuthenticated", "creationDate",
	"sessionIssuer", "webIdFederationData", "federatedProvider", "ec2RoleDelivery",
	"sourceIdentity", "assumedRoot", "identityProvider", "onBehalfOf", "userId",
	"identityStoreArn", "credentialId", "inScopeOf", "sourceArn", "sourceAccount",
	"issuerType", "credentialsIssuedTo", "tlsVersion", "cipherSuite",
	"clientProvidedHostHeader" };

/* Equal without regard to case and underscores. */
static bool folds_to(struct str s, const char *name)
{
	size_t i = 0;
	for (size_t k = 0; k < s.n; k++) {
		char c = s.p[k];
		if (c == '_') {
			continue;
		}
		char d = name[i];
		c = c >= 'A' && c <= 'Z' ? (char)((unsigned char)c | 0x20) : c;
		d = d >= 'A' && d <= 'Z' ? (char)((unsigned char)d | 0x20) : d;
		if (d == '\0' || c != d) {
			return false;
		}
		i++;
	}
	return name[i] == '\0';
}

static struct str proper(struct str s)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (folds_to(s, names[i])) {
			return str_from(names[i]);
		}
	}
	return s;
}

/* ---- header ---- */

/* A path is kept as a C string whose parts are not empty. */
static bool is_path(struct str name)
{
	for (size_t i = 0; i < name.n; i++) {
		if ((unsigned char)name.p[i] < 0x20) {
			return false;
		}
	}
	return name.n > 0 && name.p[name.n - 1] != '.';
}

/* "useridentity.sessioncontext.sessionissuer.arn" -> the path in its own spelling. */
static bool path_of(struct str name, char out[COLUMNS_PATH])
{
	size_t n = 0;
	struct str part;
	if (!is_path(name)) {
		return false;
	}
	if (str_eq_nocase(str_sub(name, 0, 10), STR("eventdata."))) {
		name = str_sub(name, 10, SIZE_MAX);
	}
	while (str_cut(&name, '.', &part)) {
		struct str p = proper(part);
		if (p.n == 0 || n + p.n + 2 > COLUMNS_PATH) {
			return false;
		}
		if (n) {
			out[n++] = '.';
		}
		memcpy(out + n, p.p, p.n);
		n += p.n;
	}
	out[n] = '\0';
	return n > 0;
}

static int by_path(const void *a, const void *b)
{
	const struct columns_member *x = a;
	const struct columns_member *y = b;
	int c = strcmp(x->path, y->path);
	return c ? c : (x->index > y->index) - (x->index < y->index);
}

static bool has_member(const struct columns *c, const char *path)
{
	for (size_t i = 0; i < c->n_members; i++) {
		if (!strcmp(c->member[i].path, path)) {
			return true;
		}
	}
	return false;
}

static bool learn_whole(struct columns *c, const struct str *head, size_t n)
{
	static const char *const whole[] = { "eventData", "eventJson", "CloudTrailEvent",
		"@message", "message", "_raw" };
	for (size_t k = 0; k < sizeof(whole) / sizeof(whole[0]); k++) {
		for (size_t i = 0; i < n; i++) {
			if (folds_to(head[i], whole[k]) || str_is(head[i], whole[k])) {
				c->kind = COLUMNS_WHOLE;
				c->whole = i;
				return true;
			}
		}
	}
	return false;
}

bool columns_learn(struct columns *c, const struct str *head, size_t n)
{
	c->kind = COLUMNS_UNKNOWN;
	c->n = n < COLUMNS_MAX ? n : COLUMNS_MAX;
	c->n_members = 0;
	for (size_t i = 0; i < c->n; i++) {
		if (path_of(str_trim(head[i]), c->member[c->n_members].path)) {
			c->member[c->n_members++].index = i;
		}
	}
	qsort(c->member, c->n_members, sizeof(c->member[0]), by_path);
	if (has_member(c, "eventName") && has_member(c, "eventTime") &&
		has_member(c, "eventSource")) {
		c->kind = COLUMNS_EVENT;
		return true;
	}
	if (flow_columns(head, c->n, &c->flow)) {
		c->kind = COLUMNS_FLOW;
		return true;
	}
	return learn_whole(c, head, c->n);
}

/* ---- values ---- */

static void put_string(struct str s, struct buf *out)
{
	buf_putc(out, '"');
	for (size_t i = 0; i < s.n; i++) {
		unsigned char ch = (unsigned char)s.p[i];
		if (ch == '"' || ch == '\\') {
			buf_putc(out, '\\');
			buf_putc(out, (char)ch);
		} else if (ch < 0x20) {
			buf_printf(out, "\\u%04x", ch);
		} else {
			buf_putc(out, (char)ch);
		}
	}
	buf_putc(out, '"');
}

static bool is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '-' || c == '.' || c == ':' || c == '/';
}

/* Bytes of a "key=" at the front, or 0. */
static size_t key_length(struct str s)
{
	size_t i = 0;
	while (i < s.n && is_name(s.p[i])) {
		i++;
	}
	return i > 0 && i < s.n && s.p[i] == '=' ? i : 0;
}

/*
 * Where a bare value ends: at a closing bracket, or at a comma before the next key (in a list: any
 * comma). Values may hold commas and equals signs themselves; only ", key=" ends one.
 */
static size_t value_length(struct str s, bool in_list)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '}' || s.p[i] == ']') {
			return i;
		}
		if (s.p[i] == ',' && i + 1 < s.n && s.p[i + 1] == ' ' &&
			(in_list || key_length(str_sub(s, i + 2, 256)))) {
			return i;
		}
	}
	return s.n;
}

static void put_value(struct str *s, bool in_list, int depth, struct buf *out);

/* {key=value, ...} or [value, ...] at the front of *s. */
/* NOLINTNEXTLINE(misc-no-recursion): no deeper than DEPTH_MAX */
static void put_container(struct str *s, int depth, struct buf *out)
{
	bool list = s->p[0] == '[';
	char close = list ? ']' : '}';
	bool first = true;
	*s = str_sub(*s, 1, SIZE_MAX);
	buf_putc(out, list ? '[' : '{');
	while (s->n && s->p[0] != close) {
		size_t before = s->n;
		if (!first) {
			buf_putc(out, ',');
		}
		if (!list) {
			size_t key = key_length(*s);
			put_string(proper(str_sub(*s, 0, key)), out);
			buf_putc(out, ':');
			*s = str_sub(*s, key ? key + 1 : 0, SIZE_MAX);
		}
		put_value(s, list, depth + 1, out);
		while (s->n && (s->p[0] == ',' || s->p[0] == ' ')) {
			*s = str_sub(*s, 1, SIZE_MAX);
		}
		first = false;
		if (s->n == before) {
			break; /* a bracket of the other kind: malformed, and the rest is left */
		}
	}
	*s = str_sub(*s, 1, SIZE_MAX);
	buf_putc(out, close);
}

/* NOLINTNEXTLINE(misc-no-recursion): no deeper than DEPTH_MAX */
static void put_value(struct str *s, bool in_list, int depth, struct buf *out)
{
	if (s->n && (s->p[0] == '{' || s->p[0] == '[') && depth < DEPTH_MAX) {
		put_container(s, depth, out);
		return;
	}
	size_t n = value_length(*s, in_list);
	struct str v = str_sub(*s, 0, n);
	*s = str_sub(*s, n, SIZE_MAX);
	if (str_is(v, "null") || v.n == 0) {
		buf_puts(out, "null");
	} else {
		put_string(v, out);
	}
}

void columns_struct(struct str text, struct buf *out)
{
	if (text.n && (text.p[0] == '{' || text.p[0] == '[')) {
		put_container(&text, 0, out);
	} else {
		put_string(text, out);
	}
}

static void put_cell(struct str v, struct scan_tape *scratch, struct buf *out)
{
	size_t used = 0;
	if ((v.p[0] == '{' || v.p[0] == '[') &&
		scan_value(scratch, v, true, &used) == SCAN_OK && used == v.n) {
		buf_add_str(out, v);
	} else {
		columns_struct(v, out);
	}
}

/* ---- rows ---- */

/* How many leading parts two paths share, the last part of each not counted. */
static size_t shared(const char *a, const char *b)
{
	size_t parts = 0;
	for (size_t i = 0; a[i] && a[i] == b[i]; i++) {
		parts += a[i] == '.';
	}
	return parts;
}

static size_t parents(const char *path)
{
	size_t n = 0;
	for (; *path; path++) {
		n += *path == '.';
	}
	return n;
}

/* Opens the objects of `path` from level `from` on and writes the last part's name. */
static void open_path(const char *path, size_t from, struct buf *out)
{
	struct str rest = str_from(path);
	struct str part;
	for (size_t level = 0; str_cut(&rest, '.', &part); level++) {
		if (level >= from) {
			put_string(part, out);
			buf_puts(out, rest.n ? ":{" : ":");
		}
	}
}

void columns_event(const struct columns *c, const struct str *values, struct scan_tape *scratch,
	struct buf *out)
{
	const char *open = ""; /* path of the member written last */
	buf_putc(out, '{');
	for (size_t i = 0; i < c->n_members; i++) {
		struct str v = str_trim(values[c->member[i].index]);
		const char *path = c->member[i].path;
		bool twice = !strcmp(path, open);
		if (v.n == 0 || str_is(v, "null") || twice) {
			continue;
		}
		size_t keep = *open ? shared(open, path) : 0;
		for (size_t level = *open ? parents(open) : 0; level > keep; level--) {
			buf_putc(out, '}');
		}
		if (*open) {
			buf_putc(out, ',');
		}
		open_path(path, keep, out);
		put_cell(v, scratch, out);
		open = path;
	}
	for (size_t level = parents(open); level > 0; level--) {
		buf_putc(out, '}');
	}
	buf_putc(out, '}');
}
