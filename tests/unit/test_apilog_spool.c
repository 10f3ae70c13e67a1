#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/apilog/apilog_spool.h"
#include "analyzer/traffic/traffic.h"
#include "base/limits.h"

#define TEXT(s) {(s), sizeof(s) - 1}

static struct apilog_spool *s;
static int fd;

static int
setup(void **state)
{
	(void)state;
	fd = memfd_create("spool", 0);
	s = apilog_spool_new(fd, NULL);
	return fd >= 0 && s != NULL ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	apilog_spool_free(s);
	return close(fd);
}

static void
put(uint64_t number, bool has_time, int64_t ns)
{
	const struct traffic_record r = {.number = number,
	    .has_time = has_time, .ns = ns};

	assert_int_equal(apilog_spool_put(s, &r, NULL), 0);
}

/* Numbers as they come back, "2 0 1". */
static const char *
order(void)
{
	static char text[4096];
	struct traffic_record r;
	size_t n = 0;
	int rc;

	text[0] = '\0';
	assert_int_equal(apilog_spool_end(s, NULL), 0);
	while ((rc = apilog_spool_next(s, &r, NULL)) > 0)
		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%llu",
		    n > 0 ? " " : "", (unsigned long long)r.number);
	assert_int_equal(rc, 0);
	return text;
}

static void
records_come_back_in_time(void **state)
{
	(void)state;
	put(0, true, 30);
	put(1, true, 10);
	put(2, true, 20);
	put(3, true, 10);
	assert_string_equal(order(), "1 3 2 0");
}

static void
one_without_a_time_keeps_its_place(void **state)
{
	(void)state;
	put(0, false, 99);
	put(1, true, 30);
	put(2, false, 0);
	put(3, true, 10);
	put(4, false, 0);
	assert_string_equal(order(), "0 3 4 1 2");
}

static void
nothing_comes_back_of_nothing(void **state)
{
	(void)state;
	assert_string_equal(order(), "");
	assert_int_equal(apilog_spool_count(s), 0);
}

/* All that a record can have. */
static void
a_record_comes_back_whole(void **state)
{
	static const double scores[2] = {0.25, 0.75}, vector[3] = {1, 2, 3};
	static const struct row_text classes[2] = {TEXT("cat"), TEXT("dog")};
	static const uint8_t pixels[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
	    255};
	struct traffic_record r = {.has_time = true, .ns = -5, .number = 7,
	    .caller = TEXT("eve"), .label = TEXT(""), .output = TEXT("out"),
	    .kind = TRAFFIC_IMAGE, .pixels = pixels, .width = 2, .height = 2,
	    .channels = 3, .scores = scores, .nscores = 2,
	    .classes = classes, .has_status = true, .status = 200,
	    .has_digest = true, .digest = {[31] = 9}, .in_bytes = 11,
	    .out_bytes = 12}, x;

	(void)state;
	assert_int_equal(apilog_spool_put(s, &r, NULL), 0);
	r.kind = TRAFFIC_VECTOR;
	r.vector = vector;
	r.nvector = 3;
	r.classes = NULL;
	assert_int_equal(apilog_spool_put(s, &r, NULL), 0);
	assert_int_equal(apilog_spool_end(s, NULL), 0);
	assert_int_equal(apilog_spool_next(s, &x, NULL), 1);
	assert_true(x.has_time && x.ns == -5 && x.number == 7);
	assert_memory_equal(x.caller.p, "eve", 3);
	assert_true(x.endpoint.p == NULL && x.model.p == NULL &&
	    x.text.p == NULL);
	assert_true(x.label.p != NULL && x.label.n == 0);
	assert_memory_equal(x.pixels, pixels, sizeof(pixels));
	assert_memory_equal(x.scores, scores, sizeof(scores));
	assert_memory_equal(x.classes[1].p, "dog", 3);
	assert_true(x.has_status && x.status == 200 && x.has_digest &&
	    x.digest[31] == 9 && x.in_bytes == 11 && x.out_bytes == 12);
	assert_int_equal(apilog_spool_next(s, &x, NULL), 1);
	assert_true(x.kind == TRAFFIC_VECTOR && x.pixels == NULL &&
	    x.classes == NULL && x.nvector == 3);
	assert_memory_equal(x.vector, vector, sizeof(vector));
	assert_int_equal(apilog_spool_next(s, &x, NULL), 0);
}

