#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/http.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/proc.h"
#include "custody/digest.h"
#include "custody/tsa_http.h"

/*
 * The helper answers with one frame: REPLY with the bytes, or FAILED with a
 * text.  The reply is only bytes to the parent: tstamp_accept judges it.
 */
enum { FRAME_REPLY = 1, FRAME_FAILED };
enum { FIELD_BYTES = 1 };

struct tsa_http {
	char *url, *ca_file;
	int query[2];		/* the parent writes, the helper reads */
	struct proc p;
};

static BIO *
tls_cb(BIO *bio, void *arg, int connect, int detail)
{
	SSL_CTX *ctx = arg;
	BIO *tls;

	(void)detail;
	if (!connect)
		return bio;
	if ((tls = BIO_new_ssl(ctx, 1)) == NULL)
		return NULL;
	return BIO_push(tls, bio);
}

static SSL_CTX *
tls_context(const char *ca_file)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (ctx == NULL)
		return NULL;
	if (ca_file == NULL) {
		SSL_CTX_set_verify(ctx, SSL_VERIFY_NONE, NULL);
		return ctx;
	}
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_file(ctx, ca_file) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* One attempt: OpenSSL's own would knock on a closed door for 30 seconds. */
static BIO *
connect_once(const char *host, const char *port)
{
	BIO *bio = NULL;
	struct buf b;

	/* An IPv6 address comes without its brackets. */
	buf_init(&b, 4096);
	buf_printf(&b, strchr(host, ':') != NULL ? "[%s]:%s" : "%s:%s", host,
	    port);
	if (buf_failed(&b) == 0)
		bio = BIO_new_connect(buf_str(&b));
	buf_release(&b);
	if (bio == NULL || BIO_do_connect(bio) == 1)
		return bio;
	BIO_free_all(bio);
	return NULL;
}

static int
transfer(const struct tsa_http *t, const uint8_t *tsq, size_t n,
    struct buf *tsr)
{
	char *host = NULL, *port = NULL, *path = NULL;
	SSL_CTX *tls = NULL;
	BIO *conn = NULL, *body = NULL, *answer = NULL;
	char chunk[4096];
	int https = 0, got, r = -1;

	if (OSSL_HTTP_parse_url(t->url, &https, NULL, &host, &port, NULL,
	    &path, NULL, NULL) != 1 ||
	    (https && (tls = tls_context(t->ca_file)) == NULL) ||
	    (body = BIO_new_mem_buf(tsq, (int)n)) == NULL ||
	    (conn = connect_once(host, port)) == NULL)
		goto out;
	answer = OSSL_HTTP_transfer(NULL, host, port, path, https, NULL, NULL,
	    conn, NULL, https ? tls_cb : NULL, tls, 0, NULL,
	    "application/timestamp-query", body, "application/timestamp-reply",
	    1, LIMIT_TSR, LIMIT_TSA_SECONDS, 0);
	if (answer == NULL)
		goto out;
	while ((got = BIO_read(answer, chunk, (int)sizeof(chunk))) > 0)
		buf_put(tsr, chunk, (size_t)got);
	r = tsr->len > 0 && buf_failed(tsr) == 0 ? 0 : -1;
out:
	BIO_free_all(answer);
	BIO_free_all(conn);
	BIO_free(body);
	SSL_CTX_free(tls);
	OPENSSL_free(host);
	OPENSSL_free(port);
	OPENSSL_free(path);
	return r;
}

/* Read the query until the parent closes its end. */
static int
read_query(int fd, uint8_t *tsq, size_t cap, size_t *n)
{
	ssize_t got;

	*n = 0;
	while ((got = read(fd, tsq + *n, cap - *n)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 || (*n += (size_t)got) == cap)
			return -1;
	}
	return *n > 0 ? 0 : -1;
}

