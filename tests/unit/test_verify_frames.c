#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "custody/verify.h"
#include "custody/verify_frames.h"

/* A message of any number of frames, taken one by one. */
static bool
take_all(const uint8_t *p, size_t n, struct verify_frames *f,
    struct verify_result *r, struct err *e)
{
	struct cursor c, body;
	uint8_t head[FRAME_HEADER];
	bool ok;

	cursor_init(&c, p, n, 0);
	while (!cursor_at_end(&c)) {
		if (!cursor_copy(&c, head, sizeof(head)))
			return false;
		if (!cursor_sub(&c, frame_size(head, &ok), &body) || !ok ||
		    !verify_frames_take(f, head[4], body.buf, body.len, r, e))
			return false;
	}
	return true;
}

static size_t
pass_through(uint8_t *dst, size_t cap, const struct verify_result *r,
    const struct err *what)
{
	int fds[2];
	ssize_t n;

	assert_int_equal(pipe(fds), 0);
	if (what != NULL)
		assert_int_equal(verify_frames_send_error(fds[1], what, NULL),
		    0);
	else
		assert_int_equal(verify_frames_send(fds[1], r, NULL), 0);
	n = read(fds[0], dst, cap);
	assert_true(n > 0 && (size_t)n < cap);
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(close(fds[1]), 0);
	return (size_t)n;
}

static void
fill(struct verify_result *r)
{
	memset(r, 0, sizeof(*r));
	for (unsigned i = 0; i < VERIFY_STATEMENTS; i++) {
		r->st[i].outcome = (enum verify_outcome)(i % 3);
		(void)snprintf(r->st[i].reason, sizeof(r->st[i].reason),
		    "reason %u with \\x1B and \xc3\xbc", i);
	}
	(void)snprintf(r->bag, sizeof(r->bag), "CASE-E01");
	(void)snprintf(r->signer, sizeof(r->signer), "A. Signer");
	(void)snprintf(r->tsa, sizeof(r->tsa), "A. Clock");
	r->size = 1ULL << 40;
	r->members = 7;
	r->has_sha256 = true;
	memset(r->sha256, 3, 32);
	memset(r->signer_sha256, 4, 32);
	r->gen_time = 1774353600;
	r->local_tsa = true;
}

static void
an_honest_result_arrives_unchanged(void **state)
{
	uint8_t msg[16384];
	struct verify_result sent, got;
	struct verify_frames f;
	size_t n;

	(void)state;
	for (unsigned k = 0; k < 2; k++) {
		fill(&sent);
		if (k == 1) {
			sent.has_sha256 = sent.local_tsa = false;
			memset(sent.sha256, 0, 32);
			sent.gen_time = -1;
			memset(sent.bag, 0, sizeof(sent.bag));
		}
		memset(&got, 0, sizeof(got));
		f = (struct verify_frames){0};
		n = pass_through(msg, sizeof(msg), &sent, NULL);
		assert_true(take_all(msg, n, &f, &got, NULL));
		assert_true(f.done && !f.failed);
		assert_memory_equal(&got, &sent, sizeof(got));
	}
}

static void
an_error_arrives_alone(void **state)
{
	struct err sent = ERR_INIT, got = ERR_INIT;
	struct verify_frames f = {0};
	struct verify_result r;
	uint8_t msg[1024];
	size_t n;

	(void)state;
	(void)err_set(&sent, ERR_NOMEM, "out of memory");
	n = pass_through(msg, sizeof(msg), NULL, &sent);
	assert_true(take_all(msg, n, &f, &r, &got));
	assert_true(f.done && f.failed);
	assert_int_equal(got.code, ERR_NOMEM);
	assert_string_equal(got.msg, "out of memory");
	/* Nothing may follow. */
	assert_false(take_all(msg, n, &f, &r, NULL));
}

static bool
take_built(struct buf *b, struct verify_frames *f, struct verify_result *r)
{
	return verify_frames_take(f, b->p[4], b->p + FRAME_HEADER,
	    b->len - FRAME_HEADER, r, NULL);
}

static bool
take_statement(uint32_t i, uint32_t outcome, const char *reason, size_t n,
    struct verify_result *r)
{
	struct verify_frames f = {.statements = 1};
	struct buf b;
	bool ok;

	buf_init(&b, 4096);
	frame_begin(&b, VERIFY_FRAME_STATEMENT);
	frame_put_u32(&b, 1, i);
	frame_put_u32(&b, 2, outcome);
	frame_put(&b, 3, reason, n);
	ok = take_built(&b, &f, r);
	buf_release(&b);
	return ok;
}

