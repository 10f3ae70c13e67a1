#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "custody/tsa_http.h"
#include "tests/unit/keys_fixture.h"

/*
 * A time stamp authority on a loopback port: a thread that answers one
 * request, well or badly.
 */
enum manner {
	ANSWERS, SAYS_500, SAYS_HTML, SENDS_GARBAGE, CLOSES, SENDS_TOO_MUCH,
	REDIRECTS
};

struct server {
	enum manner manner;
	struct signer *s;
	int fd;
	pthread_t thread;
	char url[64];
	bool right_type;	/* of the request's body */
};

static const char data[] = "a signature, say";

/* The request's body; its length in *n. */
static size_t
read_request(struct server *v, int fd, char *p, size_t cap)
{
	size_t n = 0, length = 0, head = 0;
	const char *end, *field;
	ssize_t got;

	while (n < cap - 1 && (got = read(fd, p + n, cap - 1 - n)) > 0) {
		n += (size_t)got;
		p[n] = '\0';
		if (head == 0 && (end = strstr(p, "\r\n\r\n")) != NULL) {
			head = (size_t)(end - p) + 4;
			field = strcasestr(p, "content-length:");
			length = field != NULL ?
			    strtoul(field + 15, NULL, 10) : 0;
			v->right_type = strcasestr(p,
			    "content-type: application/timestamp-query") !=
			    NULL;
		}
		if (head > 0 && n - head >= length)
			break;
	}
	memmove(p, p + head, n - head);
	return n - head;
}

static void
reply(int fd, const char *status, const char *type, const void *p, size_t n)
{
	char head[256];
	int len = snprintf(head, sizeof(head), "HTTP/1.0 %s\r\nContent-Type: "
	    "%s\r\nContent-Length: %zu\r\n\r\n", status, type, n);

	if (write(fd, head, (size_t)len) > 0 && n > 0)
		(void)!write(fd, p, n);
}

static void
answer(struct server *v, int fd)
{
	static const char type[] = "application/timestamp-reply";
	static char request[8192], flood[LIMIT_TSR + 4096];
	size_t n = read_request(v, fd, request, sizeof(request));
	struct buf tsr;

	buf_init(&tsr, LIMIT_TSR);
	switch (v->manner) {
	case ANSWERS:
		if (tstamp_local(v->s, request, n, &tsr, NULL) == 0)
			reply(fd, "200 OK", type, tsr.p, tsr.len);
		break;
	case SAYS_500:
		reply(fd, "500 Internal Server Error", type, "x", 1);
		break;
	case SAYS_HTML:
		reply(fd, "200 OK", "text/html", "<html>", 6);
		break;
	case SENDS_GARBAGE:
		reply(fd, "200 OK", type, "garbage", 7);
		break;
	case SENDS_TOO_MUCH:
		reply(fd, "200 OK", type, flood, sizeof(flood));
		break;
	case REDIRECTS:
		reply(fd, "302 Found\r\nLocation: http://127.0.0.1:9/", type,
		    "", 0);
		break;
	case CLOSES:
		break;
	}
	buf_release(&tsr);
}

static void *
serve(void *arg)
{
	struct server *v = arg;
	int fd = accept(v->fd, NULL, NULL);

	if (fd >= 0) {
		answer(v, fd);
		(void)close(fd);
	}
	return NULL;
}

static void
start(struct server *v)
{
	struct sockaddr_in a = {.sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof(a);

	assert_true((v->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC,
	    0)) >= 0);
	assert_int_equal(bind(v->fd, (struct sockaddr *)&a, n), 0);
	assert_int_equal(listen(v->fd, 1), 0);
	assert_int_equal(getsockname(v->fd, (struct sockaddr *)&a, &n), 0);
	(void)snprintf(v->url, sizeof(v->url), "http://127.0.0.1:%u/tsr",
	    ntohs(a.sin_port));
}

static struct {
	char dir[64];
	struct signer *s;
	struct trust *tsa;
} k;

