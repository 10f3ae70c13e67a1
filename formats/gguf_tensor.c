#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/gguf.h"
#include "formats/pickle.h"

/*
 * Tensor infos, and whether the data are what they say.
 *
 * The reference reader wants each offset to be the padded sum of the sizes
 * before it; Python's reader takes offsets as they come.  Sizes are computed
 * here without wrapping: upstream tests products only while they are not
 * zero, so 2^33 times 2^33 elements of four bytes have no bytes there.
 */
static const struct type {
	const char *name;	/* NULL: there is none, or it was removed */
	unsigned block, bytes;
} types[] = {[0] = {"F32", 1, 4}, [1] = {"F16", 1, 2}, [2] = {"Q4_0", 32, 18},
    [3] = {"Q4_1", 32, 20}, [6] = {"Q5_0", 32, 22}, [7] = {"Q5_1", 32, 24},
    [8] = {"Q8_0", 32, 34}, [9] = {"Q8_1", 32, 36}, [10] = {"Q2_K", 256, 84},
    [11] = {"Q3_K", 256, 110}, [12] = {"Q4_K", 256, 144},
    [13] = {"Q5_K", 256, 176}, [14] = {"Q6_K", 256, 210},
    [15] = {"Q8_K", 256, 292}, [16] = {"IQ2_XXS", 256, 66},
    [17] = {"IQ2_XS", 256, 74}, [18] = {"IQ3_XXS", 256, 98},
    [19] = {"IQ1_S", 256, 50}, [20] = {"IQ4_NL", 32, 18},
    [21] = {"IQ3_S", 256, 110}, [22] = {"IQ2_S", 256, 82},
    [23] = {"IQ4_XS", 256, 136}, [24] = {"I8", 1, 1}, [25] = {"I16", 1, 2},
    [26] = {"I32", 1, 4}, [27] = {"I64", 1, 8}, [28] = {"F64", 1, 8},
    [29] = {"IQ1_M", 256, 56}, [30] = {"BF16", 1, 2},
    [34] = {"TQ1_0", 256, 54}, [35] = {"TQ2_0", 256, 66},
    [39] = {"MXFP4", 32, 17}, [40] = {"NVFP4", 64, 36},
    [41] = {"Q1_0", 128, 18}, [42] = {"Q2_0", 64, 18}};
#define TYPES (sizeof(types) / sizeof(types[0]))

/* NumPy's names of what a big-endian file holds: nobody else has any. */
static const char *
dtype_name(const struct gguf *g, const struct type *t)
{
	static const char *const swapped[][2] = {{"F32", ">f4"},
	    {"F16", ">f2"}, {"F64", ">f8"}, {"I16", ">i2"}, {"I32", ">i4"},
	    {"I64", ">i8"}, {"BF16", ">bf2"}};

	for (size_t i = 0; g->big && i < 7; i++)
		if (strcmp(t->name, swapped[i][0]) == 0)
			return swapped[i][1];
	return t->name;
}

struct info {
	const char *name;
	size_t n;
	uint64_t off;		/* of the info in the file */
	uint32_t dims, type;
	uint64_t ne[GGUF_DIMS];
	uint64_t at;		/* stated offset within the data */
	uint64_t bytes;		/* what the tensor takes */
	size_t index;		/* of its name */
};

/* More dimensions than ggml has: the rest of the infos is still read. */
static int
read_dims(struct gguf *g, struct info *t)
{
	uint64_t ne;
	int r;

	if ((r = gguf_u32(g, &t->dims)) < 0)
		return r;
	if (t->dims > reader_left(&g->r) / 8)
		return gguf_stop(g, ANOMALY_GGUF_COUNT, t->off, t->name, t->n,
		    t->dims);
	if (t->dims > GGUF_DIMS && (r = gguf_tell(g, ANOMALY_GGUF_DIMS, t->off,
	    t->name, t->n, t->dims)) < 0)
		return r;
	for (uint32_t i = 0; i < t->dims; i++) {
		if ((r = gguf_u64(g, &ne)) < 0)
			return r;
		if (ne > INT64_MAX && (r = gguf_tell(g, ANOMALY_GGUF_DIMS,
		    t->off, t->name, t->n, ne)) < 0)
			return r;
		if (i < GGUF_DIMS)
			t->ne[i] = ne;
	}
	return 0;
}

