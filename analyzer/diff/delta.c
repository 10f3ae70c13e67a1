#include "analyzer/diff/delta.h"
#include "analyzer/diff/tensor.h"

static void
load(const struct tensor *t, uint64_t at, size_t n, float *dst)
{
	const struct elem_info *x = elem_info(t->elem);

	elem_load(t->elem, t->p + at / x->block * x->bytes, n, dst);
}

void
delta_block(const struct delta *d, uint64_t at, size_t n, float *a, float *b,
    float *diff, float *scratch)
{
	/*
	 * A row shorter than a unit of the cast could not have been stored
	 * in that type: what is left over stays as it was.
	 */
	size_t whole = n - n % cast_unit(d->cast);

	if (a != NULL || diff != NULL) {
		if (a == NULL)
			a = scratch;
		load(d->a, at, n, a);
		if (d->cast != CAST_NONE)
			cast_block(d->cast, a, a, whole);
	}
	if (b != NULL || diff != NULL) {
		if (b == NULL)
			b = scratch + n;
		load(d->b, at, n, b);
	}
	if (diff == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		diff[i] = b[i] - a[i];
}
