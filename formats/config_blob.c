#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/base64.h"
#include "formats/config.h"
#include "formats/pickle.h"

/*
 * Values that are base64 (RFC 4648 sections 4 and 5, line feeds allowed) of
 * something that runs or holds what runs.  The alphabet alone proves nothing:
 * digests, names and tokenizers' tables have it too.  So the first bytes must
 * be a signature of 24 bits at least.
 */
#define BLOB_LEAST 64	/* characters: no pickle that does harm is shorter */
#define HEAD 1024

/* Decode up to ${cap} bytes; false when a character is none of base64. */
static bool
decode(const char *p, size_t n, uint8_t *ret, size_t cap, size_t *len)
{
	uint32_t bits = 0;
	unsigned have = 0;
	size_t at = 0;
	int d;

	for (size_t i = 0; i < n && at < cap; i++) {
		if (p[i] == '\n' || p[i] == '\r')
			continue;
		if (p[i] == '=' && n - i <= 4)
			break;
		if ((d = base64_digit((uint8_t)p[i])) < 0)
			return false;
		bits = bits << 6 | (uint32_t)d;
		have += 6;
		if (have >= 8) {
			have -= 8;
			ret[at++] = (uint8_t)(bits >> have);
		}
	}
	*len = at;
	return true;
}

/* "data:application/octet-stream;base64,": a data URL (RFC 2397). */
static void
skip_prefix(const char **p, size_t *n)
{
	static const char word[] = ";base64,";
	size_t most = *n < 128 ? *n : 128;
	const char *q;

	if (*n < 5 || memcmp(*p, "data:", 5) != 0 ||
	    (q = memmem(*p, most, word, sizeof(word) - 1)) == NULL)
		return;
	q += sizeof(word) - 1;
	*n -= (size_t)(q - *p);
	*p = q;
}

/* A pickle without a protocol's head names its first global at once. */
static bool
names_global(const uint8_t *p, size_t n)
{
	size_t i = n > 0 && p[0] == '(' ? 1 : 0, from;

	if (i == n || p[i] != 'c')
		return false;
	for (from = ++i; i < n && p[i] != '\n'; i++)
		if (!((p[i] >= 'a' && p[i] <= 'z') || p[i] == '_' ||
		    (p[i] >= 'A' && p[i] <= 'Z') || p[i] == '.' ||
		    (p[i] >= '0' && p[i] <= '9')))
			return false;
	return i < n && i > from;
}

static bool
is_pickle(const uint8_t *p, size_t n, uint64_t size)
{
	struct cursor c;

	cursor_init(&c, p, n, 0);
	return pickle_plausible(c, size) >= (names_global(p, n) ?
	    PICKLE_IN_TEXT : PICKLE_IN_WEIGHTS + 4);
}

static const char *
kind_of(const uint8_t *p, size_t n, uint64_t size)
{
	static const struct {
		const char *kind;
		size_t len;
		uint8_t magic[6];
	} rows[] = {{"program", 4, "\177ELF"}, {"archive", 4, "PK\3\4"},
	    {"compressed", 3, {0x1f, 0x8b, 8}}, {"compressed", 4, "BZh9"},
	    {"compressed", 6, {0xfd, '7', 'z', 'X', 'Z', 0}},
	    {"archive", 6, {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c}},
	    {"array", 6, {0x93, 'N', 'U', 'M', 'P', 'Y'}}};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (n >= rows[i].len &&
		    memcmp(p, rows[i].magic, rows[i].len) == 0)
			return rows[i].kind;
	/* marshal: a code object, with the flag of a reference or without,
	 * whose first number is below 256. */
	if (n > 8 && (p[0] == 0xe3 || p[0] == 'c') && p[2] == 0 &&
	    p[3] == 0 && p[4] == 0)
		return "code";
	if (n > 2 && p[0] == 'M' && p[1] == 'Z' && size > 64)
		return memmem(p, n, "\0\0\0", 3) != NULL ? "program" : NULL;
	return is_pickle(p, n, size) ? "pickle" : NULL;
}

static int
give(struct parse *p, const struct config_value *v, const uint8_t *blob,
    size_t n, const char *kind)
{
	const struct fact facts[] = {FACT_TEXT("key", v->path, v->path_len),
	    FACT_TEXT("kind", kind, strlen(kind)), FACT_NUM("bytes", n)};
	struct ev_member m = {.name = v->path, .name_len = v->path_len,
	    .size = n, .flags = MEMBER_VIRTUAL};
	struct bytesrc *src;
	int r;

	if ((r = format_anomaly(p, ANOMALY_CONFIG_BLOB, v->off, 0, facts,
	    3)) < 0)
		return r;
	if ((src = bytesrc_mem(blob, n, p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = format_member(p, &m);
	bytesrc_free(src);
	return r;
}

int
config_blob(struct parse *p, const struct config_value *v)
{
	const char *text = v->text, *kind;
	size_t n = v->len, len;
	uint8_t head[HEAD], *blob;

	if (n < BLOB_LEAST)
		return 0;
	skip_prefix(&text, &n);
	if (!decode(text, n, head, sizeof(head), &len) || len < 16 ||
	    kind_of(head, len, n / 4 * 3) == NULL)
		return 0;
	if ((blob = arena_alloc(p->arena, n / 4 * 3 + 3)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if (!decode(text, n, blob, n / 4 * 3 + 3, &len) ||
	    (kind = kind_of(blob, len < HEAD ? len : HEAD, len)) == NULL)
		return 0;
	return give(p, v, blob, len, kind);
}
