#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/sqlitewal.h"

/*
 * Write-ahead log (file format, section 4.1), all numbers big-endian:
 *
 *	header	 0 u32 magic 377f0682, or 377f0683: checksums over words in
 *		       little-endian or big-endian order
 *		 4 u32 version 3007000	 8 u32 page size  12 u32 sequence
 *		16 u32 salt 1  20 u32 salt 2  24 2 x u32 checksum of 0..24
 *	frame	 0 u32 page number  4 u32 size of the database in pages, if
 *		       this frame commits, else 0
 *		 8 u32 salt 1  12 u32 salt 2  16 2 x u32 checksum
 *		24 the page
 *
 * A frame's checksum goes on from the one before, over its first 8 bytes and
 * its page.  A frame is valid when its salts are the header's and its
 * checksum fits; the first that is not ends the log: with other salts it is
 * left over from an earlier round, with the same it was torn or altered.
 *
 * Rollback journal (section 3), big-endian too:
 *
 *	header	 0 magic d9d505f920a163d7  8 u32 records, ffffffff: all
 *		12 u32 nonce  16 u32 pages of the database before
 *		20 u32 sector size  24 u32 page size, then zeros up to a sector
 *	record	 0 u32 page number  4 the page  4+N u32 nonce + every 200th
 *		       byte of the page, from N - 200 down to above 0
 *
 * Behind its records another header may follow at the next sector.
 */
#define WAL_HEADER 32
#define WAL_FRAME 24
#define WAL_MAGIC 0x377f0682u
#define WAL_VERSION 3007000u
#define JOURNAL_HEADER 28
/* The page that holds the bytes which locks are taken on is never used. */
#define LOCK_BYTE 0x40000000u

struct sum {
	uint32_t a, b;
};

struct wal {
	const struct bytesrc *src;
	struct sqlitewal *ret;
	struct sqlitewal_page *page;
	uint8_t *buf;		/* a frame */
	uint32_t page_size, salt1, salt2;
	bool big;
	struct sum sum;
	struct err *e;
};

bool
sqlitewal_page_size(uint32_t n)
{
	return n >= 512 && n <= 65536 && (n & (n - 1)) == 0;
}

static int
ends(struct sqlitewal *w, const char *why, uint64_t off, bool odd)
{
	w->why = why;
	w->why_off = off;
	w->odd = odd;
	return 0;
}

/* ${n} is a multiple of 8. */
static void
add(struct sum *s, bool big, const uint8_t *p, size_t n)
{
	struct cursor c;
	uint32_t x = 0, y = 0;

	cursor_init(&c, p, n, 0);
	while (big ? cursor_u32be(&c, &x) && cursor_u32be(&c, &y) :
	    cursor_u32le(&c, &x) && cursor_u32le(&c, &y)) {
		s->a += x + s->b;
		s->b += y + s->a;
	}
}

static uint32_t
word(const uint8_t *p, size_t n, size_t at)
{
	struct cursor c;
	uint32_t v = 0;

	cursor_init(&c, p, n, 0);
	if (!cursor_seek(&c, at) || !cursor_u32be(&c, &v))
		return 0;
	return v;
}

/* 1 when the header is good. */
static int
wal_header(struct wal *w)
{
	uint8_t h[WAL_HEADER];
	uint32_t magic;
	int r;

	if (bytesrc_size(w->src) < WAL_HEADER)
		return ends(w->ret, bytesrc_size(w->src) == 0 ? "empty" :
		    "shorter than its header", 0, false);
	if ((r = bytesrc_read(w->src, 0, h, sizeof(h), w->e)) < 0)
		return r;
	magic = word(h, sizeof(h), 0);
	w->ret->page_size = word(h, sizeof(h), 8);
	if ((magic & ~1u) != WAL_MAGIC)
		return ends(w->ret, "no magic number", 0, true);
	w->big = (magic & 1) != 0;
	add(&w->sum, w->big, h, 24);
	if (w->sum.a != word(h, sizeof(h), 24) ||
	    w->sum.b != word(h, sizeof(h), 28))
		return ends(w->ret, "header checksum does not fit", 24, true);
	if (word(h, sizeof(h), 4) != WAL_VERSION)
		return ends(w->ret, "unknown version", 4, true);
	if (w->ret->page_size != w->page_size)
		return ends(w->ret, "page size is not the database's", 8,
		    true);
	w->salt1 = word(h, sizeof(h), 16);
	w->salt2 = word(h, sizeof(h), 20);
	return 1;
}

