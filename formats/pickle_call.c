#include <string.h>

#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/pickle_vm.h"

/*
 * Globals, calls and nested streams as events.
 */
static const char letters[] = {
    [PV_NONE] = 'n', [PV_BOOL] = 'b', [PV_INT] = 'i', [PV_LONG] = 'I',
    [PV_FLOAT] = 'f', [PV_STR] = 's', [PV_BYTES] = 'y', [PV_BYTEARRAY] = 'y',
    [PV_TUPLE] = 't', [PV_LIST] = 'l', [PV_DICT] = 'd', [PV_SET] = 'e',
    [PV_FROZENSET] = 'e', [PV_GLOBAL] = 'g', [PV_MODULE] = 'g',
    [PV_NAMESPACE] = 'x', [PV_METHOD] = 'x', [PV_PARTIAL] = 'x',
    [PV_GETTER] = 'x', [PV_CALL] = 'o',
    [PV_PERSID] = 'p', [PV_BUFFER] = 'u'};

static char
letter_of(const struct pv *v)
{
	return v->kind == PV_STR && v->n > CALL_SHORT ? 'S' :
	    letters[v->kind];
}

static size_t
sign_value(char *dst, size_t n, const struct pv *v)
{
	char l;
	size_t open;

	if (n + 2 > CALL_SIG)
		return n;
	dst[n++] = letter_of(v);
	if (v->kind < PV_TUPLE || v->kind > PV_FROZENSET || v->n == 0)
		return n;
	dst[n++] = '{';
	open = n;
	for (size_t i = 0; i < v->n && i < PV_KEEP && n < CALL_SIG; i++) {
		l = letter_of(v->u.item[i]);
		if (memchr(dst + open, l, n - open) == NULL)
			dst[n++] = l;
	}
	if (n < CALL_SIG)
		dst[n++] = '}';
	return n;
}

/* See format.h. */
static void
sign(char dst[CALL_SIG + 2], const struct pv *args)
{
	size_t n = 0;

	if (args->kind != PV_TUPLE)
		n = sign_value(dst, n, args);
	for (size_t i = 0; args->kind == PV_TUPLE && i < args->n; i++) {
		if (n + 3 > CALL_SIG) {
			dst[n++] = '+';
			break;
		}
		if ((args->flags & PV_KEYWORDS) != 0 && i + 1 == args->n)
			dst[n++] = '/';
		n = sign_value(dst, n, args->u.item[i]);
	}
	dst[n] = '\0';
}

static void
render(const void *args, struct buf *b)
{
	pickle_render_args(b, args);
}

/* A constant that was not kept counts by its length. */
static uint64_t
digest(const void *args)
{
	const struct pv *v = args;
	uint64_t h = 0xcbf29ce484222325U;

	for (size_t i = 0; v->kind == PV_TUPLE && i < v->n; i++) {
		const struct pv *x = v->u.item[i];

		if (pv_is_kept_text(x) || pv_is_kept_bytes(x))
			for (size_t k = 0; k < x->n; k++)
				h = (h ^ (uint8_t)x->u.p[k]) * 0x100000001b3U;
		h = (h ^ x->n) * 0x100000001b3U;
	}
	return h;
}

/*
 * What is called: of an instance its class; of a constant its type; what is
 * itself the result of a call is shown as it was computed.
 */
static void
name_callee(struct buf *b, const struct pv *callee, const char *method,
    bool *resolved)
{
	static const char *const types[] = {[PV_STR] = "str",
	    [PV_BYTES] = "bytes", [PV_BYTEARRAY] = "bytearray",
	    [PV_TUPLE] = "tuple", [PV_LIST] = "list", [PV_DICT] = "dict",
	    [PV_SET] = "set", [PV_FROZENSET] = "frozenset",
	    [PV_NAMESPACE] = "dict", [PV_KINDS] = NULL};
	const struct pv *v = callee;

	*resolved = false;
	/* An instance: the class that made it answers for its methods. */
	if (method != NULL && v->kind == PV_CALL && v->n > 0 &&
	    v->u.item[0]->kind == PV_GLOBAL)
		v = v->u.item[0];
	if (v->kind == PV_GLOBAL || v->kind == PV_MODULE) {
		*resolved = true;
		text_put(b, v->u.p, v->n, TEXT_PLAIN);
	} else if (method != NULL && types[v->kind] != NULL) {
		*resolved = true;
		buf_printf(b, "builtins.%s", types[v->kind]);
	} else {
		pickle_render(b, v);
	}
	if (method != NULL) {
		buf_putc(b, '.');
		text_put(b, method, strlen(method), TEXT_PLAIN);
	}
}

