#ifndef ANALYZER_DIFF_ROWTEST_H_
#define ANALYZER_DIFF_ROWTEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Does one row of an embedding stand out?  Arithmetic on how far each row
 * moved, nothing else: no tensors, no text, no memory that is not given.
 *
 * In ordinary fine-tuning the sorted distances fall along a power law; a word
 * that was taught something of its own stands above the fitted line (excess)
 * and apart from the next (gap).  Both are needed for a claim.  What stands
 * out may as well be a product's name or a watermark: see tokenrows.h for
 * what is said about it.
 */
enum rowtest_level {
	ROWTEST_UNTOUCHED,	/* no row moved: no token can be named */
	ROWTEST_ISOLATED,	/* few rows moved, all others stand still */
	ROWTEST_OUTLIER,	/* rows stand out: the claim */
	ROWTEST_WEAK,		/* above the line, not apart */
	ROWTEST_NONE,		/* nothing stands out; not "clean" */
	ROWTEST_LEVELS
};
const char *rowtest_level_name(enum rowtest_level l);

/*
 * The thresholds, measured: 72 pairs of text classifiers to set them, 57
 * others to check (outlier rows in 71 of 74 attacked ones, 0 of 55 clean).
 */
#define ROWTEST_MUTED 200	/* most frequent tokens: move in any tuning */
#define ROWTEST_ISOLATED_MAX 20
#define ROWTEST_EXCESS 0.35
#define ROWTEST_GAP 0.30
#define ROWTEST_EXCESS_WEAK 0.30
#define ROWTEST_APART 10	/* rows that can stand apart together */
#define ROWTEST_TOP 50		/* rows that are kept */

/*
 * Who may speak.  Ids are in order of frequency in word lists, BPE and
 * WordPiece (ORDER_ID); by a score where pieces have one (ORDER_SCORE,
 * largest first); otherwise nobody is muted and the claim drops one level.
 */
enum rowtest_order { ROWTEST_ORDER_UNKNOWN, ROWTEST_ORDER_ID,
	ROWTEST_ORDER_SCORE };

/*
 * Kinds of token.  Control tokens are in every text and are muted wherever
 * they stand; bytes are muted up to the last muted token, for the same
 * reason.  Neither counts as one of the muted.  Unused and reserved tokens
 * are not counted either, and speak: no honest text has them.
 */
enum rowtest_kind { ROWTEST_ORDINARY, ROWTEST_CONTROL, ROWTEST_BYTE,
	ROWTEST_UNUSED };

struct rowtest_voice {
	enum rowtest_order order;
	const uint8_t *kind;	/* enum rowtest_kind by row; NULL: ordinary */
	const float *score;	/* by row; ORDER_SCORE alone */
	size_t n;		/* of both; rows beyond have no token: they
				 * are treated as unused ones */
};

struct rowtest_row {
	uint64_t row;
	double delta;		/* infinite: it could not be summed */
};

struct rowtest {
	enum rowtest_level level;
	bool dropped;		/* by one, see ${muted} and the order */
	uint64_t rows;
	uint64_t moved;		/* rows with delta > 0, muted ones too */
	uint64_t L;		/* of them, those that speak and are finite;
				 * ISOLATED: all */
	uint64_t muted;		/* ordinary tokens muted: 200, or half of a
				 * vocabulary of less than 400, or none if the
				 * order is not known: then the claim drops one
				 * level, as nothing was measured */
	uint64_t silent;	/* rows muted in all */
	uint64_t nonfinite;	/* rows whose delta is NaN or infinite */
	bool fitted;		/* enough rows for the line: a, b, ex hold */
	double a, b;		/* ln s_i = a + b ln(i + 1/2) */
	double ex;		/* ln s_0 - a */
	double gap;		/* largest ln(s_k/s_k+1), k < 10 */
	unsigned apart;		/* rows before that gap */
	double ratio;		/* ln(s_0 / median(s_10 .. s_59)); or 0 */
	struct rowtest_row top[ROWTEST_TOP];	/* that speak; strongest
				 * first, then by row.  ISOLATED: all that
				 * moved, muted or not */
	unsigned ntop;
	struct rowtest_row loudest;	/* of the silent ones */
	uint64_t span;		/* points of the line */
};

/*
 * rowtest_mute: mute[i] = 1 for rows that may not speak; ${room} is scratch
 * for n ids where the order is by score, and may be NULL otherwise.  Returns
 * how many ordinary tokens were muted.
 */
uint64_t rowtest_mute(const struct rowtest_voice *v, size_t n, uint8_t *mute,
    uint32_t *room);

/*
 * rowtest_run: ${delta} has n distances, at least 0 (NaN counts as not
 * known), ${mute} is of rowtest_mute, ${muted} what that returned, ${room}
 * scratch for n structs.  n is below 2^32.
 */
struct rowtest_in {
	const double *delta;
	size_t n;
	const uint8_t *mute;
	uint64_t muted;
	struct rowtest_row *room;
};
void rowtest_run(const struct rowtest_in *in, struct rowtest *ret);

#endif /* !ANALYZER_DIFF_ROWTEST_H_ */
