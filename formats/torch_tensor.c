#include <string.h>

#include "base/arena.h"
#include "base/ckd.h"
#include "formats/torch_storage.h"
#include "formats/torch_tensor.h"

/*
 * Functions that rebuild tensors, by the position of their arguments.
 *
 *   storage, offset, size, stride     _rebuild_tensor, _v2, _rebuild_qtensor
 *   the same, and dtype at 6          _v3, whose storage has no type
 *   dtype, size, stride               _rebuild_meta_tensor_no_storage
 *   tensor, ...                       _rebuild_parameter, TorchScript's lists
 *   function, type, arguments, state  _rebuild_from_type(_v2)
 *
 * What a row calls opaque holds tensors that are no view of what it makes
 * (indices and values of a sparse one): naming those would be false.
 */
static const struct {
	const char *path, *dtype;
	unsigned size;
} dtypes[] = {{"torch.float32", "F32", 4}, {"torch.float64", "F64", 8},
    {"torch.float16", "F16", 2}, {"torch.bfloat16", "BF16", 2},
    {"torch.int64", "I64", 8}, {"torch.int32", "I32", 4},
    {"torch.int16", "I16", 2}, {"torch.int8", "I8", 1},
    {"torch.uint8", "U8", 1}, {"torch.uint16", "U16", 2},
    {"torch.uint32", "U32", 4}, {"torch.uint64", "U64", 8},
    {"torch.bool", "BOOL", 1}, {"torch.complex64", "C64", 8},
    {"torch.complex128", "C128", 16},
    {"torch.float8_e4m3fn", "F8_E4M3", 1},
    {"torch.float8_e5m2", "F8_E5M2", 1},
    {"torch.float8_e4m3fnuz", "F8_E4M3FNUZ", 1},
    {"torch.float8_e5m2fnuz", "F8_E5M2FNUZ", 1},
    {"torch.float8_e8m0fnu", "F8_E8M0", 1}};

static bool
is_global(const struct pv *v, const char *path)
{
	return v != NULL && v->kind == PV_GLOBAL && v->n == strlen(path) &&
	    memcmp(v->u.p, path, v->n) == 0;
}

static bool
named_dtype(const struct pv *v, struct torch_tensor *ret)
{
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++)
		if (is_global(v, dtypes[i].path)) {
			ret->dtype = dtypes[i].dtype;
			ret->item = dtypes[i].size;
			return true;
		}
	return false;
}

/* A count, as torch's C++ reads it from a Python integer. */
static bool
number(const struct pv *v, uint64_t *ret)
{
	if (v == NULL || v->kind != PV_INT || v->u.num < 0)
		return false;
	*ret = (uint64_t)v->u.num;
	return true;
}

/* A tuple of sizes, bare or as torch.Size. */
static const struct pv *
sizes(const struct pv *v)
{
	if (v != NULL && v->kind == PV_CALL &&
	    is_global(pv_item(v, 0), "torch.Size"))
		v = pv_item(pv_item(v, 1), 0);
	return v != NULL && (v->kind == PV_TUPLE || v->kind == PV_LIST) &&
	    v->more == 0 && v->n <= TORCH_RANK ? v : NULL;
}

/* The elements from the first to the last that the view reaches. */
static bool
measure(struct torch_tensor *t)
{
	uint64_t far = 0, step;

	for (unsigned i = 0; i < t->rank; i++)
		if (t->shape[i] == 0) {
			t->span = 0;
			return true;
		}
	for (unsigned i = 0; i < t->rank; i++)
		if (!ckd_mul64(&step, t->shape[i] - 1, t->stride[i]) ||
		    !ckd_add64(&far, far, step))
			return false;
	return ckd_add64(&t->span, far, 1);
}

static enum torch_made
take_shape(const struct pv *size, const struct pv *stride, struct arena *a,
    struct torch_tensor *t)
{
	const struct pv *dims = sizes(size), *steps = sizes(stride);

	if (dims == NULL || steps == NULL || dims->n != steps->n)
		return TORCH_MADE_BAD;
	t->rank = (unsigned)dims->n;
	t->shape = arena_array(a, 2 * dims->n + 1, sizeof(*t->shape));
	if (t->shape == NULL)
		return TORCH_MADE_FULL;
	t->stride = t->shape + t->rank;
	for (unsigned i = 0; i < t->rank; i++)
		if (!number(pv_item(dims, i), &t->shape[i]) ||
		    !number(pv_item(steps, i), &t->stride[i]))
			return TORCH_MADE_BAD;
	return measure(t) ? TORCH_MADE_TENSOR : TORCH_MADE_BAD;
}

/*
 * ('storage', class, key, location, count[, view]); the view of the format
 * before 1.6 is (key, offset, count), a part of the storage.
 */
static bool
take_storage(const struct pv *id, struct arena *a, struct torch_tensor *t)
{
	const struct pv *part = pv_item(id, 5);
	uint64_t count, from = 0;
	unsigned size;

	if (id == NULL || id->kind != PV_TUPLE ||
	    !pv_is_text(pv_item(id, 0), "storage") ||
	    (t->key = torch_storage_key(pv_item(id, 2), a, &t->key_len)) ==
	    NULL || !number(pv_item(id, 4), &count) ||
	    !torch_storage_class(pv_item(id, 1), &t->dtype, &size))
		return false;
	t->item = size;
	if (part != NULL && part->kind == PV_TUPLE &&
	    (!number(pv_item(part, 1), &from) ||
	    !number(pv_item(part, 2), &count)))
		return false;
	/* Its own elements are from there on; so are the storage's bytes. */
	t->first = from;
	return ckd_add64(&count, count, from) &&
	    ckd_mul64(&t->stated, count, size);
}

