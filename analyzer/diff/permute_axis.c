#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/permute_parts.h"
#include "analyzer/diff/relation_parts.h"
#include "base/arena.h"
#include "base/err.h"

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

bool
permute_rows_whole(const struct tensor *t, enum cast cast)
{
	return relation_whole_blocks(t, elem_info(t->elem)->block) &&
	    relation_whole_blocks(t, cast_unit(cast));
}

uint32_t
permute_kernel(const struct tensor *t)
{
	uint64_t k = 1;

	for (unsigned i = 2; i < t->rank; i++)
		k *= t->shape[i];	/* divides cols: no overflow */
	return t->rank >= 3 && k > 0 && k <= UINT32_MAX &&
	    t->cols % k == 0 ? (uint32_t)k : 1;
}

/* Do runs of k move as one? */
static bool
runs(const uint32_t *to, size_t n, uint32_t k)
{
	for (size_t i = 0; i < n; i++)
		if (to[i] == UINT32_MAX || to[i] % k != i % k ||
		    to[i] - i % k != to[i - i % k])
			return false;
	return true;
}

static int
count_cycles(struct permute_axis *x)
{
	uint8_t *seen = calloc(x->n, 1);

	if (seen == NULL)
		return ERR_NOMEM;
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t length = 0;

		for (uint32_t at = i; at != UINT32_MAX && !seen[at];
		    at = x->to[at]) {
			seen[at] = 1;
			length++;
		}
		x->cycles += length > 1;
	}
	free(seen);
	return 0;
}

/*
 * LLaMA's converter splits each head's rows in two halves and interleaves
 * them: row 2 i + j was row j h/2 + i (convert_hf_to_gguf.py, permute).  The
 * way back is the inverse.  Row 1 tells h.
 */
static bool
interleaved(const uint32_t *to, uint32_t n, uint32_t h, bool back)
{
	for (uint32_t k = 0; k < n; k++) {
		uint32_t at = k % h, base = k - at, want;

		want = back ? at % (h / 2) * 2 + at / (h / 2) :
		    at % 2 * (h / 2) + at / 2;
		if (to[k] != base + want)
			return false;
	}
	return true;
}

static uint32_t
head_of(const struct permute_axis *x)
{
	uint32_t h = 0;

	if (x->n < 4 || x->to[1] > x->n / 2)
		return 0;
	h = 2 * x->to[1];
	if (h >= 4 && x->n % h == 0 && interleaved(x->to, x->n, h, false))
		return h;
	for (uint32_t k = 2; x->to[1] == 2 && k <= x->n / 2; k++)
		if (x->to[k] == 1)
			return x->n % (2 * k) == 0 && interleaved(x->to, x->n,
			    2 * k, true) ? 2 * k : 0;
	return 0;
}

int
permute_axis_make(struct permute_axis *ret, const uint32_t *to,
    const float *scale, size_t n, uint32_t kernel, struct arena *arena)
{
	const uint32_t unit = kernel > 1 && runs(to, n, kernel) ? kernel : 1;
	uint32_t *order;
	float *factor = NULL;

	memset(ret, 0, sizeof(*ret));
	ret->n = (uint32_t)(n / unit);
	ret->unit = unit;
	ret->digest = FNV_BASIS;
	ret->matched = ret->n;
	for (size_t i = 0; i < n; i++)
		ret->moved += to[i] != i && i % unit == 0;
	if (ret->moved == 0 && scale == NULL)
		return 0;
	if ((order = arena_array(arena, ret->n, sizeof(*order))) == NULL ||
	    (scale != NULL && (factor = arena_array(arena, ret->n,
	    sizeof(*factor))) == NULL))
		return ERR_NOMEM;
	for (uint32_t i = 0; i < ret->n; i++) {
		uint32_t from = to[(size_t)i * unit];

		order[i] = from == UINT32_MAX ? from : from / unit;
		ret->matched -= from == UINT32_MAX;
		ret->digest = (ret->digest ^ order[i]) * FNV_PRIME;
		if (factor != NULL)
			factor[i] = scale[(size_t)i * unit];
	}
	ret->to = order;
	ret->scale = factor;
	ret->head = head_of(ret);
	return count_cycles(ret);
}

/* What one rounding of a scaled value may be off. */
#define SCALE_EXACT 1e-6F

static bool
element_fits(const struct permute_axis *x, uint32_t i, float a, float b,
    bool scaled)
{
	float want = scaled && x->scale != NULL ? a * x->scale[i] : a;

	if (!scaled || x->scale == NULL)
		return floatbits_of(want) == floatbits_of(b);
	return fabsf(want - b) <= SCALE_EXACT * fabsf(want);
}

bool
permute_fits(const struct tensor *a, const struct tensor *b,
    const struct permute_axis *x, bool scaled)
{
	float from, is;

	if (a->n != x->n || b->n != x->n || elem_info(a->elem)->block != 1 ||
	    elem_info(b->elem)->block != 1)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t k = x->to != NULL ? x->to[i] : i;

		if (k == UINT32_MAX)
			continue;
		relation_load(a, k, 1, &from);
		relation_load(b, i, 1, &is);
		if (!element_fits(x, i, from, is, scaled))
			return false;
	}
	return true;
}

bool
permute_same(const struct permute_axis *x, const struct permute_axis *y,
    bool inverse)
{
	if (x->n != y->n)
		return false;
	for (uint32_t i = 0; i < x->n; i++) {
		uint32_t p = x->to != NULL ? x->to[i] : i;
		uint32_t q = y->to != NULL ? y->to[i] : i;
		double s = x->scale != NULL ? (double)x->scale[i] : 1;
		double t = y->scale != NULL ? (double)y->scale[i] : 1;

		if (p == UINT32_MAX || q == UINT32_MAX)
			continue;
		if (p != q || fabs((inverse ? s * t : s / t) - 1) >
		    (double)SCALE_EXACT * 16)
			return false;
	}
	return true;
}
