#ifndef ANALYZER_DIFF_SPECTRUM_H_
#define ANALYZER_DIFF_SPECTRUM_H_

#include <stdbool.h>
#include <stdint.h>

struct basis;
struct delta;
struct err;
struct pass_sums;
struct pool;

/*
 * What the singular values of D = B - A say about how D was made: is it no
 * more than the rounding of what is stored, a sum of a few outer products (an
 * edit, an adapter), or dense (training)?
 *
 * The noise of storing B is modelled element by element, so that a small
 * update is not taken for rounding, nor rounding for a small update.  A
 * verdict of LOW_RANK is only given where what is left after ${rank}
 * components is no more than that noise; in doubt it is DENSE or UNDECIDED.
 *
 * It does NOT say who did it or why: an adapter that was poisoned and one
 * that was not have the same spectrum.
 */
enum spectrum_verdict {
	SPECTRUM_SKIPPED,	/* ${why} */
	SPECTRUM_ROUNDING,	/* rounding-level difference, no structure */
	SPECTRUM_DENSE,
	SPECTRUM_LOW_RANK,
	/* Some components stand above the noise, with no gap behind them:
	 * more may be hidden in it.  Neither dense nor low-rank. */
	SPECTRUM_UNDECIDED,
	SPECTRUM_VERDICTS
};

#define SPECTRUM_KEPT 32	/* singular values that are kept */

struct spectrum {
	enum spectrum_verdict verdict;
	const char *why;	/* SKIPPED: why not; LOW_RANK: by which rule;
				 * our own text, may be NULL */
	unsigned rank;		/* LOW_RANK; UNDECIDED: at least */
	bool sure;		/* LOW_RANK: far above the noise */
	uint64_t m, n;		/* rows and columns */
	unsigned q;		/* singular values that were computed */
	bool exact;		/* q = min(m, n): all of them, no sketch */
	bool old_rounded;	/* A's own rounding was added to nf */
	unsigned above;		/* r_e: components above storage noise */
	unsigned nkept;
	float s[SPECTRUM_KEPT];	/* the largest, descending */
	double energy;		/* |D|^2 */
	double resid;		/* sqrt(|D|^2 - sum of all q s^2) */
	double nf;		/* |rounding noise| that storage explains */
	double nt;		/* ... and the floor of the arithmetic */
	double edge;		/* largest s that such noise has */
	double tail_ratio;	/* what is left after ${rank} (DENSE: after
				 * ${above}) components, over nt; near 1 or
				 * below: it is noise */
	double gap;		/* s_k/s_k+1 at the rank (DENSE: largest) */
	double stable_rank;	/* |D|^2 / s_1^2 */
	unsigned r90, r99;	/* components of 90, 99 % of the energy; 0:
				 * more than q */
	double kurtosis;	/* of D's elements; 3: Gaussian */
};

/* "skipped", "rounding", "dense", "low-rank", "undecided" */
const char *spectrum_verdict_name(enum spectrum_verdict v);

/*
 * spectrum_find: the spectrum of ${d}, whose cast must be CAST_NONE (noise
 * is modelled, not imitated), over rows x cols of its tensors.  ${sums} is of
 * the first pass (with any cast) and only tells whether anything changed.
 * Values that are not finite count as no change.
 *
 * SKIPPED where min(m, n) < 3 (nothing could be called low), nothing changed,
 * bytes are not at hand, elements are no numbers, or rows and columns are so
 * many that no sketch fits in LIMIT_DIFF_SKETCH.  0, or negative on no
 * memory.  Threads: inside a task of a pool, pass NULL for ${pool}; then any
 * number may run at once.
 */
int spectrum_find(struct pool *pool, const struct delta *d,
    const struct pass_sums *sums, struct spectrum *ret, struct err *e);

/* spectrum_basis: members of an open object: verdict, rank, s, nf, ... */
void spectrum_basis(const struct spectrum *s, struct basis *b);

#endif /* !ANALYZER_DIFF_SPECTRUM_H_ */
