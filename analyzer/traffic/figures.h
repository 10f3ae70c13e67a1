#ifndef ANALYZER_TRAFFIC_FIGURES_H_
#define ANALYZER_TRAFFIC_FIGURES_H_

#include <stddef.h>
#include <stdint.h>

/*
 * Small statistics.  All of them put up with any finite numbers.
 *
 * A sample is a reservoir (Vitter's algorithm R) whose choices come from a
 * counter, not from a clock: any prefix of its places is a uniform sample of
 * all that was added.
 */
#define FIGURES_SAMPLE 512

struct figures_sample {
	uint64_t seen;		/* values added */
	float v[FIGURES_SAMPLE];
};

void figures_sample_add(struct figures_sample *s, double v);
static inline size_t
figures_sample_count(const struct figures_sample *s)
{
	return s->seen < FIGURES_SAMPLE ? (size_t)s->seen : FIGURES_SAMPLE;
}

void figures_sort(float *v, size_t n);
/* figures_quantile: of sorted values, n > 0; q in [0, 1]. */
double figures_quantile(const float *sorted, size_t n, double q);
/* figures_median: sorts ${v}; NAN for none. */
double figures_median(float *v, size_t n);
/* figures_mad: median of |v - centre|; overwrites ${v}. */
double figures_mad(float *v, size_t n, double centre);

/* figures_spearman: rank correlation of v with its order, ties averaged. */
double figures_spearman(const float *v, size_t n);

/*
 * figures_ks: largest distance between the distributions of a and of b less
 * those of ${without}, all sorted.  0 where one side is empty.
 */
double figures_ks(const float *a, size_t na, const float *b, size_t nb,
    const float *without, size_t nwithout);
/* figures_ks_p: probability of such a distance for equal distributions. */
double figures_ks_p(double d, double na, double nb);

/* figures_binomial: -log10 P(Bin(n, p) >= k), at most 300. */
double figures_binomial(uint64_t n, uint64_t k, double p);

#endif /* !ANALYZER_TRAFFIC_FIGURES_H_ */
