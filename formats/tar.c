#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/package.h"
#include "formats/tar_header.h"
#include "formats/vtree.h"

/*
 * Tar as found in the wild: v7, ustar, pax (POSIX.1-2001), GNU.  Members are
 * ranges of the container; nothing is extracted, but what extraction would
 * do is played through (vtree.h).
 *
 * What an attacker tries is to make two readers walk the blocks differently:
 * a size in a record and another one in the header, a size on a link or a
 * folder (does content follow?), a type that one reader skips, a zero block
 * at which some readers stop.  Each is told; the walk is that of GNU tar.
 */
struct tar {
	struct parse *p;
	uint64_t off;		/* of the header */
	struct tar_next next;	/* from pax and GNU records */
	struct vtree *tree;
	struct package *package;
	unsigned zeros;		/* zero blocks in a row */
};

static unsigned
tar_bid(struct cursor head, uint64_t size)
{
	struct tar_header h;

	if (size < TAR_BLOCK || head.len < TAR_BLOCK ||
	    !tar_header_read(head.buf, &h) || !h.checksum_ok)
		return 0;
	return h.magic ? 64 : 40;
}

static int
tell(struct tar *t, enum anomaly id, uint64_t size)
{
	const struct fact facts[] = {FACT_TEXT("name", t->next.name,
	    t->next.name_len), FACT_NUM("size", size)};

	return format_anomaly(t->p, id, t->off, TAR_BLOCK, facts, 2);
}

