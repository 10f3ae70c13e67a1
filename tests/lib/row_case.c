#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/docs.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "tests/lib/row_case.h"

static int
on_change(void *ctx, const struct row_change *r)
{
	struct row_case *c = ctx;
	char *to;
	size_t at;

	assert_int_equal(r->area, c->area);
	assert_true(c->n < ROW_CASE_ROWS);
	to = c->row[c->n++];
	(void)snprintf(to, ROW_CASE_TEXT, "%s %.*s: %.*s > %.*s",
	    change_what_name(r->what), (int)r->key.n, r->key.p,
	    (int)r->old.n, r->old.p != NULL ? r->old.p : "",
	    (int)r->new.n, r->new.p != NULL ? r->new.p : "");
	at = strlen(to);
	if (c->more != NULL)
		c->more(r, to + at, ROW_CASE_TEXT - at);
	return 0;
}

void
row_case_run(struct row_case *c, const void *old, size_t nold,
    const void *new, size_t nnew)
{
	const struct rows sink = {.change = on_change, .ctx = c};
	struct doc a = {.path = "", .format = c->format, .size = nold};
	struct doc b = {.path = "", .format = c->format, .size = nnew};
	struct bytesrc *x = bytesrc_mem(old, nold, NULL);
	struct bytesrc *y = bytesrc_mem(new, nnew, NULL);
	struct err e = ERR_INIT;

	c->n = 0;
	a.src = x;
	b.src = y;
	assert_int_equal(c->around(&a, &b, &sink, &e), 0);
	bytesrc_free(x);
	bytesrc_free(y);
}

void
row_case_mutate(struct row_case *c, const uint8_t *p, size_t n, unsigned count,
    uint32_t seed, unsigned most)
{
	uint8_t *q = malloc(n);
	size_t at;

	assert_non_null(q);
	for (unsigned i = 0; i < count; i++) {
		memcpy(q, p, n);
		for (unsigned k = 0; k <= i % 4; k++) {
			seed = seed * 1664525 + 1013904223;
			at = (seed >> 8) % n;
			seed = seed * 1664525 + 1013904223;
			q[at] = (uint8_t)(seed >> 16);
		}
		row_case_run(c, p, n, q, n - i % (most + 1));
	}
	free(q);
}

bool
row_case_has(const struct row_case *c, const char *want)
{
	for (unsigned i = 0; i < c->n; i++)
		if (strcmp(c->row[i], want) == 0)
			return true;
	for (unsigned i = 0; i < c->n; i++)
		print_message("  row: %s\n", c->row[i]);
	return false;
}
