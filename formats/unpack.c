#include <archive.h>
#include <archive_entry.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/format.h"
#include "formats/gzip_header.h"
#include "formats/package.h"
#include "formats/sevenzip_end.h"
#include "formats/vtree.h"

/*
 * Compressed streams and the archives that libarchive reads: gzip and zlib by
 * zlib (codec.h), the others by libarchive, which is included in this file
 * alone and runs only inside a worker.  It reads through our callback over
 * the byte source; it opens nothing.
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
	int (*support)(struct archive *ar);	/* NULL: a stream */
} magics[] = {
    {"\x1f\x8b\x08", 3, 24, NULL},		/* gzip */
    {"BZh", 3, 24, NULL},			/* bzip2, then a digit */
    {"\xfd" "7zXZ\0", 6, 48, NULL},		/* xz */
    {"\x28\xb5\x2f\xfd", 4, 32, NULL},		/* zstd */
    {"\x04\x22\x4d\x18", 4, 32, NULL},		/* lz4 frame */
    {"ZF0x", 4, 32, NULL},			/* joblib before 0.10 */
    {"\x5d\0\0", 3, 16, NULL},			/* lzma alone: see below */
    {"7z\xbc\xaf\x27\x1c", 6, 48, archive_read_support_format_7zip},
    {"Rar!\x1a\x07\0", 7, 56, archive_read_support_format_rar},
    {"Rar!\x1a\x07\1\0", 8, 64, archive_read_support_format_rar5},
    {"MSCF\0\0\0\0", 8, 64, archive_read_support_format_cab},
    {"070701", 6, 48, archive_read_support_format_cpio},	/* newc */
    {"070702", 6, 48, archive_read_support_format_cpio},	/* with sums */
    {"070707", 6, 48, archive_read_support_format_cpio},	/* odc */
    {"!<arch>\n", 8, 64, archive_read_support_format_ar},
    {"xar!\0\x1c\0\1", 8, 64, archive_read_support_format_xar},
};
enum { MAGIC_GZIP = 0, MAGIC_BZIP2 = 1, MAGIC_XZ = 2, MAGIC_ZF = 5,
	MAGIC_LZMA = 6, MAGIC_7Z = 7 };

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
emit(struct parse *p, struct package *k, const char *name,
    const uint8_t *content, size_t n)
{
	struct ev_member m = {.name = name, .name_len = strlen(name),
	    .size = n, .flags = MEMBER_VIRTUAL};
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_mem(content, n, p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	if (k == NULL || (r = package_member(k, &m)) >= 0)
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
	const struct parse *parse;
	struct arena *a;
	const uint8_t *p;
	size_t n;
};

/* ${in}: bytes of input so far, all streams together. */
static int
join(struct joined *j, const struct codec_result *c, uint64_t in)
{
	uint8_t *p;

	if (j->n == 0) {
		j->p = c->p;
		j->n = c->n;
		return 0;
	}
	if (c->n == 0)
		return 0;
	if (c->n > format_room(j->parse, CONTENT_MAX) - j->n ||
	    (j->n + c->n > LIMIT_INFLATE_RATIO_FROM &&
	    (j->n + c->n) / LIMIT_INFLATE_RATIO > in) ||
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
		    format_room(p, CONTENT_MAX) - j->n, j->a, &c, p->e)) < 0 ||
		    (kind == CODEC_GZIP && !c.broken &&
		    (r = gzip_header_check(p, off)) < 0))
			return r;
		/* Not another stream: what is it? */
		if (kind != CODEC_ZLIB && off > 0 && c.n == 0 && !c.ended)
			return format_trailing(p, off);
		r = stream_end(p, &c, off);
		if (r >= 0 && join(j, &c, off + c.used) < 0) {
			r = format_anomaly(p, ANOMALY_ZIP_BOMB, off, 0, NULL,
			    0);
			return r < 0 ? r : 1;
		}
		off += c.used;
		if (kind == CODEC_ZLIB)
			break;
	}
	if (r == 0 && kind == CODEC_ZLIB && off < p->size)
		r = format_trailing(p, off);
	return r;
}

