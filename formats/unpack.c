#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/format.h"

/*
 * Compressed streams and 7z: gzip and zlib by zlib (codec.h), the others by
 * libarchive, which is included in this file alone and runs only inside a
 * worker.  libarchive reads through our callback over the byte source; it
 * opens nothing.
 *
 * Whatever was decompressed before a stream broke is examined: a loader that
 * reads piece by piece has run it by then.
 */
#define CONTENT_MAX LIMIT_INFLATE
#define BLOCK (64 * KIB)

static const struct magic {
	const char *bytes;
	size_t n;
	unsigned bits;
} magics[] = {
    {"\x1f\x8b\x08", 3, 24},			/* gzip */
    {"BZh", 3, 24},				/* bzip2, then a digit */
    {"\xfd" "7zXZ\0", 6, 48},			/* xz */
    {"\x28\xb5\x2f\xfd", 4, 32},		/* zstd */
    {"\x04\x22\x4d\x18", 4, 32},		/* lz4 frame */
    {"7z\xbc\xaf\x27\x1c", 6, 48},		/* 7z */
    {"ZF0x", 4, 32},				/* joblib before 0.10 */
    {"\x5d\0\0", 3, 16},			/* lzma alone: see below */
};
enum { MAGIC_GZIP = 0, MAGIC_BZIP2 = 1, MAGIC_7Z = 5, MAGIC_ZF = 6,
	MAGIC_LZMA = 7 };

/* joblib/numpy_pickle_utils.py: "ZF", the size in 19 characters, zlib. */
#define ZF_HEADER 21

/*
 * lzma alone has no magic: properties of the usual encoder, a dictionary of a
 * power of two, and a size that is unknown or below 2^40 (as file(1) has it).
 */
static bool
lzma_alone(struct cursor c)
{
	uint32_t dictionary;
	uint64_t size;
	uint8_t properties;

	return cursor_u8(&c, &properties) && properties == 0x5d &&
	    cursor_u32le(&c, &dictionary) && dictionary >= 4096 &&
	    (dictionary & (dictionary - 1)) == 0 &&
	    cursor_u64le(&c, &size) &&
	    (size == UINT64_MAX || size < UINT64_C(1) << 40);
}

static int
find_magic(struct cursor head)
{
	for (unsigned i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
		struct cursor c = head;
		uint8_t level;

		if (!cursor_match(&c, (const uint8_t *)magics[i].bytes,
		    magics[i].n))
			continue;
		if (i == MAGIC_BZIP2 && (!cursor_u8(&c, &level) ||
		    level < '1' || level > '9' ||
		    !cursor_match(&c, (const uint8_t *)"1AY&SY", 6)))
			continue;
		if (i == MAGIC_LZMA && !lzma_alone(head))
			continue;
		return (int)i;
	}
	return -1;
}

static unsigned
compressed_bid(struct cursor head, uint64_t size)
{
	int i = find_magic(head);

	if (i >= 0)
		return magics[i].bits;
	/* zlib has two bytes of magic: they must also inflate. */
	return size > 8 && codec_probe_zlib(head.buf, head.len) ? 24 : 0;
}

