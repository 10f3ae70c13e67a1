#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * ModelInferRequest and ModelInferResponse of the V2 protocol, as Seldon Core
 * 2 puts them on Kafka (kserve/open-inference-protocol, grpc_predict_v2.proto):
 *
 *	1 model_name  2 model_version  3 id  4 parameters
 *	5 inputs (request) or outputs (response): tensors
 *	6 outputs (request) or raw_output_contents (response)
 *	7 raw_input_contents (request)
 *
 *	tensor: 1 name  2 datatype  3 shape (packed varints)  5 contents
 *	contents: packed 1 bool  2 int32  3 int64  4 uint32  5 uint64
 *		6 fp32  7 fp64; 8 bytes
 *
 * The first tensor stands for the whole; its values are written as a list.
 */
struct field_at {
	uint64_t number;
	unsigned type;
	uint64_t value;
	struct cursor body;
};

struct tensor {
	char datatype[8];
	struct cursor model, version, shape, contents, raw;
	bool any;
};

static bool
next(struct cursor *c, struct field_at *f)
{
	uint64_t tag, len;
	uint32_t u32;

	if (!cursor_varint(c, &tag))
		return false;
	*f = (struct field_at){.number = tag >> 3, .type = tag & 7};
	switch (f->type) {
	case 0:
		return cursor_varint(c, &f->value);
	case 1:
		return cursor_u64le(c, &f->value);
	case 2:
		return cursor_varint(c, &len) && cursor_sub(c, len, &f->body);
	case 5:
		return cursor_u32le(c, &u32);
	default:
		return false;
	}
}

static bool
tensor(struct cursor c, struct tensor *t)
{
	struct field_at f;

	while (!cursor_at_end(&c)) {
		if (!next(&c, &f))
			return false;
		if (f.number == 2 && f.body.len < sizeof(t->datatype) &&
		    f.body.len > 0)
			memcpy(t->datatype, f.body.buf, f.body.len);
		else if (f.number == 3 && f.type == 2)
			t->shape = f.body;
		else if (f.number == 5 && f.type == 2)
			t->contents = f.body;
	}
	t->any = true;
	return true;
}

struct out {
	char *p;
	size_t n, cap;
};

static void
put(struct out *o, const char *text, int n)
{
	if (n < 0 || (size_t)n > o->cap - o->n)
		return;
	memcpy(o->p + o->n, text, (size_t)n);
	o->n += (size_t)n;
}

/* Types of values, as datatype names them. */
static const struct kind {
	const char *name;
	uint8_t bytes;
	char how;	/* 'u' unsigned, 'i' signed, 'f' IEEE 754, 'b' bfloat */
} kinds[] = {{"BOOL", 1, 'u'}, {"UINT8", 1, 'u'}, {"UINT16", 2, 'u'},
    {"UINT32", 4, 'u'}, {"UINT64", 8, 'u'}, {"INT8", 1, 'i'},
    {"INT16", 2, 'i'}, {"INT32", 4, 'i'}, {"INT64", 8, 'i'},
    {"FP16", 2, 'f'}, {"FP32", 4, 'f'}, {"FP64", 8, 'f'},
    {"BF16", 2, 'b'}};

static const struct kind *
kind_of(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return NULL;
}

static double
half(unsigned h)
{
	const int e = (int)(h >> 10 & 31), m = (int)(h & 1023);
	const double d = e == 31 ? (m > 0 ? NAN : INFINITY) :
	    e > 0 ? ldexp(1024 + m, e - 25) : ldexp(m, -24);

	return (h & 0x8000) != 0 ? -d : d;
}

static double
real_of(const struct kind *k, uint64_t u)
{
	uint32_t u32 = (uint32_t)(k->how == 'b' ? u << 16 : u);
	double d;
	float f;

	if (k->bytes == 8) {
		memcpy(&d, &u, sizeof(d));
		return d;
	}
	if (k->how == 'f' && k->bytes == 2)
		return half((unsigned)u);
	memcpy(&f, &u32, sizeof(f));
	return (double)f;
}

static void
put_value(struct logs_ctx *c, struct out *o, const struct kind *k, uint64_t u,
    size_t *count)
{
	const char *mark = *count > 0 ? "," : "[";
	const unsigned pad = 64 - 8U * k->bytes;
	const int64_t whole = (int64_t)(u << pad) >> pad;
	char text[40];

	if (k->how == 'u' || k->how == 'i') {
		put(o, text, k->how == 'i' ? snprintf(text, sizeof(text),
		    "%s%lld", mark, (long long)whole) : snprintf(text,
		    sizeof(text), "%s%llu", mark, (unsigned long long)u));
	} else {
		put(o, text, snprintf(text, sizeof(text), "%s%.*g", mark,
		    k->bytes == 8 ? 17 : 9, real_of(k, u)));
		if (*count < LIMIT_LOG_SCORES)
			c->scores[*count] = real_of(k, u);
	}
	++*count;
}

