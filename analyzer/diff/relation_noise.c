#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/diff/relation_parts.h"
#include "base/err.h"

/*
 * Row 18: independent normal noise, of one size everywhere or in proportion
 * to each element.  Three things must hold of D, or of D / |A|:
 *
 *   the kurtosis is that of a normal distribution, within sampling error;
 *   it does not depend on A (or its size follows A's: the spread of D in
 *   half-octaves of |A| has slope 1 and does not leave the line);
 *   its largest singular value is what independence gives, sd (sqrt m +
 *   sqrt n), within a tenth: any update that was learnt has directions.
 *
 * Updates of training fail the first or the last; rounding differences are in
 * proportion to A and uniform, so they fail the first.
 */
#define LEAST 1000
#define KURTOSIS_OFF 0.15
#define CORRELATION_OFF 0.05
#define SLOPE_OFF 0.1
#define LINE_OFF 0.1		/* of log sd, in nats */
#define EDGE 1.1
#define BINS 40
#define BIN_LEAST 64
#define ROUNDS 6
#define PARTS 8			/* row ranges whose sums are kept apart */
#define COLUMNS_MAX (1U << 20)

struct moments {
	double n, d2, d4, a1, a2, d1, da;	/* a1, d1: of magnitudes */
	double r2, r4, nr;			/* of D / A */
	double bin_n[BINS], bin_d2[BINS];
	bool odd;				/* not finite */
};

struct sweep {
	const struct delta *d;
	struct moments *v;
};

/* Half-octaves of |A|, from 2^-18 up to 4. */
static void
element(struct moments *m, double a, double d)
{
	double x = fabs(a), y = fabs(d), r;
	int e, bin;

	m->n++;
	m->d2 += d * d;
	m->d4 += d * d * d * d;
	m->d1 += y;
	m->a1 += x;
	m->a2 += x * x;
	m->da += x * y;
	if (x == 0)
		return;
	r = d / x;
	m->nr++;
	m->r2 += r * r;
	m->r4 += r * r * r * r;
	bin = (frexp(x, &e) >= M_SQRT1_2) + 2 * e + BINS - 4;
	if (bin < 0 || bin >= BINS)
		return;
	m->bin_n[bin]++;
	m->bin_d2[bin] += d * d;
}

static void
task(void *ctx, size_t i, unsigned thread)
{
	struct sweep *s = ctx;
	struct relation_run r = relation_run(i, s->d->a->n);
	float a[RELATION_BLOCK], b[RELATION_BLOCK];

	(void)thread;
	while (relation_next(&r)) {
		relation_pair_load(s->d, r.at, r.n, a, b);
		for (size_t k = 0; k < r.n; k++) {
			if (!isfinite(a[k]) || !isfinite(b[k])) {
				s->v[i].odd = true;
				continue;
			}
			element(&s->v[i], (double)a[k], (double)b[k] -
			    (double)a[k]);
		}
	}
}

static void
join(struct moments *r, const struct moments *p)
{
	r->n += p->n;
	r->d2 += p->d2;
	r->d4 += p->d4;
	r->d1 += p->d1;
	r->a1 += p->a1;
	r->a2 += p->a2;
	r->da += p->da;
	r->r2 += p->r2;
	r->r4 += p->r4;
	r->nr += p->nr;
	r->odd = r->odd || p->odd;
	for (unsigned i = 0; i < BINS; i++) {
		r->bin_n[i] += p->bin_n[i];
		r->bin_d2[i] += p->bin_d2[i];
	}
}

static double
kurtosis(double n, double x2, double x4)
{
	return x2 > 0 ? n * x4 / (x2 * x2) : 0;
}

static bool
normal(double k, double n)
{
	return fabs(k - 3) < fmax(KURTOSIS_OFF, 3 * sqrt(24 / n));
}

