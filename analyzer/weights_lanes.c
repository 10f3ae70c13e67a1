#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/weights_lanes.h"
#include "base/err.h"

/*
 * Weights that training hardly touched keep the grid of the generator that
 * they came from, and the smallest of them are coarse on it: windows of honest
 * tensors reach a z of 13.  A kilobyte of text in a window has 90.
 *
 * A window that stands out is read again before anything is said: where the
 * same few weights repeat (a codebook, constant rows), their low bytes repeat
 * as well, and that is no payload.  Nor are tables of sines: the cosines of
 * slow waves crowd so closely below 1 that the second byte is hardly free.
 * There the bytes of a lane depend on the bits above; a payload knows nothing
 * of those.  So the window is parted by the bit above the lane, and both parts
 * must prefer the same bytes.
 *
 * The gap's likelihood is that of trailing zeros (0 to 8) by exponent, under
 * the law of noise (a half, a quarter, ...) against the tensor: made from a
 * sample of windows, only where the cheap statistic shows both a tensor with
 * the fingerprint and a window without.  Training wears the fingerprint off,
 * faster in some rows than in others; so there must be hardly a window between
 * those that have it and those that do not.
 */
#define ODD_LEAST 256
#define PLAIN 30.0		/* a window's odd bytes */
#define PLAIN_OTHERS 2.5	/* the median stays below */
#define PRINT_OTHERS 20.0	/* the fingerprint: the median is above */
#define PRINT_GONE 3.0
#define PRINT_BETWEEN 2		/* windows between that and a third of it */
#define LLR 40.0
#define WINDOWS_LEAST 4
#define SAMPLE 256
#define TAILS 9
#define DISTINCT 0.9		/* of a window's weights, at least */
#define DISTINCT_F16 0.4	/* there are not more float16s than that */
#define ALIKE 4.5		/* of two parts: 0.7 of PLAIN, less noise */
#define ALIKE_SHARE 0.25	/* and of what both show together: 0.7 */

void
weights_lanes_begin(struct weights_lanes *l, enum weights_class cls)
{
	memset(l, 0, sizeof(*l));
	l->lanes = cls == WEIGHTS_F32 ? 2 : cls == WEIGHTS_F16 ? 1 : 0;
}

double
weights_lane_odd(const struct weights_lane *l)
{
	double n = 0, squares = 0;

	for (unsigned b = 1; b < 256; b += 2) {
		n += l->n[b];
		squares += (double)l->n[b] * l->n[b];
	}
	if (n < ODD_LEAST)
		return -99;
	return (128 * squares / n - n - 127) / sqrt(2 * 127);
}

/* How far above one in sixteen the bytes with a low half of zero are. */
static double
excess(const struct weights_lane *l, uint64_t zeros)
{
	double n = WEIGHTS_WINDOW - (double)zeros, hits = 0;

	for (unsigned b = 0; b < 256; b += 16)
		hits += l->n[b];
	if (n < ODD_LEAST)
		return -99;
	return (hits - n / 16) / sqrt(n * 15 / 256);
}

static void
spread(struct weights_spread *s, double z)
{
	double bin = (z + 16) * 4;

	s->n[bin < 0 ? 0 : bin >= WEIGHTS_Z_BINS ? WEIGHTS_Z_BINS - 1 :
	    (unsigned)bin]++;
	s->windows++;
}

static void
stand_out(struct weights_spread *s, uint64_t index, double z)
{
	if (s->suspects < WEIGHTS_LANE_SUSPECTS) {
		s->index[s->suspects] = index;
		s->z[s->suspects] = (float)z;
	}
	s->suspects++;
}

double
weights_spread_median(const struct weights_spread *s)
{
	uint64_t below = 0;

	for (unsigned i = 0; i < WEIGHTS_Z_BINS; i++) {
		below += s->n[i];
		if (below * 2 > s->windows)
			return (i + 0.5) / 4 - 16;
	}
	return 0;
}

void
weights_lanes_window(struct weights_lanes *l, uint64_t zeros)
{
	double z;

	for (unsigned k = 0; k < l->lanes; k++) {
		if ((z = weights_lane_odd(&l->lane[k])) > -99) {
			spread(&l->odd[k], z);
			if (z > PLAIN)
				stand_out(&l->odd[k], l->windows, z);
		}
	}
	/* Zeros are no fingerprint: pruning makes them. */
	l->lane[0].n[0] = (uint16_t)(l->lane[0].n[0] -
	    (zeros < l->lane[0].n[0] ? zeros : l->lane[0].n[0]));
	if ((z = excess(&l->lane[0], zeros)) > -99) {
		spread(&l->zeros, z);
		if (z < PRINT_GONE)
			stand_out(&l->zeros, l->windows, z);
	}
	memset(l->lane, 0, sizeof(l->lane));
	l->windows++;
}

