#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "collector/proctext.h"

static struct cursor
over(const void *p, size_t n)
{
	struct cursor c;

	cursor_init(&c, p, n, 0);
	return c;
}

static const char stat_text[] =
    "19160 (py) 3 (x)\n) S 7439 19160 2018 0 -1 4194304 1 0 0 0 "
    "0 0 0 0 20 0 1 0 2910629 1 1 1\n";

static void
a_name_cannot_forge_the_start_time(void **state)
{
	uint64_t ppid = 0, start = 0;

	(void)state;
	assert_true(proctext_stat(stat_text, strlen(stat_text), &ppid,
	    &start));
	assert_int_equal(ppid, 7439);
	assert_int_equal(start, 2910629);
}

static void
a_text_that_is_cut_is_refused(void **state)
{
	size_t whole = (size_t)(strstr(stat_text, "2910629 ") + 8 -
	    stat_text);
	uint64_t ppid = 1, start = 2;

	(void)state;
	for (size_t n = 0; n < whole; n++) {
		char *p = malloc(n + 1);	/* ASan sees each read */

		assert_non_null(p);
		memcpy(p, stat_text, n);
		assert_false(proctext_stat(p, n, &ppid, &start));
		free(p);
	}
	assert_int_equal(ppid, 1);
	assert_int_equal(start, 2);
}

static void
a_value_of_status_is_found_by_its_key(void **state)
{
	static const char text[] = "Name:\tUid:\\n0\nUmask:\t0022\n"
	    "Uid:\t1000\t1000\t0\t0\nGroups:\t\nTail:\tx";
	struct cursor v;

	(void)state;
	assert_true(proctext_status(text, strlen(text), "Uid", &v));
	assert_memory_equal(v.buf + v.off, "1000\t1000\t0\t0", 13);
	assert_int_equal(cursor_left(&v), 13);
	assert_true(proctext_status(text, strlen(text), "Groups", &v));
	assert_true(cursor_at_end(&v));
	assert_false(proctext_status(text, strlen(text), "Ui", &v));
	assert_false(proctext_status(text, strlen(text), "Tail", &v));
	assert_false(proctext_status("", 0, "Uid", &v));
}

static void
lines_of_maps_are_read_as_the_kernel_writes_them(void **state)
{
	static const char text[] =
	    "7ff5-8000 r-xp 00002000 fe:00 247134                     "
	    "/usr/bin/a b (deleted)\n"
	    "8000-9000 rw-p 00000000 00:00 0 \n"
	    "9000-a000 rw-p 00000000 00:00 0\n"
	    "a000-b000 rw-p 00000000 00:00 0          [heap]\n";
	struct cursor c = over(text, strlen(text));
	struct proctext_map m;

	(void)state;
	assert_true(proctext_map(&c, &m));
	assert_int_equal(m.start, 0x7ff5);
	assert_int_equal(m.end, 0x8000);
	assert_int_equal(m.offset, 0x2000);
	assert_int_equal(m.ino, 247134);
	assert_string_equal(m.perms, "r-xp");
	assert_int_equal(m.path_n, strlen("/usr/bin/a b (deleted)"));
	assert_memory_equal(m.path, "/usr/bin/a b (deleted)", m.path_n);
	assert_true(proctext_map(&c, &m));
	assert_int_equal(m.path_n, 0);
	assert_int_equal(m.ino, 0);
	assert_true(proctext_map(&c, &m));
	assert_int_equal(m.path_n, 0);
	assert_true(proctext_map(&c, &m));
	assert_memory_equal(m.path, "[heap]", 6);
	assert_true(cursor_at_end(&c));
	assert_false(proctext_map(&c, &m));
}

static void
what_is_no_line_of_maps_is_refused(void **state)
{
	static const char *const no[] = {"", "\n", "x\n", "1-2 r-xp 0 0:0 1",
	    "1-2 r-x 0 0:0 1\n", "1-2 r-xp 0 00 1\n", "1-2 r-xp 0 0:0 x\n",
	    "1-2 r-xp 0 0:0 \n", "1-2 r-xp 0 0:0 1x /a\n",
	    "11111111111111111-2 r-xp 0 0:0 1 /a\n", "-2 r-xp 0 0:0 1 /a\n"};
	struct proctext_map m;

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		struct cursor c = over(no[i], strlen(no[i]));

		if (proctext_map(&c, &m))
			fail_msg("taken: %s", no[i]);
	}
}

static void
variables_end_with_a_nul_or_the_text(void **state)
{
	static const char text[] = "A=1\0B=\0noequals\0=x\0\0C=a=b";
	struct cursor c = over(text, sizeof(text) - 1);
	struct proctext_variable v;

	(void)state;
	assert_true(proctext_variable(&c, &v));
	assert_true(v.has_value && v.name_n == 1 && v.value_n == 1);
	assert_true(proctext_variable(&c, &v));
	assert_true(v.has_value && v.name_n == 1 && v.value_n == 0);
	assert_true(proctext_variable(&c, &v));
	assert_false(v.has_value);
	assert_int_equal(v.name_n, 8);
	assert_true(proctext_variable(&c, &v));
	assert_true(v.has_value && v.name_n == 0 && v.value_n == 1);
	assert_true(proctext_variable(&c, &v));
	assert_true(!v.has_value && v.name_n == 0);
	assert_true(proctext_variable(&c, &v));
	assert_memory_equal(v.value, "a=b", 3);
	assert_false(proctext_variable(&c, &v));
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void
identifiers_of_containers_have_64_digits(void **state)
{
	static const char text[] = "0::/system.slice/docker-" ID ".scope\n"
	    "1:x:/kubepods/pod1/" ID "0\n" "2:y:/lxc/0123\n" ID;
	struct cursor c = over(text, strlen(text));
	char id[PROCTEXT_ID + 1];

	(void)state;
	assert_true(proctext_container(&c, id));
	assert_string_equal(id, ID);
	assert_true(proctext_container(&c, id));
	assert_true(cursor_at_end(&c));
	assert_false(proctext_container(&c, id));
}

static void
flags_and_packages_are_read(void **state)
{
	static const char info[] = "pos:\t0\nflags:\t0100002\nmnt_id:\t9\n";
	struct proctext_package k;
	uint64_t flags = 0;

	(void)state;
	assert_true(proctext_flags(info, strlen(info), &flags));
	assert_int_equal(flags, 0100002);
	assert_false(proctext_flags("pos:\t0\n", 7, &flags));
	assert_true(proctext_package("numpy-1.26.4.dist-info", &k));
	assert_int_equal(k.name_n, 5);
	assert_int_equal(k.version_off, 6);
	assert_int_equal(k.version_n, 6);
	assert_true(proctext_package("six-1.16.0-py3.11.egg-info", &k));
	assert_int_equal(k.version_n, 6);
	assert_true(proctext_package("bare.egg-info", &k));
	assert_int_equal(k.version_n, 0);
	assert_false(proctext_package("numpy", &k));
	assert_false(proctext_package(".dist-info", &k));
	assert_false(proctext_package("-1.dist-info", &k));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_name_cannot_forge_the_start_time),
	    cmocka_unit_test(a_text_that_is_cut_is_refused),
	    cmocka_unit_test(a_value_of_status_is_found_by_its_key),
	    cmocka_unit_test(lines_of_maps_are_read_as_the_kernel_writes_them),
	    cmocka_unit_test(what_is_no_line_of_maps_is_refused),
	    cmocka_unit_test(variables_end_with_a_nul_or_the_text),
	    cmocka_unit_test(identifiers_of_containers_have_64_digits),
	    cmocka_unit_test(flags_and_packages_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
