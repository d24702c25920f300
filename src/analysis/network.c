#include "analysis/network.h"

#include <arpa/inet.h>
#include <string.h>

/* The address's bytes, 4 or 16 of them; 0 when the text is no address. */
static size_t address_of(struct str s, unsigned char out[16])
{
	char text[INET6_ADDRSTRLEN];
	if (s.n == 0 || s.n >= sizeof(text)) {
		return 0;
	}
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	if (inet_pton(AF_INET, text, out) == 1) {
		return 4;
	}
	return inet_pton(AF_INET6, text, out) == 1 ? 16 : 0;
}

bool network_holds(struct str network, struct str ip)
{
	unsigned char net[16];
	unsigned char address[16];
	int64_t bits = 0;
	size_t slash = str_find_char(network, '/');
	if (slash == SIZE_MAX || !str_to_i64(str_sub(network, slash + 1, SIZE_MAX), &bits)) {
		return false;
	}
	size_t n = address_of(str_sub(network, 0, slash), net);
	if (n == 0 || bits < 0 || (size_t)bits > n * 8 || address_of(ip, address) != n) {
		return false;
	}
	for (size_t i = 0; i < (size_t)bits; i++) {
		unsigned mask = 0x80u >> (i % 8);
		if ((net[i / 8] & mask) != (address[i / 8] & mask)) {
			return false;
		}
	}
	return true;
}