static int
read_info(struct gguf *g, struct info *t)
{
	int r;

	*t = (struct info){.off = reader_tell(&g->r)};
	if ((r = gguf_text(g, LIMIT_GGUF_KEY, &t->name, &t->n)) != 0)
		return r;
	if ((t->n >= GGUF_NAME || t->n == 0) && (r = gguf_tell(g,
	    ANOMALY_GGUF_NAME, t->off, t->name, t->n, t->n)) < 0)
		return r;
	if ((r = gguf_check_name(g, t->name, t->n, t->off)) < 0 ||
	    (r = gguf_keep_name(g, &g->names, t->name, t->n, t->off)) < 0)
		return r;
	t->index = g->names.n - 1;
	if ((r = read_dims(g, t)) != 0 ||
	    (r = gguf_u32(g, &t->type)) < 0)
		return r;
	return gguf_u64(g, &t->at);
}

/* The bytes of a tensor; UINT64_MAX, told, when they are beyond all. */
static int
size_of(struct gguf *g, struct info *t)
{
	const uint32_t dims = t->dims < GGUF_DIMS ? t->dims : GGUF_DIMS;
	const struct type *type = &types[t->type];
	uint64_t elements = 1, blocks;
	bool zero = false, ok = true;

	for (uint32_t i = 0; i < dims; i++) {
		zero = zero || t->ne[i] == 0;
		ok = ok && t->ne[i] <= INT64_MAX;
	}
	for (uint32_t i = 0; i < dims && !zero && ok; i++)
		ok = ckd_mul64(&elements, elements, t->ne[i]);
	blocks = elements / type->block + (elements % type->block != 0);
	ok = ok && elements <= INT64_MAX &&
	    ckd_mul64(&t->bytes, blocks, type->bytes) &&
	    t->bytes <= INT64_MAX;
	if (zero)
		t->bytes = 0;
	if (zero || ok)
		return 0;
	t->bytes = UINT64_MAX;
	return gguf_tell(g, ANOMALY_GGUF_OVERFLOW, t->off, t->name, t->n,
	    t->ne[0]);
}

/* The padded end of [at, at + n); false: it is beyond 64 bits. */
static bool
padded(const struct gguf *g, uint64_t at, uint64_t n, uint64_t *ret)
{
	uint64_t end;

	if (!ckd_add64(&end, at, n) ||
	    !ckd_add64(&end, end, g->alignment - 1))
		return false;
	*ret = end & ~(g->alignment - 1);
	return true;
}

static int
check_place(struct gguf *g, struct info *t)
{
	int r = 0;

	if (t->at != g->next && !g->unsized && !g->offset_told) {
		const struct fact facts[] = {FACT_TEXT("name", t->name, t->n),
		    FACT_NUM("stated", t->at), FACT_NUM("expected", g->next)};

		g->offset_told = true;
		r = format_anomaly(g->p, ANOMALY_GGUF_OFFSET, t->off, 0,
		    facts, 3);
	}
	if (!padded(g, t->at, t->bytes, &g->next))
		g->next = UINT64_MAX;
	return r;
}

static int
keep_span(struct gguf *g, const struct info *t)
{
	size_t cap = g->span_cap == 0 ? 256 : 2 * g->span_cap;
	struct gguf_span *grown;

	if (g->spans == g->span_cap) {
		grown = arena_array(g->p->arena, cap, sizeof(*grown));
		if (grown == NULL)
			return err_set(g->p->e, ERR_NOMEM, "out of memory");
		if (g->spans > 0)
			memcpy(grown, g->span, g->spans * sizeof(*grown));
		g->span = grown;
		g->span_cap = cap;
	}
	g->span[g->spans++] = (struct gguf_span){t->at, t->at + t->bytes,
	    t->index};
	return 0;
}

static int
emit(struct gguf *g, const struct info *t)
{
	const struct ev_tensor ev = {t->name, t->n,
	    dtype_name(g, &types[t->type]), t->ne,
	    t->dims < GGUF_DIMS ? t->dims : GGUF_DIMS, g->data + t->at,
	    t->bytes, NULL};
	const uint64_t size = g->p->size - g->data;
	int r;

	if (!ckd_range(t->at, t->bytes, size)) {
		g->cut = true;
		if ((r = gguf_tell(g, ANOMALY_GGUF_OUT_OF_FILE, t->off,
		    t->name, t->n, t->at)) < 0 || t->at >= size)
			return r;
		/* what is there of it */
		return format_cover(g->p, g->data + t->at, size - t->at);
	}
	if ((r = keep_span(g, t)) < 0 ||
	    (r = format_tensor(g->p, &ev)) < 0)
		return r;
	return pickle_embedded(g->p, ev.off, ev.len, "tensor",
	    PICKLE_IN_WEIGHTS);
}

