#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pickle.h"
#include "formats/zip.h"

/*
 * The end of central directory record (APPNOTE 4.3.16), 22 bytes and a
 * comment of at most 65535:
 *
 *	0 sig PK56   4 disk  6 cd disk  8 entries here  10 entries
 *	12 cd size  16 cd offset  20 comment length  22 comment
 *
 * Readers search it from the end and differ in which they take when several
 * fit.  We collect all that are plausible, read the last one, and say when
 * there are more.
 */
#define EOCD 22
#define EOCD64 56
#define LOCATOR64 20
#define CENTRAL 46
#define TAIL_MAX (EOCD + 65535 + LOCATOR64 + EOCD64)

static const uint8_t sig_eocd[] = {'P', 'K', 5, 6};
static const uint8_t sig_eocd64[] = {'P', 'K', 6, 6};
static const uint8_t sig_locator[] = {'P', 'K', 6, 7};
static const uint8_t sig_central[] = {'P', 'K', 1, 2};

struct eocd {
	uint64_t off;		/* of the 32-bit record */
	uint64_t entries, size, cd;	/* as stated */
	uint64_t records;	/* offset of the first end record (64 or 32) */
	uint16_t comment;
	bool differs;		/* zip64 and the old record disagree */
};

static int
read_cursor(struct parse *p, uint64_t off, size_t n, uint8_t *buf,
    struct cursor *c)
{
	int r;

	if ((r = bytesrc_read(p->src, off, buf, n, p->e)) < 0)
		return r;
	cursor_init(c, buf, n, off);
	return 0;
}

/* Zip64 (4.3.14, 4.3.15): the locator just before the record. */
static bool
read_eocd64(struct parse *p, struct eocd *e)
{
	uint8_t buf[EOCD64];
	struct cursor c;
	uint64_t at, size;
	uint32_t u32;

	if (e->off < LOCATOR64 || read_cursor(p, e->off - LOCATOR64,
	    LOCATOR64, buf, &c) < 0 || !cursor_match(&c, sig_locator, 4) ||
	    !cursor_u32le(&c, &u32) || !cursor_u64le(&c, &at))
		return false;
	/* It stands before the locator, whatever was put before the archive. */
	if (e->off < LOCATOR64 + EOCD64)
		return false;
	if (!ckd_range(at, EOCD64, e->off - LOCATOR64) ||
	    read_cursor(p, at, EOCD64, buf, &c) < 0 ||
	    !cursor_match(&c, sig_eocd64, 4)) {
		at = e->off - LOCATOR64 - EOCD64;
		if (read_cursor(p, at, EOCD64, buf, &c) < 0 ||
		    !cursor_match(&c, sig_eocd64, 4))
			return false;
	}
	if (!cursor_u64le(&c, &size) || !cursor_skip(&c, 2 + 2 + 4 + 4 + 8) ||
	    !cursor_u64le(&c, &e->entries) || !cursor_u64le(&c, &e->size) ||
	    !cursor_u64le(&c, &e->cd))
		return false;
	e->records = at;
	return true;
}

static bool
read_eocd(struct parse *p, uint64_t off, struct eocd *e)
{
	uint8_t buf[EOCD];
	struct cursor c;
	uint16_t disk, cd_disk, here, entries;
	uint32_t size, cd;

	if (read_cursor(p, off, EOCD, buf, &c) < 0 ||
	    !cursor_match(&c, sig_eocd, 4) || !cursor_u16le(&c, &disk) ||
	    !cursor_u16le(&c, &cd_disk) || !cursor_u16le(&c, &here) ||
	    !cursor_u16le(&c, &entries) || !cursor_u32le(&c, &size) ||
	    !cursor_u32le(&c, &cd) || !cursor_u16le(&c, &e->comment))
		return false;
	e->off = e->records = off;
	e->entries = entries;
	e->size = size;
	e->cd = cd;
	e->differs = false;
	if (!ckd_range(off + EOCD, e->comment, p->size))
		return false;
	/*
	 * torch writes zip64 records whether they are needed or not.  Where
	 * both state a place, both must state the same.
	 */
	if (read_eocd64(p, e))
		e->differs = (entries != UINT16_MAX &&
		    e->entries != entries) || (size != UINT32_MAX &&
		    e->size != size) || (cd != UINT32_MAX && e->cd != cd);
	return e->size <= e->records && e->cd <= e->records - e->size;
}

/* Does a central header, or for an empty archive nothing, stand there? */
static bool
is_plausible(struct parse *p, const struct eocd *e)
{
	uint8_t sig[4];

	if (e->entries == 0)
		return e->size == 0;
	return bytesrc_read(p->src, e->records - e->size, sig, 4, NULL) ==
	    0 && memcmp(sig, sig_central, 4) == 0;
}

static int
find_eocd(struct parse *p, struct eocd *ret, unsigned *count)
{
	uint64_t n64 = p->size < TAIL_MAX ? p->size : TAIL_MAX;
	struct eocd e;
	uint8_t *tail;
	size_t n = (size_t)n64;
	int r;

	*count = 0;
	if (n < EOCD)
		return 0;
	if ((tail = arena_alloc(p->arena, n)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, p->size - n, tail, n, p->e)) < 0)
		return r;
	for (size_t i = n - EOCD + 1; i-- > 0;) {
		if (memcmp(tail + i, sig_eocd, 4) != 0 ||
		    !read_eocd(p, p->size - n + i, &e) || !is_plausible(p, &e))
			continue;
		if (*count == 0)
			*ret = e;
		*count += e.differs ? 2 : 1;
	}
	return 0;
}

