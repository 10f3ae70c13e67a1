#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/rowtest.h"
#include "base/bug.h"

/*
 * Method (backdoor models, diff specification, section 6, points 2 to 4).
 *
 * The distances that rows moved in a fine-tuning fall along a power law of
 * their place: few words carry the gradient, most follow.  Fitted over places
 * 12 to 250, below whatever was planted, the line tells how far the first row
 * "ought" to have moved.  A trigger stands above that (ex) and, with the
 * other words of the trigger, apart from the next row (gap).  Either alone
 * is not enough: class words of a new domain stand above the line, and
 * heavy tails have gaps.
 *
 * Tried and worse, so not here: z-scores within a window of neighbouring ids
 * (rows without gradient make the local spread degenerate), removal of the
 * first principal component, distances relative to |A_i|.
 */
#define FIT_FROM 12
#define FIT_TO 250
/* Of fewer points a line says nothing about its end at ln 1. */
#define FIT_POINTS 8
#define REF_FROM 10
#define REF_TO 60
/* Below twice the muted tokens, the frequent half is muted. */
#define SMALL (2 * (uint64_t)ROWTEST_MUTED)

const char *
rowtest_level_name(enum rowtest_level l)
{
	static const char *const names[] = {"untouched", "isolated",
	    "outlier", "weak", "none"};

	BUG_ON(l >= ROWTEST_LEVELS);
	return names[l];
}

static enum rowtest_kind
kind_of(const struct rowtest_voice *v, size_t i)
{
	if (i >= v->n)
		return v->n > 0 ? ROWTEST_UNUSED : ROWTEST_ORDINARY;
	return v->kind != NULL ? (enum rowtest_kind)v->kind[i]
	    : ROWTEST_ORDINARY;
}

/* NaN stands last, equal scores by id: a total order of any bytes. */
static int
by_score(const void *a, const void *b, void *ctx)
{
	const float *score = ctx;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	bool ni = isnan(score[i]) != 0, nj = isnan(score[j]) != 0;

	if (ni != nj)
		return ni ? 1 : -1;
	if (!ni && score[i] < score[j])
		return 1;
	if (!ni && score[i] > score[j])
		return -1;
	return i < j ? -1 : i > j;
}

static uint64_t
count_ordinary(const struct rowtest_voice *v, size_t n)
{
	uint64_t c = 0;

	for (size_t i = 0; i < n; i++)
		c += kind_of(v, i) == ROWTEST_ORDINARY;
	return c;
}

uint64_t
rowtest_mute(const struct rowtest_voice *v, size_t n, uint8_t *mute,
    uint32_t *room)
{
	bool score = v->order == ROWTEST_ORDER_SCORE && v->score != NULL;
	size_t ranked = score && v->n < n ? v->n : n, i;
	uint64_t c = count_ordinary(v, n), done = 0;
	uint64_t want = c >= SMALL ? ROWTEST_MUTED : c / 2;

	for (i = 0; i < n; i++)
		mute[i] = kind_of(v, i) == ROWTEST_CONTROL;
	if (v->order == ROWTEST_ORDER_UNKNOWN ||
	    (v->order == ROWTEST_ORDER_SCORE && !score))
		return 0;
	for (i = 0; score && i < ranked; i++)
		room[i] = (uint32_t)i;
	if (score)
		qsort_r(room, ranked, sizeof(*room), by_score,
		    (void *)(uintptr_t)v->score);
	for (i = 0; i < ranked && done < want; i++) {
		size_t id = score ? room[i] : i;
		enum rowtest_kind k = kind_of(v, id);

		if (k == ROWTEST_ORDINARY || k == ROWTEST_BYTE)
			mute[id] = 1;
		done += k == ROWTEST_ORDINARY;
	}
	return done;
}

