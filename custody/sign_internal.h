#ifndef CUSTODY_SIGN_INTERNAL_H_
#define CUSTODY_SIGN_INTERNAL_H_

#include <openssl/evp.h>
#include <openssl/x509.h>

/* Shared by sign.c and tstamp.c, and by nobody else. */
struct signer {
	EVP_PKEY *key;		/* cleansed by EVP_PKEY_free */
	X509 *cert;
	STACK_OF(X509) *chain;	/* without the signer's own */
	char *pem, *tsa_pem;
	char subject[256];
	uint8_t cert_sha256[32];
	EVP_PKEY *tsa_key;	/* NULL: no local authority */
	X509 *tsa_cert;
};

#endif /* !CUSTODY_SIGN_INTERNAL_H_ */
