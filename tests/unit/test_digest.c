#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/limits.h"
#include "custody/digest.h"

/* FIPS 180-4: "abc". */
static const char abc256[] =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char abc512[] =
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

static void
both_digests_are_those_of_the_standard(void **state)
{
	char hex[129];
	struct digests d;

	(void)state;
	assert_int_equal(digest_mem("abc", 3, DIGEST_SHA256 | DIGEST_SHA512,
	    &d, NULL), 0);
	digest_hex(hex, d.sha256, 32);
	assert_string_equal(hex, abc256);
	digest_hex(hex, d.sha512, 64);
	assert_string_equal(hex, abc512);
}

static void
what_was_not_asked_for_is_zero(void **state)
{
	static const uint8_t zero[64];
	struct digests d;

	(void)state;
	memset(&d, 7, sizeof(d));
	assert_int_equal(digest_mem("abc", 3, DIGEST_SHA256, &d, NULL), 0);
	assert_memory_equal(d.sha512, zero, 64);
}

static void
a_value_in_between_does_not_end_the_digest(void **state)
{
	struct digest *d = digest_new(DIGEST_SHA256, NULL);
	struct digests half, whole, again;
	char hex[65];

	(void)state;
	assert_non_null(d);
	assert_int_equal(digest_put(d, "a", 1, NULL), 0);
	assert_int_equal(digest_now(d, &half, NULL), 0);
	assert_int_equal(digest_put(d, "bc", 2, NULL), 0);
	assert_int_equal(digest_now(d, &whole, NULL), 0);
	digest_hex(hex, whole.sha256, 32);
	assert_string_equal(hex, abc256);
	assert_memory_not_equal(half.sha256, whole.sha256, 32);
	assert_int_equal(digest_reset(d, NULL), 0);
	assert_int_equal(digest_put(d, "a", 1, NULL), 0);
	assert_int_equal(digest_now(d, &again, NULL), 0);
	assert_memory_equal(again.sha256, half.sha256, 32);
	digest_free(d);
}

/* The lane gives what the digest gives, however the bytes come. */
static void
a_lane_hashes_what_it_is_given_in_order(void **state)
{
	const size_t n = 5 * LIMIT_COPY_CHUNK + 12345;
	uint8_t *p = malloc(n);
	struct digests expected, got;
	struct lane *l;
	size_t part;

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 2654435761U >> 13);
	assert_int_equal(digest_mem(p, n, DIGEST_SHA256, &expected, NULL), 0);
	assert_non_null(l = lane_new(DIGEST_SHA256, NULL));
	for (unsigned round = 0; round < 3; round++) {
		static const size_t steps[] = {1 << 20, 4097, 300001};

		assert_int_equal(lane_reset(l, NULL), 0);
		for (size_t at = 0; at < n; at += part) {
			part = n - at < steps[round] ? n - at : steps[round];
			assert_int_equal(lane_put(l, p + at, part, NULL), 0);
			if (at == 0)
				assert_int_equal(lane_now(l, &got, NULL), 0);
		}
		assert_int_equal(lane_now(l, &got, NULL), 0);
		assert_memory_equal(got.sha256, expected.sha256, 32);
	}
	lane_free(l);
	free(p);
}

static void
a_lane_may_be_freed_with_work_to_do(void **state)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct lane *l = lane_new(DIGEST_SHA256, NULL);

	(void)state;
	assert_non_null(l);
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(lane_put(l, chunk, sizeof(chunk), NULL), 0);
	lane_free(l);
	lane_free(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_digests_are_those_of_the_standard),
	    cmocka_unit_test(what_was_not_asked_for_is_zero),
	    cmocka_unit_test(a_value_in_between_does_not_end_the_digest),
	    cmocka_unit_test(a_lane_hashes_what_it_is_given_in_order),
	    cmocka_unit_test(a_lane_may_be_freed_with_work_to_do),
	};

	if (digest_start(NULL) < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