static int
strongest(const void *a, const void *b)
{
	const struct rowtest_row *x = a, *y = b;

	if (x->delta != y->delta)
		return x->delta > y->delta ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int
upward(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Least squares of ln s_i on ln(i + 1/2), i from 12. */
static void
fit(const struct rowtest_row *s, struct rowtest *t)
{
	uint64_t to = t->L / 2 < FIT_TO ? t->L / 2 : FIT_TO;
	double n, x, y, sx = 0, sy = 0, sxx = 0, sxy = 0;

	if (to < FIT_FROM + FIT_POINTS)
		return;
	for (uint64_t i = FIT_FROM; i < to; i++) {
		x = log((double)i + 0.5);
		y = log(s[i].delta);
		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
	}
	t->span = to - FIT_FROM;
	n = (double)t->span;
	t->b = (n * sxy - sx * sy) / (n * sxx - sx * sx);
	t->a = (sy - t->b * sx) / n;
	t->ex = log(s[0].delta) - t->a;
	t->fitted = true;
}

static void
find_gap(const struct rowtest_row *s, struct rowtest *t)
{
	double g;

	for (unsigned k = 0; k < ROWTEST_APART && k + 1 < t->L; k++) {
		g = log(s[k].delta / s[k + 1].delta);
		if (g > t->gap) {
			t->gap = g;
			t->apart = k + 1;
		}
	}
}

static double
ratio_of(const struct rowtest_row *s, uint64_t L)
{
	double v[REF_TO - REF_FROM], med;
	size_t n = 0;

	for (uint64_t i = REF_FROM; i < REF_TO && i < L; i++)
		v[n++] = s[i].delta;
	if (n == 0)
		return 0;
	qsort(v, n, sizeof(*v), upward);
	med = n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
	return log(s[0].delta / med);
}

static enum rowtest_level
judge(const struct rowtest *t)
{
	if (!t->fitted)
		return ROWTEST_NONE;
	if (t->ex > ROWTEST_EXCESS && t->gap > ROWTEST_GAP)
		return ROWTEST_OUTLIER;
	return t->ex > ROWTEST_EXCESS_WEAK ? ROWTEST_WEAK : ROWTEST_NONE;
}

/* Count, note the loudest silent row, and gather what may be listed. */
static uint64_t
gather(const struct rowtest_in *in, struct rowtest *t, bool all)
{
	uint64_t c = 0;
	double d;

	for (size_t i = 0; i < in->n; i++) {
		d = isnan(in->delta[i]) ? HUGE_VAL : in->delta[i];
		if (!(d > 0) || (in->mute[i] && !all))
			continue;
		in->room[c++] = (struct rowtest_row){i, d};
	}
	qsort(in->room, c, sizeof(*in->room), strongest);
	t->ntop = c < ROWTEST_TOP ? (unsigned)c : ROWTEST_TOP;
	memcpy(t->top, in->room, t->ntop * sizeof(*t->top));
	return c;
}

static void
tally(const struct rowtest_in *in, struct rowtest *t)
{
	double d;

	for (size_t i = 0; i < in->n; i++) {
		d = in->delta[i];
		t->silent += in->mute[i] != 0;
		t->nonfinite += isfinite(d) == 0;
		t->moved += d > 0 || isnan(d);
		if (in->mute[i] && d > t->loudest.delta)
			t->loudest = (struct rowtest_row){i, d};
	}
}

void
rowtest_run(const struct rowtest_in *in, struct rowtest *ret)
{
	struct rowtest *t = ret;
	uint64_t c, wild = 0;

	memset(t, 0, sizeof(*t));
	t->rows = in->n;
	t->muted = in->muted;
	t->level = ROWTEST_UNTOUCHED;
	tally(in, t);
	if (t->moved == 0)
		return;
	/* A fact, whoever they are: nobody is muted here.  In a table of a
	 * few rows "all others" would be nobody. */
	if (t->moved <= ROWTEST_ISOLATED_MAX && t->moved <= in->n / 4) {
		t->level = ROWTEST_ISOLATED;
		t->L = gather(in, t, true);
		return;
	}
	c = gather(in, t, false);
	while (wild < c && isinf(in->room[wild].delta))
		wild++;
	t->L = c - wild;
	t->level = ROWTEST_NONE;
	if (t->L == 0)
		return;
	fit(in->room + wild, t);
	find_gap(in->room + wild, t);
	t->ratio = ratio_of(in->room + wild, t->L);
	t->level = judge(t);
	if (in->muted < ROWTEST_MUTED && t->level != ROWTEST_NONE) {
		t->level = t->level == ROWTEST_OUTLIER ? ROWTEST_WEAK
		    : ROWTEST_NONE;
		t->dropped = true;
	}
}
