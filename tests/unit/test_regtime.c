#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/regb64.h"
#include "formats/reg/regtime.h"

static int64_t
at(const char *s)
{
	int64_t ns = -1;

	return regtime_rfc3339(s, strlen(s), &ns) ? ns : -1;
}

static void
times_have_a_zone_and_a_fraction(void **state)
{
	(void)state;
	assert_int_equal(at("1970-01-01T00:00:00Z"), 0);
	assert_int_equal(at("2026-07-01T00:00:00Z"), 1782864000000000000);
	assert_int_equal(at("2026-07-01T02:00:00.5+02:00"),
	    1782864000500000000);
	assert_int_equal(at("2026-06-30 18:30:00-0530"), 1782864000000000000);
	assert_int_equal(at("2026-07-01T00:00:00.1234567899Z"),
	    1782864000123456789);
	assert_int_equal(at("2000-02-29T23:59:59Z"), 951868799000000000);
	assert_int_equal(at("2026-07-01T00:00:00"), -1);
	assert_int_equal(at("2026-13-01T00:00:00Z"), -1);
	assert_int_equal(at("2026-02-29T00:00:00Z"), -1);
	assert_int_equal(at("2026-06-31T00:00:00Z"), -1);
	assert_int_equal(at("0001-01-01T00:00:00Z"), -1);
	assert_int_equal(at("2026-07-01T00:00:00Zx"), -1);
	assert_int_equal(at(""), -1);
}

static void
base64_is_strict(void **state)
{
	static const char *const bad[] = {"Zg", "Zg=", "Zh==", "Zm9=", "Z===",
	    "====", "Zg==Zg==", "Zm 9", "Zm9v\n", "-_-_"};
	struct arena *a = arena_new(MIB);
	const uint8_t *p;
	size_t n;

	(void)state;
	assert_non_null(a);
	assert_int_equal(regb64_decode("Zm9vYg==", 8, a, &p, &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal((const char *)p, "foob");
	assert_int_equal(regb64_decode("Zm9vYmE=", 8, a, &p, &n), 0);
	assert_string_equal((const char *)p, "fooba");
	assert_int_equal(regb64_decode("Zm9vYmFy", 8, a, &p, &n), 0);
	assert_string_equal((const char *)p, "foobar");
	assert_int_equal(regb64_decode("", 0, a, &p, &n), 0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(regb64_decode(bad[i], strlen(bad[i]), a, &p,
		    &n), ERR_FORMAT);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(times_have_a_zone_and_a_fraction),
	    cmocka_unit_test(base64_is_strict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
