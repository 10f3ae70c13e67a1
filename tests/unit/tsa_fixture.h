#ifndef TESTS_UNIT_TSA_FIXTURE_H_
#define TESTS_UNIT_TSA_FIXTURE_H_

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/buf.h"
#include "base/limits.h"
#include "tests/unit/keys_fixture.h"

/*
 * An authority on a loopback port: a process that treats every request in
 * one manner.  tests/release/test_tsa_http.c holds the plain answers of a
 * server that fails; here are those that lie, dawdle or lead elsewhere.
 */
enum manner {
	ANSWERS,	/* with a Content-Length */
	NAMES_NO_LENGTH,/* the end of the connection is the end */
	KEEPS_OPEN,	/* HTTP/1.1, and does not close */
	ANSWERS_ANOTHER,/* a good reply to a query of its own */
	HALF,		/* of what its Content-Length promises */
	JUNK_BEHIND,	/* the reply and some bytes more */
	EMPTY,
	HUGE_HEADER,	/* ASN.1 that claims 2 GiB */
	REDIRECTS,
	HANGS,		/* after the request */
	HANGS_WITHIN,	/* the body */
	DRIBBLES,	/* a byte of the body now and then */
	TALKS_ON,	/* header lines without an end */
};

/* What the process saw, shared with the test. */
struct seen {
	unsigned connections, requests;
};

struct server {
	enum manner manner;
	bool tls;
	const char *status;	/* of a redirect */
	const char *to;
	int fd;
	pid_t pid;
	char url[64];
	struct seen *seen;
};

static const char data[] = "a signature, say";
static const char reply_type[] = "application/timestamp-reply";

static struct {
	char dir[64], other[64];
	struct signer *s;
	struct trust *tsa;
	char pem[96], other_pem[96], key[96];
} k;

static size_t
read_request(BIO *b, char *p, size_t cap)
{
	size_t n = 0, length = 0, head = 0;
	const char *end, *field;
	int got;

	while (n < cap - 1 &&
	    (got = BIO_read(b, p + n, (int)(cap - 1 - n))) > 0) {
		n += (size_t)got;
		p[n] = '\0';
		if (head == 0 && (end = strstr(p, "\r\n\r\n")) != NULL) {
			head = (size_t)(end - p) + 4;
			field = strcasestr(p, "content-length:");
			length = field != NULL ?
			    strtoul(field + 15, NULL, 10) : 0;
		}
		if (head > 0 && n - head >= length)
			break;
	}
	memmove(p, p + head, n - head);
	return n - head;
}

static void
send_head(BIO *b, const char *version, size_t length)
{
	(void)BIO_printf(b, "HTTP/%s 200 OK\r\nContent-Type: %s\r\n"
	    "Content-Length: %zu\r\n\r\n", version, reply_type, length);
}

/* Manners that never come to an end; the client leaves, or we are killed. */
static void
dawdle(BIO *b, enum manner manner, const struct buf *tsr)
{
	const struct timespec nap = {0, 50000000};

	if (manner == HANGS_WITHIN || manner == DRIBBLES)
		send_head(b, "1.0", tsr->len);
	if (manner == HANGS_WITHIN)
		(void)BIO_write(b, tsr->p, (int)tsr->len / 2);
	if (manner == TALKS_ON)
		(void)BIO_puts(b, "HTTP/1.0 200 OK\r\n");
	for (size_t i = 0;; i++) {
		if (manner == DRIBBLES && i < tsr->len &&
		    BIO_write(b, tsr->p + i, 1) <= 0)
			return;
		if (manner == TALKS_ON && BIO_puts(b, "X-More: x\r\n") <= 0)
			return;
		(void)nanosleep(&nap, NULL);
	}
}

