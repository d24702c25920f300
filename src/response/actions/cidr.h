/* Address ranges, IPv4 and IPv6: parsed, compared, and told apart from what must never be blocked. */
#ifndef CORDON_RESPONSE_ACTIONS_CIDR_H
#define CORDON_RESPONSE_ACTIONS_CIDR_H

#include "base/str.h"

/* An IPv4-mapped IPv6 address is held as the IPv4 address it means. */
struct cidr {
	bool v6;
	unsigned char addr[16]; /* network order; host bits zeroed */
	int prefix;
};

#define CIDR_TEXT 64

/* "192.0.2.1", "192.0.2.0/24", "2001:db8::/32"; host bits are cleared. False when malformed. */
bool cidr_parse(struct str s, struct cidr *out);
/* "192.0.2.0/24", always with the prefix length, IPv6 in its canonical short form. */
void cidr_text(const struct cidr *c, char out[CIDR_TEXT]);
bool cidr_eq(const struct cidr *a, const struct cidr *b);
/* Every address of `inner` lies in `outer`. */
bool cidr_contains(const struct cidr *outer, const struct cidr *inner);
/*
 * Why a range is no public unicast address ("a private address", "a loopback address" ...), or
 * NULL when it is one. RFC 6890 and the IANA special-purpose registries.
 */
const char *cidr_special(const struct cidr *c);

#endif
