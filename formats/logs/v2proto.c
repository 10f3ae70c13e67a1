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
 *	contents: 6 fp32 (packed)  7 fp64  3 int64  2 int32  8 bytes
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
	struct cursor shape, contents, raw;
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

static void
put_real(struct logs_ctx *c, struct out *o, double d, size_t *count)
{
	char text[40];
	const int n = snprintf(text, sizeof(text), "%s%.9g",
	    *count > 0 ? "," : "[", d);

	put(o, text, n);
	if (*count < LIMIT_LOG_SCORES)
		c->scores[*count] = d;
	++*count;
}

/* Little-endian values behind each other, by the tensor's type. */
static bool
values(struct logs_ctx *c, struct cursor v, unsigned bits, bool real,
    struct out *o, size_t *count)
{
	uint64_t u64;
	uint32_t u32;
	double d;
	float f;

	while (!cursor_at_end(&v)) {
		if (bits == 32) {
			if (!cursor_u32le(&v, &u32))
				return false;
			memcpy(&f, &u32, sizeof(f));
			d = real ? (double)f : (double)(int32_t)u32;
		} else {
			if (!cursor_u64le(&v, &u64))
				return false;
			memcpy(&d, &u64, sizeof(d));
			if (!real)
				d = (double)(int64_t)u64;
		}
		put_real(c, o, d, count);
	}
	return true;
}

/* Contents by field: packed floats, doubles, varints; or bytes. */
static bool
contents(struct logs_ctx *c, struct cursor v, struct out *o, size_t *count)
{
	struct field_at f;
	uint64_t u;

	while (!cursor_at_end(&v)) {
		if (!next(&v, &f))
			return false;
		if (f.number == 6 || f.number == 7) {
			if (!values(c, f.body, f.number == 6 ? 32 : 64, true,
			    o, count))
				return false;
		} else if (f.number == 8) {
			put(o, *count > 0 ? "," : "[", 1);
			put(o, "\"", 1);
			put(o, (const char *)f.body.buf, (int)f.body.len);
			put(o, "\"", 1);
			++*count;
		} else if (f.type == 2) {
			while (!cursor_at_end(&f.body)) {
				if (!cursor_varint(&f.body, &u))
					return false;
				put_real(c, o, (double)(int64_t)u, count);
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
message(struct logs_ctx *c, struct cursor m, bool response, struct tensor *t)
{
	const uint64_t raw = response ? 6 : 7;
	struct field_at f;

	while (!cursor_at_end(&m)) {
		if (!next(&m, &f) || f.number == 0 || f.number > 7)
			return false;
		if (f.type != 2)
			return false;
		if (f.number == 1)
			row_sub(c, LOGS_MODEL, f.body);
		else if (f.number == 2)
			row_sub(c, LOGS_VERSION, f.body);
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
	if (!message(c, m, response, &t))
		return false;
	/* A value of four bytes or of one is at most 25 as text. */
	o = (struct out){.cap = 25 * n + 16};
	if (n > LIMIT_LOG_RECORD / 25 ||
	    (o.p = arena_alloc(c->scratch, o.cap)) == NULL)
		return false;
	real = strncmp(t.datatype, "FP", 2) == 0;
	if (t.raw.buf != NULL ? !values(c, t.raw,
	    strstr(t.datatype, "64") != NULL ? 64 : 32, real, &o, &count) :
	    !contents(c, t.contents, &o, &count))
		return false;
	put(&o, count > 0 ? "]" : "[]", count > 0 ? 1 : 2);
	dims(c, t.shape);
	*x = *at;
	x->p = (const uint8_t *)o.p;
	x->n = o.n;
	x->type = "json";
	if (response && real && count > 0 && count <= LIMIT_LOG_SCORES)
		fields_reals(&c->v[LOGS_SCORES], c->scores, count);
	return true;
}
