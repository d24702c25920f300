#include "aws/uri.h"

#include "base/hash.h"

static bool unreserved(unsigned char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

void uri_encode(struct str s, bool keep_slash, struct buf *out)
{
	static const char hex[] = "0123456789ABCDEF";
	size_t from = 0; /* of what stands as it is */
	for (size_t i = 0; i < s.n; i++) {
		unsigned char c = (unsigned char)s.p[i];
		if (unreserved(c) || (c == '/' && keep_slash)) {
			continue;
		}
		char code[] = { '%', hex[c >> 4], hex[c & 15] };
		buf_add_str(out, str_sub(s, from, i - from));
		buf_add(out, code, sizeof(code));
		from = i + 1;
	}
	buf_add_str(out, str_sub(s, from, SIZE_MAX));
}

void uri_decode(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.n; i++) {
		unsigned char byte;
		size_t n;
		if (s.p[i] == '%' && i + 2 < s.n &&
			hash_unhex(str_sub(s, i + 1, 2), &byte, 1, &n)) {
			buf_putc(out, (char)byte);
			i += 2;
			continue;
		}
		buf_putc(out, s.p[i]);
	}
}

bool uri_split(struct str url, struct uri_parts *out)
{
	struct uri_parts u = { .tls = true };
	if (str_starts(url, STR("https://"))) {
		url = str_sub(url, 8, SIZE_MAX);
	} else if (str_starts(url, STR("http://"))) {
		u.tls = false;
		url = str_sub(url, 7, SIZE_MAX);
	} else {
		return false;
	}
	for (size_t i = 0; i < url.n; i++) {
		unsigned char c = (unsigned char)url.p[i];
		if (c <= ' ' || c >= 0x7f || c == '?' || c == '#' || c == '@' || c == '\\') {
			return false;
		}
	}
	size_t slash = str_find_char(url, '/');
	u.authority = str_sub(url, 0, slash);
	u.path = slash == SIZE_MAX ? (struct str){ 0 } : str_sub(url, slash, SIZE_MAX);
	u.host = u.authority;
	size_t bracket = str_find_char(u.authority, ']');
	size_t from = bracket == SIZE_MAX ? 0 : bracket;
	size_t colon = str_find_char(str_sub(u.authority, from, SIZE_MAX), ':');
	if (colon != SIZE_MAX) {
		u.host = str_sub(u.authority, 0, from + colon);
		struct str port = str_sub(u.authority, from + colon + 1, SIZE_MAX);
		int64_t n;
		if (!str_to_i64(port, &n) || n < 1 || n > 65535) {
			return false;
		}
	}
	if (u.host.n == 0) {
		return false;
	}
	*out = u;
	return true;
}

bool uri_is_loopback(struct str host)
{
	struct str rest = host, part;
	int64_t n;
	int parts = 0;
	while (str_cut(&rest, '.', &part)) {
		bool plain = part.n > 0 && part.n <= 3 && part.p[0] >= '0' && part.p[0] <= '9';
		if (!plain || !str_to_i64(part, &n) || n > 255 || (parts == 0 && n != 127)) {
			return false;
		}
		parts++;
	}
	return parts == 4 && host.p[host.n - 1] != '.';
}

static bool letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool uri_host_label(struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		bool edge = i == 0 || i + 1 == s.n;
		if (!letter_or_digit(s.p[i]) && (edge || s.p[i] != '-')) {
			return false;
		}
	}
	return s.n >= 1 && s.n <= 63;
}

bool uri_is_address(struct str host)
{
	if (str_starts(host, STR("["))) {
		return true;
	}
	for (size_t i = 0; i < host.n; i++) {
		if (host.p[i] != '.' && (host.p[i] < '0' || host.p[i] > '9')) {
			return false;
		}
	}
	return true;
}
