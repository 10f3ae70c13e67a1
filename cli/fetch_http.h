#ifndef CLI_FETCH_HTTP_H_
#define CLI_FETCH_HTTP_H_

#include <stdint.h>

#include "base/buf.h"

struct err;

/*
 * Pages by HTTP and HTTPS, by libcurl.  The process that talks to the network
 * is started before a key is loaded and never holds one; it parses HTTP and
 * TLS and nothing of what they carry.  No redirection is followed, no proxy
 * and no configuration of the user's is read.
 */
struct fetch_http;

struct fetch_answer {
	long status;		/* of HTTP */
	struct buf headers;	/* as they came, status line first */
	struct buf body;
	char peer[64];		/* the address that answered */
	struct buf chain;	/* PEM of the server's certificates, or empty */
};

struct fetch_options {
	const char *ca_file;	/* NULL: the system's store */
	/* Lines of header, "Authorization: ..."; or NULL. */
	const char *const *header;
	unsigned headers;
};

int fetch_http_start(const struct fetch_options *o, struct fetch_http **ret,
    struct err *e);
void fetch_http_stop(struct fetch_http *f);	/* NULL does nothing */

void fetch_http_init(struct fetch_answer *a);
void fetch_http_release(struct fetch_answer *a);

/*
 * fetch_http_ask: GET, or POST of JSON when ${json} is not NULL.  Whatever
 * status comes is an answer; ERR_IO and the like when none does, ERR_LIMIT
 * past LIMIT_FETCH.
 */
int fetch_http_ask(struct fetch_http *f, const char *url, const char *json,
    struct fetch_answer *a, struct err *e);

#endif /* !CLI_FETCH_HTTP_H_ */
