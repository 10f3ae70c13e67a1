#include <string.h>

#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/relation_parts.h"

size_t
relation_tasks(uint64_t n)
{
	return (size_t)(n / RELATION_TASK + (n % RELATION_TASK != 0));
}

void
relation_load(const struct tensor *t, uint64_t at, size_t n, float *dst)
{
	const struct elem_info *x = elem_info(t->elem);

	elem_load(t->elem, t->p + at / x->block * x->bytes, n, dst);
}

void
relation_pair_load(const struct delta *d, uint64_t at, size_t n, float *a,
    float *b)
{
	relation_load(d->a, at, n, a);
	relation_load(d->b, at, n, b);
	if (d->cast != CAST_NONE)
		cast_block(d->cast, a, a, n);
}

bool
relation_whole_blocks(const struct tensor *t, unsigned block)
{
	return t->n > 0 && t->cols % block == 0;
}

uint32_t
relation_own(enum elem t, float f)
{
	if (t == ELEM_BF16)
		return floatbits_of(f) >> 16;
	if (t == ELEM_F16 || t == ELEM_F16_BE)
		return elem_to_f16(f);
	return floatbits_of(f);
}

unsigned
relation_mantissa(enum elem t)
{
	return t == ELEM_BF16 || t == ELEM_F16 || t == ELEM_F16_BE ?
	    elem_info(t)->mantissa : elem_info(ELEM_F32)->mantissa;
}
