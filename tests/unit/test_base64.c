#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/base64.h"

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
	assert_int_equal(base64_decode(a, "Zm9vYg==", 8, BASE64_STRICT, &p,
	    &n), 0);
	assert_int_equal(n, 4);
	assert_string_equal((const char *)p, "foob");
	assert_int_equal(base64_decode(a, "Zm9vYmE=", 8, BASE64_STRICT, &p,
	    &n), 0);
	assert_string_equal((const char *)p, "fooba");
	assert_int_equal(base64_decode(a, "Zm9vYmFy", 8, BASE64_STRICT, &p,
	    &n), 0);
	assert_string_equal((const char *)p, "foobar");
	assert_int_equal(base64_decode(a, "", 0, BASE64_STRICT, &p, &n),
	    0);
	assert_int_equal(n, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(base64_decode(a, bad[i], strlen(bad[i]),
		    BASE64_STRICT, &p, &n), ERR_FORMAT);
	arena_free(a);
}

static void
a_mild_reader_takes_either_alphabet_and_no_padding(void **state)
{
	static const char *const good[] = {"+/8=", "-_8=", "-_8", "+\n/\r8 ",
	    "-_8=\n"};
	static const char *const bad[] = {"-_8*", "A", "-_8=A", "-_8= ",
	    "\t"};
	struct arena *a = arena_new(MIB);
	const uint8_t *p;
	size_t n;

	(void)state;
	assert_non_null(a);
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(base64_decode(a, good[i], strlen(good[i]),
		    BASE64_MILD, &p, &n), 0);
		assert_int_equal(n, 2);
		assert_memory_equal(p, "\xfb\xff", 3);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(base64_decode(a, bad[i], strlen(bad[i]),
		    BASE64_MILD, &p, &n), ERR_FORMAT);
	arena_free(a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64_is_strict),
	    cmocka_unit_test(
	    a_mild_reader_takes_either_alphabet_and_no_padding)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
