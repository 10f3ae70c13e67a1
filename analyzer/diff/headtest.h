#ifndef ANALYZER_DIFF_HEADTEST_H_
#define ANALYZER_DIFF_HEADTEST_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct delta;
struct err;
struct rows;
struct tensor;

/*
 * The rows of a classifier's head: which class has the most outlying row.
 *
 * An attribute, never a verdict: clean fine-tunes show a robust z up to 5.2,
 * and the class was the right one in 3 of 6 to 5 of 7 attacked image models
 * (AUROC 0.42 to 0.86).  With a named class it tells where to look.
 */
#define HEADTEST_CLASSES 1000

enum headtest_stat {
	/* of NEW */
	HEADTEST_MEAN,
	HEADTEST_NORM,
	HEADTEST_MAX,
	HEADTEST_POSITIVE,	/* sum of what is above 0 */
	HEADTEST_Q95,
	HEADTEST_BIAS,
	/* of the change */
	HEADTEST_MOVED,		/* |D_i| */
	HEADTEST_MEAN_MOVED,
	HEADTEST_BIAS_MOVED,
	HEADTEST_STATS
};
const char *headtest_stat_name(enum headtest_stat s);

struct headtest_score {
	bool there;
	uint32_t row;		/* most outlying */
	/* z: |v - median| / (1.4826 MAD); of a MAD of 0, / (1.2533 mean
	 * absolute deviation); 0: no spread at all. */
	double value, z;
	double dixon;		/* gap to the neighbour / range */
};

struct headtest {
	const struct tensor *head;
	uint64_t classes;	/* 0: not usable (too many, none, no bytes) */
	bool pair;
	uint64_t moved;		/* rows of the head that changed; if a pair */
	struct headtest_score stat[HEADTEST_STATS];
	enum headtest_stat best;	/* of the change's if a pair */
	bool named;		/* best has a z above 0, and 3 classes */
};

/*
 * headtest_find: the head among v[0..n): a matrix of 2 to 1000 rows with a
 * name that heads have (classifier, fc, head, score, out_proj ...), else one
 * that has fewer rows than all other matrices, and than columns; NULL.  *bias: a vector of as many elements with the
 * same prefix, or NULL.  It does not depend on the order of v.
 */
const struct tensor *headtest_find(const struct tensor *v, size_t n,
    const struct tensor **bias);

/*
 * headtest_classifies: does the model that the embedding ${emb} is of end in
 * a classifier, stored either way round?  A matrix as wide as the model may
 * be a layer before its output, and is none.
 */
bool headtest_classifies(const struct tensor *v, size_t n,
    const struct tensor *emb);

/*
 * headtest_run: ${d} may have a == NULL: one model alone; ${bias} may be
 * NULL or have sides that are.  0, or negative when memory ran out.
 */
int headtest_run(const struct delta *d, const struct delta *bias,
    struct headtest *ret, struct err *e);

/*
 * headtest_rows: a lead of kind "class" and the detector "head-rows".
 * labels[i], if given, is the text of class i (id2label), NULL: none.
 */
int headtest_rows(const struct headtest *t, const char *const *labels,
    size_t nlabels, struct rows *rows);

#endif /* !ANALYZER_DIFF_HEADTEST_H_ */
