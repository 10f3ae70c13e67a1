#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/reg/dvc.h"

/*
 * The cache of DVC: objects named by their MD5.
 *
 *	.dvc/cache/files/md5/AB/CDEF...		DVC 3
 *	.dvc/cache/AB/CDEF...			DVC 2
 *
 * ".dir" behind a name: the list of a folder, which is named by the MD5 of
 * its own bytes.
 */
#define CHUNK ((size_t)1 << 20)		/* that DVC 2 reads at a time */
#define LOOK 512			/* of each, to tell text */
#define CACHE ".dvc/cache/"
#define FILES "files/md5/"

/* hashfile/istextfile.py */
static bool
is_text(const uint8_t *p, size_t n)
{
	size_t odd = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == 0)
			return false;
		odd += !((p[i] >= 32 && p[i] < 127) || p[i] == '\n' ||
		    p[i] == '\r' || p[i] == '\t' || p[i] == '\f' ||
		    p[i] == '\b');
	}
	return 10 * odd <= 3 * n;
}

/* CR LF becomes LF in each chunk that looks like text; the bytes left. */
static size_t
to_unix(uint8_t *p, size_t n)
{
	size_t out = 0, len;

	for (size_t at = 0; at < n; at += len) {
		bool text;

		len = n - at < CHUNK ? n - at : CHUNK;
		text = is_text(p + at, len < LOOK ? len : LOOK);
		for (size_t i = 0; i < len; i++) {
			if (text && p[at + i] == '\r' && i + 1 < len &&
			    p[at + i + 1] == '\n')
				continue;
			p[out++] = p[at + i];
		}
	}
	return out;
}

