#ifndef ANALYZER_DIFF_RELATION_H_
#define ANALYZER_DIFF_RELATION_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/cast.h"

struct arena;
struct basis;
struct err;
struct pass_sums;
struct permute;
struct pool;
struct tensor;

/*
 * Exact relations between two tensors: rows 1 to 18 of the decision table,
 * before any statistic of the difference is believed.  docs/DIFF.md has the
 * rules; each is refuted by one element, or by the count that it states.
 *
 * A small or symmetric tensor fits several rules at once: all of them are in
 * ${set}, and relation_settle intersects the sets over the whole model.
 *
 *   relation_cast.c     rows 1 to 8: casts and reference quantisers
 *   relation_blocks.c   row 9: other quantisers, by consistency
 *   relation_grid.c     row 10, and 8-bit floats with a scale
 *   relation_sparse.c   rows 11 to 13
 *   permute.c, permute_scale.c   rows 14 to 16
 *   relation_noise.c    row 18
 *   relation_settle.c, relation_partner.c   what only the model tells
 */
enum relation_id {
#define RELATION(id, name, family, meaning) RELATION_##id,
#include "analyzer/diff/relation.def"
#undef RELATION
	RELATION_COUNT,
	RELATION_NONE = RELATION_COUNT	/* changed in no such way */
};
#define RELATION_BIT(id) (UINT64_C(1) << (id))

enum relation_family {
	RELATION_SAME, RELATION_CAST, RELATION_GRID, RELATION_FEW,
	RELATION_ZERO, RELATION_BITS, RELATION_ORDER, RELATION_SCALE,
	RELATION_STRANGE, RELATION_NOISE, RELATION_FAMILIES
};

const char *relation_name(enum relation_id id);		/* NONE: "changed" */
const char *relation_meaning(enum relation_id id);
enum relation_family relation_family(enum relation_id id); /* NONE: none */

/* Values that were changed: the first of them, in B's own bits. */
#define RELATION_PATCHES 16
struct relation_patch {
	uint64_t at, old, fresh;
};

/* Row 11. */
struct relation_few {
	unsigned n;			/* in v */
	unsigned most_bits;		/* bits that one XOR has, at most */
	bool reaches;			/* each reaches sign, exponent or the
					 * upper half of the mantissa */
	bool lowest;			/* all stay in the lowest third */
	bool slight;			/* none moved by a hundredth of what
					 * the tensor's elements are */
	double largest;			/* |B - A| among them */
	struct relation_patch v[RELATION_PATCHES];
};

/* Row 12. */
enum prune_by { PRUNE_ANY, PRUNE_ROW, PRUNE_TENSOR };
struct relation_pruned {
	uint64_t zeroed;		/* became zero */
	uint64_t zeros;			/* of B, in all */
	enum prune_by by;		/* whose threshold parts them */
	double largest_gone, smallest_left;
	unsigned keep, of;		/* n:m, at most keep of each of; or 0 */
};

/* Rows 10 and 16, and scaled 8-bit floats. */
struct relation_scale {
	double factor;			/* of the tensor; rows: the largest */
	double divisor;			/* grids: 127, 127.5 or 128 */
	uint64_t at_half;		/* grids: elements of A at half */
	bool half_even;			/* ... and where all of them went */
};

/* Row 18. */
struct relation_noise {
	double sd;			/* of D, or of D/A */
	double relative;		/* |D| / |A| */
	double kurtosis, correlation, edge;	/* edge: s1 over its limit */
};

struct relation {
	uint64_t set;			/* RELATION_BIT of all that hold */
	enum relation_id best;
	/*
	 * What A must be rounded to before D is looked at: the cast that
	 * explains B, or the one of B's coarser type (cascades: merge, then
	 * cast).  CAST_NONE: D = B - A.
	 */
	enum cast cast;
	bool settled;			/* by relation_settle */
	/* After that cast: elements that differ, and the OR of their XORs in
	 * B's own bits (in single precision where it has none). */
	uint64_t changed, first, last, xor_or;
	uint64_t overflows;		/* finite in A, infinite in B */
	double consistent;		/* row 9: share of blocks */
	struct relation_few *few;	/* NULL: does not apply */
	struct relation_pruned *pruned;
	struct relation_scale *scale;
	struct relation_noise *noise;
	struct permute *permute;
	/* relation_settle: the function is the same, with these partners. */
	bool preserving;
	uint32_t partner;		/* of v; UINT32_MAX: none found */
};

static inline bool
relation_has(const struct relation *r, enum relation_id id)
{
	return (r->set & RELATION_BIT(id)) != 0;
}

/*
 * relation_find: which relations hold.  ${sums} are those of B - A without a
 * cast.  Details are in ${arena}.  PRE: same n, both at hand.  0, or negative
 * on no memory.  Work: one read where nothing holds, for most; no more than a
 * dozen where something does.
 */
int relation_find(struct pool *pool, const struct tensor *a,
    const struct tensor *b, const struct pass_sums *sums,
    struct arena *arena, struct relation *ret, struct err *e);

/* relation_basis: its numbers, as members of the object that is open. */
void relation_basis(const struct relation *r, struct basis *s);

/* A pair of the model, in file order of NEW. */
struct relation_pair {
	const struct tensor *a, *b;
	const struct pass_sums *sums;
	struct relation *rel;
};

struct relation_model {
	uint64_t common;	/* casts that hold for all that were cast */
	uint64_t count[RELATION_COUNT + 1];	/* of settled best */
	uint64_t matrices;	/* of 4096 elements and more */
	uint64_t strange;	/* of them: unrelated */
	bool retrained;		/* all of them */
	bool replaced;		/* some, fewer than 5 %, or the head alone */
	bool pruned_global;	/* one threshold parts all tensors */
	uint64_t preserving, broken;	/* permuted or scaled: partners found */
};

/*
 * relation_settle: what one tensor alone cannot tell.  Sets ${best} of each
 * from the intersection over the model, takes back what needs uniqueness
 * (bit flips, lowest bits, small heads, noise), and finds the partners of
 * permutations and scalings.  Deterministic; O(n log n) and a read of the
 * partners.
 */
int relation_settle(struct pool *pool, const struct relation_pair *v, size_t n,
    struct arena *arena, struct relation_model *ret, struct err *e);

#endif /* !ANALYZER_DIFF_RELATION_H_ */
