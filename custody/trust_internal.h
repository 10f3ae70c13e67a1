#ifndef CUSTODY_TRUST_INTERNAL_H_
#define CUSTODY_TRUST_INTERNAL_H_

#include <openssl/x509.h>

#include "custody/trust.h"

/* Shared by trust.c and trust_token.c, and by nobody else. */
struct trust {
	STACK_OF(X509) *anchors;
};

/*
 * trust_store: a store that holds the pinned anchors (and ${extra}, if not
 * NULL) and checks certificates as of ${at}.  NULL when out of memory.
 */
X509_STORE *trust_store(const struct trust *t, X509 *extra, int64_t at);

/* trust_describe: subject and digest of the signing certificate. */
void trust_describe(X509 *cert, struct trust_result *ret);

/* trust_reason: "what: OpenSSL's last word", and its queue emptied. */
void trust_reason(struct trust_result *ret, const char *what);

#endif /* !CUSTODY_TRUST_INTERNAL_H_ */