static void
answer(const struct server *v, BIO *b, const struct buf *tsr)
{
	static const uint8_t huge[] = {0x30, 0x84, 0x7f, 0xff, 0xff, 0xf0};
	char tail[64] = {0};

	switch (v->manner) {
	case ANSWERS:
	case ANSWERS_ANOTHER:
	case KEEPS_OPEN:
	case HALF:
		send_head(b, v->manner == KEEPS_OPEN ? "1.1" : "1.0",
		    tsr->len);
		(void)BIO_write(b, tsr->p, (int)tsr->len /
		    (v->manner == HALF ? 2 : 1));
		if (v->manner == KEEPS_OPEN)
			(void)BIO_read(b, tail, 1);
		break;
	case NAMES_NO_LENGTH:
		(void)BIO_printf(b, "HTTP/1.0 200 OK\r\nContent-Type: %s"
		    "\r\n\r\n", reply_type);
		(void)BIO_write(b, tsr->p, (int)tsr->len);
		break;
	case JUNK_BEHIND:
		send_head(b, "1.0", tsr->len + sizeof(tail));
		(void)BIO_write(b, tsr->p, (int)tsr->len);
		(void)BIO_write(b, tail, (int)sizeof(tail));
		break;
	case EMPTY:
		send_head(b, "1.0", 0);
		break;
	case HUGE_HEADER:
		(void)BIO_printf(b, "HTTP/1.0 200 OK\r\nContent-Type: %s"
		    "\r\n\r\n", reply_type);
		(void)BIO_write(b, huge, (int)sizeof(huge));
		break;
	case REDIRECTS:
		(void)BIO_printf(b, "HTTP/1.0 %s\r\nLocation: %s\r\n"
		    "Content-Length: 0\r\n\r\n", v->status, v->to);
		break;
	case HANGS:
	case HANGS_WITHIN:
	case DRIBBLES:
	case TALKS_ON:
		dawdle(b, v->manner, tsr);
		break;
	}
}

static void
treat(const struct server *v, BIO *b)
{
	static char request[8192];
	size_t n = read_request(b, request, sizeof(request));
	struct buf tsq, tsr;

	if (n == 0)
		return;
	v->seen->requests++;
	buf_init(&tsq, LIMIT_TSR);
	buf_init(&tsr, LIMIT_TSR);
	if (v->manner == ANSWERS_ANOTHER)
		(void)tstamp_query(data, sizeof(data), &tsq, NULL);
	else
		buf_put(&tsq, request, n);
	if (tstamp_local(k.s, tsq.p, tsq.len, &tsr, NULL) == 0)
		answer(v, b, &tsr);
	buf_release(&tsq);
	buf_release(&tsr);
}

static _Noreturn void
serve(const struct server *v)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	BIO *b, *tls;
	int fd;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)signal(SIGPIPE, SIG_IGN);
	if (v->tls && (SSL_CTX_use_certificate_chain_file(ctx, k.pem) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, k.key, SSL_FILETYPE_PEM) != 1))
		_exit(1);
	while ((fd = accept(v->fd, NULL, NULL)) >= 0) {
		v->seen->connections++;
		b = BIO_new_socket(fd, BIO_CLOSE);
		if (v->tls && (tls = BIO_new_ssl(ctx, 0)) != NULL)
			b = BIO_push(tls, b);
		treat(v, b);
		BIO_free_all(b);
	}
	_exit(0);
}

static void
listen_on(struct server *v, int backlog)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);

	assert_true((v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) >= 0);
	assert_int_equal(bind(v->fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(v->fd, backlog), 0);
	assert_int_equal(getsockname(v->fd, (struct sockaddr *)&a, &n), 0);
	(void)snprintf(v->url, sizeof(v->url), "%s://127.0.0.1:%u/tsr",
	    v->tls ? "https" : "http", ntohs(a.sin_port));
}

static void
server_start(struct server *v)
{
	v->seen = mmap(NULL, sizeof(*v->seen), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(v->seen != MAP_FAILED);
	listen_on(v, 4);
	assert_true((v->pid = fork()) >= 0);
	if (v->pid == 0)
		serve(v);
}

static void
server_stop(struct server *v)
{
	int status;

	assert_int_equal(kill(v->pid, SIGKILL), 0);
	assert_int_equal(waitpid(v->pid, &status, 0), v->pid);
	(void)close(v->fd);
	(void)munmap(v->seen, sizeof(*v->seen));
}

#endif /* !TESTS_UNIT_TSA_FIXTURE_H_ */
