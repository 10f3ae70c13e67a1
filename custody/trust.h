#ifndef CUSTODY_TRUST_H_
#define CUSTODY_TRUST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * Pinned trust, and the two checks that need it: the CAdES signature over
 * seal.txt (RFC 5652, RFC 5126) and the RFC 3161 token over the whole
 * .p7s.  Read side: nothing here can sign.
 *
 * Only certificates that were added here are anchors: a root, or the signer's
 * own certificate (X509_V_FLAG_PARTIAL_CHAIN).  The system's store is never
 * used, nor any OpenSSL configuration.
 */
struct trust;

struct trust *trust_new(struct err *e);
void trust_free(struct trust *t);
/* trust_add_pem: every certificate in a PEM text; ERR_FORMAT if none. */
int trust_add_pem(struct trust *t, const void *pem, size_t n, struct err *e);
bool trust_empty(const struct trust *t);	/* NULL counts as empty */

/* What a check of a signature or token found out. */
struct trust_result {
	bool intact;		/* the mathematics hold for the content */
	bool trusted;		/* and a pinned anchor vouches at that time */
	char reason[256];	/* printable; why not, when either is false */
	char subject[256];	/* of the signing certificate, printable */
	uint8_t cert_sha256[32];
	int64_t time;		/* seconds: signingTime (claimed), genTime */
	char algorithm[64];	/* "ecdsa-with-SHA384", ... */
};

/*
 * trust_check_cms(t, p7s, content, at, ret): detached CMS over content.  The
 * signing-certificate attribute (CAdES-BES) must be there.  ${at}: seconds
 * since 1970 at which certificates must be valid (the token's genTime), or
 * -1: at its own claimed signingTime, and then trusted stays false.  ${t}
 * NULL or empty: trusted stays false.  Returns 0 with *ret in every case
 * that is about the evidence; negative only when our side failed.
 */
int trust_check_cms(const struct trust *t, const void *p7s, size_t p7s_n,
    const void *content, size_t content_n, int64_t at,
    struct trust_result *ret, struct err *e);

/*
 * trust_check_token(t, tsr, data, ret): RFC 3161 reply over ${data}, at its
 * own genTime; the TSA's certificate must carry timeStamping alone.
 */
int trust_check_token(const struct trust *t, const void *tsr, size_t tsr_n,
    const void *data, size_t data_n, struct trust_result *ret,
    struct err *e);

#endif /* !CUSTODY_TRUST_H_ */