static int
emit(struct parse *p, const char *name, const uint8_t *content, size_t n)
{
	struct ev_member m = {.name = name, .name_len = strlen(name),
	    .size = n, .flags = MEMBER_VIRTUAL};
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_mem(content, n, p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = format_member(p, &m);
	bytesrc_free(src);
	return r;
}

/*
 * gzip may be several streams in a row: readers join what they hold.  The
 * parts come one after the other in one arena, so joining them is a copy only
 * when there are several.
 */
struct joined {
	struct arena *a;
	const uint8_t *p;
	size_t n;
};

static int
join(struct joined *j, const struct codec_result *c)
{
	uint8_t *p;

	if (j->n == 0) {
		j->p = c->p;
		j->n = c->n;
		return 0;
	}
	if (c->n == 0)
		return 0;
	if (c->n > CONTENT_MAX - j->n ||
	    (p = arena_alloc(j->a, j->n + c->n)) == NULL)
		return ERR_LIMIT;
	memcpy(p, j->p, j->n);
	memcpy(p + j->n, c->p, c->n);
	j->p = p;
	j->n += c->n;
	return 0;
}

/* Why a stream ended: 0 as it should, 1 told. */
static int
stream_end(struct parse *p, const struct codec_result *c, uint64_t off)
{
	int r;

	if (!c->cut && !c->broken && !c->short_input)
		return 0;
	r = format_anomaly(p, c->cut ? ANOMALY_ZIP_BOMB : c->broken ?
	    ANOMALY_MALFORMED : ANOMALY_TRUNCATED, off + c->used, 0, NULL, 0);
	return r < 0 ? r : 1;
}

static int
inflate_streams(struct parse *p, enum codec_kind kind, uint64_t off,
    struct joined *j)
{
	struct codec_result c;
	int r = 0;

	while (off < p->size && r == 0) {
		if ((r = codec_inflate(kind, p->src, off, p->size - off, 0,
		    CONTENT_MAX, j->a, &c, p->e)) < 0)
			return r;
		/* Not another stream: what is it? */
		if (kind == CODEC_GZIP && off > 0 && c.n == 0 && c.broken)
			return format_anomaly(p, ANOMALY_TRAILING, off,
			    p->size - off, NULL, 0);
		r = stream_end(p, &c, off);
		if (r >= 0 && join(j, &c) < 0) {
			r = format_anomaly(p, ANOMALY_ZIP_BOMB, off, 0, NULL,
			    0);
			return r < 0 ? r : 1;
		}
		off += c.used;
		if (kind == CODEC_ZLIB)
			break;
	}
	if (r == 0 && kind == CODEC_ZLIB && off < p->size)
		r = format_anomaly(p, ANOMALY_TRAILING, off, p->size - off,
		    NULL, 0);
	return r;
}

static int
inflate_all(struct parse *p, enum codec_kind kind, uint64_t off)
{
	struct joined j = {0};
	int r, told;

	if ((j.a = arena_new(4 * CONTENT_MAX)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = inflate_streams(p, kind, off, &j)) >= 0 &&
	    (told = emit(p, "content", j.p != NULL ? j.p :
	    (const uint8_t *)"", j.n)) < 0)
		r = told;
	arena_free(j.a);
	return r;
}

/* --- libarchive --------------------------------------------------------- */

struct feed {
	const struct bytesrc *src;
	uint64_t off;
	uint8_t block[BLOCK];
};

static la_ssize_t
feed_read(struct archive *ar, void *ctx, const void **ret)
{
	struct feed *f = ctx;
	size_t n;

	(void)ar;
	if (bytesrc_read_some(f->src, f->off, f->block, sizeof(f->block), &n,
	    NULL) < 0)
		return -1;
	f->off += n;
	*ret = f->block;
	return (la_ssize_t)n;
}

static la_int64_t
feed_seek(struct archive *ar, void *ctx, la_int64_t off, int whence)
{
	struct feed *f = ctx;
	int64_t base = whence == SEEK_CUR ? (int64_t)f->off :
	    whence == SEEK_END ? (int64_t)bytesrc_size(f->src) : 0;

	(void)ar;
	if (off < -base || off > (la_int64_t)(INT64_MAX - base))
		return ARCHIVE_FATAL;
	f->off = (uint64_t)(base + off);
	return (la_int64_t)f->off;
}

static struct archive *
open_archive(struct feed *f, bool seven)
{
	struct archive *ar;

	if ((ar = archive_read_new()) == NULL)
		return NULL;
	if (seven) {
		(void)archive_read_support_format_7zip(ar);
	} else {
		(void)archive_read_support_format_raw(ar);
		(void)archive_read_support_filter_bzip2(ar);
		(void)archive_read_support_filter_xz(ar);
		(void)archive_read_support_filter_lzma(ar);
		(void)archive_read_support_filter_zstd(ar);
		(void)archive_read_support_filter_lz4(ar);
	}
	(void)archive_read_set_read_callback(ar, feed_read);
	(void)archive_read_set_seek_callback(ar, feed_seek);
	(void)archive_read_set_callback_data(ar, f);
	if (archive_read_open1(ar) != ARCHIVE_OK) {
		(void)archive_read_free(ar);
		return NULL;
	}
	return ar;
}

/*
 * One entry's content into the arena.  1: it broke or was cut (told).
 */
static int
read_entry(struct parse *p, struct archive *ar, const struct feed *f,
    struct arena *a, uint8_t **ret, size_t *n)
{
	size_t cap = 64 * KIB, len = 0;
	uint8_t *buf = arena_alloc(a, cap), *bigger;
	enum anomaly id;
	la_ssize_t got;

	*ret = buf;
	*n = 0;
	if (buf == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	while ((got = archive_read_data(ar, buf + len, cap - len)) > 0) {
		len += (size_t)got;
		*n = len;
		if (len < cap)
			continue;
		if (cap >= CONTENT_MAX ||
		    (bigger = arena_alloc(a, 2 * cap)) == NULL) {
			id = ANOMALY_ZIP_BOMB;
			goto odd;
		}
		memcpy(bigger, buf, len);
		*ret = buf = bigger;
		cap *= 2;
	}
	if (got == 0)
		return 0;
	id = got == ARCHIVE_WARN ? ANOMALY_UNSUPPORTED :
	    f->off >= p->size ? ANOMALY_TRUNCATED : ANOMALY_MALFORMED;
odd:
	{
		int r = format_anomaly(p, id, f->off, 0, NULL, 0);

		return r < 0 ? r : 1;
	}
}

static int
walk_entries(struct parse *p, struct archive *ar, const struct feed *f,
    bool seven)
{
	struct archive_entry *en;
	const char *name;
	struct arena *a;
	uint8_t *buf;
	size_t n;
	int r = 0, got, bad = 0;

	while (r >= 0 && (got = archive_read_next_header(ar, &en)) !=
	    ARCHIVE_EOF) {
		if (got < ARCHIVE_WARN) {
			r = format_anomaly(p, f->off >= p->size ?
			    ANOMALY_TRUNCATED : ANOMALY_MALFORMED, f->off, 0,
			    NULL, 0);
			return r < 0 ? r : 1;
		}
		if (archive_entry_is_encrypted(en)) {
			bad = 1;
			r = format_anomaly(p, ANOMALY_ENCRYPTED, f->off, 0,
			    NULL, 0);
			continue;
		}
		if (archive_entry_filetype(en) == AE_IFDIR)
			continue;
		if ((a = arena_new(2 * CONTENT_MAX + MIB)) == NULL)
			return err_set(p->e, ERR_NOMEM, "out of memory");
		r = read_entry(p, ar, f, a, &buf, &n);
		bad |= r == 1;
		name = seven ? archive_entry_pathname(en) : "content";
		if (r >= 0)
			r = emit(p, name != NULL ? name : "", buf, n);
		arena_free(a);
	}
	return r < 0 ? r : bad;
}

static int
compressed_parse(struct parse *p)
{
	uint8_t head[16];
	struct archive *ar;
	struct cursor c;
	struct feed *f;
	size_t n;
	int r, which;

	if ((r = bytesrc_read_some(p->src, 0, head, sizeof(head), &n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	which = find_magic(c);
	if (which <= MAGIC_GZIP || which == MAGIC_ZF)
		return inflate_all(p, which == MAGIC_GZIP ? CODEC_GZIP :
		    CODEC_ZLIB, which == MAGIC_ZF ? ZF_HEADER : 0);
	if ((f = arena_alloc(p->arena, sizeof(*f))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	f->src = p->src;
	if ((ar = open_archive(f, which == MAGIC_7Z)) == NULL) {
		r = format_anomaly(p, ANOMALY_MALFORMED, 0, 0, NULL, 0);
		return r < 0 ? r : 1;
	}
	r = walk_entries(p, ar, f, which == MAGIC_7Z);
	(void)archive_read_free(ar);
	return r;
}

const struct format format_compressed = {
    .name = "compressed",
    .kind = FORMAT_CONTAINER,
    .bid = compressed_bid,
    .parse = compressed_parse,
};
