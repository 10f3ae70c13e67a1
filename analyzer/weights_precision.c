#include <limits.h>
#include <string.h>

#include "analyzer/weights_hist.h"
#include "analyzer/weights_precision.h"
#include "base/err.h"

/*
 * A tensor is of a class when SHARE of its non-zero weights have the bits
 * clear, or when half of its windows have no exception at all.  Clean ones
 * have none, but for rows that were added or trained later in full precision.
 * Those are whole rows, and their weights exceptions nearly all; payload that
 * takes that shape cannot be told from them, and is a note.
 *
 * Counts, heights, pixels stored as floats are whole numbers, or whole
 * multiples of something: the large ones need more bits than the others do.
 * Where the finest bit of all is not far below the largest weight, all are on
 * such a grid, and exceptions are no surprise.
 */
#define SHARE 0.98
#define EXCEPTIONS 4		/* within one window */
#define FULL 256		/* weights of a window that are not zero */
#define FULL_LEAST 4
#define GRID_F32 20		/* bits from the largest to the finest */
#define GRID_F64 40
#define ROW_DENSE 0.98
#define ROW_LEAST 8

void
weights_precision_begin(struct weights_precision *p)
{
	memset(p, 0, sizeof(*p));
}

void
weights_precision_window(struct weights_precision *p,
    const struct weights_count *c)
{
	uint64_t nonzero = c->n - c->zero;

	for (unsigned k = 0; k < WEIGHTS_CLASSES; k++) {
		p->count.clear[k] += c->clear[k];
		if (nonzero - c->clear[k] > p->most[k])
			p->most[k] = nonzero - c->clear[k];
		if (nonzero >= FULL && nonzero == c->clear[k])
			p->none[k]++;
	}
	p->full += nonzero >= FULL;
	p->count.n += c->n;
	p->count.zero += c->zero;
	p->count.negative_zero += c->negative_zero;
	p->count.denormal += c->denormal;
	p->count.nan += c->nan;
	p->count.nan_payload += c->nan_payload;
	p->windows++;
}

unsigned
weights_precision_of(const struct weights_precision *p)
{
	uint64_t nonzero = p->count.n - p->count.zero;

	for (unsigned k = 0; k < WEIGHTS_CLASSES; k++)
		if ((nonzero > 0 && (double)p->count.clear[k] >=
		    SHARE * (double)nonzero) || (p->full >= FULL_LEAST &&
		    p->none[k] * 2 >= p->full))
			return k;
	return WEIGHTS_CLASSES;
}

/* Where the exceptions are; the exponents of largest and finest bit of all. */
struct exceptions {
	uint64_t first, last, n;
	int largest, finest;
};

/* Of a weight that is not zero; a denormal is as fine as can be. */
static void
note_grid(uint64_t v, unsigned width, struct exceptions *x)
{
	const int mantissa = width == 8 ? 52 : 23;
	int e = (int)(v >> mantissa & (width == 8 ? 2047 : 255));
	int finest = e - mantissa + __builtin_ctzll(v |
	    UINT64_C(1) << mantissa);

	if (e > x->largest)
		x->largest = e;
	if (finest < x->finest)
		x->finest = finest;
}

static int
find(const struct weights_at *at, unsigned bits, struct exceptions *x,
    struct err *e)
{
	const uint64_t mask = (UINT64_C(1) << bits) - 1;
	const unsigned w = at->type->width;
	const uint64_t step = WEIGHTS_BLOCK / w;
	uint64_t got;
	int r;

	for (uint64_t i = 0; i < at->n; i += step) {
		if ((r = weights_read(at, i, step, &got, e)) < 0)
			return r;
		for (uint64_t k = 0; k < got; k++) {
			uint64_t v = 0;

			for (unsigned b = 0; b < w; b++)
				v |= (uint64_t)at->block[k * w + b] <<
				    (8 * b);
			if (v << (64 - 8 * w + 1) != 0)
				note_grid(v, w, x);
			if ((v & mask) == 0)
				continue;
			if (x->n++ == 0)
				x->first = i + k;
			x->last = i + k;
		}
	}
	return 0;
}

static bool
is_dense(const struct exceptions *x)
{
	return (double)x->n >= ROW_DENSE * (double)(x->last - x->first + 1);
}

static bool
is_rows(const struct weights_at *at, const struct exceptions *x)
{
	uint64_t row = at->t->row;

	/* The last bits of a weight are clear by chance, too: hence 2. */
	return row >= ROW_LEAST && x->first % row <= 2 &&
	    x->last % row >= row - 3 && is_dense(x);
}

int
weights_precision_end(struct weights_precision *p,
    const struct weights_at *at, struct err *e)
{
	static const char *const names[2][WEIGHTS_CLASSES] = {
	    {"lowest 16 bits", "lowest 13 bits", "lowest byte",
	    "lowest 4 bits"}, {"lowest 45 bits", "lowest 42 bits",
	    "lowest 29 bits", "lowest byte"}};
	const unsigned kind = at->type->width == 8;
	struct weights_flag f = {.id = FINDING_WGT_PRECISION,
	    .severity = SEVERITY_HIGH, .confidence = CONFIDENCE_STRONG,
	    .test = "bits that are clear in the tensor's other weights"};
	unsigned k = weights_precision_of(p);
	struct exceptions x = {.largest = INT_MIN, .finest = INT_MAX};
	int r;

	if (at->type->width < 4 || k == WEIGHTS_CLASSES ||
	    p->most[k] < EXCEPTIONS)
		return 0;
	if ((r = find(at, weights_count_bits[kind][k], &x, e)) < 0)
		return r;
	if (x.n == 0 || x.largest - x.finest <= (kind ? GRID_F64 : GRID_F32))
		return 0;
	if (is_rows(at, &x)) {
		f.severity = SEVERITY_INFO;
		f.id = FINDING_WGT_PRECISION_ROWS;
		f.test = "whole rows of more precision than the others";
	} else if (at->t->row == 0 && is_dense(&x)) {
		f.severity = SEVERITY_MEDIUM;	/* rows are not known */
	}
	f.stream = names[kind][k];
	f.first = x.first;
	f.count = x.last - x.first + 1;
	weights_statistic(&f, "exceptions", (double)x.n, '>',
	    EXCEPTIONS - 1);
	return at->flag(at->ctx, at, &f);
}