/* Ask a server that behaves so; the outcome of asking and of accepting. */
static int
ask(enum manner manner, struct server *v, struct err *e)
{
	struct buf tsq, tsr;
	struct tsa_http *t;
	int64_t at;
	int r;

	*v = (struct server){.manner = manner, .s = k.s};
	start(v);
	/* The helper is forked before there is a thread. */
	assert_int_equal(tsa_http_start(v->url, NULL, &t, e), 0);
	assert_int_equal(pthread_create(&v->thread, NULL, serve, v), 0);
	buf_init(&tsq, LIMIT_TSR);
	buf_init(&tsr, LIMIT_TSR);
	assert_int_equal(tstamp_query(data, sizeof(data), &tsq, e), 0);
	if ((r = tsa_http_ask(t, tsq.p, tsq.len, &tsr, e)) == 0)
		r = tstamp_accept(tsq.p, tsq.len, tsr.p, tsr.len, data,
		    sizeof(data), k.tsa, &at, e);
	tsa_http_stop(t);
	(void)shutdown(v->fd, SHUT_RDWR);
	(void)close(v->fd);
	(void)pthread_join(v->thread, NULL);
	buf_release(&tsq);
	buf_release(&tsr);
	return r;
}

static void
a_token_comes_by_http(void **state)
{
	struct err e = ERR_INIT;
	struct server v;

	(void)state;
	if (ask(ANSWERS, &v, &e) < 0)
		fail_msg("%s", e.msg);
	assert_true(v.right_type);
}

static void
a_server_that_misbehaves_is_an_error(void **state)
{
	static const enum manner bad[] = {SAYS_500, SAYS_HTML, SENDS_GARBAGE,
	    CLOSES, SENDS_TOO_MUCH, REDIRECTS};
	struct server v;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		if (ask(bad[i], &v, &e) >= 0)
			fail_msg("manner %u was taken", bad[i]);
		assert_true(e.msg[0] != '\0');
	}
}

static void
nobody_listening_is_an_error(void **state)
{
	struct err e = ERR_INIT;
	struct tsa_http *t;
	struct server v = {0};
	struct buf tsr;

	(void)state;
	start(&v);
	(void)close(v.fd);
	assert_int_equal(tsa_http_start(v.url, NULL, &t, &e), 0);
	buf_init(&tsr, LIMIT_TSR);
	assert_true(tsa_http_ask(t, "query", 5, &tsr, &e) < 0);
	assert_true(e.msg[0] != '\0');
	buf_release(&tsr);
	tsa_http_stop(t);
}

static void
only_http_urls_are_taken(void **state)
{
	struct tsa_http *t = NULL;

	(void)state;
	assert_int_equal(tsa_http_start("file:///etc/passwd", NULL, &t,
	    NULL), ERR_ARG);
	assert_int_equal(tsa_http_start("", NULL, &t, NULL), ERR_ARG);
	assert_null(t);
	tsa_http_stop(NULL);
}

static void
a_helper_that_is_never_asked_ends(void **state)
{
	struct tsa_http *t;

	(void)state;
	assert_int_equal(tsa_http_start("http://127.0.0.1:9/", NULL, &t,
	    NULL), 0);
	tsa_http_stop(t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_token_comes_by_http),
	    cmocka_unit_test(a_server_that_misbehaves_is_an_error),
	    cmocka_unit_test(nobody_listening_is_an_error),
	    cmocka_unit_test(only_http_urls_are_taken),
	    cmocka_unit_test(a_helper_that_is_never_asked_ends),
	};
	int r;

	if (digest_start(NULL) < 0)
		return 1;
	keys_make(k.dir, "p256");
	clock_pin(0);
	k.s = keys_signer(k.dir);
	k.tsa = keys_trust(signer_tsa_pem(k.s));
	r = cmocka_run_group_tests(tests, NULL, NULL);
	trust_free(k.tsa);
	signer_free(k.s);
	keys_remove(k.dir);
	return r;
}
