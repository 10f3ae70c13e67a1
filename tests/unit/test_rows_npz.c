#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"
#include "tests/lib/rows_pack.h"

struct array {
	uint8_t p[256];
	size_t n;
};

static struct array
make(const char *descr, const char *shape, const void *data, size_t n)
{
	struct array a = {{0}, 128 + n};
	char text[118];
	int len = snprintf(text, sizeof(text),
	    "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr,
	    shape);

	memset(a.p, ' ', 128);
	memcpy(a.p, "\x93NUMPY\1\0\x76\0", 10);
	memcpy(a.p + 10, text, (size_t)len);
	a.p[127] = '\n';
	memcpy(a.p + 128, data, n);
	return a;
}

static const uint8_t data[] = {1, 2, 3, 4, 5, 6};

static struct rows_case_file
pack(bool deflate)
{
	struct array x = make("|u1", "(2, 3)", data, 6);
	struct array y = make("|i1", "(2,)", data, 2);
	struct array z = make("<u2", "(3,)", data, 6);
	struct rows_case_file m[] = {{"x.npy", x.p, x.n}, {"z.npy", z.p, z.n},
	    {"y.npy", y.p, y.n}, {"notes.txt", "hi", 2}};
	struct rows_case_file f = {"a.npz", NULL, 0};

	f.p = rows_pack_zip(m, 4, deflate, &f.n);
	return f;
}

static void
drop(struct rows_case_file *f)
{
	union {
		const void *p;
		void *mine;
	} u = {f->p};

	free(u.mine);
}

/* The lines without what depends on the writer of the zip. */
static void
check_json(bool deflate, const char *flags)
{
	static const char *const json[] = {
	    "{\"x\":[1,2,3],\"y\":1}", "{\"x\":[4,5,6],\"y\":2}",
	    "{\"z\":513}", "{\"z\":1027}", "{\"z\":1541}"};
	struct rows_case_file f = pack(deflate);
	char *got = rows_case_text(NULL, &f, 1, 0), *line = got, part[64];
	const char *why;
	size_t row = 0;

	while ((line = strchr(line, '\n')) != NULL && row < 5) {
		line++;
		if (*line == '!')
			continue;
		(void)snprintf(part, sizeof(part), " %s %s\n",
		    row < 2 ? "-" : flags, json[row]);
		row++;
		assert_non_null(strstr(line, part));
	}
	assert_int_equal(row, 5);
	assert_non_null(strstr(got, "a member is no array"));
	assert_non_null(strstr(got, "= 0\n"));
	free(got);
	if (!rows_case_laws("npz", &f, 1, 3, &why))
		fail_msg("%s", why);
	drop(&f);
}

static void
arrays_with_as_many_rows_are_aligned(void **state)
{
	(void)state;
	check_json(false, "v");
	check_json(true, "-");
}

static void
cut_archive_is_told(void **state)
{
	struct rows_case_file f = pack(true);

	(void)state;
	rows_case_truncate("npz", &f, 1);
	drop(&f);
}

static void
bytes_changed_anywhere_break_nothing(void **state)
{
	struct rows_case_file f = pack(true);
	uint8_t *p = malloc(f.n);
	const char *why;

	(void)state;
	assert_non_null(p);
	for (size_t i = 0; i < f.n; i++) {
		struct rows_case_file g = {"a.npz", p, f.n};

		memcpy(p, f.p, f.n);
		p[i] ^= 0xff;
		if (!rows_case_laws("npz", &g, 1, 0, &why))
			fail_msg("at %zu: %s", i, why);
	}
	free(p);
	drop(&f);
}

static void
zips_of_other_things_are_not_claimed(void **state)
{
	static const struct rows_case_file m = {"data.pkl", "x", 1};
	struct rows_case_file f = {"model.pt", NULL, 0};
	uint8_t *p = rows_pack_zip(&m, 1, false, &f.n);

	(void)state;
	f.p = p;
	assert_null(rows_case_bid(&f, 1));
	free(p);
	f = pack(false);
	f.name = "unnamed";
	assert_string_equal(rows_case_bid(&f, 1), "npz");
	drop(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(arrays_with_as_many_rows_are_aligned),
	    cmocka_unit_test(cut_archive_is_told),
	    cmocka_unit_test(bytes_changed_anywhere_break_nothing),
	    cmocka_unit_test(zips_of_other_things_are_not_claimed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