static uint64_t
element(const struct weights_at *at, uint64_t i)
{
	uint64_t x = 0;

	for (unsigned b = 0; b < at->type->width; b++)
		x |= (uint64_t)at->block[i * at->type->width + b] << (8 * b);
	return x;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/*
 * Do the weights of v[n] whose bit above lane k is set, and those where it is
 * not, prefer the same odd bytes there?  Noise against noise has the mean 0
 * and the deviation 1; one byte that is frequent in one part has more.
 */
static bool
alike(const uint64_t *v, uint64_t n, unsigned k)
{
	struct weights_lane part[2] = {0}, sum = {0};
	double n0 = 0, n1 = 0, both = 0, root, z;

	for (uint64_t i = 0; i < n; i++) {
		unsigned b = v[i] >> 8 * k & 255;

		part[v[i] >> 8 * (k + 1) & 1].n[b]++;
		sum.n[b]++;
	}
	for (unsigned b = 1; b < 256; b += 2) {
		n0 += part[0].n[b];
		n1 += part[1].n[b];
		both += (double)part[0].n[b] * part[1].n[b];
	}
	if ((root = sqrt(n0 * n1)) <= 0)
		return false;
	z = (128 * both / root - root) / sqrt(127);
	return z > ALIKE && z > ALIKE_SHARE * weights_lane_odd(&sum);
}

int
weights_lanes_varied(const struct weights_at *at, uint64_t index, unsigned k,
    bool *ret, struct err *e)
{
	static uint64_t v[WEIGHTS_WINDOW];
	uint64_t got, distinct = 0, n = 0;
	bool same;
	int r;

	if ((r = weights_read(at, index * WEIGHTS_WINDOW, WEIGHTS_WINDOW,
	    &got, e)) < 0)
		return r;
	for (uint64_t i = 0; i < got; i++)
		v[i] = element(at, i);
	same = alike(v, got, k);
	for (uint64_t i = 0; i < got; i++)
		if (v[i] % 2 != 0)
			v[n++] = v[i];
	if (n > 0)
		qsort(v, n, sizeof(*v), compare);
	for (uint64_t i = 0; i < n; i++)
		distinct += i == 0 || v[i] != v[i - 1];
	*ret = n >= ODD_LEAST && same && (double)distinct >= (at->type->width == 2 ?
	    DISTINCT_F16 : DISTINCT) * (double)n;
	return 0;
}

static void
extend(struct weights_flag *f, uint64_t index)
{
	if (f->windows++ == 0)
		f->first = index * WEIGHTS_WINDOW;
	f->count = (index + 1) * WEIGHTS_WINDOW - f->first;
}

static int
plain(struct weights_lanes *l, const struct weights_at *at, unsigned k,
    struct err *e)
{
	static const char *const names[] = {"lowest byte",
	    "second lowest byte"};
	struct weights_flag f = {.id = FINDING_WGT_LANE,
	    .severity = SEVERITY_MEDIUM, .confidence = CONFIDENCE_STRONG,
	    .test = "bytes of a window are not noise, the tensor's are",
	    .stream = names[k]};
	const struct weights_spread *s = &l->odd[k];
	double others = weights_spread_median(s), best = 0;
	bool varied;
	int r;

	if (s->suspects == 0 || s->windows < WINDOWS_LEAST ||
	    others >= PLAIN_OTHERS)
		return 0;
	for (uint64_t i = 0; i < s->suspects && i < WEIGHTS_LANE_SUSPECTS;
	    i++) {
		if ((r = weights_lanes_varied(at, s->index[i], k, &varied,
		    e)) < 0)
			return r;
		if (!varied)
			continue;
		extend(&f, s->index[i]);
		if (s->z[i] > best)
			best = s->z[i];
	}
	weights_statistic(&f, "z", best, '>', PLAIN);
	weights_statistic(&f, "median", others, '<', PLAIN_OTHERS);
	return f.windows > 0 ? at->flag(at->ctx, at, &f) : 0;
}

/* Trailing zeros of the weights of a window, by exponent. */
struct tails {
	uint32_t n[256][TAILS];
};

static int
read_tails(const struct weights_at *at, uint64_t index, struct tails *t,
    struct err *e)
{
	uint64_t got;
	int r;

	if ((r = weights_read(at, index * WEIGHTS_WINDOW, WEIGHTS_WINDOW,
	    &got, e)) < 0)
		return r;
	for (uint64_t i = 0; i < got; i++) {
		uint32_t x = (uint32_t)element(at, i);
		unsigned n = (unsigned)__builtin_ctz(x | 256);

		if (x << 1 != 0)
			t->n[(x >> 23) & 255][n]++;
	}
	return 0;
}

/* For noise, against what the other windows are like. */
static double
likelihood(const struct tails *all, const struct tails *mine)
{
	double sum = 0;

	for (unsigned x = 0; x < 256; x++) {
		double others = 0;

		for (unsigned k = 0; k < TAILS; k++)
			others += all->n[x][k];
		for (unsigned k = 0; k < TAILS; k++) {
			double noise = ldexp(1, k < 8 ? -(int)k - 1 : -8);

			if (mine->n[x][k] > 0)
				sum += mine->n[x][k] * log(noise *
				    (others + 8) /
				    ((double)all->n[x][k] + 8 * noise));
		}
	}
	return sum;
}

static int
compare_double(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sampled windows: their sum, then the median of their likelihoods. */
static int
sample_tails(const struct weights_lanes *l, const struct weights_at *at,
    struct tails *all, double *median, struct err *e)
{
	uint64_t n = l->windows < SAMPLE ? l->windows : SAMPLE;
	uint64_t step = l->windows / n;
	double v[SAMPLE];
	struct tails t;
	int r;

	memset(all, 0, sizeof(*all));
	for (uint64_t i = 0; i < n; i++)
		if ((r = read_tails(at, i * step, all, e)) < 0)
			return r;
	for (uint64_t i = 0; i < n; i++) {
		memset(&t, 0, sizeof(t));
		if ((r = read_tails(at, i * step, &t, e)) < 0)
			return r;
		v[i] = likelihood(all, &t);
	}
	qsort(v, (size_t)n, sizeof(*v), compare_double);
	*median = v[n / 2];
	return 0;
}

/* How many windows lie in [from, to)? */
static uint64_t
between(const struct weights_spread *s, double from, double to)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < WEIGHTS_Z_BINS; i++)
		if (i / 4.0 - 16 >= from && i / 4.0 - 16 < to)
			n += s->n[i];
	return n;
}

