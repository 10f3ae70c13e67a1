#include <stdio.h>
#include <stdlib.h>

#include "tests/fuzz/fuzz_common.h"
#include "tests/lib/rows_case.h"

/* The laws of rows_case.h hold for every file. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const struct rows_case_file f = {"a.arrow", p, n};
	const char *why;

	if (!rows_case_laws("arrow", &f, 1, n % 5, &why)) {
		(void)fprintf(stderr, "%s\n", why);
		abort();
	}
	return 0;
}
