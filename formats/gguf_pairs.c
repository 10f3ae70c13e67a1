#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/flatjson.h"
#include "formats/gguf_pairs.h"

/*
 * The walk is that of gguf_kv.c, with its bounds: every count is held against
 * the bytes that are left before it is believed.
 */
static const unsigned sizes[GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8,
    8};

struct walk {
	struct gguf g;
	int (*take)(void *ctx, const struct gguf_value *v);
	void *ctx;
};

/* 0, 1, or negative. */
static int
read_value(struct walk *w, struct gguf_value *v)
{
	struct gguf *g = &w->g;
	uint8_t raw[8] = {0};
	const uint8_t *p;
	int r;

	if (v->type == GGUF_STRING) {
		if ((r = gguf_u64(g, &v->n)) < 0)
			return r;
		if (v->n > reader_left(&g->r) || v->n > LIMIT_TEMPLATE)
			return 1;
		if ((r = gguf_scratch(g, v->n, &p)) < 0)
			return r;
		v->p = (const char *)p;
		return w->take(w->ctx, v);
	}
	if ((r = reader_copy(&g->r, raw, sizes[v->type], g->p->e)) < 0)
		return r;
	v->bits = 0;
	for (unsigned i = 0; i < sizes[v->type]; i++)
		v->bits |= (uint64_t)raw[i] << 8 * (g->big ?
		    sizes[v->type] - 1 - i : i);
	return w->take(w->ctx, v);
}

static int
read_array(struct walk *w, struct gguf_value *v)
{
	struct gguf *g = &w->g;
	uint32_t type;
	int r;

	if ((r = gguf_u32(g, &type)) < 0 ||
	    (r = gguf_u64(g, &v->count)) < 0)
		return r;
	if (type >= GGUF_TYPES || type == GGUF_ARRAY)
		return 1;
	v->array = true;
	v->type = (enum gguf_type)type;
	if (v->count > reader_left(&g->r) /
	    (type == GGUF_STRING ? 8 : sizes[type]))
		return 1;
	if (v->count == 0)
		return w->take(w->ctx, v);
	for (; v->index < v->count; v->index++)
		if ((r = read_value(w, v)) != 0)
			return r;
	return 0;
}

static int
read_pair(struct walk *w)
{
	struct gguf_value v = {.count = 1};
	uint32_t type;
	int r;

	if ((r = gguf_text(&w->g, LIMIT_GGUF_KEY, &v.key, &v.key_len)) != 0 ||
	    (r = gguf_u32(&w->g, &type)) < 0)
		return r;
	if (type >= GGUF_TYPES)
		return 1;
	v.type = (enum gguf_type)type;
	return type == GGUF_ARRAY ? read_array(w, &v) : read_value(w, &v);
}

static int
read_pairs(struct walk *w)
{
	int r;

	if ((r = gguf_header(&w->g)) != 0)
		return r;
	for (uint64_t i = 0; i < w->g.pairs; i++)
		if ((r = read_pair(w)) != 0)
			return r;
	return 0;
}

int
gguf_pairs(const struct bytesrc *src, struct arena *a,
    int (*take)(void *ctx, const struct gguf_value *v), void *ctx,
    struct err *e)
{
	static const struct events silent = {.member = NULL};
	struct parse p = {.src = src, .size = bytesrc_size(src), .arena = a,
	    .ev = &silent, .e = e};
	struct walk w = {.g = {.p = &p}, .take = take, .ctx = ctx};
	uint8_t head[GGUF_MAGIC];
	size_t n;
	int r;

	if ((r = bytesrc_read_some(src, 0, head, sizeof(head), &n, e)) < 0)
		return r;
	if (n < sizeof(head) || memcmp(head, "GGUF", sizeof(head)) != 0)
		return 1;
	if ((r = reader_init(&w.g.r, src, 0, 0, a, e)) < 0)
		return r;
	if ((r = read_pairs(&w)) != ERR_TRUNC)
		return r;
	err_reset(e);
	return 1;
}

/* Two's complement of so many bytes. */
static int64_t
as_signed(uint64_t v, unsigned bytes)
{
	const uint64_t sign = UINT64_C(1) << (8 * bytes - 1);
	int64_t ret;

	v = (v ^ sign) - sign;
	memcpy(&ret, &v, sizeof(ret));
	return ret;
}

static double
as_double(const struct gguf_value *v)
{
	const uint32_t low = (uint32_t)v->bits;
	double d;
	float f;

	if (v->type == GGUF_F64) {
		memcpy(&d, &v->bits, sizeof(d));
		return d;
	}
	memcpy(&f, &low, sizeof(f));
	return (double)f;
}

