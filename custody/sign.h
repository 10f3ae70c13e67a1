#ifndef CUSTODY_SIGN_H_
#define CUSTODY_SIGN_H_

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct trust;

/*
 * The write side's keys: the examiner's (signs seal.txt) and, optionally, a
 * local time-stamping authority's.  Private keys are cleansed on every path.
 */
struct signer;

/*
 * signer_load(dir, passphrase, ret, e): examiner.key and examiner.pem (its
 * first certificate is the signer's, further ones the chain) from a key
 * directory; tsa.key and tsa.pem too if there.  ${passphrase} NULL: keys
 * must be unencrypted.  Keys that CMS cannot use (Ed25519, Ed448, SM2) are
 * ERR_UNSUPPORTED with the reason; a key that does not match its
 * certificate is ERR_CRYPTO; a key file that others may read is ERR_DENIED.
 */
int signer_load(const char *dir, const char *passphrase, struct signer **ret,
    struct err *e);
void signer_free(struct signer *s);

const char *signer_subject(const struct signer *s);	/* printable CN */
const uint8_t *signer_cert_sha256(const struct signer *s);
/* PEM of the examiner's chain, and of the local TSA's or NULL. */
const char *signer_pem(const struct signer *s);
const char *signer_tsa_pem(const struct signer *s);

/*
 * signer_sign(s, content, n, p7s, e): detached CAdES-BES, DER, appended to
 * ${p7s}.  Digest by key: P-256 SHA-256, P-384 SHA-384, P-521 SHA-512, RSA
 * SHA-384; RSA-PSS keys with PSS padding.  Checked with trust_check_cms
 * (pinned to the signer's own certificate) before it returns.
 */
int signer_sign(const struct signer *s, const void *content, size_t n,
    struct buf *p7s, struct err *e);

/*
 * Tokens.  A query is DER TimeStampReq with SHA-512 imprint, a 64-bit nonce
 * and certReq.  tstamp_accept checks that a reply answers this query: status
 * granted, imprint, nonce, signature by the certificate that it carries; and
 * against ${trust} when that is not NULL.
 */
int tstamp_query(const void *data, size_t n, struct buf *tsq, struct err *e);
int tstamp_accept(const void *tsq, size_t tsq_n, const void *tsr,
    size_t tsr_n, const void *data, size_t n, const struct trust *trust,
    int64_t *gen_time, struct err *e);
/*
 * tstamp_local(s, tsq, n, tsr, e): answer a query with the local TSA's key;
 * ERR_NOTFOUND when there is none.  Such a token proves nothing against
 * this machine's own root: the bundle says so.
 */
int tstamp_local(const struct signer *s, const void *tsq, size_t n,
    struct buf *tsr, struct err *e);

#endif /* !CUSTODY_SIGN_H_ */
