#ifndef CUSTODY_TSA_HTTP_H_
#define CUSTODY_TSA_HTTP_H_

#include <stddef.h>

struct buf;
struct err;

/*
 * Ask a time stamp authority by HTTP (RFC 3161 3.4) with OpenSSL's own
 * client.  Linked into `exhibit` only.
 *
 * The helper process that talks to the network is started first
 * (tsa_http_start), before any key is loaded, so it never holds one; it
 * waits for one query, and is ended LIMIT_TSA_SECONDS after it was asked.
 * http:// and https:// URLs; https checks the server against ${ca_file}, or
 * not at all when that is NULL: the token proves itself.
 */
struct tsa_http;

int tsa_http_start(const char *url, const char *ca_file,
    struct tsa_http **ret, struct err *e);
/* tsa_http_ask: the reply (DER TimeStampResp) is appended to ${tsr}. */
int tsa_http_ask(struct tsa_http *t, const void *tsq, size_t n,
    struct buf *tsr, struct err *e);
void tsa_http_stop(struct tsa_http *t);	/* NULL does nothing */

#endif /* !CUSTODY_TSA_HTTP_H_ */
