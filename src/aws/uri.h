/* Percent encoding as AWS defines it: all but A-Z a-z 0-9 - . _ ~ becomes %XX (upper case). */
#ifndef CORDON_AWS_URI_H
#define CORDON_AWS_URI_H

#include "base/buf.h"

/* Appends `s` encoded; '/' stays when `keep_slash`. */
void uri_encode(struct str s, bool keep_slash, struct buf *out);
/* Appends `s` with %XX decoded; a '%' without two hex digits stays as it is. */
void uri_decode(struct str s, struct buf *out);

/* "https://host:8080/base/path": slices of the text. */
struct uri_parts {
	bool tls;
	struct str authority; /* host with port, as the Host header wants it */
	struct str host;      /* without port; brackets of IPv6 kept */
	struct str path;      /* may be empty */
};
/* False unless http or https with a host and neither user, query nor fragment. */
bool uri_split(struct str url, struct uri_parts *out);
/* An IPv4 address in 127.0.0.0/8, in dotted decimal and nothing else ("127.0.0.1.evil" is not). */
bool uri_is_loopback(struct str host);

/* One label of a host name: letters, digits, hyphens inside, 1 to 63 of them. */
bool uri_host_label(struct str s);
/* An IPv4 address or an IPv6 address in brackets, not a name. */
bool uri_is_address(struct str host);

#endif
