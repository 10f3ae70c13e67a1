#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/coverage.h"
#include "analyzer/wire.h"
#include "base/err.h"

static uint8_t sent[1 << 16];
static size_t sent_n;

/* Read back what the last wire_send_* wrote. */
static void
receive(int fd)
{
	ssize_t n = read(fd, sent, sizeof(sent));

	assert_true(n > 0);
	sent_n = (size_t)n;
}

static bool
parse(struct frame *f)
{
	bool ok;
	uint32_t n = frame_size(sent, &ok);

	return ok && sent_n == n + FRAME_HEADER &&
	    frame_parse(f, sent[4], sent + FRAME_HEADER, n);
}

static void
a_finding_survives_the_wire(void **state)
{
	struct wire_finding got;
	struct finding f = {.id = FINDING_TRAILING,
	    .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_CERTAIN,
	    .off = 77, .len = 1ULL << 40};
	struct frame frame;
	struct wire w;
	int fds[2];

	(void)state;
	f.details[0] = (struct detail){"text",
	    (const uint8_t *)"a\0b\xff", 4, 0};
	f.details[1] = (struct detail){"num", NULL, 0, UINT64_MAX};
	f.ndetails = 2;
	assert_int_equal(pipe(fds), 0);
	wire_init(&w, fds[1]);
	assert_int_equal(wire_send_finding(&w, 3, &f, NULL), 0);
	receive(fds[0]);
	assert_true(parse(&frame));
	assert_true(wire_read_finding(&frame, &got));
	assert_int_equal(got.object, 3);
	assert_int_equal(got.f.id, FINDING_TRAILING);
	assert_true(got.f.len == 1ULL << 40);
	assert_int_equal(got.f.ndetails, 2);
	assert_string_equal(got.f.details[0].key, "text");
	assert_memory_equal(got.f.details[0].text, "a\0b\xff", 4);
	assert_true(got.f.details[1].num == UINT64_MAX);
	wire_release(&w);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* Whatever a byte of a frame becomes, reading it stays inside the frame. */
static void
a_mutated_finding_is_read_safely_or_refused(void **state)
{
	struct finding f = {.id = FINDING_PKL_CALL_DANGEROUS};
	struct wire_finding got;
	struct frame frame;
	unsigned refused = 0;
	struct wire w;
	int fds[2];
	bool ok;

	(void)state;
	f.details[0] = (struct detail){"callee",
	    (const uint8_t *)"os.system", 9, 0};
	f.ndetails = 1;
	assert_int_equal(pipe(fds), 0);
	wire_init(&w, fds[1]);
	assert_int_equal(wire_send_finding(&w, 0, &f, NULL), 0);
	receive(fds[0]);
	for (size_t i = 0; i < sent_n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			uint8_t was = sent[i];

			sent[i] = (uint8_t)(was ^ 1U << bit);
			assert_int_not_equal(sent[i], was);
			ok = parse(&frame) && wire_read_finding(&frame, &got);
			if (ok) {
				assert_true(got.f.id < FINDING_COUNT);
				assert_true(got.f.severity < SEVERITY_COUNT);
				assert_true(got.f.ndetails <=
				    FINDING_DETAILS);
			} else {
				refused++;
			}
			sent[i] = was;
		}
	assert_true(refused > sent_n);
	wire_release(&w);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
one_type_is_never_read_as_another(void **state)
{
	struct wire_end end = {.index = 1, .complete = true,
	    .format = "pickle", .tensors = 7};
	struct sandbox_status st;
	struct wire_finding wf;
	struct wire_begin wb;
	struct coverage_sum cover;
	struct wire_end got;
	struct frame frame;
	struct wire w;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	wire_init(&w, fds[1]);
	assert_int_equal(wire_send_end(&w, &end, NULL), 0);
	assert_int_equal(wire_flush(&w, NULL), 0);
	receive(fds[0]);
	assert_true(parse(&frame));
	assert_true(wire_read_end(&frame, &got, &cover));
	assert_null(got.cover);
	assert_string_equal(got.format, "pickle");
	assert_int_equal(got.tensors, 7);
	assert_false(got.has_sha256);
	assert_false(wire_read_begin(&frame, &wb));
	assert_false(wire_read_finding(&frame, &wf));
	assert_false(wire_read_status(&frame, &st));
	wire_release(&w);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
a_format_with_markup_is_refused(void **state)
{
	struct wire_end end = {.format = "<b>"};
	struct coverage_sum cover;
	struct frame frame;
	struct wire_end got;
	struct wire w;
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	wire_init(&w, fds[1]);
	assert_int_equal(wire_send_end(&w, &end, NULL), 0);
	assert_int_equal(wire_flush(&w, NULL), 0);
	receive(fds[0]);
	assert_true(parse(&frame));
	assert_false(wire_read_end(&frame, &got, &cover));
	wire_release(&w);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

/* The map is END's field number 8. */
#define COVER_TAG 8

static void
send_cover(struct wire *w, int fds[2], const struct coverage_sum *s)
{
	const struct wire_end end = {.format = "zip", .cover = s};

	assert_int_equal(pipe(fds), 0);
	wire_init(w, fds[1]);
	assert_int_equal(wire_send_end(w, &end, NULL), 0);
	assert_int_equal(wire_flush(w, NULL), 0);
	receive(fds[0]);
}

static void
a_map_arrives_as_it_was_sent(void **state)
{
	struct coverage_sum sent_map = {0}, cover;
	struct wire_end got;
	struct frame frame;
	struct wire w;
	int fds[2];

	(void)state;
	coverage_count(&sent_map, COVERAGE_EXPLAINED, 0, 10);
	coverage_count(&sent_map, COVERAGE_PADDING, 10, 2);
	coverage_count(&sent_map, COVERAGE_UNEXPLAINED, 12, 88);
	send_cover(&w, fds, &sent_map);
	assert_true(parse(&frame));
	assert_true(wire_read_end(&frame, &got, &cover));
	assert_ptr_equal(got.cover, &cover);
	assert_memory_equal(cover.bytes, sent_map.bytes,
	    sizeof(cover.bytes));
	assert_int_equal(cover.nbare, 2);
	assert_int_equal(cover.bare[1].off, 12);
	assert_true(coverage_sum_ok(&cover, 100));
	assert_false(coverage_sum_ok(&cover, 99));
	assert_false(coverage_sum_ok(&cover, 101));
	cover.bare[1].off = 11;
	assert_false(coverage_sum_ok(&cover, 100));
	wire_release(&w);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static void
a_map_that_is_cut_or_too_long_is_refused(void **state)
{
	struct coverage_sum sent_map = {0}, cover;
	struct wire_end got;
	struct frame frame;
	struct wire w;
	int fds[2];

	(void)state;
	for (uint64_t i = 0; i < 1000; i++)
		coverage_count(&sent_map, COVERAGE_PADDING, 2 * i, 1);
	assert_int_equal(sent_map.nbare, LIMIT_COVER_LISTED);
	send_cover(&w, fds, &sent_map);
	assert_true(parse(&frame));
	assert_true(wire_read_end(&frame, &got, &cover));
	/* The map is the last field: a shorter one, and one range more. */
	frame.field[COVER_TAG].len--;
	assert_false(wire_read_end(&frame, &got, &cover));
	frame.field[COVER_TAG].len -= 16;
	assert_true(wire_read_end(&frame, &got, &cover));
	frame.field[COVER_TAG].len = 40;
	assert_false(wire_read_end(&frame, &got, &cover));
	wire_release(&w);
	(void)close(fds[0]);
	(void)close(fds[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_finding_survives_the_wire),
	    cmocka_unit_test(a_mutated_finding_is_read_safely_or_refused),
	    cmocka_unit_test(one_type_is_never_read_as_another),
	    cmocka_unit_test(a_format_with_markup_is_refused),
	    cmocka_unit_test(a_map_arrives_as_it_was_sent),
	    cmocka_unit_test(a_map_that_is_cut_or_too_long_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