static int
gap(struct weights_lanes *l, const struct weights_at *at, struct err *e)
{
	struct weights_flag f = {.id = FINDING_WGT_LANE,
	    .severity = SEVERITY_MEDIUM, .confidence = CONFIDENCE_STRONG,
	    .test = "a window lacks the tensor's trailing zeros",
	    .stream = "lowest bits"};
	const struct weights_spread *s = &l->zeros;
	double median = weights_spread_median(s), llr, best = 0;
	struct tails all, t;
	int r;

	if (at->type->cls != WEIGHTS_F32 || s->suspects == 0 ||
	    s->windows < WINDOWS_LEAST || median <= PRINT_OTHERS ||
	    between(s, PRINT_GONE, median / 3) > PRINT_BETWEEN)
		return 0;
	if ((r = sample_tails(l, at, &all, &median, e)) < 0)
		return r;
	if (median >= -LLR)
		return 0;
	for (uint64_t i = 0; i < s->suspects && i < WEIGHTS_LANE_SUSPECTS;
	    i++) {
		memset(&t, 0, sizeof(t));
		if ((r = read_tails(at, s->index[i], &t, e)) < 0)
			return r;
		if ((llr = likelihood(&all, &t)) <= LLR)
			continue;
		extend(&f, s->index[i]);
		if (llr > best)
			best = llr;
	}
	weights_statistic(&f, "likelihood", best, '>', LLR);
	weights_statistic(&f, "median", median, '<', -LLR);
	return f.windows > 0 ? at->flag(at->ctx, at, &f) : 0;
}

int
weights_lanes_end(struct weights_lanes *l, const struct weights_at *at,
    struct err *e)
{
	int r;

	for (unsigned k = 0; k < l->lanes; k++)
		if ((r = plain(l, at, k, e)) < 0)
			return r;
	return gap(l, at, e);
}
