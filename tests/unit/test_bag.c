#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "custody/bag.h"

static uint32_t seed = 1;

static uint32_t
next_random(void)
{
	seed = seed * 1664525U + 1013904223U;
	return seed >> 8;
}

static int
name_of(struct buf *b, const char *path, size_t n)
{
	buf_clear(b);
	return bag_member_name(b, BAG_WEIGHTS, path, n, NULL);
}

static void
assert_name(const char *path, const char *want)
{
	struct buf b, back;

	buf_init(&b, 1 << 16);
	buf_init(&back, 1 << 16);
	assert_int_equal(name_of(&b, path, strlen(path)), 0);
	assert_string_equal(buf_str(&b), want);
	assert_true(bag_member_ok((const char *)b.p, b.len));
	assert_true(bag_member_path(&back, (const char *)b.p, b.len));
	assert_string_equal(buf_str(&back), path);
	buf_release(&b);
	buf_release(&back);
}

static void
names_are_escaped_as_the_format_says(void **state)
{
	(void)state;
	assert_name("/srv/m.bin", "data/weights/srv/m.bin");
	assert_name("/a b/\xc3\xbc/a%b.txt", "data/weights/a=20b/=C3=BC/a=25b"
	    ".txt");
	assert_name("/nl\nname", "data/weights/nl=0Aname");
	assert_name("/bad\xff\xfe.bin", "data/weights/bad=FF=FE.bin");
	assert_name("/a=b~c\\d", "data/weights/a=3Db=7Ec=5Cd");
	assert_name("/./..", "data/weights/=2E/=2E=2E");
	assert_name("/...", "data/weights/...");
	assert_name("/.hidden/a..b", "data/weights/.hidden/a..b");
	assert_name("/a//b/", "data/weights/a/=2F/b/=2F");
	assert_name("/", "data/weights/=2F");
	assert_name("/A-z_0.9@+,-", "data/weights/A-z_0.9@+,-");
}

static void
every_class_has_its_folder(void **state)
{
	static const char *const want[] = {"data/weights/x",
	    "data/training/x", "data/registry/x", "data/api-logs/x",
	    "data/host/x", "data/other/x"};
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (unsigned c = 0; c < BAG_CLASSES; c++) {
		buf_clear(&b);
		assert_int_equal(bag_member_name(&b, (enum bag_class)c, "/x",
		    2, NULL), 0);
		assert_string_equal(buf_str(&b), want[c]);
	}
	buf_release(&b);
}

/* Both ways; and nothing that only begins like one. */
static void
a_class_is_known_by_its_whole_name(void **state)
{
	static const char *const wrong[] = {"", "weight", "weightss", "Host",
	    "data/weights", "data/weight/x", "data/weightss/x", "data//x",
	    "metadata/host/x", "data/.keep"};
	enum bag_class got;
	char member[64];

	(void)state;
	for (unsigned c = 0; c < BAG_CLASSES; c++) {
		const char *name = bag_class_name((enum bag_class)c);

		assert_true(bag_class_parse(name, strlen(name), &got));
		assert_int_equal(got, c);
		(void)snprintf(member, sizeof(member), "data/%s/x", name);
		assert_true(bag_member_class(member, strlen(member), &got));
		assert_int_equal(got, c);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_false(bag_class_parse(wrong[i], strlen(wrong[i]),
		    &got));
		assert_false(bag_member_class(wrong[i], strlen(wrong[i]),
		    &got));
	}
}

static void
long_components_are_cut_and_hashed(void **state)
{
	char path[400];
	struct buf b, other, back;

	(void)state;
	buf_init(&b, 1 << 16);
	buf_init(&other, 1 << 16);
	buf_init(&back, 1 << 16);
	memset(path, 'n', sizeof(path));
	path[0] = '/';
	/* 255 bytes stay, 256 are cut. */
	assert_int_equal(name_of(&b, path, 256), 0);
	assert_int_equal(b.len, strlen("data/weights/") + 255);
	assert_int_equal(name_of(&b, path, 257), 0);
	assert_int_equal(b.len, strlen("data/weights/") + 200 + 34);
	assert_memory_equal(b.p + 213, "=~", 2);
	assert_true(bag_member_ok((const char *)b.p, b.len));
	/* The cut form stays as it is. */
	assert_true(bag_member_path(&back, (const char *)b.p, b.len));
	assert_int_equal(back.len, 1 + 234);
	assert_memory_equal(back.p + 1, b.p + 13, 234);
	/* The last byte counts. */
	path[256] = 'm';
	assert_int_equal(name_of(&other, path, 257), 0);
	assert_true(other.len == b.len && memcmp(other.p, b.p, b.len) != 0);
	/* An escape is never split. */
	memset(path + 1, 0xc3, 300);
	assert_int_equal(name_of(&b, path, 301), 0);
	assert_int_equal(b.len, strlen("data/weights/") + 198 + 34);
	assert_true(bag_member_path(&back, (const char *)b.p, b.len));
	buf_release(&b);
	buf_release(&other);
	buf_release(&back);
}