/* Three files in order are three runs, whatever the batches are. */
static void
files_are_merged(void **state)
{
	static uint8_t pixels[100 * 100];
	struct traffic_record r = {.has_time = true, .kind = TRAFFIC_IMAGE,
	    .width = 100, .height = 100, .channels = 1, .pixels = pixels};
	int64_t last = INT64_MIN;
	uint64_t n = 0;

	(void)state;
	for (unsigned file = 0; file < 3; file++)
		for (unsigned i = 0; i < 700; i++) {
			r.number = n++;
			r.ns = 10 * (int64_t)i + file;
			pixels[r.number % 10000] = (uint8_t)r.number;
			assert_int_equal(apilog_spool_put(s, &r, NULL), 0);
			pixels[r.number % 10000] = 0;
		}
	assert_int_equal(apilog_spool_end(s, NULL), 0);
	assert_in_range(apilog_spool_runs(s), 3, 6);
	for (n = 0; apilog_spool_next(s, &r, NULL) > 0; n++) {
		assert_true(r.ns > last);
		last = r.ns;
		assert_int_equal(r.pixels[r.number % 10000],
		    (uint8_t)r.number);
		assert_int_equal(r.number, (uint64_t)(last % 10 * 700 +
		    last / 10));
	}
	assert_int_equal(n, 2100);
}

/* Time that goes back at every batch makes a run of each, and no more. */
static void
a_log_backwards_is_merged_from_many_runs(void **state)
{
	static char text[60000];
	struct traffic_record r = {.has_time = true, .kind = TRAFFIC_TEXT,
	    .text = {text, sizeof(text)}};
	uint64_t n;

	(void)state;
	memset(text, 'x', sizeof(text));
	for (n = 0; n < 1500; n++) {
		r.number = n;
		r.ns = -(int64_t)n;
		assert_int_equal(apilog_spool_put(s, &r, NULL), 0);
	}
	assert_int_equal(apilog_spool_end(s, NULL), 0);
	assert_in_range(apilog_spool_runs(s), 20, 30);
	while (n > 0) {
		assert_int_equal(apilog_spool_next(s, &r, NULL), 1);
		assert_int_equal(r.number, --n);
		assert_memory_equal(r.text.p, text, sizeof(text));
	}
	assert_int_equal(apilog_spool_next(s, &r, NULL), 0);
}

static void
a_record_beyond_the_limit_is_refused_alone(void **state)
{
	static const uint8_t pixels[1];
	struct traffic_record r = {.kind = TRAFFIC_IMAGE, .width = 8192,
	    .height = 8192, .channels = 1, .pixels = pixels};

	(void)state;
	put(0, true, 1);
	assert_int_equal(apilog_spool_put(s, &r, NULL), 1);
	put(1, true, 2);
	assert_string_equal(order(), "0 1");
}

/* Larger than a batch and than what is read at once. */
static void
a_large_record_comes_back(void **state)
{
	const size_t n = 9 * (size_t)MIB;
	char *text = malloc(n);
	struct traffic_record r = {.has_time = true, .ns = 2, .number = 1,
	    .kind = TRAFFIC_TEXT, .text = {text, n}};

	(void)state;
	assert_non_null(text);
	for (size_t i = 0; i < n; i++)
		text[i] = (char)(i % 251);
	put(0, true, 3);
	assert_int_equal(apilog_spool_put(s, &r, NULL), 0);
	put(2, true, 1);
	assert_int_equal(apilog_spool_end(s, NULL), 0);
	assert_int_equal(apilog_spool_next(s, &r, NULL), 1);
	assert_int_equal(r.number, 2);
	assert_int_equal(apilog_spool_next(s, &r, NULL), 1);
	assert_int_equal(r.number, 1);
	assert_memory_equal(r.text.p, text, n);
	assert_int_equal(apilog_spool_next(s, &r, NULL), 1);
	assert_int_equal(r.number, 0);
	free(text);
}

static void
a_file_that_cannot_be_written_is_an_error(void **state)
{
	struct apilog_spool *x;
	struct traffic_record r = {.number = 1};
	int ro = open("/dev/null", O_RDONLY);

	(void)state;
	x = apilog_spool_new(ro, NULL);
	assert_non_null(x);
	assert_int_equal(apilog_spool_put(x, &r, NULL), 0);
	assert_true(apilog_spool_end(x, NULL) < 0);
	apilog_spool_free(x);
	(void)close(ro);
}

#define SPOOL(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    SPOOL(records_come_back_in_time),
	    SPOOL(one_without_a_time_keeps_its_place),
	    SPOOL(nothing_comes_back_of_nothing),
	    SPOOL(a_record_comes_back_whole),
	    SPOOL(files_are_merged),
	    SPOOL(a_log_backwards_is_merged_from_many_runs),
	    SPOOL(a_record_beyond_the_limit_is_refused_alone),
	    SPOOL(a_large_record_comes_back),
	    SPOOL(a_file_that_cannot_be_written_is_an_error)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
