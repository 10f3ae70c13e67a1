#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/manifest.h"

#define HEX64 "00112233445566778899aabbccddeeff" \
	"ffeeddccbbaa99887766554433221100"

static bool
parse(const char *line, size_t n, size_t len, struct manifest_line *ret)
{
	struct cursor c;

	cursor_init(&c, (const uint8_t *)line, n, 0);
	return manifest_parse(c, len, ret);
}

static void
a_written_line_is_read_back(void **state)
{
	struct manifest_line l;
	uint8_t digest[64];
	struct buf b;

	(void)state;
	for (unsigned i = 0; i < 64; i++)
		digest[i] = (uint8_t)(i * 5);
	for (size_t len = 32; len <= 64; len += 32) {
		buf_init(&b, 1000);
		manifest_put(&b, digest, len, "data/weights/a=20b", 18);
		assert_int_equal(b.len, 2 * len + 2 + 18 + 1);
		assert_int_equal(b.p[b.len - 1], '\n');
		assert_true(parse((const char *)b.p, b.len - 1, len, &l));
		assert_memory_equal(l.digest, digest, len);
		assert_int_equal(l.n, 18);
		assert_memory_equal(l.name, "data/weights/a=20b", 18);
		/* The other length is not this one. */
		assert_false(parse((const char *)b.p, b.len - 1, 96 - len,
		    &l));
		buf_release(&b);
	}
}

static void
anything_else_is_malformed(void **state)
{
	static const char *const bad[] = {
	    "", HEX64, HEX64 "  ", HEX64 " data/a", HEX64 "   data/a",
	    HEX64 " *data/a", HEX64 "\tdata/a", HEX64 "\t\tdata/a",
	    HEX64 "  /data/a", HEX64 "  ./data/a", HEX64 "  data/../a",
	    HEX64 "  data/a\r", HEX64 "  data/a ", HEX64 "  data/a\x0b",
	    "\\" HEX64 "  data/a", " " HEX64 "  data/a", "0" HEX64 "  data/a",
	    "A0112233445566778899aabbccddeeffffeeddccbbaa998877665544332211"
	    "00  data/a",
	    "g0112233445566778899aabbccddeeffffeeddccbbaa998877665544332211"
	    "00  data/a"};
	struct manifest_line l;

	(void)state;
	assert_true(parse(HEX64 "  data/a", 72, 32, &l));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(parse(bad[i], strlen(bad[i]), 32, &l));
	assert_false(parse(HEX64 "  data/a\0", 73, 32, &l));
}

/* Every changed byte is either seen, or part of digest or name. */
static void
no_byte_of_a_line_is_ignored(void **state)
{
	char line[] = HEX64 "  data/a";
	const size_t n = sizeof(line) - 1;
	struct manifest_line was, now;
	char before;

	(void)state;
	assert_true(parse(line, n, 32, &was));
	for (size_t i = 0; i < n; i++)
		for (int v = 0; v < 256; v++) {
			before = line[i];
			if ((char)v == before)
				continue;
			line[i] = (char)v;
			if (parse(line, n, 32, &now))
				assert_true(i >= 66 || memcmp(now.digest,
				    was.digest, 32) != 0);
			line[i] = before;
		}
}

static void
a_walk_gives_every_line_of_a_long_list(void **state)
{
	const unsigned lines = 5000;
	static struct manifest_walk w;
	struct manifest_line l;
	struct bytesrc *src;
	struct arena *a = arena_new(MIB);
	uint8_t digest[32];
	char name[40];
	struct buf b;
	int n;

	(void)state;
	buf_init(&b, 10 * MIB);
	for (unsigned i = 0; i < lines; i++) {
		n = snprintf(name, sizeof(name), "data/other/%u", i);
		memset(digest, (int)(i % 256), 32);
		manifest_put(&b, digest, 32, name, (size_t)n);
	}
	assert_non_null(a);
	assert_non_null(src = bytesrc_mem(b.p, b.len, NULL));
	assert_int_equal(manifest_walk_init(&w, src, 32, a, NULL), 0);
	for (unsigned i = 0; i < lines; i++) {
		n = snprintf(name, sizeof(name), "data/other/%u", i);
		assert_int_equal(manifest_walk_next(&w, &l, NULL), 1);
		assert_int_equal(l.n, n);
		assert_memory_equal(l.name, name, (size_t)n);
		assert_int_equal(l.digest[31], i % 256);
	}
	assert_int_equal(manifest_walk_next(&w, &l, NULL), 0);
	bytesrc_free(src);
	buf_release(&b);
	arena_free(a);
}

static int
walk_text(const char *text, size_t n, unsigned *lines)
{
	static struct manifest_walk w;
	struct manifest_line l;
	struct bytesrc *src = bytesrc_mem(text, n, NULL);
	struct arena *a = arena_new(MIB);
	int r;

	assert_non_null(src);
	assert_non_null(a);
	assert_int_equal(manifest_walk_init(&w, src, 32, a, NULL), 0);
	*lines = 0;
	while ((r = manifest_walk_next(&w, &l, NULL)) > 0)
		++*lines;
	bytesrc_free(src);
	arena_free(a);
	return r;
}

static void
an_end_without_line_feed_is_malformed(void **state)
{
	static const char two[] = HEX64 "  data/a\n" HEX64 "  data/b\n";
	static char longest[LIMIT_MEMBER_NAME + 300];
	unsigned lines;

	(void)state;
	assert_int_equal(walk_text(two, sizeof(two) - 1, &lines), 0);
	assert_int_equal(lines, 2);
	assert_int_equal(walk_text("", 0, &lines), 0);
	assert_int_equal(walk_text(two, sizeof(two) - 2, &lines), ERR_FORMAT);
	assert_int_equal(lines, 1);
	assert_int_equal(walk_text("\n", 1, &lines), ERR_FORMAT);
	memset(longest, 'a', sizeof(longest));
	assert_int_equal(walk_text(longest, sizeof(longest), &lines),
	    ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_written_line_is_read_back),
	    cmocka_unit_test(anything_else_is_malformed),
	    cmocka_unit_test(no_byte_of_a_line_is_ignored),
	    cmocka_unit_test(a_walk_gives_every_line_of_a_long_list),
	    cmocka_unit_test(an_end_without_line_feed_is_malformed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
