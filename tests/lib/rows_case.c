#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <setjmp.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "tests/lib/rows_case.h"

void
rows_case_check(const char *format, const struct rows_case_file *f,
    size_t files, const char *want)
{
	static const size_t windows[] = {0, 1, 2, 3, 7, 4096};
	const char *why;
	char *got;

	for (size_t i = 0; i < sizeof(windows) / sizeof(windows[0]); i++) {
		got = rows_case_text(format, f, files, windows[i]);
		assert_string_equal(got, want);
		free(got);
		if (!rows_case_laws(format, f, files, windows[i], &why))
			fail_msg("%s", why);
	}
}

void
rows_case_truncate(const char *format, const struct rows_case_file *f,
    size_t files)
{
	struct rows_case_file cut[ROWS_CASE_FILES];
	const char *why;

	assert_in_range(files, 1, ROWS_CASE_FILES);
	memcpy(cut, f, files * sizeof(f[0]));
	for (size_t n = 0; n < f[files - 1].n; n++) {
		cut[files - 1].n = n;
		if (!rows_case_laws(format, cut, files, n % 2 * 7, &why))
			fail_msg("cut at %zu: %s", n, why);
	}
}
