#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/pickle_vm.h"

/*
 * Opcodes and their arguments as Modules/_pickle.c reads them, in two views.
 *
 * Linear: byte after byte, whatever frames say (pickle.loads, buffered
 * files).  Unframed: as _Unpickler_Read does over a file without peek()
 * (io.BytesIO, so torch.load): FRAME takes its bytes into a buffer, and an
 * argument that does not fit into what is left of the buffer drops that rest
 * and is read from behind the frame.  The views run different programs where
 * an opcode straddles a frame's end, and nowhere else.
 */
static const struct pickle_opinfo infos[256] = {
#define OP(name, code, arg) [(uint8_t)(code)] = {#name, ARG_##arg},
#include "formats/pickle_ops.def"
#undef OP
};

/* The arguments alone, close together; 0 where there is no opcode. */
static const uint8_t arguments[256] = {
#define OP(name, code, arg) [(uint8_t)(code)] = ARG_##arg + 1,
#include "formats/pickle_ops.def"
#undef OP
};

const struct pickle_opinfo *
pickle_opinfo(uint8_t code)
{
	return &infos[code];
}

static uint64_t
le(const uint8_t *p, unsigned n)
{
	uint64_t v = p[0];

	for (unsigned i = 1; i < n; i++)
		v |= (uint64_t)p[i] << (8 * i);
	return v;
}

static double
be_double(const uint8_t *p)
{
	uint64_t v = 0;
	double d;

	for (unsigned i = 0; i < 8; i++)
		v = v << 8 | p[i];
	memcpy(&d, &v, sizeof(d));
	return d;
}

/* In the unframed view, before ${n} bytes are read in one piece. */
static int
step_over_frame(struct pickle_vm *vm, uint64_t n)
{
	uint64_t at = reader_tell(vm->r);

	if (at >= vm->frame_end || n <= vm->frame_end - at)
		return 0;
	return reader_seek(vm->r, vm->frame_end, vm->p->e);
}

/* Long constants are stepped over: their place is known, their bytes not. */
static int
read_counted(struct pickle_vm *vm, struct pickle_op *op, uint64_t n)
{
	int r;

	op->num = n;
	if ((vm->flags & CALL_UNFRAMED) != 0 &&
	    (r = step_over_frame(vm, n)) < 0)
		return r;
	if (n > reader_left(vm->r))
		return ERR_TRUNC;
	if (n > LIMIT_PICKLE_CONST)
		return reader_skip(vm->r, n, vm->p->e);
	if ((r = reader_bytes(vm->r, n, vm->p->arena, &op->p, vm->p->e)) < 0)
		return r;
	op->n = (size_t)n;
	return 0;
}

/* A line is looked for in the frame's buffer first. */
static int
read_line(struct pickle_vm *vm, const uint8_t **p, size_t *n)
{
	uint64_t end = vm->r->end;
	int r;

	if ((vm->flags & CALL_UNFRAMED) != 0 &&
	    reader_tell(vm->r) < vm->frame_end) {
		vm->r->end = vm->frame_end;
		r = reader_line(vm->r, '\n', LIMIT_PICKLE_LINE, vm->p->arena,
		    p, n, vm->p->e);
		vm->r->end = end;
		if (r != ERR_TRUNC)
			return r;
		err_reset(vm->p->e);
		if ((r = reader_seek(vm->r, vm->frame_end, vm->p->e)) < 0)
			return r;
	}
	return reader_line(vm->r, '\n', LIMIT_PICKLE_LINE, vm->p->arena, p, n,
	    vm->p->e);
}

static int
read_argument(struct pickle_vm *vm, struct pickle_op *op,
    enum pickle_arg arg)
{
	static const uint8_t widths[] = {0, 1, 2, 4, 8, 4, 8, 1, 4, 4, 8};
	const uint8_t *p;
	unsigned width;
	uint8_t raw[8];
	int r;

	if (arg == ARG_LINE || arg == ARG_LINES) {
		if ((r = read_line(vm, &op->p, &op->n)) < 0 ||
		    arg == ARG_LINE)
			return r;
		return read_line(vm, &op->p2, &op->n2);
	}
	width = widths[arg];
	if ((vm->flags & CALL_UNFRAMED) != 0 &&
	    (r = step_over_frame(vm, width)) < 0)
		return r;
	if ((p = reader_near(vm->r, width)) == NULL) {
		if ((r = reader_copy(vm->r, raw, width, vm->p->e)) < 0)
			return r;
		p = raw;
	}
	op->num = le(p, width);
	if (arg == ARG_I4 || arg == ARG_N4S)
		op->inum = (int32_t)op->num;
	if (arg == ARG_F8)
		op->real = be_double(p);
	if (arg == ARG_N4S && op->inum < 0)
		return ERR_FORMAT;
	return arg >= ARG_N1 && arg <= ARG_N8 ?
	    read_counted(vm, op, op->num) : 0;
}

/*
 * In the linear view: does the other one part from it here?  An argument that
 * could not be read whole passes every end.
 */
static int
check_frame(struct pickle_vm *vm, const struct pickle_op *op, bool cut)
{
	if (vm->frame_end == 0 || op->off >= vm->frame_end ||
	    (op->end <= vm->frame_end && op->code != 0x95 && !cut) ||
	    vm->frame_told || (vm->flags & CALL_UNFRAMED) != 0)
		return 0;
	vm->frame_told = true;
	vm->frame_off = op->off;
	return format_anomaly(vm->p, ANOMALY_PICKLE_FRAME, op->off,
	    op->end - op->off, NULL, 0);
}

static int
bad_read(struct pickle_vm *vm, const struct pickle_op *op, int r)
{
	int told;

	switch (r) {
	case ERR_TRUNC:
		if ((told = check_frame(vm, op, true)) < 0)
			return told;
		return pickle_fail(vm, ANOMALY_TRUNCATED, op);
	case ERR_FORMAT:
		return pickle_fail(vm, ANOMALY_PICKLE_BAD_ARGUMENT, op);
	case ERR_LIMIT:
	case ERR_NOMEM:
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	default:
		return r;
	}
}

int
pickle_read_op(struct pickle_vm *vm, struct pickle_op *op)
{
	unsigned arg;
	int r;

	if ((vm->flags & CALL_UNFRAMED) != 0 &&
	    (r = step_over_frame(vm, 1)) < 0)
		return r;
	op->off = reader_tell(vm->r);
	op->end = op->off + 1;
	if ((r = reader_u8(vm->r, &op->code, vm->p->e)) < 0) {
		op->code = 0;
		return r == ERR_TRUNC ?
		    pickle_fail(vm, ANOMALY_PICKLE_NO_STOP, op) : r;
	}
	arg = arguments[op->code];
	if (arg == ARG_NO + 1)
		return 0;
	if (arg == 0)
		return pickle_fail(vm, ANOMALY_PICKLE_BAD_OPCODE, op);
	op->p = op->p2 = NULL;
	op->n = op->n2 = 0;
	if ((r = read_argument(vm, op, (enum pickle_arg)(arg - 1))) < 0)
		return bad_read(vm, op, r);
	op->end = reader_tell(vm->r);
	return vm->frame_end == 0 ? 0 : check_frame(vm, op, false);
}

int
pickle_trick(struct pickle_vm *vm, const struct pickle_op *op)
{
	const struct fact facts[] = {FACT_TEXT("argument", op->p,
	    op->n < 64 ? op->n : 64)};

	if (vm->trick_told)
		return 0;
	vm->trick_told = true;
	return format_anomaly(vm->p, ANOMALY_PICKLE_TEXT_TRICK, op->off,
	    op->end - op->off, facts, 1);
}