static void
random_paths_come_back(void **state)
{
	char path[64];
	struct buf b, back;
	size_t n;

	(void)state;
	buf_init(&b, 1 << 16);
	buf_init(&back, 1 << 16);
	for (unsigned k = 0; k < 20000; k++) {
		n = 1 + next_random() % 60;
		path[0] = '/';
		for (size_t i = 1; i < n; i++)
			path[i] = next_random() % 4 == 0 ?
			    "/.=~a\\\n "[next_random() % 8] :
			    (char)(next_random() % 256);
		assert_int_equal(name_of(&b, path, n), 0);
		assert_true(bag_member_ok((const char *)b.p, b.len));
		buf_clear(&back);
		assert_true(bag_member_path(&back, (const char *)b.p, b.len));
		assert_true(back.len == n);
		assert_memory_equal(back.p, path, n);
	}
	buf_release(&b);
	buf_release(&back);
}

/* What decodes must encode to itself, else two names stand for one path. */
static void
random_names_decode_only_if_they_are_canonical(void **state)
{
	static const char bytes[] = "=aA0F2E3~/.%b";
	struct buf b, again;
	char name[40] = "data/weights/";
	unsigned decoded = 0;
	size_t n;

	(void)state;
	buf_init(&b, 1 << 16);
	buf_init(&again, 1 << 16);
	for (unsigned k = 0; k < 200000; k++) {
		n = 13 + next_random() % 8;
		for (size_t i = 13; i < n; i++)
			name[i] = bytes[next_random() % 13];
		buf_clear(&b);
		if (!bag_member_path(&b, name, n))
			continue;
		decoded++;
		assert_int_equal(name_of(&again, (const char *)b.p, b.len),
		    0);
		assert_true(again.len == n);
		assert_memory_equal(again.p, name, n);
	}
	assert_true(decoded > 1000);
	buf_release(&b);
	buf_release(&again);
}

static void
relative_and_overlong_paths_are_refused(void **state)
{
	struct err e = ERR_INIT;
	static char path[8192];
	struct buf b;

	(void)state;
	buf_init(&b, 1 << 20);
	buf_puts(&b, "kept");
	assert_int_equal(bag_member_name(&b, BAG_OTHER, "a", 1, &e), ERR_ARG);
	assert_int_equal(bag_member_name(&b, BAG_OTHER, "", 0, NULL),
	    ERR_ARG);
	memset(path, 'a', sizeof(path));
	for (size_t i = 0; i < sizeof(path); i += 100)
		path[i] = '/';
	assert_int_equal(bag_member_name(&b, BAG_OTHER, path, 4000, NULL), 0);
	b.len = 4;
	assert_int_equal(bag_member_name(&b, BAG_OTHER, path, 4090, NULL),
	    ERR_LIMIT);
	assert_string_equal(buf_str(&b), "kept");
	buf_release(&b);
}

static void
names_no_writer_writes_are_told(void **state)
{
	static const char *const bad[] = {"", "/", "/a", "a/", "a//b", ".",
	    "..", "a/../b", "a b", "a\\b", "a%41", "a=4", "a=", "a=4g",
	    "a=4a", "a~", "a=~", "a:b", "a\nb", "\xc3\xbc", "a*"};
	static const char *const not_ours[] = {"data/x", "weights/a",
	    "data/weights", "data/weights/", "data/weights/a=41",
	    "data/weights/a=2Eb", "data/weights/=2F=2F", "data/weights/a=2F",
	    "data/nothing/a", "bagit.txt",
	    "data/weights/=~0123456789abcdef0123456789abcdef"};
	struct buf b;
	char name[300];

	(void)state;
	buf_init(&b, 10000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(bag_member_ok(bad[i], strlen(bad[i])));
	assert_false(bag_member_ok("a\0b", 3));
	for (size_t i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++)
		assert_false(bag_member_path(&b, not_ours[i],
		    strlen(not_ours[i])));
	assert_int_equal(b.len, 0);
	memset(name, 'a', sizeof(name));
	assert_true(bag_member_ok(name, 255));
	assert_false(bag_member_ok(name, 256));
	buf_release(&b);
}

static void
bag_names_are_narrow(void **state)
{
	char longest[66];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	assert_true(bag_name_ok("CASE-E01", 8));
	assert_true(bag_name_ok(longest, 64));
	assert_false(bag_name_ok(longest, 65));
	assert_false(bag_name_ok("", 0));
	assert_false(bag_name_ok(".", 1));
	assert_false(bag_name_ok("..", 2));
	assert_true(bag_name_ok("...", 3));
	assert_false(bag_name_ok("a/b", 3));
	assert_false(bag_name_ok("a b", 3));
	assert_false(bag_name_ok("a\0b", 3));
}

static void
fixed_texts_have_their_form(void **state)
{
	(void)state;
	assert_int_equal(strlen(bag_bagit_txt), 54);
	assert_non_null(strstr(bag_howto_txt, "-no-CApath -no-CAstore"));
	assert_non_null(strstr(bag_howto_txt, "openssl ts -verify"));
	for (const char *p = bag_howto_txt; *p != '\0'; p++)
		assert_true(*p == '\n' || (*p >= ' ' && *p <= '~'));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_are_escaped_as_the_format_says),
	    cmocka_unit_test(every_class_has_its_folder),
	    cmocka_unit_test(a_class_is_known_by_its_whole_name),
	    cmocka_unit_test(long_components_are_cut_and_hashed),
	    cmocka_unit_test(random_paths_come_back),
	    cmocka_unit_test(random_names_decode_only_if_they_are_canonical),
	    cmocka_unit_test(relative_and_overlong_paths_are_refused),
	    cmocka_unit_test(names_no_writer_writes_are_told),
	    cmocka_unit_test(bag_names_are_narrow),
	    cmocka_unit_test(fixed_texts_have_their_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
