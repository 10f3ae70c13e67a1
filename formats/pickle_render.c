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
	if (v->total > v->n)
		buf_printf(r->b, ", ... %llu more",
		    (unsigned long long)(v->total - v->n));
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

static void
scalar(struct render *r, const struct pv *v)
{
	switch ((enum pv_kind)v->kind) {
	case PV_BOOL:
		buf_puts(r->b, v->u.num != 0 ? "True" : "False");
		break;
	case PV_INT:
		buf_printf(r->b, "%lld", (long long)v->u.num);
		break;
	case PV_LONG:
		buf_printf(r->b, "<integer of %zu bytes>", v->n);
		break;
	case PV_FLOAT:
		buf_printf(r->b, "%.17g", v->u.real);
		break;
	case PV_STR:
	case PV_BYTES:
	case PV_BYTEARRAY:
		if (v->kind != PV_STR)
			buf_putc(r->b, 'b');
		if (v->u.p != NULL)
			quoted(r->b, v->u.p, v->n);
		else
			buf_printf(r->b, "'<%zu bytes>'", v->n);
		break;
	case PV_GLOBAL:
		text_put(r->b, v->u.p, v->n, TEXT_PLAIN);
		break;
	case PV_BUFFER:
		buf_puts(r->b, "<buffer>");
		break;
	case PV_NONE:
	case PV_TUPLE:
	case PV_LIST:
	case PV_DICT:
	case PV_SET:
	case PV_FROZENSET:
	case PV_CALL:
	case PV_PERSID:
		buf_puts(r->b, "None");
		break;
	}
}

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
	switch ((enum pv_kind)v->kind) {
	case PV_TUPLE:
		wrapped(r, "(", v, v->n == 1 ? ",)" : ")");
		break;
	case PV_LIST:
		wrapped(r, "[", v, "]");
		break;
	case PV_DICT:
		wrapped(r, "{", v, "}");
		break;
	case PV_SET:
		wrapped(r, "{", v, "}");
		break;
	case PV_FROZENSET:
		wrapped(r, "frozenset({", v, "})");
		break;
	case PV_CALL:
		render_call(r, v);
		break;
	case PV_PERSID:
		wrapped(r, "persistent_load(", v, ")");
		break;
	case PV_NONE:
	case PV_BOOL:
	case PV_INT:
	case PV_LONG:
	case PV_FLOAT:
	case PV_STR:
	case PV_BYTES:
	case PV_BYTEARRAY:
	case PV_GLOBAL:
	case PV_BUFFER:
		scalar(r, v);
		break;
	}
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