static int
helper_main(void *arg, int out_fd)
{
	static uint8_t tsq[LIMIT_TSR];
	const struct tsa_http *t = arg;
	struct buf reply, frame;
	const char *why;
	size_t n;

	buf_init(&reply, LIMIT_TSR);
	buf_init(&frame, LIMIT_FRAME);
	if (read_query(t->query[0], tsq, sizeof(tsq), &n) < 0)
		return 0;	/* stopped without a question */
	if (transfer(t, tsq, n, &reply) == 0) {
		frame_begin(&frame, FRAME_REPLY);
		frame_put(&frame, FIELD_BYTES, reply.p, reply.len);
	} else {
		why = ERR_reason_error_string(ERR_peek_error());
		frame_begin(&frame, FRAME_FAILED);
		frame_put_str(&frame, FIELD_BYTES, why != NULL ? why :
		    strerrordesc_np(errno));
	}
	return frame_send(&frame, out_fd, NULL) < 0;
}

int
tsa_http_start(const char *url, const char *ca_file, struct tsa_http **ret,
    struct err *e)
{
	struct tsa_http *t;
	int r;

	if ((r = digest_start(e)) < 0)
		return r;
	if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
		return err_set(e, ERR_ARG,
		    "a time stamp authority's URL begins with http:// or "
		    "https://");
	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (t->url = strdup(url)) == NULL || (ca_file != NULL &&
	    (t->ca_file = strdup(ca_file)) == NULL)) {
		if (t != NULL)
			free(t->url);
		free(t);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	t->query[0] = t->query[1] = t->p.fd = -1;
	if (pipe2(t->query, O_CLOEXEC) < 0) {
		r = err_sys(e, errno, "cannot make a pipe");
		tsa_http_stop(t);
		return r;
	}
	/* The helper keeps the reading end alone, or it would never see EOF. */
	if ((r = proc_spawn(&t->p, helper_main, t, &t->query[0], 1, 0, e)) <
	    0) {
		tsa_http_stop(t);
		return r;
	}
	(void)close(t->query[0]);
	t->query[0] = -1;
	*ret = t;
	return 0;
}

int
tsa_http_ask(struct tsa_http *t, const void *tsq, size_t n, struct buf *tsr,
    struct err *e)
{
	static uint8_t body[LIMIT_FRAME];
	struct frame f;
	size_t len;
	uint8_t type;
	int r;

	/* The helper may have died: that is its error, not our end. */
	(void)signal(SIGPIPE, SIG_IGN);
	r = fsio_write_all(t->query[1], tsq, n, e);
	(void)close(t->query[1]);
	t->query[1] = -1;
	(void)signal(SIGPIPE, SIG_DFL);
	if (r < 0)
		return r;
	t->p.deadline = clock_mono_ns() +
	    (int64_t)(LIMIT_TSA_SECONDS + 1) * 1000000000;
	if ((r = proc_frame(&t->p, &type, body, sizeof(body), &len, e)) < 0)
		return r;
	if (r == 0)
		return err_set(e, ERR_IO,
		    "the time stamp authority did not answer in time");
	if (!frame_parse(&f, type, body, len) ||
	    !frame_has(&f, FIELD_BYTES))
		return err_set(e, ERR_CHILD, "the TSA helper misbehaved");
	if (type != FRAME_REPLY)
		return err_set(e, ERR_IO,
		    "cannot get a time stamp: %.*s",
		    (int)f.field[FIELD_BYTES].len,
		    (const char *)f.field[FIELD_BYTES].buf);
	buf_put(tsr, f.field[FIELD_BYTES].buf, f.field[FIELD_BYTES].len);
	return buf_failed(tsr) < 0 ?
	    err_set(e, ERR_LIMIT, "the time stamp is too long") : 0;
}

void
tsa_http_stop(struct tsa_http *t)
{
	int status;

	if (t == NULL)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (t->query[i] >= 0)
			(void)close(t->query[i]);
	if (t->p.pid > 0) {
		proc_kill(&t->p);
		(void)proc_wait(&t->p, &status);
	}
	free(t->url);
	free(t->ca_file);
	free(t);
}