static int
emit(struct tar *t, uint64_t off, uint64_t size)
{
	struct ev_member m = {.name = t->next.name,
	    .name_len = t->next.name_len, .off = off, .size = size,
	    .flags = MEMBER_STORED};
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_range(t->p->src, m.off, size, t->p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	if ((r = package_member(t->package, &m)) >= 0)
		r = format_member(t->p, &m);
	bytesrc_free(src);
	return r;
}

/*
 * What a type means (pax, "ustar Interchange Format"; GNU tar's manual,
 * "Basic Tar Format").  Content: what readers that know it skip.
 */
static const struct type {
	char type;
	enum vtree_kind kind;
	bool content, none;	/* none: a stated size is odd */
} types[] = {
    {'0', VTREE_FILE, true, false}, {'\0', VTREE_FILE, true, false},
    {'7', VTREE_FILE, true, false}, {'S', VTREE_FILE, true, false},
    {'1', VTREE_HARDLINK, false, true}, {'2', VTREE_SYMLINK, false, true},
    {'3', VTREE_DEVICE, false, true}, {'4', VTREE_DEVICE, false, true},
    {'5', VTREE_FOLDER, false, true}, {'6', VTREE_FIFO, false, true},
    {'D', VTREE_FOLDER, true, false},	/* GNU: a folder's list */
    {'M', VTREE_FILE, true, false},	/* GNU: from another volume */
    {'V', VTREE_FOLDER, false, true},	/* GNU: the volume's label */
};

/* NULL: readers take it for a file, or pass over it. */
static const struct type *
find_type(uint8_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((uint8_t)types[i].type == type)
			return &types[i];
	return NULL;
}

static int
set_names(struct tar *t, const struct tar_header *h)
{
	if (!t->next.has_name) {
		t->next.name = arena_dup(t->p->arena, h->name, h->name_len);
		t->next.name_len = h->name_len;
	}
	if (!t->next.has_link) {
		t->next.link = arena_dup(t->p->arena, h->link, h->link_len);
		t->next.link_len = h->link_len;
	}
	if (t->next.name == NULL || t->next.link == NULL)
		return err_set(t->p->e, ERR_NOMEM, "out of memory");
	return 0;
}

static int
put_in_tree(struct tar *t, const struct tar_header *h, enum vtree_kind kind,
    uint64_t size)
{
	struct vtree_member m = {.name = t->next.name,
	    .name_len = t->next.name_len, .off = t->off,
	    .mode = (uint32_t)(h->mode & 07777), .kind = kind};

	/* A file whose name ends with a slash was a folder before ustar. */
	if (kind == VTREE_FILE && size == 0 && m.name_len > 0 &&
	    m.name[m.name_len - 1] == '/')
		m.kind = VTREE_FOLDER;
	if (kind == VTREE_SYMLINK || kind == VTREE_HARDLINK) {
		m.link = t->next.link;
		m.link_len = t->next.link_len;
	}
	return h->type == 'V' ? 0 : vtree_add(t->tree, &m);
}

/* GNU sparse: blocks with more of the map stand before the content. */
static int
skip_map(struct tar *t, const struct tar_header *h, uint64_t *at)
{
	uint8_t block[TAR_BLOCK];
	bool more = h->extended;
	int r;

	while (more) {
		if (t->p->size - *at < TAR_BLOCK)
			return 0;
		if ((r = bytesrc_read(t->p->src, *at, block, TAR_BLOCK,
		    t->p->e)) < 0 ||
		    (r = format_cover(t->p, *at, TAR_BLOCK)) < 0)
			return r;
		*at += TAR_BLOCK;
		more = tar_map_continues(block);
	}
	return 0;
}

/*
 * The bytes behind the NULs of the header's texts, and behind its last field,
 * are filler that nobody reads.
 */
static int
cover_header(struct parse *p, uint64_t off, const struct tar_header *h)
{
	const size_t last = h->posix ? 500 : TAR_BLOCK;
	const struct {
		size_t from, to;
	} filler[] = {{100 - h->name_tail, 100}, {257 - h->link_tail, 257},
	    {last, h->posix ? 508 : TAR_BLOCK}, {TAR_BLOCK, TAR_BLOCK}};
	size_t at = 0;
	int r = 0;

	for (unsigned i = 0; i < 4 && r >= 0; i++) {
		if ((r = format_cover(p, off + at, filler[i].from - at)) >= 0)
			r = format_padding(p, off + filler[i].from,
			    filler[i].to - filler[i].from);
		at = filler[i].to;
	}
	return r;
}

static int
cover_content(struct parse *p, uint64_t off, uint64_t size, uint64_t padded)
{
	int r = format_cover(p, off, size);

	return r < 0 || padded <= size ? r : format_padding(p, off + size,
	    padded - size);
}

/*
 * One member whose header was read; its content begins at *at.  1: it ends
 * before its content does.  *size becomes what the walk goes on by.
 */
static int
take(struct tar *t, const struct tar_header *h, uint64_t *at, uint64_t *size)
{
	const struct type *type = find_type(h->type);
	uint64_t left;
	int r;

	if ((r = set_names(t, h)) < 0 ||
	    (r = tar_record_check(t->p, &t->next, h, t->off)) < 0 ||
	    (r = put_in_tree(t, h, type != NULL ? type->kind : VTREE_FILE,
	    *size)) < 0 ||
	    (type == NULL && (r = tell(t, ANOMALY_TAR_TYPE, *size)) < 0) ||
	    (type != NULL && type->none && *size > 0 &&
	    (r = tell(t, ANOMALY_TAR_SIZE, *size)) < 0))
		return r;
	if (type != NULL && !type->content) {
		*size = 0;
		return 0;
	}
	if (h->type == 'S' && (r = skip_map(t, h, at)) < 0)
		return r;
	/* Its pieces are examined as they lie there, not with their holes. */
	if ((h->type == 'S' || h->type == 'M' || t->next.sparse) &&
	    (r = tell(t, ANOMALY_UNSUPPORTED, *size)) < 0)
		return r;
	if (h->type == 'D')
		return 0;
	left = t->p->size - *at;
	if (*size <= left)
		return emit(t, *at, *size);
	if ((r = tell(t, ANOMALY_TRUNCATED, *size)) < 0 ||
	    (r = emit(t, *at, left)) < 0)
		return r;
	*size = left;
	return 1;
}

static int
take_record(struct tar *t, const struct tar_header *h, uint64_t at)
{
	uint64_t left = t->p->size - at;
	int r;

	if (h->size > left || h->size > LIMIT_LINE)
		return (r = format_anomaly(t->p, h->size > left ?
		    ANOMALY_TRUNCATED : ANOMALY_LIMIT, t->off, left, NULL,
		    0)) < 0 ? r : 1;
	if (!t->next.any && h->type != 'g') {
		t->next.any = true;
		t->next.off = t->off;
	}
	return tar_record_read(t->p, h->type, at, h->size, &t->next);
}

/* A header block; 0 go on, 1 stop (told). */
static int
step(struct tar *t, const struct tar_header *h)
{
	uint64_t size = t->next.has_size ? t->next.size : h->size;
	uint64_t at = t->off + TAR_BLOCK, left, padded;
	bool record = tar_is_record(h->type);
	int r, done;

	if (!h->checksum_ok)
		return (r = format_anomaly(t->p, ANOMALY_TAR_CHECKSUM, t->off,
		    TAR_BLOCK, NULL, 0)) < 0 ? r : 1;
	if ((r = cover_header(t->p, t->off, h)) < 0)
		return r;
	if (record) {
		size = h->size;
		done = take_record(t, h, at);
	} else {
		done = take(t, h, &at, &size);
	}
	if (done < 0)
		return done;
	left = t->p->size - at;
	if (size > left)
		size = left;
	if (!ckd_add64(&padded, size, (TAR_BLOCK - size % TAR_BLOCK) %
	    TAR_BLOCK) || padded > left)
		padded = left;
	if ((r = cover_content(t->p, at, size, padded)) < 0)
		return r;
	t->off = at + padded;
	if (!record)
		memset(&t->next, 0, sizeof(t->next));
	return done;
}

/*
 * After the two zero blocks: zeros fill a record, anything else is odd.
 * Another archive there is what "tar -i" and Python's ignore_zeros read.
 */
static int
check_tail(struct tar *t)
{
	struct ev_member m = {.name = "trailing", .name_len = 8,
	    .flags = MEMBER_VIRTUAL};
	uint8_t block[TAR_BLOCK];
	struct tar_header h;
	struct bytesrc *src;
	uint64_t at = t->off;
	size_t n = 0, i = 0;
	int r;

	for (; at < t->p->size; at += n) {
		if ((r = bytesrc_read_some(t->p->src, at, block,
		    sizeof(block), &n, t->p->e)) < 0)
			return r;
		for (i = 0; i < n && block[i] == 0; i++)
			;
		if (i < n)
			break;
	}
	if ((r = format_cover(t->p, t->off, t->p->size - t->off)) < 0 ||
	    at >= t->p->size)
		return r;
	if ((r = format_anomaly(t->p, ANOMALY_TRAILING, at + i,
	    t->p->size - at - i, NULL, 0)) < 0)
		return r;
	if (n < TAR_BLOCK || !tar_header_read(block, &h) || !h.checksum_ok)
		return 0;
	m.off = at;
	m.size = t->p->size - at;
	if ((src = bytesrc_range(t->p->src, at, m.size, t->p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = format_member(t->p, &m);
	bytesrc_free(src);
	return r;
}

/* The end: a record that no member follows says something to nobody. */
static int
finish(struct tar *t)
{
	const struct fact f[] = {FACT_TEXT("what", "no member follows", 17)};
	int r;

	if (t->next.any && (r = format_anomaly(t->p, ANOMALY_TAR_RECORD,
	    t->next.off, TAR_BLOCK, f, 1)) < 0)
		return r;
	return check_tail(t);
}

static int
walk(struct tar *t)
{
	uint8_t block[TAR_BLOCK];
	struct tar_header h;
	int r;

	while (t->zeros < 2) {
		if (t->p->size - t->off < TAR_BLOCK) {
			/* Some writers leave out the end. */
			if (t->off == t->p->size && t->zeros == 0)
				return format_anomaly(t->p, ANOMALY_TRUNCATED,
				    t->off, 0, NULL, 0);
			break;
		}
		if ((r = bytesrc_read(t->p->src, t->off, block, TAR_BLOCK,
		    t->p->e)) < 0)
			return r;
		if (tar_is_zero(block)) {
			if ((r = format_cover(t->p, t->off, TAR_BLOCK)) < 0)
				return r;
			t->zeros++;
			t->off += TAR_BLOCK;
			continue;
		}
		/* Python's reader stops at one zero block, others at two. */
		if (t->zeros == 1 && (r = format_anomaly(t->p,
		    ANOMALY_TAR_ZERO_BLOCK, t->off, TAR_BLOCK, NULL, 0)) < 0)
			return r;
		t->zeros = 0;
		if (!tar_header_read(block, &h))
			return (r = format_anomaly(t->p, ANOMALY_MALFORMED,
			    t->off, TAR_BLOCK, NULL, 0)) < 0 ? r : 1;
		if ((r = step(t, &h)) != 0)
			return r;
	}
	return finish(t);
}

static int
tar_parse(struct parse *p)
{
	struct tar *t;
	int r, end;

	if ((t = arena_alloc(p->arena, sizeof(*t))) == NULL ||
	    (t->tree = vtree_new(p, ANOMALY_TAR_DUPLICATE)) == NULL ||
	    (t->package = package_new(p)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	t->p = p;
	if ((r = walk(t)) < 0)
		return r;
	if ((end = vtree_end(t->tree)) < 0 ||
	    (end = package_end(t->package)) < 0)
		return end;
	return r;
}

const struct format format_tar = {
    .name = "tar",
    .kind = FORMAT_CONTAINER,
    .bid = tar_bid,
    .parse = tar_parse,
};
