#include <math.h>
#include <string.h>

#include "analyzer/diff/tied.h"

/*
 * A window slides over the ids and keeps its values sorted: one goes in and
 * one comes out a step, each by moving at most WINDOW others.
 */
#define HALF 150
#define WINDOW (2 * HALF + 1)

struct window {
	double v[WINDOW];	/* sorted */
	size_t n;
};

static bool
counts(double x)
{
	return isfinite(x) && x > 0;
}

/* The first place whose value is not below x. */
static size_t
place(const struct window *w, double x)
{
	size_t lo = 0, hi = w->n, mid;

	while (lo < hi) {
		mid = lo + (hi - lo) / 2;
		if (w->v[mid] < x)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static void
enter(struct window *w, double x)
{
	size_t at = place(w, x);

	if (!counts(x))
		return;
	memmove(w->v + at + 1, w->v + at, (w->n - at) * sizeof(*w->v));
	w->v[at] = x;
	w->n++;
}

static void
leave(struct window *w, double x)
{
	size_t at = place(w, x);

	if (!counts(x))
		return;
	w->n--;
	memmove(w->v + at, w->v + at + 1, (w->n - at) * sizeof(*w->v));
}

void
tied_level(const double *rest, size_t n, double *ret)
{
	struct window w = {.n = 0};
	double med;

	for (size_t i = 0; i < n && i < HALF; i++)
		enter(&w, rest[i]);
	for (size_t i = 0; i < n; i++) {
		if (i > HALF)
			leave(&w, rest[i - HALF - 1]);
		if (i + HALF < n)
			enter(&w, rest[i + HALF]);
		med = w.n > 0 ? (w.v[w.n / 2] + w.v[(w.n - 1) / 2]) / 2 : 1;
		ret[i] = rest[i] / med;
	}
}
