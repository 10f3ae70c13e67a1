#ifndef ANALYZER_DIFF_TOKENROWS_H_
#define ANALYZER_DIFF_TOKENROWS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/rowtest.h"
#include "analyzer/diff/tied.h"

struct delta;
struct err;
struct pool;
struct rows;
struct vocab;

/*
 * Trigger words by the rows of an embedding, older against newer: which
 * tokens moved out of line, and what may be said about that.
 *
 * A claim (a candidate) is made for an input embedding alone, and only when
 * rows stand out (rowtest.h) or few rows changed and all others stand still.
 * An embedding that is also the output matrix, and an output head, gets a
 * list of 50 after its common directions are removed (tied.h): leads, as
 * nothing there separates poisoned from clean.
 *
 * What it cannot see, and says so: anything when the embedding was frozen or
 * its older version is not at hand; triggers of frequent or of no particular
 * words (syntax, style); a product's name taught by honest data looks the
 * same.
 *
 * Limits: rows below 2^32, row length up to ROWDELTA_COLS.  Memory: about 60
 * bytes a row and 1.5 KB a column on the heap while it runs; nothing is held
 * after.
 */
struct tokenrows_opt {
	const struct vocab *vocab;	/* NEW's; NULL: unknown, so the order
					 * is too, and tokens are "#7" */
	/* The older id of each new one by text: vocab_align(new, old, map);
	 * NULL: ids did not move. */
	const uint32_t *map;
	uint64_t nmap;
	enum tied_why tied;
	bool head;			/* it is an output head */
	uint64_t changed;		/* pass_sums.changed; UINT64_MAX: not
					 * known */
};

enum tokenrows_list { TOKENROWS_BY_DELTA, TOKENROWS_BY_REST };

struct tokenrows_row {
	uint64_t id;
	double delta;		/* |D_i|, infinite: not summable */
	double rest;		/* without the common directions; tied alone */
	double stands;		/* that, over the median of its neighbours,
				 * where ids are in order of frequency */
	double along;		/* |D_i . v1|; 0 where it was not needed */
	double rel;		/* |D_i| / |A_i|; infinite if A_i is 0 */
	uint64_t changed;	/* elements of it */
	bool rewritten;		/* most of them: not a few values patched */
};

struct tokenrows {
	const struct delta *d;
	struct tokenrows_opt opt;
	bool usable;		/* false: rowdelta_init refused */
	struct rowtest test;
	enum rowtest_order order;
	uint64_t fresh;		/* new rows without an older partner */
	bool patched;		/* few rows, but only a few values of them,
				 * or their lowest bits: level NONE */
	bool below;		/* bits changed, below single precision */
	enum tokenrows_list list;
	struct tokenrows_row top[ROWTEST_TOP];
	unsigned ntop;
	unsigned removed;	/* common directions; tied alone */
};

/*
 * tokenrows_find: the test of one pair of embedding tensors with rows of the
 * same length; vocabularies of different sizes are compared over what they
 * share.  0, or negative when memory ran out.  ${ret} refers to ${d} and to
 * what ${opt} points to.
 */
int tokenrows_find(struct pool *pool, const struct delta *d,
    const struct tokenrows_opt *opt, struct tokenrows *ret, struct err *e);

/*
 * tokenrows_rows: tell it: candidates, leads, the detector, and the
 * conclusion token-row-edit.  ${others} is how many other tensors of the
 * model changed, UINT64_MAX where that is not known.  0, or what a sink
 * returned.
 */
int tokenrows_rows(const struct tokenrows *t, uint64_t others,
    struct rows *rows);

/* Why nothing can be said at all. */
enum tokenrows_lack {
	TOKENROWS_NO_BASE,	/* weights alone give no verdict */
	TOKENROWS_NO_EMBEDDING,
	TOKENROWS_NO_PARTNER,	/* the older model's was not found */
	TOKENROWS_LACKS
};
int tokenrows_lack(enum tokenrows_lack why, struct rows *rows);

#endif /* !ANALYZER_DIFF_TOKENROWS_H_ */
