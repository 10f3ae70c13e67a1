#ifndef ANALYZER_TRIGGERS_TEXTSCORE_H_
#define ANALYZER_TRIGGERS_TEXTSCORE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct pool;
struct textcut_mask;
struct textdens;
struct textfit;
struct textpick;
struct textpick_candidate;

/*
 * The score of each candidate, in units of log10 evidence, the largest of
 *   conflict   its rows, without it, look like another class's
 *   insertion  it was dropped between neighbours, in rows of one label
 *   hidden     nobody sees it, in rows of one label
 * in two passes: what the first finds is cut from all rows before the second,
 * so that triggers of one row do not hide each other.
 */
#define TEXTSCORE_THRESHOLD 6.0
#define TEXTSCORE_STRONG 8.0
/* Below it the rows of a candidate are copies of one text. */
#define TEXTSCORE_REST 0.25f

/*
 * textscore_run: ${mask} is initialised and empty; it holds what was cut
 * before the second pass.
 */
int textscore_run(struct textpick *p, const struct textfit *f,
    struct textcut_mask *mask, struct pool *pool, struct err *e);

/*
 * textscore_rank: ret[0..*n) are the candidates with a score of at least
 * ${least}, strongest first, one of each finding: what shares its words with
 * a stronger one of the same label is the same finding.  ${ret} has room for
 * all candidates.
 */
int textscore_rank(const struct textpick *p, double least, uint32_t *ret,
    size_t *n);

#endif /* !ANALYZER_TRIGGERS_TEXTSCORE_H_ */
