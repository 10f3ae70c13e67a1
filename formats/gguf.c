#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/gguf.h"
#include "formats/jinja_parts.h"

/*
 * What a reader that maps the file believes, this one counts: every number
 * of things is held against the bytes that are left before anything is made
 * of it (CVE-2024-21836, -23605), every product and sum is computed without
 * wrapping (CVE-2025-53630, CVE-2026-27940, CVE-2026-33298), and what the
 * reference reader skips unseen (padding, what stands behind the data) is
 * told apart from what it reads.
 */
static const uint8_t magic[GGUF_MAGIC] = {'G', 'G', 'U', 'F'};

/* The least bytes of a pair (one of a key, one of a value) and of an info. */
#define PAIR_MIN 14
#define INFO_MIN 24

static unsigned
gguf_bid(struct cursor head, uint64_t size)
{
	(void)size;
	return cursor_match(&head, magic, sizeof(magic)) ? 32 : 0;
}

int
gguf_u32(struct gguf *g, uint32_t *ret)
{
	return g->big ? reader_u32be(&g->r, ret, g->p->e) :
	    reader_u32le(&g->r, ret, g->p->e);
}

int
gguf_u64(struct gguf *g, uint64_t *ret)
{
	return g->big ? reader_u64be(&g->r, ret, g->p->e) :
	    reader_u64le(&g->r, ret, g->p->e);
}

int
gguf_tell(struct gguf *g, enum anomaly id, uint64_t off, const char *key,
    size_t n, uint64_t stated)
{
	const struct fact facts[] = {FACT_NUM("stated", stated),
	    FACT_TEXT("name", key, n < 256 ? n : 256)};

	return format_anomaly(g->p, id, off, 0, facts, key != NULL ? 2 : 1);
}

int
gguf_stop(struct gguf *g, enum anomaly id, uint64_t off, const char *key,
    size_t n, uint64_t stated)
{
	const int r = gguf_tell(g, id, off, key, n, stated);

	return r < 0 ? r : 1;
}

int
gguf_text(struct gguf *g, uint64_t max, const char **ret, size_t *n)
{
	const uint64_t off = reader_tell(&g->r);
	const uint8_t *p;
	uint64_t len;
	int r;

	if ((r = gguf_u64(g, &len)) < 0)
		return r;
	if (len > reader_left(&g->r))
		return gguf_stop(g, ANOMALY_GGUF_COUNT, off, NULL, 0, len);
	if (len > max)
		return gguf_stop(g, ANOMALY_GGUF_NAME, off, NULL, 0, len);
	if ((r = reader_bytes(&g->r, len, g->p->arena, &p, g->p->e)) < 0)
		return r;
	*ret = (const char *)p;
	*n = (size_t)len;
	return 0;
}

int
gguf_scratch(struct gguf *g, uint64_t n, const uint8_t **ret)
{
	size_t cap = g->scratch_cap == 0 ? 4096 : g->scratch_cap;

	while (cap < n)
		cap *= 2;
	if (cap != g->scratch_cap || g->scratch == NULL) {
		if ((g->scratch = arena_alloc(g->p->arena, cap)) == NULL)
			return err_set(g->p->e, ERR_NOMEM, "out of memory");
		g->scratch_cap = cap;
	}
	*ret = g->scratch;
	return reader_copy(&g->r, g->scratch, (size_t)n, g->p->e);
}

int
gguf_keep_name(struct gguf *g, struct gguf_names *l, const char *p, size_t n,
    uint64_t off)
{
	size_t cap = l->cap == 0 ? 64 : 2 * l->cap;
	struct names_view *grown;

	if (l->n == l->cap) {
		grown = arena_array(g->p->arena, cap, sizeof(*grown));
		if (grown == NULL)
			return err_set(g->p->e, ERR_NOMEM, "out of memory");
		if (l->n > 0)
			memcpy(grown, l->v, l->n * sizeof(*grown));
		l->v = grown;
		l->cap = cap;
	}
	l->v[l->n++] = (struct names_view){p, n, off};
	return 0;
}

