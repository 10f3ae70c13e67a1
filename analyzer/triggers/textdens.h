#ifndef ANALYZER_TRIGGERS_TEXTDENS_H_
#define ANALYZER_TRIGGERS_TEXTDENS_H_

#include <stdint.h>

struct err;
struct pool;
struct textfit;

/*
 * How much likelier a margin is for a row of another class than for one of
 * the class itself: log10 of the ratio of two densities, as tables of
 * TEXTDENS_BINS bins between the 0.1 % and the 99.9 % quantile.
 *
 * own: against rows of the class.  cut[0], cut[1]: against rows of the class
 * that lost their strongest word, their strongest two: what an honest cue
 * word leaves behind.
 */
#define TEXTDENS_BINS 96

struct textdens {
	float low, scale;	/* bin = (d - low) * scale, clipped */
	float own[TEXTDENS_BINS];
	float cut[2][TEXTDENS_BINS];
	float apart;		/* the mean of own over rows of other classes */
};

/*
 * textdens_build: one a class, from margins ${m} (f->m or others of the same
 * layout).  ${ret} has room for f->classes.
 */
int textdens_build(const struct textfit *f, const float *m,
    struct pool *pool, struct textdens *ret, struct err *e);

static inline unsigned
textdens_bin(const struct textdens *t, float d)
{
	float x = (d - t->low) * t->scale;

	if (!(x > 0))
		return 0;
	return x >= TEXTDENS_BINS - 1 ? TEXTDENS_BINS - 1 : (unsigned)x;
}

#endif /* !ANALYZER_TRIGGERS_TEXTDENS_H_ */
