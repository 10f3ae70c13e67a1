#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "formats/onnx.h"

/*
 * SparseTensorProto: values [NNZ], indices INT64 of [NNZ] (places in the
 * dense tensor, row by row) or [NNZ, rank], dims of the dense tensor
 * (check_sparse_tensor in onnx/checker.cc).  Who makes it dense writes each
 * value at its index: one outside of dims is a write outside of the tensor.
 */
static int
sparse_field(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	uint64_t v = w->value;
	unsigned flags = 0;
	int r = PB_FIELD;

	if (w->type != PB_LEN) {
		if (f->u.sparse.rank < ONNX_RANK)
			f->u.sparse.dims[f->u.sparse.rank++] = v;
		return 0;
	}
	if (!pbwire_enter(&o->w, w))
		return onnx_tell(o, ANOMALY_LIMIT, w->at, w->len, NULL, 0);
	while ((r = pbwire_packed(&o->w, &v, &flags, o->p->e)) == PB_FIELD)
		if (f->u.sparse.rank < ONNX_RANK)
			f->u.sparse.dims[f->u.sparse.rank++] = v;
	pbwire_leave(&o->w);
	return r < 0 ? r : 0;
}

/* The first index that is outside, by its number; UINT64_MAX: none. */
static int
find_outside(struct onnx *o, const struct onnx_frame *f, uint64_t elements,
    uint64_t *ret)
{
	const uint64_t per = f->u.sparse.index_rank;
	uint64_t at = 0, v, max;
	struct cursor c;
	size_t n;
	int r;

	*ret = UINT64_MAX;
	for (uint64_t i = 0; at + 8 <= f->u.sparse.len; at += n) {
		n = f->u.sparse.len - at < LIMIT_ONNX_TEXT ?
		    (size_t)(f->u.sparse.len - at) / 8 * 8 : LIMIT_ONNX_TEXT;
		if ((r = bytesrc_read(o->p->src, f->u.sparse.off + at,
		    o->text, n, o->p->e)) < 0)
			return r;
		cursor_init(&c, o->text, n, at);
		for (; cursor_u64le(&c, &v); i++) {
			max = per > 0 ? f->u.sparse.dims[i % per] : elements;
			if (v < max)
				continue;
			*ret = i;
			return 0;
		}
	}
	return 0;
}

static int
sparse_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	uint64_t elements, outside = UINT64_MAX;
	bool fits = onnx_elements(f->u.sparse.dims, f->u.sparse.rank,
	    &elements);
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "tensor", f->u.sparse.name),
	    FACT_NUM("values", f->u.sparse.values),
	    FACT_NUM("indices", f->u.sparse.indices)};
	struct onnx_tensor *k;
	uint32_t i;
	int r;

	if (!fits)
		return onnx_tell(o, ANOMALY_ONNX_DIMS, f->off, 0, facts, 1);
	if ((f->u.sparse.index_rank == 0 ||
	    f->u.sparse.index_rank == f->u.sparse.rank) &&
	    (r = find_outside(o, f, elements, &outside)) < 0)
		return r;
	if ((outside != UINT64_MAX ||
	    f->u.sparse.values != f->u.sparse.indices ||
	    (f->u.sparse.index_rank != 0 &&
	    f->u.sparse.index_rank != f->u.sparse.rank)) &&
	    (r = onnx_tell(o, ANOMALY_ONNX_SPARSE, f->off, 0, facts, 3)) < 0)
		return r;
	k = onnx_add(o, &o->tensors, &i);
	*k = (struct onnx_tensor){.name = f->u.sparse.name,
	    .scope = f->scope, .elements = elements, .at = f->off,
	    .rank = (uint8_t)f->u.sparse.rank,
	    .initializer = up->id == ONNX_GRAPH};
	if (up->id == ONNX_ATTRIBUTE)
		up->u.attribute.tensor = i;
	return 0;
}

const struct onnx_row onnx_row_sparse = {NULL, NULL, sparse_field,
    sparse_end};