static void
put_md5(char hex[CLAIM_HEX], const uint8_t out[64])
{
	for (size_t i = 0; i < 16; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", out[i]);
}

static int
digest_memory(struct reg_parse *p, const void *bytes, size_t n,
    char hex[CLAIM_HEX])
{
	struct bytesrc *src = bytesrc_mem(bytes, n, p->e);
	uint8_t out[64];
	int r;

	if (src == NULL)
		return ERR_NOMEM;
	r = p->tree->digest(p->tree->ctx, REG_MD5, "", 0, src, out, p->e);
	bytesrc_free(src);
	if (r >= 0)
		put_md5(hex, out);
	return r < 0 ? r : 0;
}

/* The whole file is held in memory for it: longer ones are told. */
static int
legacy_digest(struct reg_parse *p, const struct reg_file *f,
    char hex[CLAIM_HEX])
{
	struct arena *own = arena_new(LIMIT_INFLATE + MIB), *was = p->arena;
	const char *bytes;
	uint8_t *copy;
	size_t n;
	int r;

	if (own == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	p->arena = own;
	r = reg_bytes(p, f, LIMIT_INFLATE / 2, &bytes, &n);
	if (r == 0) {
		copy = (uint8_t *)arena_dup(own, bytes, n);
		r = copy == NULL ? err_set(p->e, ERR_NOMEM,
		    "out of memory") : digest_memory(p, copy,
		    to_unix(copy, n), hex);
	}
	p->arena = was;
	arena_free(own);
	return r;
}

int
dvc_digest(struct reg_parse *p, const struct reg_file *f, bool legacy,
    char hex[CLAIM_HEX])
{
	return legacy ? legacy_digest(p, f, hex) :
	    claim_compute(p, f, CLAIM_MD5, hex);
}

int
dvc_matches(struct reg_parse *p, const struct reg_file *f,
    const char *digest, bool modern, char hex[CLAIM_HEX])
{
	char other[CLAIM_HEX];
	int r;

	if ((r = dvc_digest(p, f, false, hex)) != 0 || modern ||
	    memcmp(hex, digest, 32) == 0 ||
	    (r = dvc_digest(p, f, true, other)) != 0)
		return r;
	if (memcmp(other, digest, 32) == 0)
		memcpy(hex, other, sizeof(other));
	return 0;
}

/* --- folders --- */

/* A string as json.dumps writes it: ASCII alone, \u in lower case. */
static void
put_json(struct buf *b, const char *s, size_t n)
{
	buf_putc(b, '"');
	for (size_t i = 0, len; i < n; i += len) {
		uint32_t cp = 0xdc00 + (uint8_t)s[i];	/* surrogateescape */

		len = text_utf8_len((const uint8_t *)s + i, n - i, &cp);
		len += len == 0;
		if (cp == '"' || cp == '\\')
			buf_printf(b, "\\%c", (char)cp);
		else if (cp == '\n' || cp == '\r' || cp == '\t')
			buf_puts(b, cp == '\n' ? "\\n" : cp == '\r' ? "\\r" :
			    "\\t");
		else if (cp == '\b' || cp == '\f')
			buf_puts(b, cp == '\b' ? "\\b" : "\\f");
		else if (cp >= 0x10000)
			buf_printf(b, "\\u%04x\\u%04x",
			    0xd800 + ((cp - 0x10000) >> 10),
			    0xdc00 + ((cp - 0x10000) & 0x3ff));
		else if (cp < 32 || cp >= 127)
			buf_printf(b, "\\u%04x", cp);
		else
			buf_putc(b, (char)cp);
	}
	buf_putc(b, '"');
}

int
dvc_directory(struct reg_parse *p, const char *folder, size_t n,
    char hex[CLAIM_HEX])
{
	size_t first, end;
	struct buf b;
	int r = 0;

	buf_init(&b, LIMIT_REG_DOCUMENT);
	buf_putc(&b, '[');
	reg_below(p->tree, folder, n, &first, &end);
	for (size_t i = first; i < end && r == 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		char md5[CLAIM_HEX];

		if (f->type == REG_FOLDER ||
		    (r = dvc_digest(p, f, false, md5)) != 0)
			continue;
		buf_printf(&b, "%s{\"md5\": \"%s\", \"relpath\": ",
		    b.len > 1 ? ", " : "", md5);
		put_json(&b, f->path + n + 1, f->path_len - n - 1);
		buf_putc(&b, '}');
	}
	buf_putc(&b, ']');
	if (r == 0 && buf_failed(&b) < 0)
		r = err_set(p->e, ERR_LIMIT, "a folder's list is too long");
	if (r == 0 && (r = digest_memory(p, b.p, b.len, hex)) == 0)
		memcpy(hex + 32, ".dir", 5);
	buf_release(&b);
	return r;
}

/* --- objects --- */

const struct reg_file *
dvc_object(const struct reg_parse *p, const char *digest, size_t n)
{
	const struct reg_file *f;
	char rel[128];

	if (n < 32 || n > 40 || memchr(digest, '/', n) != NULL)
		return NULL;
	(void)snprintf(rel, sizeof(rel), CACHE FILES "%.2s/%.*s", digest,
	    (int)(n - 2), digest + 2);
	if ((f = reg_at(p, rel)) != NULL)
		return f;
	(void)snprintf(rel, sizeof(rel), CACHE "%.2s/%.*s", digest,
	    (int)(n - 2), digest + 2);
	return reg_at(p, rel);
}

/* "ab/cdef..." with or without ".dir": the digest in hex; false: neither. */
static bool
object_name(const char *s, size_t n, char hex[CLAIM_HEX])
{
	if ((n != 33 && n != 37) || s[2] != '/' || !claim_is_hex(s, 2) ||
	    !claim_is_hex(s + 3, 30) ||
	    (n == 37 && memcmp(s + 33, ".dir", 4) != 0))
		return false;
	memcpy(hex, s, 2);
	memcpy(hex + 2, s + 3, 30);
	hex[32] = '\0';
	return true;
}

static int
check_object(struct reg_parse *p, const struct reg_file *f,
    const char *name, bool modern)
{
	struct claim c = {CLAIM_MD5, name, 32, false, 0, f, NULL, 0};
	char hex[CLAIM_HEX];
	struct reg_row row;
	int r;

	reg_row_init(p, f, &row);
	reg_set(&row, REG_TYPE, "artifact");
	if ((r = dvc_matches(p, f, name, modern, hex)) != 0)
		return r < 0 ? r : 0;
	return claim_settle(p, f, &c, hex, f->size, &row);
}

int
dvc_cache(struct reg_parse *p)
{
	size_t first, end, n;
	char name[CLAIM_HEX];
	int r = 0;

	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		const char *rel = reg_relative(p, f, &n);
		size_t skip = strlen(CACHE);
		bool modern;

		if (f->type != REG_FILE || n <= skip ||
		    memcmp(rel, CACHE, skip) != 0)
			continue;
		modern = n > skip + strlen(FILES) &&
		    memcmp(rel + skip, FILES, strlen(FILES)) == 0;
		skip += modern ? strlen(FILES) : 0;
		if (object_name(rel + skip, n - skip, name))
			r = check_object(p, f, name, modern);
		else if (modern && !reg_ends(f, ".tmp"))
			r = reg_tell(p, REG_PROBLEM_EXTRA, f, NULL, 0);
	}
	return r;
}
