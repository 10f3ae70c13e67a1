#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/zip.h"
#include "formats/zip_end.h"

/*
 * The end of central directory record (APPNOTE 4.3.16), 22 bytes and a
 * comment of at most 65535:
 *
 *	0 sig PK56   4 disk  6 cd disk  8 entries here  10 entries
 *	12 cd size  16 cd offset  20 comment length  22 comment
 *
 * Before it, the zip64 locator (4.3.15): 0 sig PK67  4 disk  8 offset of the
 * 64-bit record  16 disks; and that record (4.3.14): 0 sig PK66  4 size of
 * what follows 8  12 made 2  14 needed 2  16 disks 4+4  24 entries here 8
 * 32 entries 8  40 cd size 8  48 cd offset 8  56 extensible data.
 *
 * Readers search the end from the end and differ in which they take when
 * several fit.  We collect all that are plausible, read the last one, and say
 * when there are more.
 */
#define END64 56
#define LOCATOR64 20
#define TAIL_MAX (ZIP_END + 65535 + LOCATOR64 + END64)

static const uint8_t sig_end[] = {'P', 'K', 5, 6};
static const uint8_t sig_end64[] = {'P', 'K', 6, 6};
static const uint8_t sig_locator[] = {'P', 'K', 6, 7};
static const uint8_t sig_central[] = {'P', 'K', 1, 2};

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

/* The record where the locator says, or else just before the locator. */
static bool
find_end64(struct parse *p, struct zip_end *e, uint8_t *buf,
    struct cursor *c)
{
	e->records = e->stated;
	if (ckd_range(e->stated, END64, e->off - LOCATOR64) &&
	    read_cursor(p, e->stated, END64, buf, c) == 0 &&
	    cursor_match(c, sig_end64, 4))
		return true;
	if (e->off < LOCATOR64 + END64)
		return false;
	e->records = e->off - LOCATOR64 - END64;
	return read_cursor(p, e->records, END64, buf, c) == 0 &&
	    cursor_match(c, sig_end64, 4);
}

static bool
read_end64(struct parse *p, struct zip_end *e)
{
	uint64_t here, records = e->records;
	uint32_t disk, cd_disk;
	uint8_t buf[END64];
	struct cursor c;

	if (e->off < LOCATOR64 || read_cursor(p, e->off - LOCATOR64,
	    LOCATOR64, buf, &c) < 0 || !cursor_match(&c, sig_locator, 4) ||
	    !cursor_u32le(&c, &disk) || !cursor_u64le(&c, &e->stated))
		return false;
	if (!find_end64(p, e, buf, &c) || !cursor_u64le(&c, &e->length) ||
	    !cursor_skip(&c, 2 + 2) || !cursor_u32le(&c, &disk) ||
	    !cursor_u32le(&c, &cd_disk) || !cursor_u64le(&c, &here) ||
	    !cursor_u64le(&c, &e->entries) || !cursor_u64le(&c, &e->size) ||
	    !cursor_u64le(&c, &e->cd)) {
		e->records = records;
		return false;
	}
	e->split = disk != 0 || cd_disk != 0 || here != e->entries;
	return true;
}

static bool
read_end(struct parse *p, uint64_t off, struct zip_end *ret)
{
	uint16_t disk, cd_disk, here, entries;
	struct zip_end e = {.off = off, .records = off};
	uint8_t buf[ZIP_END];
	uint32_t size, cd;
	struct cursor c;

	if (read_cursor(p, off, ZIP_END, buf, &c) < 0 ||
	    !cursor_match(&c, sig_end, 4) || !cursor_u16le(&c, &disk) ||
	    !cursor_u16le(&c, &cd_disk) || !cursor_u16le(&c, &here) ||
	    !cursor_u16le(&c, &entries) || !cursor_u32le(&c, &size) ||
	    !cursor_u32le(&c, &cd) || !cursor_u16le(&c, &e.comment) ||
	    !ckd_range(off + ZIP_END, e.comment, p->size))
		return false;
	e.entries = entries;
	e.size = size;
	e.cd = cd;
	e.split = disk != 0 || cd_disk != 0 || here != entries;
	e.wide = read_end64(p, &e);
	/*
	 * torch writes zip64 records whether they are needed or not.  Where
	 * both state a place, both must state the same.
	 */
	e.differs = e.wide && ((entries != UINT16_MAX &&
	    e.entries != entries) || (size != UINT32_MAX &&
	    e.size != size) || (cd != UINT32_MAX && e.cd != cd));
	e.wants = !e.wide && (entries == UINT16_MAX || size == UINT32_MAX ||
	    cd == UINT32_MAX);
	*ret = e;
	return e.size <= e.records && e.cd <= e.records - e.size;
}

/* Does a central header, or for an empty archive nothing, stand there? */
static bool
is_plausible(struct parse *p, const struct zip_end *e)
{
	uint8_t sig[4];

	if (e->entries == 0)
		return e->size == 0;
	return bytesrc_read(p->src, e->records - e->size, sig, 4, NULL) ==
	    0 && memcmp(sig, sig_central, 4) == 0;
}

int
zip_end_find(struct parse *p, struct zip_end *ret, unsigned *count)
{
	uint64_t n64 = p->size < TAIL_MAX ? p->size : TAIL_MAX;
	struct zip_end e;
	uint8_t *tail;
	size_t n = (size_t)n64;
	int r;

	*count = 0;
	if (n < ZIP_END)
		return 0;
	if ((tail = arena_alloc(p->arena, n)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, p->size - n, tail, n, p->e)) < 0)
		return r;
	for (size_t i = n - ZIP_END + 1; i-- > 0;) {
		if (memcmp(tail + i, sig_end, 4) != 0 ||
		    !read_end(p, p->size - n + i, &e) || !is_plausible(p, &e))
			continue;
		if (*count == 0)
			*ret = e;
		(*count)++;
	}
	return 0;
}

int
zip_end_check(struct parse *p, const struct zip_end *e, uint64_t prefix)
{
	const uint64_t end = e->off - LOCATOR64;
	int r = 0;

	if (e->split && (r = format_anomaly(p, ANOMALY_UNSUPPORTED, e->off,
	    ZIP_END, NULL, 0)) < 0)
		return r;
	if (e->wants)
		r = zip_zip64(p, e->off, ZIP_END,
		    "all ones without a zip64 record");
	if (r < 0 || !e->wide)
		return r;
	if (e->differs && (r = zip_zip64(p, e->off, ZIP_END,
	    "both end records state a field, and differ")) < 0)
		return r;
	if (e->stated != e->records && (e->stated > e->records ||
	    e->records - e->stated != prefix) && (r = zip_zip64(p, end,
	    LOCATOR64, "the locator points elsewhere")) < 0)
		return r;
	/* 12 bytes are not counted; the locator follows the record. */
	if (e->length != END64 - 12 || e->records + END64 != end)
		return zip_zip64(p, e->records, end - e->records,
		    "bytes behind the zip64 record");
	return 0;
}
