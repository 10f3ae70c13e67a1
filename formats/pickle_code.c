#include "formats/pickle_vm.h"
#include "formats/pycode.h"

/*
 * types.CodeType(...): a code object from its parts.  The numbers in front
 * differ by version (marshal.c lists them), what follows does not: byte code,
 * constants, names, names of locals, file, name.  So the first text or bytes
 * with three tuples behind it is the byte code; dill writes a line table
 * before the numbers.
 */
#define NODES_MAX 10000	/* told of one call: shared values expand */
#define DEPTH_MAX 8

static bool
is_text(const struct pv *v)
{
	return pv_is_kept_text(v) || pv_is_kept_bytes(v);
}

static bool
is_tuple(const struct pv *v)
{
	return v != NULL && v->kind == PV_TUPLE;
}

static const struct pv *
text_at(const struct pv *args, size_t i)
{
	const struct pv *v = pv_item(args, i);

	return v != NULL && is_text(v) ? v : NULL;
}

static void
put(struct pycode *c, enum pycode_list list, const struct pv *v,
    unsigned depth, unsigned *nodes)
{
	++*nodes;
	if (is_text(v)) {
		pycode_put(c, list, v->u.p, v->n);
		return;
	}
	if (v->kind < PV_TUPLE || v->kind > PV_FROZENSET || depth >= DEPTH_MAX)
		return;
	for (size_t i = 0; i < v->n && *nodes < NODES_MAX; i++)
		put(c, list, v->u.item[i], depth + 1, nodes);
}

int
pickle_code_after(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pickle_known *k, struct pv *args, struct pv *result)
{
	const struct pv *name, *file;
	unsigned nodes = 0;
	struct pycode c;
	size_t at = 0;

	(void)k;
	(void)result;
	while (at < args->n && !(is_text(args->u.item[at]) &&
	    is_tuple(pv_item(args, at + 1)) &&
	    is_tuple(pv_item(args, at + 2)) &&
	    is_tuple(pv_item(args, at + 3))))
		at++;
	if (at == args->n || op->off < vm->tell_from)
		return 0;
	file = text_at(args, at + 4);
	name = text_at(args, at + 5);
	pycode_init(&c, vm->p, op->off, 1);
	if (name != NULL) {
		c.name = name->u.p;
		c.name_len = name->n < PYCODE_TEXT ? name->n : PYCODE_TEXT;
	}
	if (file != NULL) {
		c.file = file->u.p;
		c.file_len = file->n < PYCODE_TEXT ? file->n : PYCODE_TEXT;
	}
	put(&c, PYCODE_NAMES, pv_item(args, at + 2), 0, &nodes);
	put(&c, PYCODE_CONSTANTS, pv_item(args, at + 1), 0, &nodes);
	return pycode_end(&c);
}