static double
correlation(const struct moments *m)
{
	double va = m->a2 / m->n - m->a1 / m->n * (m->a1 / m->n);
	double vd = m->d2 / m->n - m->d1 / m->n * (m->d1 / m->n);
	double c = m->da / m->n - m->a1 / m->n * (m->d1 / m->n);

	return va > 0 && vd > 0 ? c / sqrt(va * vd) : 0;
}

/* Does log sd of D follow log |A| with slope 1? */
static bool
proportional(const struct moments *m)
{
	double w = 0, x1 = 0, y1 = 0, xx = 0, xy = 0, slope, level, off = 0;
	unsigned used = 0;

	for (unsigned pass = 0; pass < 2; pass++) {
		slope = xx > 0 ? (xy - x1 * y1 / w) / (xx - x1 * x1 / w) : 0;
		level = w > 0 ? (y1 - slope * x1) / w : 0;
		for (unsigned i = 0; i < BINS; i++) {
			double x = i * M_LN2 / 2, y;

			if (m->bin_n[i] < BIN_LEAST || m->bin_d2[i] <= 0)
				continue;
			y = log(m->bin_d2[i] / m->bin_n[i]) / 2;
			if (pass > 0) {
				off = fmax(off, fabs(y - level - slope * x) -
				    3 / sqrt(2 * m->bin_n[i]));
				continue;
			}
			used++;
			w += m->bin_n[i];
			x1 += m->bin_n[i] * x;
			y1 += m->bin_n[i] * y;
			xx += m->bin_n[i] * x * x;
			xy += m->bin_n[i] * x * y;
		}
	}
	return used >= 4 && fabs(slope - 1) < SLOPE_OFF && off < LINE_OFF;
}

/* The largest singular value, by the power method: never too large. */
struct power {
	const struct delta *d;
	bool ratio;		/* of D / |A| */
	bool back;		/* y = D' x in place of x = D y */
	double *rows, *cols;
	double *parts;		/* PARTS times cols */
};

static void
power_row(struct power *p, uint64_t r, double *cols)
{
	const struct tensor *t = p->d->a;
	float a[RELATION_BLOCK], b[RELATION_BLOCK];
	double sum = 0;
	size_t n;

	for (uint64_t j = 0; j < t->cols; j += n) {
		n = t->cols - j < RELATION_BLOCK ? (size_t)(t->cols - j) :
		    RELATION_BLOCK;
		relation_pair_load(p->d, r * t->cols + j, n, a, b);
		for (size_t k = 0; k < n; k++) {
			double d = (double)b[k] - (double)a[k];

			if (p->ratio)
				d = a[k] != 0 ? d / fabs((double)a[k]) : 0;
			if (p->back)
				cols[j + k] += d * p->rows[r];
			else
				sum += d * p->cols[j + k];
		}
	}
	if (!p->back)
		p->rows[r] = sum;
}

static void
power_task(void *ctx, size_t i, unsigned thread)
{
	struct power *p = ctx;
	const struct tensor *t = p->d->a;
	uint64_t from = t->rows * i / PARTS, to = t->rows * (i + 1) / PARTS;
	double *cols = p->parts + i * t->cols;

	(void)thread;
	if (p->back)
		memset(cols, 0, t->cols * sizeof(*cols));
	for (uint64_t r = from; r < to; r++)
		power_row(p, r, cols);
}

static double
unit(double *v, uint64_t n)
{
	double s = 0;

	for (uint64_t i = 0; i < n; i++)
		s += v[i] * v[i];
	s = sqrt(s);
	for (uint64_t i = 0; i < n && s > 0; i++)
		v[i] /= s;
	return s;
}

static void
power_rounds(struct pool *pool, struct power *p, double *ret)
{
	const struct tensor *t = p->d->a;
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	for (uint64_t j = 0; j < t->cols; j++) {
		x = x * UINT64_C(6364136223846793005) +
		    UINT64_C(1442695040888963407);
		p->cols[j] = (x >> 63) != 0 ? 1 : -1;
	}
	(void)unit(p->cols, t->cols);
	for (unsigned k = 0; k < ROUNDS; k++) {
		p->back = false;
		pool_run(pool, power_task, p, PARTS);
		*ret = unit(p->rows, t->rows);
		p->back = true;
		pool_run(pool, power_task, p, PARTS);
		memset(p->cols, 0, t->cols * sizeof(*p->cols));
		for (unsigned i = 0; i < PARTS; i++)
			for (uint64_t j = 0; j < t->cols; j++)
				p->cols[j] += p->parts[i * t->cols + j];
		(void)unit(p->cols, t->cols);
	}
}

