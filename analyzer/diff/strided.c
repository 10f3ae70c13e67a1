#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/spill.h"
#include "analyzer/diff/strided.h"
#include "analyzer/diff/tensor.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"

#define CHUNK (64 * KIB)

bool
strided_is_dense(const struct ev_view *ev, unsigned rank)
{
	uint64_t want = 1;

	for (unsigned i = rank; i-- > 0; ) {
		if (ev->shape[i] != 1 && ev->stride[i] != want)
			return false;
		if (!ckd_mul64(&want, want, ev->shape[i]))
			return false;
	}
	return true;
}

/* Elements from the view's first to behind its last; 0: too many. */
static uint64_t
span_of(const struct ev_view *ev, unsigned rank)
{
	uint64_t last = 0, step;

	for (unsigned i = 0; i < rank; i++)
		if (!ckd_mul64(&step, ev->shape[i] - 1, ev->stride[i]) ||
		    !ckd_add64(&last, last, step))
			return 0;
	return last < UINT64_MAX ? last + 1 : 0;
}

/* Writes elements in the order of the view's indexes. */
struct walk {
	struct spill *spill;
	const uint8_t *from;
	unsigned size;		/* of an element */
	uint8_t out[CHUNK];
	size_t have;
};

static int
flush(struct walk *w, struct err *e)
{
	int r = spill_more(w->spill, w->out, w->have, e);

	w->have = 0;
	return r;
}

static int
put(struct walk *w, uint64_t element, struct err *e)
{
	int r;

	if (w->have + w->size > sizeof(w->out) && (r = flush(w, e)) != 0)
		return r;
	memcpy(w->out + w->have, w->from + element * w->size, w->size);
	w->have += w->size;
	return 0;
}

/* Many rows in one call: a vector's have a few bytes each. */
static int
put_row(struct walk *w, const uint8_t *p, size_t n, struct err *e)
{
	int r;

	if (w->have + n > sizeof(w->out) && (r = flush(w, e)) != 0)
		return r;
	if (n > sizeof(w->out))
		return spill_more(w->spill, p, n, e);
	memcpy(w->out + w->have, p, n);
	w->have += n;
	return 0;
}

static int
write_out(struct walk *w, const struct ev_view *ev, const struct tensor *v,
    struct err *e)
{
	uint64_t at[TENSOR_RANK_MAX] = {0}, place = 0;
	int r = 0;

	for (uint64_t k = 0; k < v->n && r == 0; k++) {
		r = put(w, place, e);
		for (unsigned i = v->rank; i-- > 0; ) {
			place += ev->stride[i];
			if (++at[i] < ev->shape[i])
				break;
			place -= ev->shape[i] * ev->stride[i];
			at[i] = 0;
		}
	}
	return r != 0 ? r : flush(w, e);
}

int
strided_copy(struct spill *s, const struct bytesrc *src,
    const struct ev_view *ev, struct tensor *v, struct err *e)
{
	unsigned size = elem_info(v->elem)->bytes;
	uint64_t span = span_of(ev, v->rank), bytes, first, len;
	struct walk *w = NULL;
	uint8_t *p = NULL;
	int r = 1;

	if (ev->rank > TENSOR_RANK_MAX || span == 0 ||
	    !ckd_mul64(&bytes, span, size) ||
	    !ckd_mul64(&first, ev->first, size) || first > ev->len ||
	    bytes > ev->len - first || bytes > LIMIT_DIFF_STRIDED ||
	    !ckd_mul64(&len, v->n, size) || len > LIMIT_DIFF_STRIDED)
		return 1;
	if ((p = malloc(bytes)) == NULL || (w = malloc(sizeof(*w))) == NULL) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	*w = (struct walk){.spill = s, .from = p, .size = size};
	if ((r = bytesrc_read(src, ev->off + first, p, bytes, e)) < 0 ||
	    (r = spill_put(s, NULL, 0, &v->off, e)) != 0 ||
	    (r = write_out(w, ev, v, e)) != 0)
		goto out;
	v->len = len;
out:
	free(w);
	free(p);
	return r;
}

int
strided_transpose(struct spill *s, const struct tensor *x, uint64_t *off,
    struct err *e)
{
	struct walk *w;
	int r;

	if (elem_info(x->elem)->block != 1 || x->len > LIMIT_DIFF_STRIDED)
		return 1;
	if ((w = malloc(sizeof(*w))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	*w = (struct walk){.spill = s, .from = x->p,
	    .size = elem_info(x->elem)->bytes};
	r = spill_put(s, NULL, 0, off, e);
	for (uint64_t c = 0; c < x->cols && r == 0; c++)
		for (uint64_t row = 0; row < x->rows && r == 0; row++)
			r = put(w, row * x->cols + c, e);
	if (r == 0)
		r = flush(w, e);
	free(w);
	return r;
}

int
strided_rows(struct spill *s, const struct tensor *x, const uint32_t *from,
    uint64_t *off, struct err *e)
{
	const struct elem_info *info = elem_info(x->elem);
	uint64_t rows = x->rank >= 2 ? x->rows : x->n;
	uint64_t cols = x->rank >= 2 ? x->cols : 1;
	struct walk *w;
	size_t size;
	int r;

	if (x->n == 0 || cols % info->block != 0 ||
	    x->len > LIMIT_DIFF_STRIDED)
		return 1;
	size = (size_t)(cols / info->block * info->bytes);
	if ((w = malloc(sizeof(*w))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	*w = (struct walk){.spill = s};
	r = spill_put(s, NULL, 0, off, e);
	for (uint64_t i = 0; i < rows && r == 0; i++)
		r = put_row(w, x->p + from[i] * size, size, e);
	if (r == 0)
		r = flush(w, e);
	free(w);
	return r;
}
