#include <string.h>

#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/onnx.h"
#include "formats/pickle.h"

/*
 * TensorProto: exactly one field holds the values, which one follows from
 * data_type, and how much of it from dims (onnx.proto, and check_tensor in
 * onnx/checker.cc).  The checker refuses what is too short and lets pass what
 * is too long: the surplus is room that no reader looks at.  A reader in C
 * that trusts dims runs out of what is too short (onnx issue 8109).
 *
 *	raw_data	little-endian, 4-bit types two a byte
 *	float_data	FLOAT, COMPLEX64 (two each)
 *	double_data	DOUBLE, COMPLEX128 (two each)
 *	int64_data	INT64
 *	uint64_data	UINT32, UINT64
 *	int32_data	all other types: small ones have 32 bits here, of which
 *			readers drop what the type does not hold
 *	string_data	STRING
 */
#define FIELD_BIT(n) (1U << (n))
#define VALUE_FIELDS (FIELD_BIT(ONNX_TENSOR_FLOATS) | \
	FIELD_BIT(ONNX_TENSOR_INT32S) | FIELD_BIT(ONNX_TENSOR_STRINGS) | \
	FIELD_BIT(ONNX_TENSOR_INT64S) | FIELD_BIT(ONNX_TENSOR_RAW) | \
	FIELD_BIT(ONNX_TENSOR_DOUBLES) | FIELD_BIT(ONNX_TENSOR_UINT64S))