int
pickle_tell_global(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pv *v)
{
	struct pickle_name *s = pickle_name_of(v);
	struct ev_global ev = {0};

	if (s == NULL || s->told)
		return 0;	/* a planted value, or known already */
	s->told = true;
	ev.module = v->u.p;
	ev.module_len = s->split;
	ev.name = s->split < v->n ? v->u.p + s->split + 1 : "";
	ev.name_len = s->split < v->n ? v->n - s->split - 1 : 0;
	ev.off = op->off;
	ev.opcode = pickle_opinfo(op->code)->name;
	ev.resolved = true;
	return format_global(vm->p, &ev);
}

/* Plain calls of names need no copy of the name. */
static bool
plain_name(const struct pv *callee, const char *method)
{
	if (callee->kind != PV_GLOBAL || method != NULL)
		return false;
	for (size_t i = 0; i < callee->n; i++)
		if (callee->u.p[i] < 0x21 || callee->u.p[i] > 0x7e ||
		    callee->u.p[i] == '\\')
			return false;
	return true;
}

int
pickle_tell_call(struct pickle_vm *vm, const struct pickle_op *op,
    const struct pv *callee, const char *method, const struct pv *args,
    unsigned flags, const struct pv *result)
{
	struct pickle_name *s = pickle_name_of(callee);
	struct ev_call ev = {0};
	char sig[CALL_SIG + 2];
	struct buf name;
	int r;

	if (args == NULL)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if (op->off < vm->tell_from) {
		vm->w->calls++;
		return 0;
	}
	buf_init(&name, LIMIT_RENDER);
	if (plain_name(callee, method)) {
		ev.callee = callee->u.p;
		ev.callee_len = callee->n;
		ev.resolved = true;
	} else {
		name_callee(&name, callee, method, &ev.resolved);
		ev.callee = name.p != NULL ? (const char *)name.p : "";
		ev.callee_len = name.len;
	}
	if (s != NULL && method == NULL)
		ev.callee_id = s->v.more;
	sign(sig, args);
	ev.sig = sig;
	if (result != NULL && result->kind == PV_GLOBAL) {
		ev.target = result->u.p;
		ev.target_len = result->n;
	}
	ev.args = args;
	ev.render = render;
	ev.digest = digest;
	ev.flags = flags | vm->flags;
	ev.off = op->off;
	ev.opcode = pickle_opinfo(op->code)->name;
	ev.index = vm->w->calls++;
	ev.stream = vm->stream;
	r = format_call(vm->p, &ev);
	buf_release(&name);
	return r;
}

/* A stream inside a constant, as a member of this object. */
int
pickle_tell_stream(struct pickle_vm *vm, const struct pickle_op *op,
    const char *what, const struct pv *bytes, const char *format,
    unsigned flags)
{
	struct ev_member m = {0};
	struct bytesrc *src;
	struct buf name;
	int r;

	if (bytes->n == 0)
		return 0;
	if (++vm->w->nested > LIMIT_PICKLE_STREAMS)
		return pickle_fail(vm, ANOMALY_LIMIT, op);
	if ((src = bytesrc_mem(bytes->u.p, bytes->n, vm->p->e)) == NULL)
		return ERR_NOMEM;
	buf_init(&name, LIMIT_RENDER);
	buf_printf(&name, "%s@%llu", what, (unsigned long long)op->off);
	m.name = (const char *)name.p;
	m.name_len = name.len;
	m.off = op->off;
	m.size = bytes->n;
	m.flags = MEMBER_VIRTUAL | flags;
	m.src = src;
	m.format = format;
	r = name.p == NULL ? ERR_NOMEM : format_member(vm->p, &m);
	buf_release(&name);
	bytesrc_free(src);
	return r;
}
