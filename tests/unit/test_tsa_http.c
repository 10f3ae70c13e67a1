#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/tsa_fixture.h"

/* The file under test with a deadline that a test can wait for. */
#undef LIMIT_TSA_SECONDS
#define LIMIT_TSA_SECONDS 1
#include "custody/tsa_http.c"

/*
 * Ask an URL once.  The end in time and the end of the helper are checked
 * for every manner; what came is judged as collect judges it.
 */
static int
ask(const char *url, const char *ca_file, struct err *e)
{
	int64_t begun = clock_mono_ns(), at = 0;
	struct tsa_http *t = NULL;
	struct buf tsq, tsr;
	pid_t helper;
	int r;

	buf_init(&tsq, LIMIT_TSR);
	buf_init(&tsr, LIMIT_TSR);
	assert_int_equal(tsa_http_start(url, ca_file, &t, e), 0);
	helper = t->p.pid;
	assert_int_equal(tstamp_query(data, sizeof(data), &tsq, e), 0);
	if ((r = tsa_http_ask(t, tsq.p, tsq.len, &tsr, e)) < 0)
		assert_int_equal(tsr.len, 0);
	else
		r = tstamp_accept(tsq.p, tsq.len, tsr.p, tsr.len, data,
		    sizeof(data), k.tsa, &at, e);
	tsa_http_stop(t);
	assert_int_equal(kill(helper, 0), -1);
	if (clock_mono_ns() - begun > 6000000000)
		fail_msg("%s: an end, but not in time", url);
	if (r < 0 && (e->msg[0] == '\0' || strstr(e->msg, "Success") != NULL))
		fail_msg("'%s' is no reason", e->msg);
	buf_release(&tsq);
	buf_release(&tsr);
	return r;
}

static int
ask_one(enum manner manner, struct err *e)
{
	struct server v = {.manner = manner};
	int r;

	server_start(&v);
	r = ask(v.url, NULL, e);
	assert_int_equal(v.seen->connections, 1);
	assert_int_equal(v.seen->requests, 1);
	server_stop(&v);
	return r;
}

static void
a_reply_is_taken_however_its_end_is_told(void **state)
{
	static const enum manner good[] = {ANSWERS, NAMES_NO_LENGTH,
	    KEEPS_OPEN};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct err e = ERR_INIT;

		if (ask_one(good[i], &e) < 0)
			fail_msg("manner %u: %s", good[i], e.msg);
	}
}

static void
a_reply_to_another_query_is_not_accepted(void **state)
{
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(ask_one(ANSWERS_ANOTHER, &e), ERR_VERIFY);
	assert_non_null(strstr(e.msg, "nonce"));
}

static void
what_is_not_one_whole_reply_is_refused(void **state)
{
	static const enum manner bad[] = {HALF, JUNK_BEHIND, EMPTY,
	    HUGE_HEADER};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = ERR_INIT;

		if (ask_one(bad[i], &e) >= 0)
			fail_msg("manner %u was taken", bad[i]);
	}
}

/* Whoever redirects chooses another authority than the person did. */
static void
a_redirect_is_not_followed(void **state)
{
	static const char *const status[] = {"301 Moved Permanently",
	    "302 Found", "303 See Other", "307 Temporary Redirect",
	    "308 Permanent Redirect"};
	struct server other = {.manner = ANSWERS};

	(void)state;
	server_start(&other);
	for (size_t i = 0; i < sizeof(status) / sizeof(status[0]); i++) {
		struct server v = {.manner = REDIRECTS, .status = status[i],
		    .to = other.url};
		struct err e = ERR_INIT;

		server_start(&v);
		assert_int_equal(ask(v.url, NULL, &e), ERR_IO);
		assert_int_equal(v.seen->requests, 1);
		server_stop(&v);
	}
	assert_int_equal(other.seen->connections, 0);
	server_stop(&other);
}

static void
an_authority_that_dawdles_is_left_in_time(void **state)
{
	static const enum manner slow[] = {HANGS, HANGS_WITHIN, DRIBBLES,
	    TALKS_ON};

	(void)state;
	for (size_t i = 0; i < sizeof(slow) / sizeof(slow[0]); i++) {
		struct err e = ERR_INIT;

		if (ask_one(slow[i], &e) != ERR_IO)
			fail_msg("manner %u: %s", slow[i], e.msg);
	}
}

