/* Networks in CIDR notation, IPv4 and IPv6. */
#ifndef CORDON_ANALYSIS_NETWORK_H
#define CORDON_ANALYSIS_NETWORK_H

#include "base/str.h"

/* `ip` is an address within `network` ("10.0.0.0/8"); false when either is not what it should be. */
bool network_holds(struct str network, struct str ip);

#endif