static enum torch_made
dense(const struct pv *args, bool typed, struct arena *a,
    struct torch_tensor *t)
{
	const struct pv *storage = pv_item(args, 0);
	uint64_t offset;

	if (storage == NULL || storage->kind != PV_PERSID ||
	    !take_storage(pv_item(storage, 0), a, t) ||
	    !number(pv_item(args, 1), &offset))
		return TORCH_MADE_BAD;
	/* An untyped storage counts bytes; a part of one was never written. */
	if (typed && (t->first != 0 || !named_dtype(pv_item(args, 6), t)))
		return TORCH_MADE_OPAQUE;
	if (t->dtype[0] == '\0')
		return TORCH_MADE_OPAQUE;
	if (!ckd_add64(&t->first, t->first, offset))
		return TORCH_MADE_BAD;
	return take_shape(pv_item(args, 2), pv_item(args, 3), a, t);
}

static enum torch_made
plain(const struct pv *args, struct arena *a, struct torch_tensor *t)
{
	return dense(args, false, a, t);
}

static enum torch_made
typed(const struct pv *args, struct arena *a, struct torch_tensor *t)
{
	return dense(args, true, a, t);
}

static enum torch_made
meta(const struct pv *args, struct arena *a, struct torch_tensor *t)
{
	return named_dtype(pv_item(args, 0), t) ? take_shape(
	    pv_item(args, 1), pv_item(args, 2), a, t) : TORCH_MADE_OPAQUE;
}

static enum torch_made
first(const struct pv *args, struct arena *a, struct torch_tensor *t)
{
	(void)a;
	t->inner = pv_item(args, 0);
	return t->inner != NULL ? TORCH_MADE_INNER : TORCH_MADE_OPAQUE;
}

/* What calling the function with the arguments would give. */
static enum torch_made
from_type(const struct pv *args, struct arena *a, struct torch_tensor *t)
{
	struct pv *call;

	if (args->n < 3 || args->u.item[2]->kind != PV_TUPLE)
		return TORCH_MADE_BAD;
	if ((call = arena_alloc(a, sizeof(*call))) == NULL ||
	    (call->u.item = arena_array(a, 2, sizeof(call))) == NULL)
		return TORCH_MADE_FULL;
	call->kind = PV_CALL;
	call->n = 2;
	call->u.item[0] = args->u.item[0];
	call->u.item[1] = args->u.item[2];
	t->inner = call;
	return TORCH_MADE_INNER;
}

static enum torch_made
pairs(const struct pv *args, struct arena *a, struct torch_tensor *t)
{
	(void)a;
	t->inner = pv_item(args, 0);
	return t->inner != NULL ? TORCH_MADE_PAIRS : TORCH_MADE_OTHER;
}

static enum torch_made
opaque(const struct pv *args, struct arena *a, struct torch_tensor *t)
{
	(void)args;
	(void)a;
	(void)t;
	return TORCH_MADE_OPAQUE;
}


static const struct {
	const char *path;
	enum torch_made (*make)(const struct pv *args, struct arena *a,
	    struct torch_tensor *t);
	unsigned state;		/* argument that is set on it; 0: none */
} makers[] = {{"torch._utils._rebuild_tensor_v2", plain, 0},
    {"torch._utils._rebuild_tensor", plain, 0},
    {"torch._utils._rebuild_qtensor", plain, 0},
    {"torch._utils._rebuild_tensor_v3", typed, 0},
    {"torch._utils._rebuild_meta_tensor_no_storage", meta, 0},
    {"torch._utils._rebuild_parameter", first, 0},
    {"torch._utils._rebuild_parameter_with_state", first, 3},
    {"torch.nn.parameter.Parameter", first, 0},
    {"torch.jit._pickle.build_tensorlist", first, 0},
    {"torch.jit._pickle.restore_type_tag", first, 0},
    {"torch._tensor._rebuild_from_type", from_type, 3},
    {"torch._tensor._rebuild_from_type_v2", from_type, 3},
    {"torch.tensor._rebuild_from_type", from_type, 3},
    {"collections.OrderedDict", pairs, 0},
    {"builtins.dict", pairs, 0},
    {"torch._utils._rebuild_sparse_tensor", opaque, 0},
    {"torch._utils._rebuild_sparse_csr_tensor", opaque, 0},
    {"torch._utils._rebuild_nested_tensor", opaque, 0},
    {"torch._utils._rebuild_wrapper_subclass", opaque, 0},
    {"torch._utils._rebuild_device_tensor_from_numpy", opaque, 0},
    {"torch._utils._rebuild_device_tensor_from_cpu_tensor", opaque, 0},
    {"torch._utils._rebuild_xla_tensor", opaque, 0},
    {"torch.sparse._rebuild_sparse_tensor", opaque, 0}};

enum torch_made
torch_tensor_made(const struct pv *v, struct arena *a,
    struct torch_tensor *ret)
{
	const struct pv *callee = pv_item(v, 0), *args = pv_item(v, 1);

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < sizeof(makers) / sizeof(makers[0]); i++) {
		if (!is_global(callee, makers[i].path))
			continue;
		if (args == NULL || args->kind != PV_TUPLE)
			return TORCH_MADE_OPAQUE;
		if (makers[i].state > 0)
			ret->state = pv_item(args, makers[i].state);
		return makers[i].make(args, a, ret);
	}
	return TORCH_MADE_OTHER;
}
