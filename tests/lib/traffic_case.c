#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/basis.h"
#include "base/limits.h"
#include "tests/lib/traffic_case.h"

static void
put(struct buf *b, struct row_text t)
{
	if (t.p != NULL)
		buf_put(b, t.p, t.n);
}

static void
put_basis(struct buf *b, struct basis *s)
{
	const uint8_t *p;
	size_t n;

	assert_non_null(s);
	p = basis_bytes(s, &n);
	assert_true(basis_check(p, n));
	basis_line(p, n, b);
	buf_putc(b, '\n');
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	struct traffic_case *c = ctx;

	buf_printf(&c->told, "%s %s %s '", r->lead ? "lead" : "candidate",
	    r->method, r->kind);
	put(&c->told, r->value);
	buf_puts(&c->told, "' -> '");
	put(&c->told, r->target);
	buf_puts(&c->told, "' ");
	put_basis(&c->told, r->evidence);
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	struct traffic_case *c = ctx;

	buf_printf(&c->told, "detector %s %s: %s ", r->method,
	    r->applied ? "applied" : "rests",
	    r->reason != NULL ? r->reason : "");
	put_basis(&c->told, r->evidence);
	return 0;
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	struct traffic_case *c = ctx;

	buf_puts(&c->told, "caller ");
	put(&c->told, r->caller);
	buf_printf(&c->told, " %llu [", (unsigned long long)r->requests);
	for (unsigned i = 0; i < r->nverdicts; i++) {
		assert_int_not_equal(caller_verdict_find(r->verdicts[i]),
		    CALLER_VERDICTS);
		buf_printf(&c->told, "%s%s", i > 0 ? " " : "",
		    r->verdicts[i]);
	}
	buf_puts(&c->told, "] ");
	put_basis(&c->told, r->statistics);
	return 0;
}

void
traffic_case_start(struct traffic_case *c)
{
	memset(c, 0, sizeof(*c));
	buf_init(&c->told, 64 * MIB);
	c->rows.candidate = on_candidate;
	c->rows.detector = on_detector;
	c->rows.ctx = c;
	c->out = (struct traffic_out){.d = {.rows = &c->rows, .e = &c->e},
	    .caller = on_caller, .ctx = c};
	c->t = traffic_new(&c->out);
	assert_non_null(c->t);
}

void
traffic_case_stop(struct traffic_case *c)
{
	traffic_free(c->t);
	buf_release(&c->told);
}

void
traffic_case_run(struct traffic_case *c, uint64_t n, traffic_make make,
    void *ctx)
{
	for (int pass = 0; pass < 2; pass++) {
		for (uint64_t i = 0; i < n; i++) {
			struct traffic_record r = {.number = i};

			make(ctx, i, &r);
			assert_int_equal(pass == 0 ?
			    traffic_count(c->t, &r) : traffic_add(c->t, &r),
			    0);
		}
		assert_int_equal(pass == 0 ? traffic_ready(c->t) :
		    traffic_end(c->t), 0);
	}
	assert_int_equal(buf_failed(&c->told), 0);
}

/* Where a line begins so, from ${p} on. */
static char *
find(char *p, const char *start)
{
	size_t n = strlen(start);

	while (*p != '\0') {
		char *end = strchr(p, '\n');

		if (strncmp(p, start, n) == 0)
			return p;
		if (end == NULL)
			break;
		p = end + 1;
	}
	return NULL;
}

const char *
traffic_case_line(struct traffic_case *c, const char *start)
{
	static char line[65536];
	char *p, *end;
	size_t n;

	(void)buf_str(&c->told);
	if (c->told.p == NULL || (p = find((char *)c->told.p, start)) == NULL)
		return NULL;
	end = strchr(p, '\n');
	n = end == NULL ? strlen(p) : (size_t)(end - p);
	if (n >= sizeof(line))
		n = sizeof(line) - 1;
	memcpy(line, p, n);
	line[n] = '\0';
	return line;
}

unsigned
traffic_case_count(struct traffic_case *c, const char *start)
{
	unsigned n = 0;
	char *p;

	(void)buf_str(&c->told);
	if (c->told.p == NULL)
		return 0;
	for (p = (char *)c->told.p; (p = find(p, start)) != NULL; n++)
		if ((p = strchr(p, '\n')) == NULL)
			return n + 1;
		else
			p++;
	return n;
}

uint64_t
traffic_case_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15U;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
	z = (z ^ z >> 27) * 0x94d049bb133111ebU;
	return z ^ z >> 31;
}