/* s1 over what independence allows. */
static int
edge(struct pool *pool, const struct delta *d, bool ratio, double sd,
    double *ret)
{
	const struct tensor *t = d->a;
	struct power p = {.d = d, .ratio = ratio};
	double s1 = 0;
	int r = ERR_NOMEM;

	p.rows = calloc(t->rows, sizeof(*p.rows));
	p.cols = calloc(t->cols, sizeof(*p.cols));
	p.parts = calloc(PARTS * t->cols, sizeof(*p.parts));
	if (p.rows != NULL && p.cols != NULL && p.parts != NULL) {
		power_rounds(pool, &p, &s1);
		*ret = s1 / (EDGE * sd * (sqrt((double)t->rows) +
		    sqrt((double)t->cols)));
		r = 0;
	}
	free(p.rows);
	free(p.cols);
	free(p.parts);
	return r;
}

static int
judge(struct pool *pool, const struct delta *d, const struct moments *m,
    struct relation_noise *ret, uint64_t *set)
{
	const double kd = kurtosis(m->n, m->d2, m->d4);
	const double kr = kurtosis(m->nr, m->r2, m->r4);
	const double c = correlation(m);
	bool plain = normal(kd, m->n) && fabs(c) < fmax(CORRELATION_OFF,
	    3 / sqrt(m->n));
	bool ratio = !plain && m->nr > 0.9 * m->n && normal(kr, m->nr) &&
	    proportional(m);
	double sd = ratio ? sqrt(m->r2 / m->nr) : sqrt(m->d2 / m->n), over = 0;
	int r;

	if ((!plain && !ratio) || !(sd > 0))
		return 0;
	if ((r = edge(pool, d, ratio, sd, &over)) < 0)
		return r;
	if (!(over < 1))
		return 0;
	*ret = (struct relation_noise){.sd = sd, .kurtosis = ratio ? kr : kd,
	    .relative = m->a2 > 0 ? sqrt(m->d2 / m->a2) : 0,
	    .correlation = c, .edge = over};
	*set = RELATION_BIT(ratio ? RELATION_MULTIPLICATIVE_NOISE :
	    RELATION_GAUSSIAN_NOISE);
	return 0;
}

int
relation_noisy(struct pool *pool, const struct delta *d,
    struct relation_noise *ret, uint64_t *set, struct err *e)
{
	const struct tensor *t = d->a;
	struct sweep s = {.d = d};
	struct moments all = {0};
	size_t n = relation_tasks(t->n);
	int r;

	*set = 0;
	if (t->n < LEAST || t->rows < 8 || t->cols < 8 || t->cols >
	    COLUMNS_MAX)
		return 0;
	if ((s.v = calloc(n, sizeof(*s.v))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	/* The first task turns nearly everybody away. */
	task(&s, 0, 0);
	r = s.v[0].odd || (!normal(kurtosis(s.v[0].n, s.v[0].d2, s.v[0].d4),
	    s.v[0].n) && !normal(kurtosis(s.v[0].nr, s.v[0].r2, s.v[0].r4),
	    s.v[0].n));
	if (r > 0)
		goto out;
	memset(&s.v[0], 0, sizeof(s.v[0]));
	pool_run(pool, task, &s, n);
	for (size_t i = 0; i < n; i++)
		join(&all, &s.v[i]);
	if (!all.odd)
		r = judge(pool, d, &all, ret, set);
out:
	free(s.v);
	return r < 0 ? err_set(e, ERR_NOMEM, "out of memory") : 0;
}
