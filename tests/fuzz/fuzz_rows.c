#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "formats/rows/rows.h"
#include "tests/fuzz/fuzz_common.h"
#include "tests/lib/rows_case.h"

/*
 * Readers of data sets (formats/rows/readers.def).  The first byte chooses
 * the reader, in the order of the table; one past it leaves the choice to the
 * bids.  What follows is the files, with ":::::" between them.
 *
 * Asserts the laws of tests/lib/rows_case.h, and that the windows of readers
 * make no difference.
 */
static const char *const ids[] = {
#define READER(id) #id,
#include "formats/rows/readers.def"
#undef READER
    NULL,
};
#define CHOICES (sizeof(ids) / sizeof(ids[0]))

static size_t
split(const uint8_t *p, size_t n, struct rows_case_file *f)
{
	static const char *const names[] = {"a/index.json", "a/s.mds",
	    "b/1.png", "c/2.jpg"};
	const uint8_t *end;
	size_t files = 0, len;

	do {
		end = files + 1 < sizeof(names) / sizeof(names[0]) && n > 0 ?
		    memmem(p, n, ":::::", 5) : NULL;
		len = end == NULL ? n : (size_t)(end - p);
		f[files] = (struct rows_case_file){names[files], p, len};
		files++;
		if (end != NULL) {
			p += len + 5;
			n -= len + 5;
		}
	} while (end != NULL);
	return files;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct rows_case_file f[ROWS_CASE_FILES];
	const char *id, *why = NULL;
	char *one, *two;
	size_t files;

	if (n == 0)
		return 0;
	id = ids[p[0] % CHOICES];
	files = split(p + 1, n - 1, f);
	one = rows_case_text(id, f, files, 0);
	two = rows_case_text(id, f, files, 3);
	if (one == NULL || two == NULL || strcmp(one, two) != 0)
		why = "windows make a difference";
	free(one);
	free(two);
	if (why == NULL)
		(void)rows_case_laws(id, f, files, 0, &why);
	if (why != NULL) {
		(void)fprintf(stderr, "%s: %s\n", id != NULL ? id : "bids",
		    why);
		abort();
	}
	return 0;
}