/* 1 when the frame at ${off} is valid. */
static int
wal_frame(struct wal *w, uint64_t off, uint32_t *page, uint32_t *commit)
{
	size_t n = WAL_FRAME + (size_t)w->page_size;
	int r = bytesrc_read(w->src, off, w->buf, n, w->e);

	if (r < 0)
		return r;
	*page = word(w->buf, n, 0);
	*commit = word(w->buf, n, 4);
	if (word(w->buf, n, 8) != w->salt1 || word(w->buf, n, 12) != w->salt2)
		return ends(w->ret, "frames of an earlier round follow", off,
		    false);
	if (*page == 0)
		return ends(w->ret, "a frame is of page 0", off, true);
	add(&w->sum, w->big, w->buf, 8);
	add(&w->sum, w->big, w->buf + WAL_FRAME, w->page_size);
	if (w->sum.a != word(w->buf, n, 16) || w->sum.b != word(w->buf, n, 20))
		return ends(w->ret, "a frame's checksum does not fit", off,
		    true);
	return 1;
}

static int
by_page(const void *x, const void *y)
{
	const struct sqlitewal_page *a = x, *b = y;

	if (a->page != b->page)
		return a->page < b->page ? -1 : 1;
	return (a->off > b->off) - (a->off < b->off);
}

/* Of several of one page the first, or the last, stays. */
static void
settle(struct sqlitewal *w, struct sqlitewal_page *v, size_t n, bool last)
{
	size_t kept = 0;

	if (n > 0)
		qsort(v, n, sizeof(*v), by_page);
	for (size_t i = 0; i < n; i++) {
		bool again = kept > 0 && v[kept - 1].page == v[i].page;

		if (!again)
			v[kept++] = v[i];
		else if (last)
			v[kept - 1] = v[i];
	}
	w->page = v;
	w->n = kept;
}

static int
wal_frames(struct wal *w)
{
	const size_t step = WAL_FRAME + (size_t)w->page_size;
	uint64_t off = WAL_HEADER;
	uint32_t page, commit;
	int r;

	for (uint64_t i = 0; i < w->ret->records; i++, off += step) {
		if ((r = wal_frame(w, off, &page, &commit)) < 0)
			return r;
		if (r == 0)
			break;
		w->page[i] = (struct sqlitewal_page){page, off + WAL_FRAME};
		w->ret->valid = i + 1;
		if (commit != 0) {
			w->ret->committed = i + 1;
			w->ret->pages = commit;
		}
	}
	settle(w->ret, w->page, (size_t)w->ret->committed, true);
	return 0;
}

