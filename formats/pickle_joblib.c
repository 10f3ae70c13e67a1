#include <string.h>

#include "base/ckd.h"
#include "base/err.h"
#include "base/reader.h"
#include "base/text.h"
#include "formats/pickle_vm.h"

/*
 * joblib (joblib/numpy_pickle.py, NumpyArrayWrapper.read_array) stores an
 * array's bytes between the opcodes of a pickle, right behind the BUILD of
 * its wrapper: a scanner that goes on reading opcodes there reads weights.
 *
 *   numpy_array_alignment_bytes not None: one byte of padding length, that
 *   many bytes of padding
 *   then shape x itemsize bytes, or for object arrays another pickle
 */
#define NESTING_MAX 8

static bool
is_wrapper(const struct pv *v)
{
	static const char name[] = "joblib.numpy_pickle.NumpyArrayWrapper";
	const struct pv *cls = pv_item(v, 0);

	return v->kind == PV_CALL && cls != NULL && cls->kind == PV_GLOBAL &&
	    cls->n == sizeof(name) - 1 &&
	    memcmp(cls->u.p, name, cls->n) == 0;
}

/* numpy.dtype('f8', ...): the item size, and whether it holds objects. */
static bool
item_size(const struct pv *dtype, uint64_t *size, bool *object)
{
	const struct pv *text = pv_item(pv_item(dtype, 1), 0);
	size_t i = 0;
	char kind;

	if (text == NULL || text->kind != PV_STR || text->u.p == NULL ||
	    text->n == 0)
		return false;
	if (strchr("<>|=", text->u.p[0]) != NULL)
		i++;
	if (i >= text->n)
		return false;
	kind = text->u.p[i++];
	*object = kind == 'O';
	if (i == text->n || !text_u64(text->u.p + i, text->n - i, 10,
	    UINT32_MAX, size))
		return *object;
	if (kind == 'U')
		*size *= 4;
	/* V with fields may hold objects: state item 4 names them. */
	return true;
}

static bool
array_size(const struct pv *state, uint64_t *size, bool *object)
{
	const struct pv *shape = pv_dict_get(state, "shape");
	const struct pv *dtype = pv_dict_get(state, "dtype");

	if (shape == NULL || shape->kind != PV_TUPLE || dtype == NULL ||
	    !item_size(dtype, size, object))
		return false;
	for (size_t i = 0; i < shape->n; i++) {
		const struct pv *d = shape->u.item[i];

		if (d->kind != PV_INT || d->u.num < 0 ||
		    !ckd_mul64(size, *size, (uint64_t)d->u.num))
			return false;
	}
	return true;
}

static int
skip_padding(struct pickle_vm *vm, const struct pv *state)
{
	const struct pv *align = pv_dict_get(state,
	    "numpy_array_alignment_bytes");
	uint8_t n;
	int r;

	if (align == NULL || align->kind == PV_NONE)
		return 0;
	if ((r = reader_u8(vm->r, &n, vm->p->e)) < 0)
		return r;
	return reader_skip(vm->r, n, vm->p->e);
}

/* An object array: a pickle of its own, on a machine of its own. */
static int
inner_pickle(struct pickle_vm *vm, const struct pickle_op *op)
{
	struct pickle_vm *inner;
	const struct pv *result;
	int r;

	if (vm->nesting >= NESTING_MAX)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if ((inner = pickle_vm_new(vm->p, vm->r, vm->hooks)) == NULL)
		return ERR_NOMEM;
	inner->nesting = vm->nesting + 1;
	inner->w = vm->w;
	inner->flags = vm->flags;
	r = pickle_run_one(inner, vm->stream, &result);
	return r == 1 ? PICKLE_END : r;
}

/*
 * The type as NumPy spells it: "f4" or ">f4".  The byte order is in the
 * dtype's state; what is too long to be a number's type is no text of ours.
 */
static void
spell_type(const struct pv *dtype, char ret[16])
{
	const struct pv *text = pv_item(pv_item(dtype, 1), 0);
	const struct pv *order = pv_item(pv_item(dtype, 2), 1);

	ret[0] = '\0';
	if (text == NULL || text->kind != PV_STR || text->u.p == NULL ||
	    text->n > 8)
		return;
	if (order != NULL && (dtype->flags & PV_STATE) != 0 &&
	    pv_is_text(order, ">"))
		memcpy(ret, ">", 2);
	memcpy(ret + strlen(ret), text->u.p, text->n);
}

static int
raw_array(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pv *dtype, uint64_t size)
{
	char type[16] = {0};
	struct ev_tensor t = {.name = "", .dtype = type, .len = size};
	int r;

	spell_type(dtype, type);
	t.off = reader_tell(vm->r);
	if ((r = reader_skip(vm->r, size, vm->p->e)) == ERR_TRUNC)
		return pickle_fail(vm, ANOMALY_TRUNCATED, op);
	if (r < 0 || (r = format_tensor(vm->p, &t)) < 0)
		return r;
	return pickle_embedded(vm->p, t.off, size, "array",
	    PICKLE_IN_WEIGHTS);
}

int
pickle_joblib(struct pickle_vm *vm, const struct pickle_op *op)
{
	struct pv *obj = pickle_top(vm);
	const struct pv *state;
	bool object = false;
	uint64_t size = 0;
	int r;

	if (obj == NULL || !is_wrapper(obj) || (obj->flags & PV_STATE) == 0)
		return 0;
	state = pv_item(obj, 2);
	/* An open wrapper class in an ordinary pickle has no array behind. */
	if (!array_size(state, &size, &object))
		return pickle_fail(vm, ANOMALY_UNSUPPORTED, op);
	if (object)
		return inner_pickle(vm, op);
	if ((r = skip_padding(vm, state)) == ERR_TRUNC)
		return pickle_fail(vm, ANOMALY_TRUNCATED, op);
	return r < 0 ? r : raw_array(vm, op,
	    pv_dict_get(state, "dtype"), size);
}
