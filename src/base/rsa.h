/* RSA signatures over libcrypto: only the check, only what AWS signs its logs with. */
#ifndef CORDON_BASE_RSA_H
#define CORDON_BASE_RSA_H

#include "base/err.h"
#include "base/str.h"

struct rsa_key;

/*
 * Reads a public key in DER: PKCS#1 RSAPublicKey or SubjectPublicKeyInfo (AWS's documentation
 * shows both). ERR_INPUT when it is neither or has trailing bytes. Free with rsa_key_free.
 */
ERR_MUST_CHECK enum err_status rsa_key_read(
	struct str der, struct rsa_key **out, struct err *err);
void rsa_key_free(struct rsa_key *k);
/* The signature is this key's over `message`: RSASSA-PKCS1-v1_5 with SHA-256. Thread-safe. */
bool rsa_verify(const struct rsa_key *k, struct str message, struct str signature);

#endif
