#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/weights_magic.h"
#include "base/err.h"

static uint8_t p[4096];

/* All steps of the carver on p[0..n): 1, or 0. */
static int
find(size_t n, struct weights_found *ret)
{
	int row = -1, r;

	while ((row = weights_magic_prefix(p, n < 8 ? n : 8, row + 1)) >= 0)
		if (weights_magic_peek(row, p, n < WEIGHTS_PEEK ? n :
		    WEIGHTS_PEEK, n) && weights_magic_look(row, p,
		    n < WEIGHTS_LOOK ? n : WEIGHTS_LOOK)) {
			r = weights_magic_judge(row, p, n, n, ret, NULL);
			assert_true(r >= 0);
			if (r > 0)
				return 1;
		}
	return 0;
}

static size_t
put(const void *q, size_t n)
{
	memset(p, 0xa5, sizeof(p));
	memcpy(p, q, n);
	return n;
}

#define PUT(text) put(text, sizeof(text) - 1)

static const char zip[] = "PK\3\4\24\0\0\0\0\0\0\0\0\0\1\2\3\4\1\0\0\0\1\0\0\0"
    "\5\0\0\0a.txtxPK\1\2\24\0\24\0\0\0\0\0\0\0\0\0\1\2\3\4\1\0\0\0\1\0\0\0"
    "\5\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a.txtPK\5\6\0\0\0\0\1\0\1\0"
    "\x33\0\0\0\x24\0\0\0\0\0";

static void
archives_are_known_by_their_headers(void **state)
{
	struct weights_found f;

	(void)state;
	PUT(zip);
	assert_int_equal(find(4096, &f), 1);
	assert_string_equal(f.what, "zip");
	assert_int_equal(f.kind, WEIGHTS_ARCHIVE);
	assert_int_equal(weights_magic_length(&f, p, 4096),
	    sizeof(zip) - 1);
	p[4] = 99;			/* no such version */
	assert_int_equal(find(4096, &f), 0);
	PUT(zip);
	p[30] = 7;			/* a name that nobody gives */
	assert_int_equal(find(4096, &f), 0);
	PUT("BZh91AY&SY and more and more");
	assert_int_equal(find(64, &f), 1);
	assert_string_equal(f.what, "bzip2");
	PUT("BZhello world, and more, and more");
	assert_int_equal(find(64, &f), 0);
	PUT("Rar!\x1a\7\1\0 and more and more and");
	assert_int_equal(find(64, &f), 1);
}

static void
checksums_decide_where_there_are_some(void **state)
{
	struct weights_found f;

	(void)state;
	/* The CRC of the twenty bytes that say where the rest is. */
	PUT("7z\xbc\xaf\x27\x1c\0\4\x1a\x64\x74\x26\x10\0\0\0\0\0\0\0\x20\0\0\0"
	    "\0\0\0\0\x11\x22\x33\x44");
	assert_int_equal(find(4096, &f), 0);
	PUT("\xfd" "7zXZ\0\0\4\xe6\xd6\xb4\x46\2\0\x21\1\x16\0\0\0");
	assert_int_equal(find(64, &f), 1);
	assert_string_equal(f.what, "xz");
	p[8] ^= 1;
	assert_int_equal(find(64, &f), 0);
}

static void
gzip_has_to_inflate(void **state)
{
	static const char hello[] = "\x1f\x8b\x08\0\0\0\0\0\2\3\xcb\x48\xcd\xc9"
	    "\xc9\7\0\x86\xa6\x10\x36\5\0\0\0";
	struct weights_found f;

	(void)state;
	PUT(hello);
	assert_int_equal(find(4096, &f), 1);
	assert_string_equal(f.what, "gzip");
	p[12] ^= 0x55;
	assert_int_equal(find(4096, &f), 0);
}

static void
pickles_need_a_call_with_a_name(void **state)
{
	struct weights_found f;

	(void)state;
	PUT("\x80\2cos\nsystem\nX\2\0\0\0id\x85R.");
	assert_int_equal(find(4096, &f), 1);
	assert_int_equal(f.kind, WEIGHTS_PICKLE);
	PUT("cos\nsystem\n(S'id'\ntR.");
	assert_int_equal(find(4096, &f), 1);
	PUT("\x80\2}X\5\0\0\0hello.");
	assert_int_equal(find(4096, &f), 0);
	/* A number of the extension registry is what noise calls. */
	PUT("\x80\3\x83\x9a\xfeM\x24\xea\x81\x07 abcdefgh");
	assert_int_equal(find(4096, &f), 0);
}

static void
scripts_end_where_text_does(void **state)
{
	static const char sh[] = "#!/bin/sh\necho hello, hello, hello\n";
	struct weights_found f;

	(void)state;
	PUT(sh);
	p[sizeof(sh) - 1] = 0;
	assert_int_equal(find(4096, &f), 1);
	assert_int_equal(f.kind, WEIGHTS_SCRIPT);
	assert_int_equal(weights_magic_length(&f, p, 4096), sizeof(sh) - 1);
	/* By chance: three bytes and some printable ones. */
	PUT("#!/0:@@B42=@0@+!:66+>&/9+3:/>!%<!");
	assert_int_equal(find(4096, &f), 0);
	PUT("import tax is paid by whoever brings it here");
	assert_int_equal(find(4096, &f), 0);
}

static void
a_key_is_found_by_its_differences(void **state)
{
	uint8_t key = 0, q[8];

	(void)state;
	for (unsigned k = 1; k < 256; k++) {
		memcpy(q, "\x7f" "ELF\2\1\1\0", 8);
		for (unsigned i = 0; i < 8; i++)
			q[i] ^= (uint8_t)k;
		assert_true(weights_magic_prefix_xor(q, 8, 0, &key) >= 0);
		assert_int_equal(key, k);
	}
	/* Without a key it is not XORed. */
	assert_true(weights_magic_prefix_xor((const uint8_t *)
	    "\x7f" "ELF\2\1\1\0", 8, 0, &key) < 0);
}

/* Every prefix of every file is judged without a byte too far. */
static void
cut_files_are_no_crash(void **state)
{
	struct weights_found f;
	uint8_t *copy;

	(void)state;
	for (size_t n = 3; n < sizeof(zip); n++) {
		PUT(zip);
		assert_non_null(copy = malloc(n));
		memcpy(copy, p, n);
		for (int row = 0; (row = weights_magic_prefix(copy, n < 8 ?
		    n : 8, row)) >= 0; row++) {
			if (!weights_magic_peek(row, copy, n, n))
				continue;
			if (weights_magic_judge(row, copy, n, n, &f, NULL) >
			    0)
				assert_true(weights_magic_length(&f, copy,
				    n) <= n);
		}
		free(copy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(archives_are_known_by_their_headers),
	    cmocka_unit_test(checksums_decide_where_there_are_some),
	    cmocka_unit_test(gzip_has_to_inflate),
	    cmocka_unit_test(pickles_need_a_call_with_a_name),
	    cmocka_unit_test(scripts_end_where_text_does),
	    cmocka_unit_test(a_key_is_found_by_its_differences),
	    cmocka_unit_test(cut_files_are_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