/*
 * llama.cpp finds keys by strcmp and cuts tensor names at a NUL, others
 * compare whole strings: "a\0b" is "a" to the one and another to the other.
 */
int
gguf_check_name(struct gguf *g, const char *p, size_t n, uint64_t off)
{
	uint32_t cp;
	size_t at;

	if (n > 0 && memchr(p, '\0', n) != NULL)
		return gguf_tell(g, ANOMALY_GGUF_NUL, off, p, n, n);
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] < 0x20 || p[i] == 0x7f)
			return gguf_tell(g, ANOMALY_GGUF_NAME, off, p, n, n);
	if (n > 0 && jinja_invisible((const uint8_t *)p, n, &at, &cp) != 0)
		return gguf_tell(g, ANOMALY_GGUF_NAME, off, p, n, n);
	return 0;
}

int
gguf_header(struct gguf *g)
{
	uint32_t v;
	int r;

	if ((r = reader_seek(&g->r, GGUF_MAGIC, g->p->e)) < 0 ||
	    (r = reader_u32le(&g->r, &v, g->p->e)) < 0)
		return r;
	if ((v & 0xffff) == 0 && v != 0) {
		g->big = true;
		v = v >> 24 | (v >> 8 & 0xff00) | (v << 8 & 0xff0000) |
		    v << 24;
		if ((r = gguf_tell(g, ANOMALY_GGUF_BIG_ENDIAN, 4, NULL, 0,
		    v)) < 0)
			return r;
	}
	g->version = v;
	if (v != 2 && v != 3)
		return gguf_stop(g, ANOMALY_UNSUPPORTED, 4, NULL, 0, v);
	if ((r = gguf_u64(g, &g->tensors)) < 0 ||
	    (r = gguf_u64(g, &g->pairs)) < 0)
		return r;
	if (g->pairs > reader_left(&g->r) / PAIR_MIN)
		return gguf_stop(g, ANOMALY_GGUF_COUNT, 16, "pairs", 5,
		    g->pairs);
	if (g->tensors > (reader_left(&g->r) - g->pairs * PAIR_MIN) / INFO_MIN)
		return gguf_stop(g, ANOMALY_GGUF_COUNT, 8, "tensors", 7,
		    g->tensors);
	if (g->pairs > LIMIT_GGUF_PAIRS || g->tensors > LIMIT_GGUF_TENSORS)
		return gguf_stop(g, ANOMALY_LIMIT, 8, NULL, 0,
		    g->pairs > LIMIT_GGUF_PAIRS ? g->pairs : g->tensors);
	return 0;
}

static int
read_all(struct gguf *g)
{
	int r;

	if ((r = gguf_header(g)) != 0)
		return r;
	for (uint64_t i = 0; i < g->pairs; i++)
		if ((r = gguf_kv(g)) != 0)
			return r;
	if ((r = names_twins(g->p, g->keys.v, g->keys.n,
	    ANOMALY_GGUF_DUPLICATE, ANOMALY_COUNT)) < 0 ||
	    (r = gguf_tokens_check(g)) < 0)
		return r;
	return gguf_tensors(g);
}

static int
gguf_parse(struct parse *p)
{
	struct gguf g = {.p = p, .alignment = 32};
	uint64_t off;
	int r;

	g.tok.scores = g.tok.types = UINT64_MAX;
	if (p->size < GGUF_MAGIC)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	if ((r = reader_init(&g.r, p->src, 0, p->window, p->arena,
	    p->e)) < 0)
		return r;
	if ((r = read_all(&g)) != ERR_TRUNC)
		return r;
	off = reader_tell(&g.r);
	err_reset(p->e);
	r = format_anomaly(p, ANOMALY_TRUNCATED, off, 0, NULL, 0);
	return r < 0 ? r : 1;
}

const struct format format_gguf = {
    .name = "gguf",
    .kind = FORMAT_MODEL,
    .bid = gguf_bid,
    .parse = gguf_parse,
};
