#ifndef ANALYZER_DIFF_RELATION_PARTS_H_
#define ANALYZER_DIFF_RELATION_PARTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/cast.h"
#include "analyzer/diff/delta.h"
#include "analyzer/diff/elem.h"
#include "analyzer/diff/relation.h"
#include "analyzer/diff/tensor.h"

/*
 * What the relation_*.c share: reading pieces of both sides, and sweeps over
 * them that end at the first element that refutes all that is asked.
 */
#define RELATION_BLOCK 1024		/* elements in hand: 4 KiB each */
#define RELATION_TASK (1U << 20)	/* elements of one task of the pool */

/* The tasks of a sweep over n elements. */
size_t relation_tasks(uint64_t n);

/*
 * The elements of task ${i} of them, a block in hand at a time:
 *
 *	for (struct relation_run r = relation_run(i, n); relation_next(&r);)
 */
struct relation_run {
	uint64_t at;		/* the block: at most RELATION_BLOCK elements */
	size_t n;
	uint64_t end;		/* of the task */
};

static inline struct relation_run
relation_run(size_t i, uint64_t n)
{
	uint64_t at = (uint64_t)i * RELATION_TASK, left = n - at;

	return (struct relation_run){at, 0, at + (left < RELATION_TASK ? left :
	    RELATION_TASK)};
}

static inline bool
relation_next(struct relation_run *r)
{
	r->at += r->n;
	r->n = r->end - r->at < RELATION_BLOCK ? (size_t)(r->end - r->at) :
	    RELATION_BLOCK;
	return r->n > 0;
}

/*
 * relation_load: elements [at, at + n); ${at} and ${n} are multiples of the
 * type's block.
 */
void relation_load(const struct tensor *t, uint64_t at, size_t n, float *dst);

/* relation_pair_load: of cast(A) and of B. */
void relation_pair_load(const struct delta *d, uint64_t at, size_t n,
    float *a, float *b);

/* May rows be cut into blocks of so many elements? */
bool relation_whole_blocks(const struct tensor *t, unsigned block);

/*
 * relation_own: the bits of a value of B as B stores it: its type's where a
 * single maps to them at once (F32, F16, BF16), else single precision's.
 */
uint32_t relation_own(enum elem t, float f);
/* Explicit mantissa bits of what relation_own gives. */
unsigned relation_mantissa(enum elem t);

/* relation_cast.c: rows 1 to 8.  The set, and the cast of a cascade. */
uint64_t relation_casts(struct pool *pool, const struct tensor *a,
    const struct tensor *b);
enum cast relation_cascade(const struct tensor *a, const struct tensor *b);
/* relation_cast_of: the cast that a relation stands for, NONE for others. */
enum cast relation_cast_of(enum relation_id id);

/* relation_blocks.c: row 9.  Share of consistent blocks; 0: does not apply. */
double relation_consistent(struct pool *pool, const struct tensor *a,
    const struct tensor *b);

/* relation_grid.c: row 10 and scaled 8-bit floats. */
uint64_t relation_grids(struct pool *pool, const struct tensor *a,
    const struct tensor *b, struct relation_scale *ret);

/* relation_sparse.c: what changed after the cast, in one sweep. */
struct relation_changes {
	uint64_t changed, first, last, xor_or, zeroed;
	struct relation_few few;
};
int relation_count(struct pool *pool, const struct delta *d,
    struct relation_changes *ret, struct err *e);
int relation_prune(struct pool *pool, const struct delta *d,
    struct relation_pruned *ret, struct err *e);

/* relation_scale.c: row 16. */
bool relation_scaled(struct pool *pool, const struct tensor *a,
    const struct tensor *b, double *factor);

/* relation_noise.c: row 18. */
int relation_noisy(struct pool *pool, const struct delta *d,
    struct relation_noise *ret, uint64_t *set, struct err *e);

/* relation_partner.c: who carries the inverse of a permutation. */
int relation_partners(const struct relation_pair *v, size_t n,
    struct relation_model *m, struct err *e);

#endif /* !ANALYZER_DIFF_RELATION_PARTS_H_ */