static bool
read_value(struct cursor *v, unsigned bytes, uint64_t *ret)
{
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;
	bool ok;

	switch (bytes) {
	case 1:
		ok = cursor_u8(v, &u8);
		*ret = ok ? u8 : 0;
		return ok;
	case 2:
		ok = cursor_u16le(v, &u16);
		*ret = ok ? u16 : 0;
		return ok;
	case 4:
		ok = cursor_u32le(v, &u32);
		*ret = ok ? u32 : 0;
		return ok;
	default:
		return cursor_u64le(v, ret);
	}
}

/* Little-endian values behind each other. */
static bool
values(struct logs_ctx *c, struct cursor v, const struct kind *k,
    struct out *o, size_t *count)
{
	uint64_t u;

	while (!cursor_at_end(&v)) {
		if (!read_value(&v, k->bytes, &u))
			return false;
		put_value(c, o, k, u, count);
	}
	return true;
}

static void
put_bytes(struct out *o, struct cursor text, size_t *count)
{
	put(o, *count > 0 ? "," : "[", 1);
	put(o, "\"", 1);
	put(o, (const char *)text.buf, (int)text.len);
	put(o, "\"", 1);
	++*count;
}

/* raw_*_contents: values, or texts with their length (u32le) before each. */
static bool
raw_values(struct logs_ctx *c, const struct tensor *t, struct out *o,
    size_t *count)
{
	const struct kind *k = kind_of(t->datatype);
	struct cursor v = t->raw, text;
	uint32_t len;

	if (k != NULL)
		return values(c, v, k, o, count);
	if (strcmp(t->datatype, "BYTES") != 0)
		return false;
	while (!cursor_at_end(&v)) {
		if (!cursor_u32le(&v, &len) || !cursor_sub(&v, len, &text))
			return false;
		put_bytes(o, text, count);
	}
	return true;
}

/* Contents by field: packed floats, doubles, varints; or bytes. */
static bool
contents(struct logs_ctx *c, struct cursor v, struct out *o, size_t *count)
{
	const struct kind *fp32 = kind_of("FP32"), *fp64 = kind_of("FP64");
	const struct kind *i64 = kind_of("INT64"), *u64 = kind_of("UINT64");
	struct field_at f;
	uint64_t u;

	while (!cursor_at_end(&v)) {
		if (!next(&v, &f))
			return false;
		if (f.number == 6 || f.number == 7) {
			if (!values(c, f.body, f.number == 6 ? fp32 : fp64, o,
			    count))
				return false;
		} else if (f.number == 8) {
			put_bytes(o, f.body, count);
		} else if (f.type == 2) {
			while (!cursor_at_end(&f.body)) {
				if (!cursor_varint(&f.body, &u))
					return false;
				put_value(c, o, f.number == 5 ? u64 : i64, u,
				    count);
			}
		}
	}
	return true;
}

static void
dims(struct logs_ctx *c, struct cursor s)
{
	struct out o = {.cap = 128};
	char text[24];
	uint64_t u;

	if ((o.p = arena_alloc(c->scratch, o.cap)) == NULL)
		return;
	while (!cursor_at_end(&s) && cursor_varint(&s, &u))
		put(&o, text, snprintf(text, sizeof(text), "%s%lld",
		    o.n > 0 ? "," : "", (long long)u));
	row_text(c, LOGS_DIMS, o.p, o.n);
}

static bool
message(struct cursor m, bool response, struct tensor *t)
{
	const uint64_t raw = response ? 6 : 7;
	struct field_at f;

	while (!cursor_at_end(&m)) {
		if (!next(&m, &f) || f.number == 0 || f.number > 7)
			return false;
		if (f.type != 2)
			return false;
		if (f.number == 1)
			t->model = f.body;
		else if (f.number == 2)
			t->version = f.body;
		else if (f.number == 5 && !t->any && !tensor(f.body, t))
			return false;
		else if (f.number == raw && t->raw.buf == NULL)
			t->raw = f.body;
	}
	return t->any;
}

bool
v2proto_payload(struct logs_ctx *c, bool response, const uint8_t *p, size_t n,
    const struct logs_content_part *at)
{
	struct logs_content_part *x = response ? &c->out : &c->in;
	struct tensor t = {0};
	struct cursor m;
	struct out o;
	size_t count = 0;
	bool real;

	cursor_init(&m, p, n, 0);
	if (!message(m, response, &t))
		return false;
	/* A value of four bytes or of one is at most 25 as text. */
	o = (struct out){.cap = 25 * n + 16};
	if (n > LIMIT_LOG_RECORD / 25 ||
	    (o.p = arena_alloc(c->scratch, o.cap)) == NULL)
		return false;
	real = strncmp(t.datatype, "FP", 2) == 0 ||
	    strcmp(t.datatype, "BF16") == 0;
	if (t.raw.buf != NULL ? !raw_values(c, &t, &o, &count) :
	    !contents(c, t.contents, &o, &count))
		return false;
	put(&o, count > 0 ? "]" : "[]", count > 0 ? 1 : 2);
	row_sub(c, LOGS_MODEL, t.model);
	row_sub(c, LOGS_VERSION, t.version);
	dims(c, t.shape);
	*x = *at;
	x->p = (const uint8_t *)o.p;
	x->n = o.n;
	x->type = "json";
	if (response && real && count > 0 && count <= LIMIT_LOG_SCORES)
		fields_reals(&c->v[LOGS_SCORES], c->scores, count);
	return true;
}
