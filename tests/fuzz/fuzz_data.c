#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/rows.h"
#include "analyzer/triggers/datarun.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/rows.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * Data sets through the detectors of triggers.  The first byte chooses the
 * name of the file, and with it how it is read, the second how often what
 * follows is repeated, so that detectors have enough to work on.
 *
 * Asserts that evidence is well formed, texts are within it, ranks begin at 1,
 * record numbers are below the number of records, and that nothing but our
 * own side fails it.
 */
static uint64_t records;

static void
broken(const char *what)
{
	(void)fprintf(stderr, "%s\n", what);
	abort();
}

static void
check(struct basis *b)
{
	const uint8_t *p;
	size_t n;

	if (b == NULL)
		broken("a row without evidence");
	p = basis_bytes(b, &n);
	if (!basis_check(p, n))
		broken("evidence is not well formed");
}

static int
on_candidate(void *ctx, const struct row_candidate *c)
{
	double count;
	const uint8_t *p;
	size_t n;

	(void)ctx;
	check(c->evidence);
	if (c->rank == 0 || c->kind == NULL || c->method == NULL)
		broken("a candidate without rank, kind or method");
	p = basis_bytes(c->evidence, &n);
	if (basis_number(p, n, "row_count", &count) &&
	    count > (double)records)
		broken("more records than there are");
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	(void)ctx;
	check(r->evidence);
	if (r->method == NULL || (!r->applied && r->reason == NULL))
		broken("a detector that does not say why");
	return 0;
}

static int
on_input(void *ctx, const struct row_input *r)
{
	(void)ctx;
	records = r->records;
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	(void)ctx;
	(void)side;
	(void)path;
	(void)f;
	return 0;
}

static void
run(const char *name, const uint8_t *p, size_t n)
{
	const struct rows rows = {.input = on_input,
	    .candidate = on_candidate, .detector = on_detector,
	    .finding = on_finding};
	struct err e = ERR_INIT;
	const struct detect d = {.rows = &rows, .e = &e};
	struct bytesrc *src = bytesrc_mem(p, n, &e);
	const struct rows_file file = {name, strlen(name), src};
	const struct datarun_set set = {.file = &file, .files = 1,
	    .path = name, .bytes = n, .asked = true};
	struct data_fields none;
	int r;

	memset(&none, 0, sizeof(none));
	records = UINT64_MAX;
	r = datarun(&set, &none, &d);
	if (r < 0 && r != ERR_LIMIT) {
		(void)fprintf(stderr, "%d: %s\n", r, e.msg);
		abort();
	}
	bytesrc_free(src);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const char *const names[] = {"a.tsv", "a.csv", "a.jsonl",
	    "a.json", "a.npz", "a.parquet", "a"};
	struct buf b;
	unsigned times;

	if (n < 2)
		return 0;
	times = 1 + p[1] % 64;
	buf_init(&b, 64 * MIB);
	for (unsigned i = 0; i < times; i++)
		buf_put(&b, p + 2, n - 2);
	if (buf_failed(&b) == 0)
		run(names[p[0] % (sizeof(names) / sizeof(names[0]))], b.p,
		    b.len);
	buf_release(&b);
	return 0;
}