static void
hostile_statements_are_refused(void **state)
{
	struct verify_result r;
	char longest[300];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_true(take_statement(1, 2, "x", 1, &r));
	assert_false(take_statement(0, 2, "x", 1, &r));
	assert_false(take_statement(2, 2, "x", 1, &r));
	assert_false(take_statement(UINT32_MAX, 2, "x", 1, &r));
	assert_false(take_statement(1, 3, "x", 1, &r));
	assert_false(take_statement(1, UINT32_MAX, "x", 1, &r));
	assert_true(take_statement(1, 2, longest, 255, &r));
	assert_false(take_statement(1, 2, longest, 256, &r));
	/* It grows when it is made printable: still within. */
	memset(longest, 0x1b, sizeof(longest));
	assert_false(take_statement(1, 2, longest, 255, &r));
	assert_true(take_statement(1, 2, longest, 60, &r));
	assert_int_equal(strlen(r.st[1].reason), 240);
}

static void
hostile_text_becomes_printable(void **state)
{
	struct verify_result r;

	(void)state;
	assert_true(take_statement(1, 2, "\x1b[2J\0\n\xff", 7, &r));
	assert_string_equal(r.st[1].reason,
	    "\\x1B[2J\\x00\\x0A\\xFF");
	assert_true(take_statement(1, 2, "a\\xZZ\\x41\\", 10, &r));
	assert_string_equal(r.st[1].reason, "a\\x5CxZZ\\x41\\x5C");
	assert_true(take_statement(1, 2, "\\\\x41", 5, &r));
	assert_string_equal(r.st[1].reason, "\\x5C\\x41");
	/* Right-to-left override. */
	assert_true(take_statement(1, 2, "\xe2\x80\xae", 3, &r));
	assert_string_equal(r.st[1].reason, "\\xE2\\x80\\xAE");
}

/* Whatever byte of a true message changes: it is refused or stays sane. */
static void
a_changed_message_never_leaves_the_bounds(void **state)
{
	uint8_t msg[16384];
	struct verify_result sent, got;
	struct verify_frames f;
	struct err e;
	size_t n;

	(void)state;
	fill(&sent);
	n = pass_through(msg, sizeof(msg), &sent, NULL);
	for (size_t i = 0; i < n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			msg[i] ^= (uint8_t)(1U << bit);
			f = (struct verify_frames){0};
			memset(&got, 0x55, sizeof(got));
			e = (struct err)ERR_INIT;
			if (take_all(msg, n, &f, &got, &e) && f.done &&
			    !f.failed) {
				for (unsigned s = 0; s < VERIFY_STATEMENTS;
				    s++) {
					assert_true(got.st[s].outcome <=
					    VERIFY_FAILS);
					assert_true(strlen(got.st[s].reason)
					    < sizeof(got.st[s].reason));
				}
				assert_true(got.gen_time >= -1);
			}
			msg[i] ^= (uint8_t)(1U << bit);
		}
}

static void
a_result_needs_all_statements_first(void **state)
{
	struct verify_frames f = {.statements = VERIFY_STATEMENTS - 1};
	struct verify_result sent, got;
	uint8_t msg[16384];
	struct buf b;
	size_t n;

	(void)state;
	fill(&sent);
	n = pass_through(msg, sizeof(msg), &sent, NULL);
	assert_true(n > 100);
	buf_init(&b, 4096);
	frame_begin(&b, VERIFY_FRAME_RESULT);
	frame_put_str(&b, 1, "");
	assert_false(take_built(&b, &f, &got));
	frame_begin(&b, 9);
	assert_false(take_built(&b, &f, &got));
	/* A bag name that is none. */
	fill(&sent);
	(void)snprintf(sent.bag, sizeof(sent.bag), "../x");
	n = pass_through(msg, sizeof(msg), &sent, NULL);
	f = (struct verify_frames){0};
	assert_false(take_all(msg, n, &f, &got, NULL));
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_honest_result_arrives_unchanged),
	    cmocka_unit_test(an_error_arrives_alone),
	    cmocka_unit_test(hostile_statements_are_refused),
	    cmocka_unit_test(hostile_text_becomes_printable),
	    cmocka_unit_test(a_changed_message_never_leaves_the_bounds),
	    cmocka_unit_test(a_result_needs_all_statements_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
