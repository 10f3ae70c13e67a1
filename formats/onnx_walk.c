#include <string.h>

#include "base/err.h"
#include "formats/onnx.h"

/*
 * The walk: messages by the schema, on an explicit stack.
 *
 * What no reader looks at is told here, for every message alike: fields that
 * the schema does not have (readers keep them and show them to nobody),
 * fields with another wire type than the schema's (the same, by the wire
 * rules), singular fields that occur again.  Of the last, scalars are taken
 * from the last one, messages are merged, and readers that are written by
 * hand take the first: what one sees another does not.
 *
 * A message that breaks off is left where it does; the walk goes on behind
 * it, in the message around it, though a reader would refuse the whole file.
 */
static const struct onnx_field fields[ONNX_MESSAGES][32] = {
#define MESSAGE(id, name)
#define FIELD(message, id, number, kind, count, of) \
	[ONNX_##message][number] = {#id, ONNX_KIND_##kind, ONNX_##count, \
	    ONNX_OF_##kind(of)},
#define ONNX_OF_MSG(of) ONNX_##of
#define ONNX_OF_TEXT(of) ONNX_OF_TEXT_##of
#define ONNX_OF_TEXT_NAME ONNX_TEXT_NAME
#define ONNX_OF_TEXT_DOC ONNX_TEXT_DOC
#define ONNX_OF_TEXT_VALUE 0
#define ONNX_OF_VARINT(of) 0
#define ONNX_OF_F32(of) 0
#define ONNX_OF_F64(of) 0
#define ONNX_OF_BYTES(of) 0
#include "formats/onnx_schema.def"
#undef MESSAGE
#undef FIELD
};

/* Messages whose fields say nothing by themselves. */
static const struct onnx_row row_plain = {NULL, NULL, NULL, NULL};

static const struct {
	const char *name;
	const struct onnx_row *row;
} messages[ONNX_MESSAGES] = {
#define MESSAGE(id, text) [ONNX_##id] = {text, &row_plain},
#define FIELD(message, id, number, kind, count, of)
#include "formats/onnx_schema.def"
#undef MESSAGE
#undef FIELD
};

static const struct onnx_row *
row_of(enum onnx_message id)
{
	static const struct onnx_row *const rows[ONNX_MESSAGES] = {
	    [ONNX_GRAPH] = &onnx_row_graph,
	    [ONNX_NODE] = &onnx_row_node,
	    [ONNX_ATTRIBUTE] = &onnx_row_attribute,
	    [ONNX_TENSOR] = &onnx_row_tensor,
	    [ONNX_SPARSE] = &onnx_row_sparse,
	    [ONNX_ENTRY] = &onnx_row_entry,
	    [ONNX_OPSET] = &onnx_row_opset,
	    [ONNX_FUNCTION] = &onnx_row_function,
	    [ONNX_VALUE] = &onnx_row_value,
	    [ONNX_TENSORTYPE] = &onnx_row_tensor_type,
	    [ONNX_SHAPE] = &onnx_row_shape,
	    [ONNX_DIMENSION] = &onnx_row_dimension};

	return rows[id] != NULL ? rows[id] : messages[id].row;
}

const struct onnx_field *
onnx_field(enum onnx_message m, uint32_t number)
{
	return number < 32 && fields[m][number].kind != ONNX_KIND_NONE ?
	    &fields[m][number] : NULL;
}

int
onnx_tell(struct onnx *o, enum anomaly id, uint64_t off, uint64_t len,
    const struct fact *facts, unsigned n)
{
	return format_anomaly(o->p, id, off, len, facts, n);
}

int
onnx_tell_name(struct onnx *o, enum anomaly id, uint64_t off,
    const char *key, uint32_t name)
{
	const struct fact facts[] = {ONNX_FACT_NAME(o, key, name)};

	return onnx_tell(o, id, off, 0, facts, 1);
}

/* Explained bytes, put together: one event for what is contiguous. */
static int
flush(struct onnx *o)
{
	return format_cover(o->p, o->cover_from, o->cover_to - o->cover_from);
}

static int
cover(struct onnx *o, uint64_t from, uint64_t to)
{
	int r = 0;

	if (from != o->cover_to) {
		r = flush(o);
		o->cover_from = from;
	}
	o->cover_to = to;
	return r;
}

static int
tell_field(struct onnx *o, enum anomaly id, const struct onnx_frame *f,
    const struct pb_field *w)
{
	static const char *const wire[] = {"varint", "64-bit", "bytes",
	    "group", "", "32-bit"};
	const char *name = messages[f->id].name;
	const char *type = wire[w->type];
	const struct fact facts[] = {
	    FACT_TEXT("message", name, strlen(name)),
	    FACT_NUM("field", w->number),
	    FACT_TEXT("wire", type, strlen(type))};

	return onnx_tell(o, id, w->off, w->at - w->off + w->len, facts, 3);
}

/* Does the wire hold the field as the schema says? */
static bool
fits(const struct onnx_field *s, const struct pb_field *w)
{
	bool packed = s->count == ONNX_MANY && w->type == PB_LEN;

	switch ((enum onnx_kind)s->kind) {
	case ONNX_KIND_VARINT:
		return w->type == PB_VARINT || packed;
	case ONNX_KIND_F32:
		return w->type == PB_FIXED32 || (packed && w->len % 4 == 0);
	case ONNX_KIND_F64:
		return w->type == PB_FIXED64 || (packed && w->len % 8 == 0);
	case ONNX_KIND_TEXT:
	case ONNX_KIND_BYTES:
	case ONNX_KIND_MSG:
		return w->type == PB_LEN;
	case ONNX_KIND_NONE:
		break;
	}
	return false;
}

static int
unknown(struct onnx *o, const struct onnx_frame *f, const struct pb_field *w)
{
	if (o->w.depth == 0 && !o->odd) {
		o->odd = true;
		o->odd_from = w->off;
	}
	return tell_field(o, ANOMALY_ONNX_UNKNOWN_FIELD, f, w);
}

static int
check_twice(struct onnx *o, struct onnx_frame *f, const struct onnx_field *s,
    const struct pb_field *w)
{
	const uint32_t bit = UINT32_C(1) << w->number;
	bool twice = s->count != ONNX_MANY && (f->seen & bit) != 0;

	f->seen |= bit;
	if (s->count == ONNX_ONEOF) {
		twice = f->oneof;
		f->oneof = true;
	}
	return twice ? tell_field(o, ANOMALY_ONNX_FIELD_TWICE, f, w) : 0;
}

static int
enter(struct onnx *o, const struct onnx_field *s, const struct pb_field *w)
{
	static const char why[] = "depth";
	const struct fact facts[] = {FACT_TEXT("limit", why, 5)};
	struct onnx_frame *up = &o->frame[o->w.depth], *f;

	if (!pbwire_enter(&o->w, w))
		return onnx_tell(o, ANOMALY_LIMIT, w->at, w->len, facts, 1);
	f = &o->frame[o->w.depth];
	memset(f, 0, sizeof(*f));
	f->id = (enum onnx_message)s->of;
	f->row = row_of(f->id);
	f->from = w->number;
	f->serial = ++o->serial;
	f->scope = up->scope;
	f->off = w->off;
	f->at = w->at;
	f->len = w->len;
	return f->row->begin != NULL ? f->row->begin(o, up, f) : 0;
}

static int
leave(struct onnx *o)
{
	struct onnx_frame *f = &o->frame[o->w.depth];
	int r = 0;

	if (f->row->end != NULL)
		r = f->row->end(o, f - 1, f);
	pbwire_leave(&o->w);
	return r;
}

static int
take(struct onnx *o, const struct pb_field *w)
{
	struct onnx_frame *f = &o->frame[o->w.depth];
	const struct onnx_field *s = onnx_field(f->id, w->number);
	bool msg = s != NULL && s->kind == ONNX_KIND_MSG;
	int r;

	if ((w->flags & (PB_OVERLONG | PB_OVERFLOW)) != 0 &&
	    (r = tell_field(o, ANOMALY_ONNX_VARINT, f, w)) < 0)
		return r;
	if (s == NULL || !fits(s, w)) {
		if ((r = cover(o, w->off, w->at + w->len)) < 0)
			return r;
		return unknown(o, f, w);
	}
	if (o->w.depth == 0) {
		o->odd = false;
		o->graph = o->graph || w->number == ONNX_MODEL_GRAPH;
	}
	if ((r = cover(o, w->off, msg ? w->at : w->at + w->len)) < 0 ||
	    (r = check_twice(o, f, s, w)) < 0)
		return r;
	if (msg)
		return enter(o, s, w);
	if (s->of == ONNX_TEXT_DOC && (r = onnx_doc(o, f, w)) < 0)
		return r;
	return f->row->field != NULL ? f->row->field(o, f, w) : 0;
}

/*
 * A field of the innermost message could not be read.  Inside of another
 * message: leave it.  At the outermost level the caller says what the rest
 * is.  A file that was cut is read as far as it goes: the length of each
 * message that was open is too long, which is said once.
 */
static int
broken(struct onnx *o, const struct pb_field *w, int found)
{
	const struct onnx_frame *f = &o->frame[o->w.depth];
	const struct onnx_field *s = found == PB_LONG ?
	    onnx_field(f->id, w->number) : NULL;
	/* Behind fields that no model has, it is not the model that is cut. */
	bool cut = s != NULL && w->at + w->len == o->p->size &&
	    (o->cut || (o->w.depth == 0 && !o->odd));
	const char *why = o->w.why;
	const struct fact facts[] = {
	    FACT_TEXT("why", why, strlen(why))};
	int r;

	if (cut) {
		if (!o->cut && (r = onnx_tell(o, ANOMALY_TRUNCATED,
		    o->p->size, 0, NULL, 0)) < 0)
			return r;
		o->cut = true;
		o->w.next = w->at + w->len;
		return take(o, w);
	}
	if (o->w.depth == 0)
		return 1;
	if (!o->cut && (r = onnx_tell(o, ANOMALY_MALFORMED, o->w.next,
	    o->w.end[o->w.depth] - o->w.next, facts, 1)) < 0)
		return r;
	return leave(o);
}

static int
step(struct onnx *o)
{
	struct pb_field w = {0};
	int found = pbwire_next(&o->w, &w, o->p->e);

	if (found < 0)
		return found;
	if (found == PB_FIELD)
		return take(o, &w);
	if (found != PB_END)
		return broken(o, &w, found);
	return o->w.depth > 0 ? leave(o) : 1;
}

int
onnx_walk(struct onnx *o)
{
	int r;

	o->frame[0].id = ONNX_MODEL;
	o->frame[0].row = row_of(ONNX_MODEL);
	while ((r = step(o)) == 0)
		if (o->nomem)
			return err_set(o->p->e, ERR_NOMEM, "out of memory");
	if (r < 0)
		return r;
	return flush(o);
}
