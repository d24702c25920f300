#include "response/actions/cidr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

static void mask(struct cidr *c)
{
	int bits = c->prefix;
	for (size_t i = 0; i < sizeof(c->addr); i++, bits -= 8) {
		if (bits <= 0) {
			c->addr[i] = 0;
		} else if (bits < 8) {
			c->addr[i] = (unsigned char)(c->addr[i] & (0xff << (8 - bits)));
		}
	}
}

bool cidr_parse(struct str s, struct cidr *out)
{
	char text[INET6_ADDRSTRLEN + 1];
	size_t slash = str_find_char(s, '/');
	struct str addr = slash == SIZE_MAX ? s : str_sub(s, 0, slash);
	struct cidr c = { 0 };
	int64_t prefix = 0;
	if (addr.n == 0 || addr.n >= sizeof(text)) {
		return false;
	}
	memcpy(text, addr.p, addr.n);
	text[addr.n] = '\0';
	if (strlen(text) != addr.n) {
		return false;
	}
	c.v6 = strchr(text, ':') != NULL;
	if (inet_pton(c.v6 ? AF_INET6 : AF_INET, text, c.addr) != 1) {
		return false;
	}
	int widest = c.v6 ? 128 : 32;
	c.prefix = widest;
	if (slash != SIZE_MAX) {
		struct str tail = str_sub(s, slash + 1, SIZE_MAX);
		if (tail.n == 0 || tail.n > 3 || tail.p[0] < '0' || tail.p[0] > '9' ||
			!str_to_i64(tail, &prefix) || prefix > widest) {
			return false;
		}
		c.prefix = (int)prefix;
	}
	static const unsigned char mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
	if (c.v6 && c.prefix >= 96 && memcmp(c.addr, mapped, sizeof(mapped)) == 0) {
		memmove(c.addr, c.addr + 12, 4);
		memset(c.addr + 4, 0, 12);
		c.v6 = false;
		c.prefix -= 96;
	}
	mask(&c);
	*out = c;
	return true;
}

void cidr_text(const struct cidr *c, char out[CIDR_TEXT])
{
	char text[INET6_ADDRSTRLEN] = "";
	inet_ntop(c->v6 ? AF_INET6 : AF_INET, c->addr, text, sizeof(text));
	snprintf(out, CIDR_TEXT, "%s/%d", text, c->prefix);
}

bool cidr_eq(const struct cidr *a, const struct cidr *b)
{
	return a->v6 == b->v6 && a->prefix == b->prefix &&
	       memcmp(a->addr, b->addr, sizeof(a->addr)) == 0;
}

bool cidr_contains(const struct cidr *outer, const struct cidr *inner)
{
	if (outer->v6 != inner->v6 || inner->prefix < outer->prefix) {
		return false;
	}
	struct cidr cut = *inner;
	cut.prefix = outer->prefix;
	mask(&cut);
	return cidr_eq(&cut, outer);
}

struct special {
	const char *range, *why;
};

static const struct special specials[] = {
	{ "0.0.0.0/8", "an address of this network" },
	{ "10.0.0.0/8", "a private address" },
	{ "100.64.0.0/10", "a carrier NAT address" },
	{ "127.0.0.0/8", "a loopback address" },
	{ "169.254.0.0/16", "a link-local address" },
	{ "172.16.0.0/12", "a private address" },
	{ "192.0.0.0/24", "a protocol address" },
	{ "192.168.0.0/16", "a private address" },
	{ "198.18.0.0/15", "a benchmark address" },
	{ "224.0.0.0/4", "a multicast address" },
	{ "240.0.0.0/4", "a reserved address" },
	{ "::/127", "an unspecified or loopback address" },
	{ "64:ff9b::/96", "a NAT64 address" },
	{ "100::/64", "a discard address" },
	{ "fc00::/7", "a private address" },
	{ "fe80::/10", "a link-local address" },
	{ "ff00::/8", "a multicast address" },
};

const char *cidr_special(const struct cidr *c)
{
	for (size_t i = 0; i < sizeof(specials) / sizeof(specials[0]); i++) {
		struct cidr range;
		if (!cidr_parse(str_from(specials[i].range), &range)) {
			continue;
		}
		/* A range wider than a special one holds special addresses, too. */
		if (cidr_contains(&range, c) || cidr_contains(c, &range)) {
			return specials[i].why;
		}
	}
	return NULL;
}
