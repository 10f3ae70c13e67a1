#ifndef ANALYZER_TRAFFIC_DISCREPANCY_H_
#define ANALYZER_TRAFFIC_DISCREPANCY_H_

#include <stddef.h>
#include <stdint.h>

struct thumb;
struct wordrun;

/*
 * Maximum mean discrepancy of two samples of points (Gretton, Borgwardt,
 * Rasch, Schoelkopf, Smola 2012): the unbiased square, with a Gaussian kernel
 * as wide as the median distance, and its significance by permutations whose
 * seeds are fixed.
 */
#define DISCREPANCY_PLACES 192
#define DISCREPANCY_SAMPLE 200		/* points of a side */
#define DISCREPANCY_PERMUTATIONS 199

struct discrepancy;

struct discrepancy *discrepancy_new(void);	/* NULL: out of memory */
void discrepancy_free(struct discrepancy *d);
/* Words as signed counts in 192 places, of length one; thumbnails as such. */
void discrepancy_words(struct discrepancy *d, unsigned side,
    const struct wordrun *w);
void discrepancy_thumb(struct discrepancy *d, unsigned side,
    const struct thumb *t);
size_t discrepancy_count(const struct discrepancy *d, unsigned side);
/* discrepancy_test: the square; *p its significance.  Once. */
int discrepancy_test(struct discrepancy *d, double *square, double *p);

#endif /* !ANALYZER_TRAFFIC_DISCREPANCY_H_ */
