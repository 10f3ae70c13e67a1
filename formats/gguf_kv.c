#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/gguf.h"
#include "formats/jinja.h"

/* Pairs.  What is longer than it needs to be is stepped over, and said. */

static const unsigned sizes[GGUF_TYPES] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8,
    8};

static bool
starts(const char *p, size_t n, const char *word)
{
	return n >= strlen(word) && memcmp(p, word, strlen(word)) == 0;
}

static bool
is(const char *p, size_t n, const char *word)
{
	return n == strlen(word) && memcmp(p, word, n) == 0;
}

static bool
is_template(const char *key, size_t key_len, const uint8_t *p, size_t n)
{
	if (starts(key, key_len, "tokenizer.chat_template") &&
	    !is(key, key_len, "tokenizer.chat_templates"))
		return true;
	/* other engines' templates have no statements of this shape */
	return jinja_is(p, n) && memmem(p, n, "{%", 2) != NULL;
}

/*
 * A string's length and its bytes, which live until the next one.  NULL: it
 * is longer than what we keep and was passed over (told): the reference reader
 * takes a GiB.  1: the parse ends here (told).
 */
static int
read_string(struct gguf *g, const char *key, size_t key_len,
    const uint8_t **ret, uint64_t *len)
{
	const uint64_t off = reader_tell(&g->r);
	int r;

	if ((r = gguf_u64(g, len)) < 0)
		return r;
	if (*len > reader_left(&g->r))
		return gguf_stop(g, ANOMALY_GGUF_COUNT, off, key, key_len,
		    *len);
	if (*len <= LIMIT_TEMPLATE)
		return gguf_scratch(g, *len, ret);
	*ret = NULL;
	if ((r = gguf_tell(g, ANOMALY_LIMIT, off, key, key_len, *len)) < 0)
		return r;
	return reader_skip(&g->r, *len, g->p->e);
}

/* A string value. */
static int
take_string(struct gguf *g, const char *key, size_t key_len)
{
	const uint64_t off = reader_tell(&g->r);
	const uint8_t *p;
	uint64_t len;
	int r;

	if ((r = read_string(g, key, key_len, &p, &len)) != 0 || p == NULL)
		return r;
	if (len > 0 && is_template(key, key_len, p, (size_t)len) &&
	    (r = jinja_check(g->p, key, p, (size_t)len, off + 8)) < 0)
		return r;
	return format_meta(g->p, key, key_len, (const char *)p, (size_t)len,
	    off + 8);
}

/* general.alignment places the data: a u32, and a power of two. */
static int
take_alignment(struct gguf *g, const char *key, size_t key_len,
    uint32_t type, uint64_t v, uint64_t off)
{
	if (!is(key, key_len, "general.alignment"))
		return 0;
	if (type != GGUF_U32 || v == 0 || (v & (v - 1)) != 0)
		return gguf_tell(g, ANOMALY_GGUF_ALIGNMENT, off, key, key_len,
		    v);
	g->alignment = v;
	return 0;
}

static int
take_number(struct gguf *g, const char *key, size_t key_len, uint32_t type)
{
	const uint64_t off = reader_tell(&g->r);
	uint8_t raw[8] = {0};
	uint64_t v = 0;
	int r;

	if ((r = reader_copy(&g->r, raw, sizes[type], g->p->e)) < 0)
		return r;
	for (unsigned i = 0; i < sizes[type]; i++)
		v |= (uint64_t)raw[i] << 8 * (g->big ?
		    sizes[type] - 1 - i : i);
	if (type == GGUF_BOOL && v > 1 && (r = gguf_tell(g,
	    ANOMALY_GGUF_VALUE, off, key, key_len, v)) < 0)
		return r;
	gguf_number(g, key, key_len, v, off);
	return take_alignment(g, key, key_len, type, v, off);
}

/* One string of an array. */
static int
take_element(struct gguf *g, const char *key, size_t key_len, bool tokens)
{
	const uint64_t off = reader_tell(&g->r);
	const uint8_t *p;
	uint64_t len;
	int r;

	if ((r = read_string(g, key, key_len, &p, &len)) != 0 || p == NULL)
		return r;
	if (tokens)
		return gguf_token(g, p, (size_t)len);
	if (len > 3 && is_template("", 0, p, (size_t)len) &&
	    (r = jinja_check(g->p, key, p, (size_t)len, off + 8)) < 0)
		return r;
	/* merges and their like are no metadata, and there are many of them */
	return len >= LIMIT_GGUF_META ? format_meta(g->p, key, key_len,
	    (const char *)p, (size_t)len, off + 8) : 0;
}

static int
take_strings(struct gguf *g, const char *key, size_t key_len, uint64_t count)
{
	const bool tokens = gguf_is_tokens(key, key_len);
	int r = 0;

	for (uint64_t i = 0; i < count && r == 0; i++)
		r = take_element(g, key, key_len, tokens);
	return r;
}

/*
 * An array; ${depth} arrays around it.  The specification allows arrays of
 * arrays, the reference reader refuses them.
 */
static int
take_array(struct gguf *g, const char *key, size_t key_len, unsigned depth)
{
	const uint64_t off = reader_tell(&g->r);
	uint64_t count, least;
	uint32_t type;
	int r;

	if ((r = gguf_u32(g, &type)) < 0 || (r = gguf_u64(g, &count)) < 0)
		return r;
	if (type >= GGUF_TYPES)
		return gguf_stop(g, ANOMALY_GGUF_TYPE, off, key, key_len,
		    type);
	least = type == GGUF_STRING ? 8 : type == GGUF_ARRAY ? 12 :
	    sizes[type];
	if (count > reader_left(&g->r) / least)
		return gguf_stop(g, ANOMALY_GGUF_COUNT, off, key, key_len,
		    count);
	if (depth == 0 && (r = gguf_array(g, key, key_len, type, count,
	    off)) < 0)
		return r;
	if (type == GGUF_STRING)
		return take_strings(g, key, key_len, count);
	if (type != GGUF_ARRAY)
		return reader_skip(&g->r, count * sizes[type], g->p->e);
	if (depth == LIMIT_GGUF_NESTING)
		return gguf_stop(g, ANOMALY_LIMIT, off, key, key_len, depth);
	if (depth == 0 && (r = gguf_tell(g, ANOMALY_GGUF_NESTED, off, key,
	    key_len, count)) < 0)
		return r;
	for (uint64_t i = 0; i < count && r == 0; i++)
		r = take_array(g, key, key_len, depth + 1);
	return r;
}

int
gguf_kv(struct gguf *g)
{
	const uint64_t off = reader_tell(&g->r);
	const char *key = NULL;
	uint32_t type;
	size_t n = 0;
	int r;

	if ((r = gguf_text(g, LIMIT_GGUF_KEY, &key, &n)) != 0)
		return r;
	if (n == 0 && (r = gguf_tell(g, ANOMALY_GGUF_NAME, off, NULL, 0,
	    0)) < 0)
		return r;
	if ((r = gguf_check_name(g, key, n, off)) < 0 ||
	    (r = gguf_keep_name(g, &g->keys, key, n, off)) < 0 ||
	    (r = gguf_u32(g, &type)) < 0)
		return r;
	if (type >= GGUF_TYPES)
		return gguf_stop(g, ANOMALY_GGUF_TYPE, off, key, n, type);
	if (type == GGUF_STRING)
		return take_string(g, key, n);
	if (type == GGUF_ARRAY)
		return take_array(g, key, n, 0);
	return take_number(g, key, n, type);
}
