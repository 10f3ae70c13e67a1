#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/around_calls.h"
#include "analyzer/diff/around_graph.h"
#include "analyzer/diff/docs.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * Comparisons around the weights.  Whatever a file is, it does not differ
 * from itself: the one row that may come is that it was not read to its end.
 * Compared with its first half, it must merely come to an end.
 */
typedef int comparison(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct err *e);

static unsigned changes;

static int
on_change(void *ctx, const struct row_change *r)
{
	static const char end[] = " not read to their end";
	static const char its[] = " not read to its end";

	(void)ctx;
	if (memmem(r->key.p, r->key.n, end, sizeof(end) - 1) == NULL &&
	    memmem(r->key.p, r->key.n, its, sizeof(its) - 1) == NULL)
		changes++;
	return 0;
}

static void
compare(comparison *f, const uint8_t *data, size_t size)
{
	const struct rows rows = {.change = on_change};
	struct doc whole = {.path = "", .format = "unknown", .size = size};
	struct doc half = {.path = "", .format = "unknown",
	    .size = size / 2};
	struct bytesrc *x = bytesrc_mem(data, size, NULL);
	struct bytesrc *y = bytesrc_mem(data, size / 2, NULL);
	struct err e = ERR_INIT;

	if (x == NULL || y == NULL)
		abort();
	whole.src = x;
	half.src = y;
	changes = 0;
	if (f(&whole, &whole, &rows, &e) < 0 || changes > 0 ||
	    f(&half, &whole, &rows, &e) < 0)
		abort();
	bytesrc_free(x);
	bytesrc_free(y);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	compare(around_graph, data, size);
	compare(around_calls, data, size);
	return 0;
}
