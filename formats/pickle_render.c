#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/pickle_vm.h"

/*
 * A value as text: globals as bare dotted names, text and bytes as quoted
 * literals in which a backslash begins an escape.  Three bounds: bytes (the
 * buf's maximum), depth, and nodes, so that shared values which expand to
 * 10^27, cycles and 60 000 nested tuples cost the same as anything else.
 */
#define NODES_MAX 4096
#define TEXT_MAX 1024

struct render {
	struct buf *b;
	unsigned depth, nodes;
};

/* Bytes: all that is not ASCII is a number. */
static void
quoted_bytes(struct buf *b, const char *p, size_t n)
{
	size_t most = n < TEXT_MAX ? n : TEXT_MAX;

	buf_puts(b, "b'");
	for (size_t i = 0; i < most; i++) {
		uint8_t c = (uint8_t)p[i];

		if (c < 0x20 || c > 0x7e)
			buf_printf(b, "\\x%02x", c);
		else if (c == '\'' || c == '\\')
			buf_printf(b, "\\%c", c);
		else
			buf_putc(b, (char)c);
	}
	buf_puts(b, n > most ? "...'" : "'");
}

static void
quoted(struct buf *b, const char *p, size_t n)
{
	char piece[256];
	size_t used, len, most = n < TEXT_MAX ? n : TEXT_MAX, done = 0;

	buf_putc(b, '\'');
	while (done < most) {
		len = text_printable(piece, sizeof(piece),
		    (const uint8_t *)p + done, most - done, TEXT_PLAIN, &used);
		if (used == 0)
			break;
		for (size_t i = 0; i < len; i++) {
			if (piece[i] == '\'')
				buf_putc(b, '\\');
			buf_putc(b, piece[i]);
		}
		done += used;
	}
	buf_puts(b, n > most ? "...'" : "'");
}

static void render(struct render *r, const struct pv *v);

static void
items(struct render *r, const struct pv *v, size_t from)
{
	for (size_t i = from; i < v->n; i++) {
		if (i > from)
			buf_puts(r->b, v->kind == PV_DICT && i % 2 == 1 ?
			    ": " : ", ");
		if (r->nodes >= NODES_MAX || buf_failed(r->b) < 0) {
			buf_puts(r->b, "...");
			return;
		}
		render(r, v->u.item[i]);
	}
	if (v->more > 0)
		buf_printf(r->b, ", ... %lu more", (unsigned long)v->more);
}

static void
wrapped(struct render *r, const char *open, const struct pv *v,
    const char *close)
{
	buf_puts(r->b, open);
	items(r, v, 0);
	buf_puts(r->b, close);
}

static void
render_call(struct render *r, const struct pv *v)
{
	const struct pv *args = pv_item(v, 1);

	render(r, v->u.item[0]);
	buf_putc(r->b, '(');
	if (args != NULL && args->kind == PV_TUPLE)
		items(r, args, 0);
	else if (args != NULL)
		render(r, args);
	buf_putc(r->b, ')');
}

/* partial(f, a): what it will call, and with what before the rest. */
static void
render_partial(struct render *r, const struct pv *v)
{
	buf_puts(r->b, "functools.partial(");
	render(r, v->u.item[0]);
	if (v->u.item[1]->n > 0)
		buf_puts(r->b, ", ");
	items(r, v->u.item[1], 0);
	buf_putc(r->b, ')');
}

static void
method(struct render *r, const struct pv *v)
{
	render(r, v->u.item[0]);
	buf_putc(r->b, '.');
	text_put(r->b, v->u.item[1]->u.p, v->u.item[1]->n, TEXT_PLAIN);
}

static void
scalar(struct render *r, const struct pv *v)
{
	static const char *const plain[PV_KINDS] = {[PV_NONE] = "None",
	    [PV_BUFFER] = "<buffer>"};

	if (v->kind == PV_BOOL) {
		buf_puts(r->b, v->u.num != 0 ? "True" : "False");
	} else if (v->kind == PV_INT) {
		buf_printf(r->b, "%lld", (long long)v->u.num);
	} else if (v->kind == PV_LONG) {
		buf_printf(r->b, "<integer of %zu bytes>", v->n);
	} else if (v->kind == PV_FLOAT) {
		buf_printf(r->b, "%.17g", v->u.real);
	} else if (v->kind >= PV_STR && v->kind <= PV_BYTEARRAY) {
		if (v->u.p == NULL)
			buf_printf(r->b, "b'<%zu bytes>'", v->n);
		else if (v->kind == PV_STR)
			quoted(r->b, v->u.p, v->n);
		else
			quoted_bytes(r->b, v->u.p, v->n);
	} else if (v->kind == PV_GLOBAL || v->kind == PV_MODULE) {
		text_put(r->b, v->u.p, v->n, TEXT_PLAIN);
	} else if (plain[v->kind] != NULL) {
		buf_puts(r->b, plain[v->kind]);
	}
}

/* Kinds that hold others: what stands around their items. */
static const struct {
	const char *open, *close;
} wraps[PV_KINDS] = {
    [PV_TUPLE] = {"(", ")"}, [PV_LIST] = {"[", "]"}, [PV_DICT] = {"{", "}"},
    [PV_SET] = {"{", "}"}, [PV_FROZENSET] = {"frozenset({", "})"},
    [PV_NAMESPACE] = {"vars(", ")"}, [PV_PERSID] = {"persistent_load(", ")"},
};

/* Depth is bounded, so is the recursion. */
static void
render(struct render *r, const struct pv *v)
{
	r->nodes++;
	if (r->depth >= LIMIT_RENDER_DEPTH) {
		buf_puts(r->b, "...");
		return;
	}
	r->depth++;
	if (wraps[v->kind].open != NULL)
		wrapped(r, wraps[v->kind].open, v, v->kind == PV_TUPLE &&
		    v->n == 1 ? ",)" : wraps[v->kind].close);
	else if (v->kind == PV_CALL || v->kind == PV_GETTER)
		render_call(r, v);
	else if (v->kind == PV_PARTIAL)
		render_partial(r, v);
	else if (v->kind == PV_METHOD)
		method(r, v);
	else
		scalar(r, v);
	r->depth--;
}

void
pickle_render(struct buf *b, const struct pv *v)
{
	struct render r = {.b = b};

	render(&r, v);
}

void
pickle_render_args(struct buf *b, const struct pv *args)
{
	struct render r = {.b = b};

	if (args->kind == PV_TUPLE)
		items(&r, args, 0);
	else
		render(&r, args);
}