/* lo..hi: what an integer of int32_data may be. */
static const struct type {
	const char *dtype;	/* safetensors' name, or NULL */
	uint8_t bits;
	uint8_t field;
	int32_t lo, hi;
} types[ONNX_TYPES] = {
    [1] = {"F32", 32, ONNX_TENSOR_FLOATS, 0, 0},
    [2] = {"U8", 8, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [3] = {"I8", 8, ONNX_TENSOR_INT32S, INT8_MIN, INT8_MAX},
    [4] = {"U16", 16, ONNX_TENSOR_INT32S, 0, UINT16_MAX},
    [5] = {"I16", 16, ONNX_TENSOR_INT32S, INT16_MIN, INT16_MAX},
    [6] = {"I32", 32, ONNX_TENSOR_INT32S, INT32_MIN, INT32_MAX},
    [7] = {"I64", 64, ONNX_TENSOR_INT64S, 0, 0},
    [8] = {NULL, 0, ONNX_TENSOR_STRINGS, 0, 0},
    [9] = {"BOOL", 8, ONNX_TENSOR_INT32S, 0, 1},
    [10] = {"F16", 16, ONNX_TENSOR_INT32S, 0, UINT16_MAX},
    [11] = {"F64", 64, ONNX_TENSOR_DOUBLES, 0, 0},
    [12] = {"U32", 32, ONNX_TENSOR_UINT64S, 0, 0},
    [13] = {"U64", 64, ONNX_TENSOR_UINT64S, 0, 0},
    [14] = {"C64", 64, ONNX_TENSOR_FLOATS, 0, 0},
    [15] = {NULL, 128, ONNX_TENSOR_DOUBLES, 0, 0},
    [16] = {"BF16", 16, ONNX_TENSOR_INT32S, 0, UINT16_MAX},
    [17] = {"F8_E4M3", 8, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [18] = {"F8_E4M3FNUZ", 8, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [19] = {"F8_E5M2", 8, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [20] = {"F8_E5M2FNUZ", 8, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [21] = {NULL, 4, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [22] = {NULL, 4, ONNX_TENSOR_INT32S, INT8_MIN, UINT8_MAX},
    [23] = {"F4", 4, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [24] = {"F8_E8M0", 8, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [25] = {NULL, 2, ONNX_TENSOR_INT32S, 0, UINT8_MAX},
    [26] = {NULL, 2, ONNX_TENSOR_INT32S, INT8_MIN, UINT8_MAX},
};

const char *
onnx_dtype(uint64_t type)
{
	return type < ONNX_TYPES ? types[type].dtype : NULL;
}

unsigned
onnx_bits(uint64_t type)
{
	return type < ONNX_TYPES ? types[type].bits : 0;
}

bool
onnx_elements(const uint64_t *dims, unsigned rank, uint64_t *ret)
{
	uint64_t n = 1;
	bool zero = false, fits = true;

	for (unsigned i = 0; i < rank; i++) {
		zero = zero || dims[i] == 0;
		if (!ckd_mul64(&n, n, dims[i] == 0 ? 1 : dims[i]) ||
		    n > INT64_MAX) {
			n = INT64_MAX;
			fits = false;
		}
	}
	*ret = zero ? 0 : fits ? n : UINT64_MAX;
	return fits;
}

bool
onnx_bytes(uint64_t type, uint64_t elements, uint64_t *ret)
{
	const uint64_t bits = onnx_bits(type);

	if (bits == 0)
		return false;
	if (bits >= 8)
		return ckd_mul64(ret, elements, bits / 8);
	*ret = elements / (8 / bits) + (elements % (8 / bits) != 0);
	return true;
}

int
onnx_zero(struct onnx *o, const struct bytesrc *src, uint64_t off,
    uint64_t len, bool *ret, uint64_t *first)
{
	uint64_t at = 0;
	size_t n, i;
	int r;

	*ret = true;
	while (at < len) {
		n = len - at < LIMIT_ONNX_TEXT ? (size_t)(len - at) :
		    LIMIT_ONNX_TEXT;
		if ((r = bytesrc_read(src, off + at, o->text, n,
		    o->p->e)) < 0)
			return r;
		for (i = 0; i < n && o->text[i] == 0; i++)
			;
		at += i;
		if (i < n) {
			*ret = false;
			*first = off + at;
			return 0;
		}
	}
	return 0;
}

static bool
is_bytes(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((p[i] < ' ' && (p[i] < '\t' || p[i] > '\r')) ||
		    p[i] == 0x7f)
			return true;
	return false;
}

#define BLOB 1024	/* a shorter string is a word, whatever its bytes */
#define BLOB_HEAD 4096

int
onnx_blob(struct onnx *o, uint64_t off, uint64_t len, const char *name,
    size_t name_len, bool tell)
{
	struct ev_member m = {.name = name, .name_len = name_len, .off = off,
	    .size = len, .flags = MEMBER_VIRTUAL | MEMBER_STORED |
	    MEMBER_DORMANT};
	const struct fact facts[] = {FACT_TEXT("name", name, name_len)};
	struct bytesrc *src;
	size_t n = len < BLOB_HEAD ? (size_t)len : BLOB_HEAD;
	int r;

	if (len < BLOB)
		return len < 64 ? 0 : pickle_embedded(o->p, off, len, "string",
		    PICKLE_IN_TEXT);
	if ((r = bytesrc_read(o->p->src, off, o->text, n, o->p->e)) < 0)
		return r;
	if (!is_bytes(o->text, n))
		return 0;
	if (tell && (r = onnx_tell(o, ANOMALY_ONNX_STRING_BLOB, off, len,
	    facts, 1)) < 0)
		return r;
	if ((src = bytesrc_range(o->p->src, off, len, o->p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = format_member(o->p, &m);
	bytesrc_free(src);
	return r;
}

static void
one_integer(struct onnx_frame_tensor *t, uint64_t v)
{
	int64_t s = (int64_t)v;

	if (t->count == 0 || s < t->lo)
		t->lo = s;
	if (t->count == 0 || s > t->hi)
		t->hi = s;
	t->bits |= v;
	t->count++;
}

static void
one_dim(struct onnx_frame_tensor *t, uint64_t v)
{
	t->negative = t->negative || v > INT64_MAX;
	t->deep = t->deep || t->rank == ONNX_RANK;
	if (t->rank < ONNX_RANK)
		t->dims[t->rank++] = v;
}

/* Integers, packed or not, of dims or of values. */
static int
integers(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	struct onnx_frame_tensor *t = &f->u.tensor;
	bool dims = w->number == ONNX_TENSOR_DIMS;
	uint64_t v = w->value;
	unsigned flags = 0;
	int r = PB_FIELD;

	if (w->type != PB_LEN) {
		dims ? one_dim(t, v) : one_integer(t, v);
		return 0;
	}
	if (!pbwire_enter(&o->w, w))
		return onnx_tell(o, ANOMALY_LIMIT, w->at, w->len, NULL, 0);
	while ((r = pbwire_packed(&o->w, &v, &flags, o->p->e)) == PB_FIELD)
		dims ? one_dim(t, v) : one_integer(t, v);
	pbwire_leave(&o->w);
	if (r == PB_BAD)
		r = onnx_tell(o, ANOMALY_MALFORMED, w->at, w->len, NULL, 0);
	if (r >= 0 && flags != 0)
		r = onnx_tell(o, ANOMALY_ONNX_VARINT, w->at, w->len, NULL, 0);
	return r < 0 ? r : 0;
}

static int
values(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	struct onnx_frame_tensor *t = &f->u.tensor;

	if (w->len == 0 && w->number != ONNX_TENSOR_STRINGS)
		return 0;
	t->fields |= FIELD_BIT(w->number);
	if (t->runs++ == 0) {
		t->off = w->at;
		t->len = w->len;
	}
	switch (w->number) {
	case ONNX_TENSOR_FLOATS:
		t->count += w->type == PB_LEN ? w->len / 4 : 1;
		return 0;
	case ONNX_TENSOR_DOUBLES:
		t->count += w->type == PB_LEN ? w->len / 8 : 1;
		return 0;
	case ONNX_TENSOR_STRINGS:
		t->count++;
		return onnx_blob(o, w->at, w->len, "string_data", 11, true);
	case ONNX_TENSOR_RAW:
		return 0;
	default:
		return integers(o, f, w);
	}
}

static int
tensor_field(struct onnx *o, struct onnx_frame *f, const struct pb_field *w)
{
	struct onnx_frame_tensor *t = &f->u.tensor;

	switch (w->number) {
	case ONNX_TENSOR_DIMS:
		return integers(o, f, w);
	case ONNX_TENSOR_TYPE:
		t->type = w->value;
		return 0;
	case ONNX_TENSOR_LOCATION:
		t->location = w->value;
		return 0;
	case ONNX_TENSOR_NAME:
		return onnx_intern_field(o, w, &t->name);
	case ONNX_TENSOR_DOC:
		return 0;
	default:
		return values(o, f, w);
	}
}

static int
tell_sizes(struct onnx *o, enum anomaly id, const struct onnx_frame *f,
    uint64_t off, uint64_t len, uint64_t stated, uint64_t present)
{
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "tensor", f->u.tensor.name),
	    FACT_NUM("stated", stated), FACT_NUM("present", present)};

	return onnx_tell(o, id, off, len, facts, 3);
}

/* More is there than dims say: what no reader looks at. */
static int
surplus(struct onnx *o, const struct onnx_frame *f, uint64_t want,
    uint64_t have, uint64_t unit)
{
	const struct onnx_frame_tensor *t = &f->u.tensor;
	uint64_t off = t->off, len = t->len, first;
	bool zero = false;
	int r;

	if (unit > 0 && t->runs == 1) {
		off += want * unit;
		len -= want * unit;
		if ((r = onnx_zero(o, o->p->src, off, len, &zero,
		    &first)) < 0)
			return r;
	}
	return tell_sizes(o, zero ? ANOMALY_ONNX_SURPLUS_ZERO :
	    ANOMALY_ONNX_SURPLUS, f, off, len, want, have);
}

/* How many values the typed field must have; ${unit}: bytes of each. */
static uint64_t
typed_count(const struct onnx_frame_tensor *t, uint64_t elements,
    uint64_t *unit)
{
	const struct type *y = &types[t->type];

	*unit = y->field == ONNX_TENSOR_FLOATS ? 4 :
	    y->field == ONNX_TENSOR_DOUBLES ? 8 : 0;
	if (t->type == ONNX_COMPLEX64 || t->type == ONNX_COMPLEX128)
		return elements > UINT64_MAX / 2 ? UINT64_MAX : 2 * elements;
	if (y->bits == 2 || y->bits == 4)
		(void)onnx_bytes(t->type, elements, &elements);
	return elements;
}

/* The one field that holds the values against dims. */
static int
check_length(struct onnx *o, const struct onnx_frame *f, uint64_t elements)
{
	const struct onnx_frame_tensor *t = &f->u.tensor;
	bool raw = (t->fields & FIELD_BIT(ONNX_TENSOR_RAW)) != 0;
	uint64_t want, have = t->count, unit = 1;

	if (raw) {
		have = t->len;
		if (!onnx_bytes(t->type, elements, &want))
			want = UINT64_MAX;
	} else {
		want = typed_count(t, elements, &unit);
	}
	if (have == want)
		return 0;
	if (have < want)	/* not said of each tensor of a cut file */
		return o->cut ? 0 : tell_sizes(o, ANOMALY_ONNX_DATA_SHORT, f, f->off, 0,
		    want, have);
	return surplus(o, f, want, have, unit);
}

/* Integers that have bits which their type does not hold. */
static bool
has_outlier(const struct onnx_frame_tensor *t)
{
	const struct type *y = &types[t->type];

	if (t->count == 0)
		return false;
	if (y->field == ONNX_TENSOR_INT32S)
		return t->lo < y->lo || t->hi > y->hi;
	return t->type == ONNX_UINT32 && t->bits > UINT32_MAX;
}

/*
 * Exactly one field with values, the one that goes with the type, or a file.
 * One reader takes raw_data when it is there, another what the type says.
 */
static int
check_fields(struct onnx *o, const struct onnx_frame *f, uint64_t elements)
{
	const struct onnx_frame_tensor *t = &f->u.tensor;
	bool external = t->location == 1 || t->entries > 0;
	unsigned fields = t->fields;
	int r;

	if (external && fields == 0)
		return t->location == 1 ? 0 : onnx_tell_name(o,
		    ANOMALY_ONNX_EXTERNAL_KEY, f->off, "tensor", t->name);
	if (external || (fields & (fields - 1)) != 0 ||
	    (fields != 0 && fields != FIELD_BIT(ONNX_TENSOR_RAW) &&
	    fields != FIELD_BIT(types[t->type].field)) ||
	    (fields == FIELD_BIT(ONNX_TENSOR_RAW) && t->type == ONNX_STRING) ||
	    (fields == FIELD_BIT(ONNX_TENSOR_RAW) && t->runs > 1))
		return onnx_tell_name(o, ANOMALY_ONNX_VALUE_FIELDS, f->off,
		    "tensor", t->name);
	if (has_outlier(t) && (r = onnx_tell_name(o,
	    ANOMALY_ONNX_VALUE_RANGE, t->off, "tensor", t->name)) < 0)
		return r;
	return check_length(o, f, elements);
}

static int
check_tensor(struct onnx *o, const struct onnx_frame *f, uint64_t *elements)
{
	const struct onnx_frame_tensor *t = &f->u.tensor;
	const struct fact facts[] = {
	    ONNX_FACT_NAME(o, "tensor", t->name),
	    FACT_NUM("data_type", t->type)};
	bool fits = onnx_elements(t->dims, t->rank, elements);
	int r = 0;

	if ((f->seen & FIELD_BIT(ONNX_TENSOR_SEGMENT)) != 0 &&
	    (r = onnx_tell_name(o, ANOMALY_ONNX_SEGMENT, f->off, "tensor",
	    t->name)) < 0)
		return r;
	if (t->negative || t->deep || !fits)
		return onnx_tell(o, ANOMALY_ONNX_DIMS, f->off, 0, facts, 1);
	if (t->type == 0 && (t->fields & VALUE_FIELDS) == 0)
		return 0;
	if (t->type == 0 || t->type >= ONNX_TYPES)
		return onnx_tell(o, ANOMALY_ONNX_TYPE, f->off, 0, facts, 2);
	return check_fields(o, f, *elements);
}

/* The bytes as elements of the type lie at hand? */
static bool
at_hand(const struct onnx_frame_tensor *t, uint64_t elements, uint64_t *len)
{
	bool raw = t->fields == FIELD_BIT(ONNX_TENSOR_RAW);

	if (t->runs != 1 || t->negative || t->deep ||
	    !onnx_bytes(t->type, elements, len) ||
	    (!raw && t->fields != FIELD_BIT(ONNX_TENSOR_FLOATS) &&
	    t->fields != FIELD_BIT(ONNX_TENSOR_DOUBLES)))
		return false;
	if (*len > t->len)
		*len = t->len;
	return true;
}

static int
tell_tensor(struct onnx *o, const struct onnx_frame *f,
    const struct onnx_tensor *k)
{
	const struct onnx_frame_tensor *t = &f->u.tensor;
	const char *dtype = onnx_dtype(t->type);
	const struct ev_tensor ev = {onnx_text(o, t->name),
	    onnx_text_len(o, t->name), dtype != NULL ? dtype : "?", t->dims,
	    t->rank, k->off, k->len, NULL};
	int r;

	if (t->location == 1)
		return onnx_external_tensor(o, f);
	if ((r = format_tensor(o->p, &ev)) < 0 || k->len == 0)
		return r;
	return pickle_embedded(o->p, t->off, t->len, "tensor",
	    PICKLE_IN_WEIGHTS);
}

static void
told_sparse(const struct onnx_frame *f, struct onnx_frame *up,
    const struct onnx_tensor *k)
{
	if (f->from == ONNX_SPARSE_VALUES) {
		up->u.sparse.values = k->elements;
		up->u.sparse.name = k->name;
		return;
	}
	up->u.sparse.indices = f->u.tensor.rank > 0 ? f->u.tensor.dims[0] : 0;
	up->u.sparse.index_rank = f->u.tensor.rank > 1 ?
	    f->u.tensor.dims[1] : 0;
	if (k->type == ONNX_INT64 && k->len > 0) {
		up->u.sparse.off = k->off;
		up->u.sparse.len = k->len;
	}
}

static int
tensor_end(struct onnx *o, struct onnx_frame *up, struct onnx_frame *f)
{
	const struct onnx_frame_tensor *t = &f->u.tensor;
	struct onnx_tensor *k;
	uint64_t elements, len = 0;
	uint32_t i;
	int r;

	if ((r = check_tensor(o, f, &elements)) < 0)
		return r;
	k = onnx_add(o, &o->tensors, &i);
	*k = (struct onnx_tensor){.name = t->name, .scope = f->scope,
	    .elements = elements, .at = f->off, .rank = (uint8_t)t->rank,
	    .type = t->type < ONNX_TYPES ? (uint8_t)t->type : 0,
	    .initializer = up->id == ONNX_GRAPH};
	for (unsigned d = 0; d < t->rank; d++)
		k->vector = k->vector || t->dims[d] == elements;
	if (at_hand(t, elements, &len)) {
		k->off = t->off;
		k->len = len;
	}
	if (up->id == ONNX_ATTRIBUTE)
		up->u.attribute.tensor = i;
	else if (up->id == ONNX_SPARSE)
		told_sparse(f, up, k);
	return tell_tensor(o, f, k);
}

const struct onnx_row onnx_row_tensor = {NULL, NULL, tensor_field,
    tensor_end};
