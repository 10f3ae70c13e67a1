#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "collector/page_seen.h"

static void
put(struct buf *b, unsigned endpoint, unsigned number, int digest)
{
	struct page_seen s = {.endpoint = endpoint, .number = number};

	memset(s.sha256, digest, sizeof(s.sha256));
	buf_put(b, &s, sizeof(s));
}

static void
check(const struct buf *a, const struct buf *b, uint64_t want_other,
    uint64_t want_alone)
{
	uint64_t other, alone;

	page_seen_compare(a, b, &other, &alone);
	assert_int_equal(other, want_other);
	assert_int_equal(alone, want_alone);
	page_seen_compare(b, a, &other, &alone);
	assert_int_equal(other, want_other);
	assert_int_equal(alone, want_alone);
}

static void
a_page_that_did_not_come_shifts_no_other(void **state)
{
	struct buf a, b;

	(void)state;
	buf_init(&a, 4096);
	buf_init(&b, 4096);
	check(&a, &b, 0, 0);
	for (unsigned i = 1; i < 5; i++) {
		put(&a, 0, i, (int)i);
		if (i != 2)
			put(&b, 0, i, (int)i);
	}
	check(&a, &b, 0, 1);
	put(&a, 1, 1, 7);
	put(&b, 1, 1, 8);
	check(&a, &b, 1, 1);
	put(&b, 1, 2, 8);
	put(&b, 2, 1, 8);
	check(&a, &b, 1, 3);
	buf_release(&a);
	buf_release(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_page_that_did_not_come_shifts_no_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