void
gguf_pairs_number(const struct gguf_value *v, char *to, size_t *n)
{
	int len;

	if (v->type == GGUF_F32 || v->type == GGUF_F64)
		len = snprintf(to, GGUF_NUMBER_TEXT, "%.*g",
		    v->type == GGUF_F32 ? 9 : 17, as_double(v));
	else if (v->type == GGUF_BOOL)
		len = snprintf(to, GGUF_NUMBER_TEXT, "%s",
		    v->bits != 0 ? "true" : "false");
	else if (v->type == GGUF_I8 || v->type == GGUF_I16 ||
	    v->type == GGUF_I32 || v->type == GGUF_I64)
		len = snprintf(to, GGUF_NUMBER_TEXT, "%" PRId64,
		    as_signed(v->bits, sizes[v->type]));
	else
		len = snprintf(to, GGUF_NUMBER_TEXT, "%" PRIu64, v->bits);
	*n = (size_t)len;
}

/* The pairs as leaves. */
struct flat_walk {
	struct flatjson *f;
	uint64_t longest;
	const char *const *without;
	struct buf list;	/* an array as one text */
	struct err *e;
};

static enum flat_type
flat_type_of(const struct gguf_value *v)
{
	if (v->type == GGUF_STRING)
		return FLAT_STRING;
	if (v->type == GGUF_BOOL)
		return v->bits != 0 ? FLAT_TRUE : FLAT_FALSE;
	/* NaN and infinity are no numbers of JSON */
	return (v->type == GGUF_F32 || v->type == GGUF_F64) &&
	    !isfinite(as_double(v)) ? FLAT_STRING : FLAT_NUMBER;
}

static int
put(struct flat_walk *w, const struct gguf_value *v, const char *key,
    size_t key_len)
{
	char text[GGUF_NUMBER_TEXT];
	size_t n;

	if (v->array && v->count == 0)
		return flatjson_put(w->f, flatjson_leaf(key, key_len,
		    FLAT_ARRAY, "[]", 2), w->e);
	if (v->type == GGUF_STRING)
		return flatjson_put(w->f, flatjson_leaf(key, key_len,
		    FLAT_STRING, v->p, (size_t)v->n), w->e);
	gguf_pairs_number(v, text, &n);
	return flatjson_put(w->f, flatjson_leaf(key, key_len, flat_type_of(v),
	    text, n), w->e);
}

/*
 * A long array is one text, whole: a short digest would be the attacker's to
 * collide.
 */
static int
put_long(struct flat_walk *w, const struct gguf_value *v)
{
	char text[GGUF_NUMBER_TEXT];
	size_t n;

	if (v->index == 0)
		buf_clear(&w->list);
	buf_putc(&w->list, v->index == 0 ? '[' : ',');
	if (v->type == GGUF_STRING) {
		buf_putc(&w->list, '"');
		for (uint64_t i = 0; i < v->n; i++) {
			if (v->p[i] == '"' || v->p[i] == '\\')
				buf_putc(&w->list, '\\');
			buf_putc(&w->list, v->p[i]);
		}
		buf_putc(&w->list, '"');
	} else {
		gguf_pairs_number(v, text, &n);
		buf_put(&w->list, text, n);
	}
	if (v->index + 1 < v->count)
		return 0;
	buf_putc(&w->list, ']');
	if (buf_failed(&w->list) != 0)
		return err_set(w->e, (enum err_code)buf_failed(&w->list),
		    "an array is too long to compare");
	return flatjson_put(w->f, flatjson_leaf(v->key, v->key_len, FLAT_ARRAY,
	    w->list.p, w->list.len), w->e);
}

static bool
is_without(const struct flat_walk *w, const struct gguf_value *v)
{
	for (const char *const *k = w->without; *k != NULL; k++)
		if (v->key_len == strlen(*k) &&
		    memcmp(v->key, *k, v->key_len) == 0)
			return true;
	return false;
}

static int
take_flat(void *ctx, const struct gguf_value *v)
{
	struct flat_walk *w = ctx;
	char key[LIMIT_FLAT_KEY];
	int n;

	if (is_without(w, v))
		return 0;
	if (v->key_len > sizeof(key) - 32)
		return err_set(w->e, ERR_LIMIT, "a key is too long");
	if (v->array && v->count > w->longest)
		return put_long(w, v);
	if (!v->array || v->count == 0)
		return put(w, v, v->key, v->key_len);
	if (v->key_len > 0)
		memcpy(key, v->key, v->key_len);
	n = snprintf(key + v->key_len, sizeof(key) - v->key_len,
	    "[%" PRIu64 "]", v->index);
	return put(w, v, key, v->key_len + (size_t)n);
}

int
gguf_pairs_flat(const struct bytesrc *src, uint64_t longest,
    const char *const *without, struct flatjson *f, struct arena *work,
    struct err *e)
{
	struct flat_walk w = {.f = f, .longest = longest, .without = without,
	    .e = e};
	int r;

	buf_init(&w.list, LIMIT_FLAT_BYTES);
	r = gguf_pairs(src, work, take_flat, &w, e);
	buf_release(&w.list);
	return r;
}