static int
inflate_all(struct parse *p, enum codec_kind kind, uint64_t off)
{
	struct joined j = {.parse = p};
	int r, told;

	if ((j.a = arena_new(4 * CONTENT_MAX)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = inflate_streams(p, kind, off, &j)) >= 0 &&
	    (told = emit(p, NULL, "content", j.p != NULL ? j.p :
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
open_archive(struct feed *f, const struct magic *kind)
{
	struct archive *ar;

	if ((ar = archive_read_new()) == NULL)
		return NULL;
	if (kind->support != NULL) {
		(void)kind->support(ar);
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

/* Beyond what nested objects may have, or out of all proportion? */
static bool
is_bomb(const struct parse *p, const struct feed *f, size_t n)
{
	return n >= format_room(p, CONTENT_MAX) ||
	    (n >= LIMIT_INFLATE_RATIO_FROM &&
	    n / LIMIT_INFLATE_RATIO > f->off);
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
		if (is_bomb(p, f, len) ||
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

/* What the walk over an archive's entries goes by. */
struct walk {
	struct parse *p;
	struct archive *ar;
	const struct feed *f;
	struct vtree *tree;		/* NULL: a stream, which has no names */
	struct package *package;
};

static int
put_entry(const struct walk *w, struct archive_entry *en, const char *name)
{
	const unsigned type = archive_entry_filetype(en);
	const char *soft = archive_entry_symlink(en);
	const char *hard = archive_entry_hardlink(en);
	const char *link = hard != NULL ? hard : soft;
	struct vtree_member m = {.off = w->f->off,
	    .mode = (uint32_t)archive_entry_perm(en) & 07777,
	    .kind = hard != NULL ? VTREE_HARDLINK : type == AE_IFLNK ?
	    VTREE_SYMLINK : type == AE_IFDIR ? VTREE_FOLDER :
	    type == AE_IFCHR || type == AE_IFBLK ? VTREE_DEVICE :
	    type == AE_IFIFO || type == AE_IFSOCK ? VTREE_FIFO : VTREE_FILE};

	if (m.off > w->p->size)
		m.off = w->p->size;
	/* libarchive's own text ends with its entry; the tree's lives on. */
	m.name_len = strlen(name);
	if ((m.name = arena_dup(w->p->arena, name, m.name_len)) == NULL)
		return err_set(w->p->e, ERR_NOMEM, "out of memory");
	if (link != NULL) {
		m.link_len = strlen(link);
		if ((m.link = arena_dup(w->p->arena, link, m.link_len)) ==
		    NULL)
			return err_set(w->p->e, ERR_NOMEM, "out of memory");
	}
	return vtree_add(w->tree, &m);
}

/* ar's symbol tables and its table of long names are no files. */
static bool
is_table(const struct walk *w, const char *name)
{
	return (archive_format(w->ar) & ARCHIVE_FORMAT_BASE_MASK) ==
	    ARCHIVE_FORMAT_AR && (strcmp(name, "/") == 0 ||
	    strcmp(name, "//") == 0 || strcmp(name, "/SYM64/") == 0);
}

/* The content of an entry as a member.  1: it broke or was cut (told). */
static int
give_entry(const struct walk *w, const char *name)
{
	struct arena *a = arena_new(2 * CONTENT_MAX + MIB);
	uint8_t *buf;
	size_t n;
	int r, told;

	if (a == NULL)
		return err_set(w->p->e, ERR_NOMEM, "out of memory");
	if ((r = read_entry(w->p, w->ar, w->f, a, &buf, &n)) >= 0 &&
	    (told = emit(w->p, w->package, name, buf, n)) < 0)
		r = told;
	arena_free(a);
	return r;
}

static int
walk_entry(const struct walk *w, struct archive_entry *en)
{
	const char *name = w->tree != NULL ? archive_entry_pathname(en) :
	    "content";
	int r;

	if (name == NULL)
		name = "";
	if (w->tree != NULL && !is_table(w, name) &&
	    (r = put_entry(w, en, name)) < 0)
		return r;
	if (archive_entry_is_encrypted(en)) {
		r = format_anomaly(w->p, ANOMALY_ENCRYPTED, w->f->off <
		    w->p->size ? w->f->off : w->p->size, 0, NULL, 0);
		return r < 0 ? r : 1;
	}
	/* ar has no types. */
	if (w->tree != NULL && archive_entry_filetype(en) != AE_IFREG &&
	    archive_entry_filetype(en) != 0)
		return 0;
	if (archive_entry_hardlink(en) != NULL && archive_entry_size(en) == 0)
		return 0;
	return give_entry(w, name);
}

static int
walk_entries(const struct walk *w)
{
	struct parse *p = w->p;
	struct archive_entry *en;
	uint64_t count = 0;
	int r = 0, got, bad = 0;

	while (r >= 0 && (got = archive_read_next_header(w->ar, &en)) !=
	    ARCHIVE_EOF) {
		if (got < ARCHIVE_WARN || ++count > LIMIT_MEMBERS) {
			r = format_anomaly(p, count > LIMIT_MEMBERS ?
			    ANOMALY_LIMIT : w->f->off >= p->size ?
			    ANOMALY_TRUNCATED : ANOMALY_MALFORMED,
			    w->f->off < p->size ? w->f->off : p->size, 0,
			    NULL, 0);
			bad = 1;
			break;
		}
		r = walk_entry(w, en);
		bad |= r == 1;
	}
	if (r >= 0 && w->tree != NULL && ((r = vtree_end(w->tree)) < 0 ||
	    (r = package_end(w->package)) < 0))
		return r;
	return r < 0 ? r : bad;
}

static int
compressed_parse(struct parse *p)
{
	struct walk w = {.p = p};
	uint8_t head[16];
	struct cursor c;
	struct feed *f;
	size_t n;
	int r, which;

	if ((r = bytesrc_read_some(p->src, 0, head, sizeof(head), &n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	which = find_magic(c);
	if (which == MAGIC_XZ || which == MAGIC_LZMA)
		return inflate_all(p, CODEC_XZ, 0);
	if (which <= MAGIC_GZIP || which == MAGIC_ZF)
		return inflate_all(p, which == MAGIC_GZIP ? CODEC_GZIP :
		    CODEC_ZLIB, which == MAGIC_ZF ? ZF_HEADER : 0);
	if ((f = arena_alloc(p->arena, sizeof(*f))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	f->src = p->src;
	w.f = f;
	if (magics[which].support != NULL && ((w.tree = vtree_new(p,
	    ANOMALY_TAR_DUPLICATE)) == NULL ||
	    (w.package = package_new(p)) == NULL))
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if (which == MAGIC_7Z && (r = sevenzip_end_check(p)) < 0)
		return r;
	if ((w.ar = open_archive(f, &magics[which])) == NULL) {
		r = format_anomaly(p, ANOMALY_MALFORMED, 0, 0, NULL, 0);
		return r < 0 ? r : 1;
	}
	r = walk_entries(&w);
	(void)archive_read_free(w.ar);
	return r;
}

const struct format format_compressed = {
    .name = "compressed",
    .kind = FORMAT_CONTAINER,
    .bid = compressed_bid,
    .parse = compressed_parse,
};
