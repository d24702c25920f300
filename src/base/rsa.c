#include "base/rsa.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#define DER_MAX 8192

struct rsa_key {
	EVP_PKEY *pkey;
};

enum err_status rsa_key_read(struct str der, struct rsa_key **out, struct err *err)
{
	const unsigned char *p = (const unsigned char *)der.p;
	long n = (long)der.n;
	EVP_PKEY *pkey = NULL;
	if (der.n > 0 && der.n <= DER_MAX) {
		pkey = d2i_PUBKEY(NULL, &p, n);
		if (!pkey) {
			p = (const unsigned char *)der.p;
			pkey = d2i_PublicKey(EVP_PKEY_RSA, NULL, &p, n);
		}
	}
	bool whole = pkey && p == (const unsigned char *)der.p + der.n;
	if (!whole || EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA) {
		EVP_PKEY_free(pkey);
		return err_set(err, ERR_INPUT, "this is no RSA public key in DER");
	}
	struct rsa_key *k = calloc(1, sizeof(*k));
	if (!k) {
		BUG("out of memory");
	}
	k->pkey = pkey;
	*out = k;
	return ERR_OK;
}

void rsa_key_free(struct rsa_key *k)
{
	if (k) {
		EVP_PKEY_free(k->pkey);
		free(k);
	}
}

bool rsa_verify(const struct rsa_key *k, struct str message, struct str signature)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
		  EVP_DigestVerify(ctx, (const unsigned char *)signature.p, signature.n,
			  (const unsigned char *)message.p, message.n) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}