/* Nobody accepts and the queue is full: the kernel itself says nothing. */
static void
a_door_that_never_opens_is_left_in_time(void **state)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	struct err e = ERR_INIT;
	struct server v = {0};
	int queue[4];

	(void)state;
	listen_on(&v, 0);
	assert_int_equal(getsockname(v.fd, (struct sockaddr *)&a, &n), 0);
	for (unsigned i = 0; i < 4; i++) {
		assert_true((queue[i] = socket(AF_INET, SOCK_STREAM |
		    SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) >= 0);
		(void)connect(queue[i], (struct sockaddr *)&a, n);
	}
	assert_int_equal(ask(v.url, NULL, &e), ERR_IO);
	for (unsigned i = 0; i < 4; i++)
		(void)close(queue[i]);
	(void)close(v.fd);
}

static void
https_takes_the_server_that_was_named(void **state)
{
	struct server v = {.manner = ANSWERS, .tls = true};
	struct err e = ERR_INIT;

	(void)state;
	server_start(&v);
	if (ask(v.url, k.pem, &e) < 0)
		fail_msg("%s", e.msg);
	/* Without a name for it, the token alone proves itself. */
	if (ask(v.url, NULL, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(v.seen->requests, 2);
	server_stop(&v);
}

/* It must not even learn what is asked. */
static void
https_asks_nothing_of_another_server(void **state)
{
	struct server v = {.manner = ANSWERS, .tls = true};
	const char *const files[] = {k.other_pem, k.key, "/nonexistent"};

	(void)state;
	server_start(&v);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct err e = ERR_INIT;

		assert_int_equal(ask(v.url, files[i], &e), ERR_IO);
	}
	assert_int_equal(v.seen->requests, 0);
	assert_int_equal(v.seen->connections, 1);
	server_stop(&v);
}

static void
https_does_not_fall_back_to_plain(void **state)
{
	struct server v = {.manner = ANSWERS};
	struct err e = ERR_INIT;
	char url[80];

	(void)state;
	server_start(&v);
	(void)snprintf(url, sizeof(url), "https%s", v.url + 4);
	assert_int_equal(ask(url, NULL, &e), ERR_IO);
	server_stop(&v);
}

static void
a_second_question_is_refused(void **state)
{
	struct server v = {.manner = ANSWERS};
	struct err e = ERR_INIT;
	struct tsa_http *t;
	struct buf tsr;

	(void)state;
	server_start(&v);
	assert_int_equal(tsa_http_start(v.url, NULL, &t, &e), 0);
	buf_init(&tsr, LIMIT_TSR);
	assert_int_equal(tsa_http_ask(t, "first", 5, &tsr, NULL), ERR_IO);
	assert_true(tsa_http_ask(t, "second", 6, &tsr, &e) < 0);
	assert_int_equal(tsr.len, 0);
	buf_release(&tsr);
	tsa_http_stop(t);
	server_stop(&v);
}

static void
keys(void)
{
	keys_make(k.dir, "p256");
	keys_make(k.other, "p256");
	clock_pin(0);
	k.s = keys_signer(k.dir);
	k.tsa = keys_trust(signer_tsa_pem(k.s));
	(void)snprintf(k.pem, sizeof(k.pem), "%s/examiner.pem", k.dir);
	(void)snprintf(k.key, sizeof(k.key), "%s/examiner.key", k.dir);
	(void)snprintf(k.other_pem, sizeof(k.other_pem), "%s/examiner.pem",
	    k.other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_reply_is_taken_however_its_end_is_told),
	    cmocka_unit_test(a_reply_to_another_query_is_not_accepted),
	    cmocka_unit_test(what_is_not_one_whole_reply_is_refused),
	    cmocka_unit_test(a_redirect_is_not_followed),
	    cmocka_unit_test(an_authority_that_dawdles_is_left_in_time),
	    cmocka_unit_test(a_door_that_never_opens_is_left_in_time),
	    cmocka_unit_test(https_takes_the_server_that_was_named),
	    cmocka_unit_test(https_asks_nothing_of_another_server),
	    cmocka_unit_test(https_does_not_fall_back_to_plain),
	    cmocka_unit_test(a_second_question_is_refused),
	};
	int r;

	if (digest_start(NULL) < 0)
		return 1;
	(void)alarm(120);	/* a deadline that fails must not hang */
	keys();
	r = cmocka_run_group_tests(tests, NULL, NULL);
	trust_free(k.tsa);
	signer_free(k.s);
	keys_remove(k.dir);
	keys_remove(k.other);
	return r;
}