int
sqlitewal_read(const struct bytesrc *wal, uint32_t page_size,
    struct arena *a, struct sqlitewal *ret, struct err *e)
{
	struct wal w = {.src = wal, .ret = ret, .page_size = page_size,
	    .e = e};
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((r = wal_header(&w)) <= 0)
		return r;
	ret->records = (bytesrc_size(wal) - WAL_HEADER) /
	    (WAL_FRAME + (uint64_t)page_size);
	if (ret->records > LIMIT_SQLITE_FRAMES)
		return err_set(e, ERR_LIMIT, "more frames than the limit");
	if ((w.buf = arena_alloc(a, WAL_FRAME + (size_t)page_size)) == NULL ||
	    (w.page = arena_array(a, (size_t)ret->records,
	    sizeof(*w.page))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for frames");
	return wal_frames(&w);
}

/* --- rollback journal --- */

struct journal {
	const struct bytesrc *src;
	struct sqlitewal *ret;
	struct sqlitewal_page *page;
	size_t n, cap;
	uint8_t *buf;		/* a record */
	uint32_t page_size, nonce, before, sector;
	uint64_t size, off;
	struct arena *a;
	struct err *e;
};

static const uint8_t journal_magic[8] = {0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1,
    0x63, 0xd7};

/*
 * 1 and the number of records that follow, 0 when there is no header here.
 * Nonce and sizes of later headers: the nonce is each header's own, the rest
 * counts only in the first (pager.c, readJournalHdr).
 */
static int
journal_header(struct journal *j, uint32_t *records)
{
	bool first = j->off == 0;
	uint8_t h[JOURNAL_HEADER];
	uint32_t page_size;
	int r;

	if (j->size - j->off < JOURNAL_HEADER)
		return first ? ends(j->ret, j->size == 0 ? "empty" :
		    "shorter than its header", 0, false) : 0;
	if ((r = bytesrc_read(j->src, j->off, h, sizeof(h), j->e)) < 0)
		return r;
	if (memcmp(h, journal_magic, sizeof(journal_magic)) != 0) {
		if (!first)
			return 0;
		return ends(j->ret, h[0] == 0 ? "its header was cleared" :
		    "no magic number", 0, h[0] != 0);
	}
	*records = word(h, sizeof(h), 8);
	j->nonce = word(h, sizeof(h), 12);
	if (first) {
		j->before = word(h, sizeof(h), 16);
		j->sector = word(h, sizeof(h), 20);
		page_size = word(h, sizeof(h), 24);
		j->ret->page_size = page_size != 0 ? page_size : j->page_size;
		if (j->ret->page_size != j->page_size)
			return ends(j->ret, "page size is not the database's",
			    24, true);
		if (j->sector < 32 || j->sector > 65536 ||
		    (j->sector & (j->sector - 1)) != 0)
			return ends(j->ret, "sector size is impossible", 20,
			    true);
	}
	if (j->sector > j->size - j->off)
		return first ? ends(j->ret, "cut in its header", j->off,
		    false) : 0;
	j->off += j->sector;
	return 1;
}

static uint32_t
journal_sum(const struct journal *j)
{
	uint32_t sum = j->nonce;

	for (uint32_t i = j->page_size - 200; i > 0 && i < j->page_size;
	    i -= 200)
		sum += j->buf[4 + i];
	return sum;
}

static int
journal_keep(struct journal *j, uint32_t page, uint64_t off)
{
	struct sqlitewal_page *more;
	size_t cap = j->cap == 0 ? 64 : j->cap * 2;

	if (j->n == LIMIT_SQLITE_FRAMES)
		return err_set(j->e, ERR_LIMIT, "more pages than the limit");
	if (j->n == j->cap) {
		if ((more = arena_array(j->a, cap, sizeof(*more))) == NULL)
			return err_set(j->e, ERR_NOMEM,
			    "out of memory for a journal");
		if (j->n > 0)
			memcpy(more, j->page, j->n * sizeof(*more));
		j->page = more;
		j->cap = cap;
	}
	j->page[j->n++] = (struct sqlitewal_page){page, off};
	return 0;
}

/* 1 when the next record is good. */
static int
journal_record(struct journal *j)
{
	size_t n = (size_t)j->page_size + 8;
	uint32_t page;
	int r;

	if (n > j->size - j->off)
		return ends(j->ret, "cut in a record", j->off, false);
	if ((r = bytesrc_read(j->src, j->off, j->buf, n, j->e)) < 0)
		return r;
	page = word(j->buf, n, 0);
	j->ret->records++;
	if (page == 0 || page == LOCK_BYTE / j->page_size + 1)
		return ends(j->ret, "a record is of no page", j->off, true);
	if (page <= j->before) {
		if (journal_sum(j) != word(j->buf, n, n - 4))
			return ends(j->ret,
			    "a record's checksum does not fit", j->off, true);
		if ((r = journal_keep(j, page, j->off + 4)) < 0)
			return r;
	}
	j->ret->valid++;
	j->off += n;
	return 1;
}

/*
 * A transaction over several databases names a file that all of their
 * journals share; when that is gone the transaction has ended, and the
 * journal must not be played.  Whether it is gone is not known here.
 */
static int
journal_super(struct journal *j, bool *named)
{
	uint8_t t[16];
	uint32_t len;
	int r;

	*named = false;
	if (j->size < sizeof(t))
		return 0;
	if ((r = bytesrc_read(j->src, j->size - sizeof(t), t, sizeof(t),
	    j->e)) < 0)
		return r;
	len = word(t, sizeof(t), 0);
	*named = memcmp(t + 8, journal_magic, sizeof(journal_magic)) == 0 &&
	    len > 0 && len < j->size - sizeof(t);
	return 0;
}

static int
journal_play(struct journal *j)
{
	uint64_t skip;
	uint32_t records;
	int r;

	while ((r = journal_header(j, &records)) == 1) {
		for (uint32_t i = 0; i < records; i++)
			if ((r = journal_record(j)) <= 0)
				break;
		if (r <= 0)
			break;
		/* The next header stands at a sector's start. */
		skip = (j->sector - j->off % j->sector) % j->sector;
		if (skip > j->size - j->off)
			break;
		j->off += skip;
	}
	return r < 0 ? r : 0;
}

int
sqlitewal_journal(const struct bytesrc *journal, uint32_t page_size,
    uint64_t db_pages, struct arena *a, struct sqlitewal *ret,
    struct err *e)
{
	struct journal j = {.src = journal, .ret = ret, .a = a, .e = e,
	    .page_size = page_size, .size = bytesrc_size(journal)};
	bool named;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (db_pages == 0)
		return ends(ret, "the database is empty", 0, false);
	if ((j.buf = arena_alloc(a, (size_t)page_size + 8)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a journal");
	if ((r = journal_super(&j, &named)) < 0)
		return r;
	if (named)
		return ends(ret, "it names a journal of several databases", 0,
		    true);
	if ((r = journal_play(&j)) < 0)
		return r;
	if (j.off == 0 || j.before == 0)
		return 0;
	/* Of two records of one page the first is the older, and counts. */
	settle(ret, j.page, j.n, false);
	ret->pages = j.before;
	ret->committed = ret->valid;
	return 0;
}

bool
sqlitewal_find(const struct sqlitewal *w, uint32_t page, uint64_t *off)
{
	size_t low = 0, high = w->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (w->page[mid].page < page)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == w->n || w->page[low].page != page)
		return false;
	*off = w->page[low].off;
	return true;
}
