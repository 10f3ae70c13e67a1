#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/onnx.h"

/*
 * ONNX has no magic: a file is a ModelProto because it reads as one.  The bid
 * walks the fields of its head as far as they go and counts what it verifies:
 * numbers and wire types that the schema has, an ir_version that exists, text
 * that is text, and above all a graph whose first fields are those of a graph.
 * Text, pickles and random bytes fail within a few fields.
 *
 * Who hides a model puts something large before its graph.  When such a field
 * goes beyond the head, what was verified before it counts, but not more than
 * for a weak bid: the parser then finds out.
 */
#define BID_WEAK 12
#define FIELDS_MAX 32		/* of the head that the bid looks at */

struct bid_state {
	unsigned bits;
	bool graph;		/* a graph that is one */
	bool beyond;		/* a field goes beyond the head */
};

/* One tag with its content, as far as the head holds it. */
static bool
head_field(struct cursor *c, uint64_t *number, unsigned *type,
    uint64_t *value)
{
	uint64_t v;

	if (!cursor_varint(c, &v) || v >> 3 == 0 || v >> 32 != 0)
		return false;
	*number = v >> 3;
	*type = (unsigned)(v & 7);
	*value = 0;
	switch (*type) {
	case PB_VARINT:
	case PB_LEN:
		return cursor_varint(c, value);
	case PB_FIXED32:
		return cursor_skip(c, 4);
	case PB_FIXED64:
		return cursor_skip(c, 8);
	default:
		return false;
	}
}

static bool
is_text(struct cursor c)
{
	uint8_t b;

	while (cursor_u8(&c, &b))
		if (b < ' ' && b != '\n' && b != '\t' && b != '\r')
			return false;
	return true;
}

/* Do the first fields of a message have the schema's numbers and types? */
static bool
head_message(struct cursor c, enum onnx_message id)
{
	uint64_t number, value;
	unsigned type, seen = 0;

	while (seen < 4 && !cursor_at_end(&c)) {
		const struct onnx_field *s;

		if (!head_field(&c, &number, &type, &value))
			break;
		s = number < 32 ? onnx_field(id, (uint32_t)number) : NULL;
		if (s == NULL || (type == PB_LEN) !=
		    (s->kind >= ONNX_KIND_TEXT || s->count == ONNX_MANY))
			return false;
		seen++;
		if (type == PB_LEN && !cursor_skip(&c, value))
			break;
	}
	return seen > 0;
}

/* The content of a field of the model: bits that it verifies, or 0. */
static unsigned
head_content(struct cursor c, const struct onnx_field *s, uint64_t number,
    uint64_t value)
{
	if (number == ONNX_MODEL_IR_VERSION)
		return value > 0 && value < 256 ? 15 : 0;
	if (s->kind == ONNX_KIND_VARINT)
		return 1;
	if (s->kind == ONNX_KIND_TEXT)
		return !is_text(c) ? 0 : c.len < 64 ? 6 : BID_WEAK;
	return head_message(c, (enum onnx_message)s->of) ? 10 : 0;
}

/* One field of the model.  False: this is none. */
static bool
head_model(struct cursor *c, struct bid_state *b)
{
	const struct onnx_field *s;
	uint64_t number, value;
	struct cursor in = *c;
	unsigned type, bits;
	size_t have;

	if (!head_field(c, &number, &type, &value))
		return false;
	s = number < 32 ? onnx_field(ONNX_MODEL, (uint32_t)number) : NULL;
	in.len = in.off;
	if (type == PB_LEN) {
		/* Beyond the object, too: a model that was cut is one. */
		have = cursor_left(c);
		b->beyond = value > have;
		if (!cursor_sub(c, value < have ? value : have, &in))
			return false;
	}
	/* A field that the schema does not have proves nothing. */
	if (s == NULL)
		return number >= 32 && type != PB_VARINT;
	if ((type == PB_LEN) != (s->kind >= ONNX_KIND_TEXT))
		return false;
	if (type == PB_LEN && value == 0)
		return true;	/* allowed, and says nothing */
	if ((bits = head_content(in, s, number, value)) == 0)
		return false;
	b->bits += bits;
	b->graph = b->graph || number == ONNX_MODEL_GRAPH;
	return true;
}

static unsigned
onnx_bid(struct cursor head, uint64_t size)
{
	struct bid_state b = {0};

	for (unsigned i = 0; i < FIELDS_MAX && !b.beyond; i++)
		if (cursor_at_end(&head) || !head_model(&head, &b))
			break;
	if (b.graph)
		return b.bits;
	return b.beyond && b.bits >= BID_WEAK && size > FORMAT_HEAD ?
	    BID_WEAK : 0;
}

/*
 * Where the outermost message could not be read on.  The bytes from there on
 * are no field of a model; fields before them that the schema does not have
 * belong to them, not to the model.
 */
static int
check_rest(struct onnx *o)
{
	uint64_t from = o->odd ? o->odd_from : o->w.next, off = from;
	bool zero = true;
	size_t n;
	int r;

	if (o->w.next == o->p->size)
		return 0;
	while (zero && off < o->p->size) {
		if ((r = bytesrc_read_some(o->p->src, off, o->text,
		    LIMIT_ONNX_TEXT, &n, o->p->e)) < 0)
			return r;
		for (size_t i = 0; i < n; i++)
			zero = zero && o->text[i] == 0;
		off += n;
	}
	if ((r = format_cover(o->p, o->w.next, o->p->size - o->w.next)) < 0)
		return r;
	return onnx_tell(o, zero ? ANOMALY_TRAILING_ZERO :
	    ANOMALY_TRAILING, from, o->p->size - from, NULL, 0);
}

/* Without whole tables no name can be said to be unused or redefined. */
static int
check_tables(struct onnx *o)
{
	static const char what[] = "graph";
	const struct fact facts[] = {FACT_TEXT("limit", what, 5),
	    FACT_NUM("nodes", o->nodes.count - 1),
	    FACT_NUM("names", o->names.count - 1)};

	return onnx_tell(o, ANOMALY_LIMIT, 0, 0, facts, 3);
}

static int
onnx_parse(struct parse *p)
{
	struct onnx *o;
	int r;

	if ((o = arena_alloc(p->arena, sizeof(*o))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	o->p = p;
	if ((r = onnx_tables(o)) < 0 ||
	    (r = pbwire_init(&o->w, p->src, 0, p->size, p->window, p->arena,
	    p->e)) < 0 ||
	    (r = onnx_walk(o)) < 0)
		return r;
	if (!o->graph)
		return (r = onnx_tell(o, ANOMALY_MALFORMED, o->w.next, 0, NULL,
		    0)) < 0 ? r : 1;
	if ((r = check_rest(o)) < 0 ||
	    (!o->full && (r = onnx_graphs(o)) < 0) ||
	    (o->full && (r = check_tables(o)) < 0) ||
	    (r = onnx_files(o)) < 0)
		return r;
	if (o->nomem)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	return o->cut;
}

const struct format format_onnx = {
    .name = "onnx",
    .kind = FORMAT_MODEL,
    .bid = onnx_bid,
    .parse = onnx_parse,
};
