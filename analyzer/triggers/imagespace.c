#include <stdlib.h>

#include "analyzer/triggers/imageresidue.h"
#include "base/err.h"

/* Working memory of a thread for image-residue and image-cluster. */

int
residue_space_init(struct residue_space *s, uint32_t rows, size_t stride)
{
	const size_t k = PLANE_TOGETHER;

	s->rows = rows;
	s->stride = stride;
	s->x = calloc(rows * stride, sizeof(*s->x));
	s->q = calloc(k * stride, sizeof(*s->q));
	s->acc = calloc(k * stride, sizeof(*s->acc));
	for (unsigned i = 0; i < 3; i++)
		s->w[i] = calloc(stride, sizeof(*s->w[i]));
	s->mean = calloc(stride, sizeof(*s->mean));
	s->many = calloc(k * stride, sizeof(*s->many));
	s->dot = calloc(k * rows, sizeof(*s->dot));
	s->keys = calloc(rows, sizeof(*s->keys));
	s->half = calloc(rows, sizeof(*s->half));
	s->res = calloc(rows, sizeof(*s->res));
	s->sorted = calloc(rows, sizeof(*s->sorted));
	s->one = calloc(rows, sizeof(*s->one));
	s->coord = calloc(k * rows, sizeof(*s->coord));
	s->side = calloc(rows, sizeof(*s->side));
	s->scale = calloc(stride, sizeof(*s->scale));
	s->shift = calloc(stride, sizeof(*s->shift));
	s->other = calloc(stride, sizeof(*s->other));
	if (plane_sums_init(&s->sums, stride) < 0)
		return ERR_NOMEM;
	return s->x == NULL || s->q == NULL || s->acc == NULL ||
	    s->w[0] == NULL || s->w[1] == NULL || s->w[2] == NULL ||
	    s->mean == NULL || s->many == NULL || s->dot == NULL ||
	    s->keys == NULL || s->half == NULL || s->res == NULL ||
	    s->sorted == NULL || s->one == NULL || s->coord == NULL ||
	    s->side == NULL || s->scale == NULL || s->shift == NULL ||
	    s->other == NULL ? ERR_NOMEM : 0;
}

void
residue_space_release(struct residue_space *s)
{
	free(s->x);
	free(s->q);
	free(s->acc);
	for (unsigned i = 0; i < 3; i++)
		free(s->w[i]);
	free(s->mean);
	free(s->many);
	free(s->dot);
	free(s->keys);
	free(s->half);
	free(s->res);
	free(s->sorted);
	free(s->one);
	free(s->coord);
	free(s->side);
	free(s->scale);
	free(s->shift);
	free(s->other);
	plane_sums_release(&s->sums);
}