static int
take_info(struct gguf *g, struct info *t)
{
	int r;

	if (t->type >= TYPES || types[t->type].name == NULL) {
		g->unsized = g->unknown = true;
		return gguf_tell(g, ANOMALY_GGUF_TYPE, t->off, t->name, t->n,
		    t->type);
	}
	if (t->ne[0] % types[t->type].block != 0 && t->dims > 0 &&
	    (r = gguf_tell(g, ANOMALY_GGUF_BLOCK, t->off, t->name, t->n,
	    t->ne[0])) < 0)
		return r;
	if ((r = size_of(g, t)) < 0 || (r = check_place(g, t)) < 0)
		return r;
	g->unsized = t->bytes == UINT64_MAX;
	return t->bytes == UINT64_MAX ? 0 : emit(g, t);
}

static int
compare_spans(const void *a, const void *b)
{
	const struct gguf_span *x = a, *y = b;

	if (x->begin != y->begin)
		return x->begin < y->begin ? -1 : 1;
	if (x->end != y->end)
		return x->end < y->end ? -1 : 1;
	return (x->name > y->name) - (x->name < y->name);
}

static int
take_span(struct gguf *g, const struct gguf_span *s, uint64_t at)
{
	const struct names_view *name = &g->names.v[s->name];
	uint64_t end;
	int r = 0;

	if (s->begin < at && s->begin != s->end)
		r = gguf_tell(g, ANOMALY_GGUF_OVERLAP, g->data + s->begin,
		    name->p, name->n, s->begin);
	if (r < 0 || (r = format_cover(g->p, g->data + s->begin,
	    s->end - s->begin)) < 0)
		return r;
	if (!padded(g, s->end, 0, &end) || end > g->p->size - g->data)
		end = g->p->size - g->data;
	return format_padding(g->p, g->data + s->end, end - s->end);
}

/* Is everything from ${off} on zero? */
static int
all_zero(struct gguf *g, uint64_t off, bool *ret)
{
	static uint8_t chunk[LIMIT_READER_WINDOW];
	size_t n;
	int r;

	*ret = true;
	for (; off < g->p->size && *ret; off += n) {
		if ((r = bytesrc_read_some(g->p->src, off, chunk,
		    sizeof(chunk), &n, g->p->e)) < 0)
			return r;
		if (n == 0)
			break;
		for (size_t i = 0; i < n && *ret; i++)
			*ret = chunk[i] == 0;
	}
	return 0;
}

/*
 * What stands behind the last tensor, its padding aside: readers accept it.
 * Where a tensor's place or size is not known, nothing can be said of it.
 */
static int
check_tail(struct gguf *g, uint64_t end)
{
	const uint64_t size = g->p->size - g->data;
	bool zero;
	int r;

	if (!padded(g, end, 0, &end) || end >= size ||
	    g->cut || g->unknown)
		return 0;
	if ((r = all_zero(g, g->data + end, &zero)) < 0 ||
	    (r = format_anomaly(g->p, zero ? ANOMALY_TRAILING_ZERO :
	    ANOMALY_TRAILING, g->data + end, size - end, NULL, 0)) < 0)
		return r;
	return format_cover(g->p, g->data + end, size - end);
}

static int
account(struct gguf *g)
{
	uint64_t at = 0;
	int r;

	if (g->spans > 1)
		qsort(g->span, g->spans, sizeof(*g->span), compare_spans);
	for (size_t i = 0; i < g->spans; i++) {
		if ((r = take_span(g, &g->span[i], at)) < 0)
			return r;
		if (g->span[i].end > at)
			at = g->span[i].end;
	}
	return check_tail(g, at);
}

/* Where the data begin is known only behind the last info. */
int
gguf_tensors(struct gguf *g)
{
	struct info *t;
	uint64_t end;
	int r;

	t = arena_array(g->p->arena, (size_t)g->tensors + 1, sizeof(*t));
	if (t == NULL)
		return err_set(g->p->e, ERR_NOMEM, "out of memory");
	for (uint64_t i = 0; i < g->tensors; i++)
		if ((r = read_info(g, &t[i])) != 0)
			return r;
	end = reader_tell(&g->r);
	if ((r = names_twins(g->p, g->names.v, g->names.n,
	    ANOMALY_GGUF_DUPLICATE, ANOMALY_COUNT)) < 0 ||
	    (r = format_cover(g->p, 0, end)) < 0)
		return r;
	if (!padded(g, end, 0, &g->data) || g->data > g->p->size)
		g->data = g->p->size;	/* no tensor, no data, no padding */
	if ((r = format_padding(g->p, end, g->data - end)) < 0)
		return r;
	for (uint64_t i = 0; i < g->tensors; i++)
		if ((r = take_info(g, &t[i])) < 0)
			return r;
	if ((r = account(g)) < 0)
		return r;
	return g->unknown;
}