/* Extended information (4.5.3): the fields that are all ones, in order. */
static bool
read_extra64(struct cursor extra, struct zip_member *m, bool size,
    bool packed, bool local)
{
	struct cursor field;
	uint16_t id, n;

	while (cursor_u16le(&extra, &id) && cursor_u16le(&extra, &n) &&
	    cursor_sub(&extra, n, &field)) {
		if (id != 1)
			continue;
		return (!size || cursor_u64le(&field, &m->size)) &&
		    (!packed || cursor_u64le(&field, &m->packed)) &&
		    (!local || cursor_u64le(&field, &m->local));
	}
	return false;
}

/*
 * A central header (4.3.12): 46 bytes, name, extra, comment.
 * 1 and *m, 0 when it is none.
 */
static int
read_central(struct parse *p, struct cursor *c, struct zip_member *m)
{
	uint16_t made, extra_n, comment_n, name_n, disk, attr;
	uint32_t time, packed, size, ext, local;
	struct cursor name, extra, comment;

	m->central = cursor_tell(c);
	if (!cursor_match(c, sig_central, 4) || !cursor_u16le(c, &made) ||
	    !cursor_u16le(c, &m->version) || !cursor_u16le(c, &m->flags) ||
	    !cursor_u16le(c, &m->method) || !cursor_u32le(c, &time) ||
	    !cursor_u32le(c, &m->crc) || !cursor_u32le(c, &packed) ||
	    !cursor_u32le(c, &size) || !cursor_u16le(c, &name_n) ||
	    !cursor_u16le(c, &extra_n) || !cursor_u16le(c, &comment_n) ||
	    !cursor_u16le(c, &disk) || !cursor_u16le(c, &attr) ||
	    !cursor_u32le(c, &ext) || !cursor_u32le(c, &local) ||
	    !cursor_sub(c, name_n, &name) || !cursor_sub(c, extra_n, &extra) ||
	    !cursor_sub(c, comment_n, &comment))
		return 0;
	m->packed = packed;
	m->size = size;
	m->local = local;
	if (packed == UINT32_MAX || size == UINT32_MAX || local == UINT32_MAX)
		(void)read_extra64(extra, m, size == UINT32_MAX,
		    packed == UINT32_MAX, local == UINT32_MAX);
	m->name_len = name_n;
	if ((m->name = arena_dup(p->arena, name.buf, name_n)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	return 1;
}

static int
malformed(struct parse *p, uint64_t off, uint64_t len, const char *what)
{
	const struct fact facts[] = {FACT_TEXT("what", what, strlen(what))};

	return format_anomaly(p, ANOMALY_MALFORMED, off, len, facts, 1);
}

static int
read_members(struct parse *p, const struct eocd *e, struct zip_dir *d)
{
	uint64_t most = e->size / CENTRAL;
	struct cursor c;
	uint8_t *buf;
	size_t n, i;
	int r;

	if (most > LIMIT_MEMBERS * 4ULL || !ckd_size(&n, e->size))
		return format_anomaly(p, ANOMALY_LIMIT, d->cd_off, e->size,
		    NULL, 0) < 0 ? ERR_STOP : 1;
	if ((buf = arena_alloc(p->arena, n)) == NULL ||
	    (d->m = arena_array(p->arena, (size_t)most + 1,
	    sizeof(*d->m))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, d->cd_off, buf, n, p->e)) < 0)
		return r;
	cursor_init(&c, buf, n, d->cd_off);
	for (i = 0; !cursor_at_end(&c) && i < most; i++) {
		if ((r = read_central(p, &c, &d->m[i])) < 0)
			return r;
		if (r == 0)
			break;
	}
	d->count = i;
	if (!cursor_at_end(&c) && (r = malformed(p, cursor_tell(&c),
	    cursor_left(&c), "central directory")) < 0)
		return r;
	if (d->count != e->entries)
		return malformed(p, e->off, EOCD, "number of entries");
	return 0;
}

int
zip_dir_read(struct parse *p, struct zip_dir *ret)
{
	struct zip_dir d = {0};
	struct eocd e = {0};
	unsigned count;
	int r;

	if ((r = find_eocd(p, &e, &count)) < 0)
		return r;
	if (count == 0) {
		/* No directory: what local headers say is all there is. */
		if ((r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0)
			return r;
		d.none = true;
		d.cd_off = d.cd_end = d.end = d.tail_off = p->size;
		*ret = d;
		return 0;
	}
	if (count > 1) {
		const struct fact facts[] = {FACT_NUM("records", count)};

		if ((r = format_anomaly(p, ANOMALY_ZIP_MULTIPLE_EOCD, e.off,
		    EOCD, facts, 1)) < 0)
			return r;
	}
	d.cd_off = e.records - e.size;
	d.cd_end = e.records;
	d.prefix = d.cd_off - e.cd;
	d.tail_off = e.records;
	d.end = e.off + EOCD + e.comment;
	if (e.comment > 0 && (r = format_anomaly(p, ANOMALY_ZIP_COMMENT,
	    e.off + EOCD, e.comment, NULL, 0)) < 0)
		return r;
	if ((r = pickle_embedded(p, e.off + EOCD, e.comment, "comment",
	    PICKLE_IN_TEXT)) < 0)
		return r;
	if ((r = read_members(p, &e, &d)) != 0)
		return r;
	*ret = d;
	return 0;
}
