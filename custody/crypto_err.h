#ifndef CUSTODY_CRYPTO_ERR_H_
#define CUSTODY_CRYPTO_ERR_H_

struct err;

/*
 * crypto_err: ERR_CRYPTO with "what: OpenSSL's last word"; its error queue is
 * emptied, so that an old failure never explains a new one.
 */
int crypto_err(struct err *e, const char *what);

#endif /* !CUSTODY_CRYPTO_ERR_H_ */
