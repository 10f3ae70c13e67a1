#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/names.h"
#include "formats/tar_header.h"

/*
 * Tar as found in the wild: ustar, pax (POSIX.1-2001) and GNU long names.
 * Members are ranges of the container; nothing is extracted.  Links are
 * followed on paper: a name that passes through a symbolic link which leaves
 * the archive's root is told where it would end.
 */
#define LINKS_MAX 4096

struct tar {
	struct parse *p;
	uint64_t off;		/* of the next header */
	struct tar_next next;	/* from pax and GNU records */
	struct names_view *names;
	size_t count, cap;
	struct names_view links[LINKS_MAX];	/* names of links that leave */
	size_t nlinks;
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
tell(struct tar *t, enum anomaly id, const struct tar_header *h)
{
	const struct fact facts[] = {FACT_TEXT("name", t->next.name,
	    t->next.name_len), FACT_TEXT("link", t->next.link,
	    t->next.link_len)};

	(void)h;
	return format_anomaly(t->p, id, t->off, TAR_BLOCK, facts,
	    t->next.link_len > 0 ? 2 : 1);
}

/*
 * Does following ${path} (relative to the directory of ${from}) leave the
 * root?  Component by component; ".." at depth 0 does.
 */
static bool
leaves_root(const char *from, size_t from_n, const char *path, size_t n)
{
	size_t depth = 0, start = 0;

	if (n > 0 && (path[0] == '/' || path[0] == '\\'))
		return true;
	for (size_t i = 0; i < from_n; i++)
		if (from[i] == '/' && i > 0 && from[i - 1] != '/')
			depth++;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && path[i] != '/')
			continue;
		if (i - start == 2 && path[start] == '.' &&
		    path[start + 1] == '.') {
			if (depth == 0)
				return true;
			depth--;
		} else if (i > start && !(i - start == 1 &&
		    path[start] == '.')) {
			depth++;
		}
		start = i + 1;
	}
	return false;
}

/* Does the member's name pass through a link that leaves the root? */
static bool
through_link(const struct tar *t)
{
	for (size_t i = 0; i < t->nlinks; i++) {
		const struct names_view *l = &t->links[i];

		if (t->next.name_len > l->n && t->next.name[l->n] == '/' &&
		    memcmp(t->next.name, l->p, l->n) == 0)
			return true;
	}
	return false;
}

static int
check_link(struct tar *t, const struct tar_header *h)
{
	bool hard = h->type == '1';

	/* A hard link's target is relative to the root, not to its folder. */
	if (!leaves_root(hard ? "" : t->next.name, hard ? 0 :
	    t->next.name_len, t->next.link, t->next.link_len))
		return 0;
	if (t->nlinks < LINKS_MAX)
		t->links[t->nlinks++] = (struct names_view){t->next.name,
		    t->next.name_len, t->off};
	return tell(t, ANOMALY_LINK_OUTSIDE, h);
}

static int
check_member(struct tar *t, const struct tar_header *h)
{
	int r;

	if ((r = names_check(t->p, t->next.name, t->next.name_len,
	    t->off)) < 0)
		return r;
	if (through_link(t) && (r = tell(t, ANOMALY_LINK_OUTSIDE, h)) < 0)
		return r;
	if (h->type == '1' || h->type == '2')
		return check_link(t, h);
	if (h->type == '3' || h->type == '4' || h->type == '6' ||
	    (h->mode & 06000) != 0)
		return tell(t, ANOMALY_SPECIAL_MEMBER, h);
	return 0;
}

static int
remember(struct tar *t)
{
	size_t cap = t->cap == 0 ? 64 : 2 * t->cap;
	struct names_view *p;

	if (t->count == t->cap) {
		if ((p = arena_array(t->p->arena, cap, sizeof(*p))) == NULL)
			return err_set(t->p->e, ERR_NOMEM, "out of memory");
		if (t->count > 0)
			memcpy(p, t->names, t->count * sizeof(*p));
		t->names = p;
		t->cap = cap;
	}
	t->names[t->count++] = (struct names_view){t->next.name,
	    t->next.name_len, t->off};
	return 0;
}

static int
emit(struct tar *t, uint64_t size)
{
	struct ev_member m = {.name = t->next.name,
	    .name_len = t->next.name_len, .off = t->off + TAR_BLOCK,
	    .size = size, .flags = MEMBER_STORED};
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_range(t->p->src, m.off, size, t->p->e)) == NULL)
		return ERR_NOMEM;
	m.src = src;
	r = format_member(t->p, &m);
	bytesrc_free(src);
	return r;
}

static bool
is_file(uint8_t type)
{
	return type == '0' || type == '\0' || type == '7';
}

/* One member whose header was read.  1: it ends before its content does. */
static int
take(struct tar *t, const struct tar_header *h, uint64_t size)
{
	uint64_t left = t->p->size - t->off - TAR_BLOCK;
	int r;

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
	if ((r = check_member(t, h)) < 0)
		return r;
	if (!is_file(h->type))
		return 0;
	if ((r = remember(t)) < 0)
		return r;
	if (size > left) {
		if ((r = tell(t, ANOMALY_TRUNCATED, h)) < 0)
			return r;
		return (r = emit(t, left)) < 0 ? r : 1;
	}
	return emit(t, size);
}

/* A header block; 0 go on, 1 stop (told). */
static int
step(struct tar *t, const struct tar_header *h)
{
	uint64_t size = t->next.has_size ? t->next.size : h->size;
	uint64_t left = t->p->size - t->off - TAR_BLOCK, padded;
	bool record;
	int r;

	if (!h->checksum_ok)
		return (r = format_anomaly(t->p, ANOMALY_TAR_CHECKSUM, t->off,
		    TAR_BLOCK, NULL, 0)) < 0 ? r : 1;
	record = tar_is_record(h->type);
	if (record) {
		size = h->size;
		if (size > left || size > LIMIT_LINE)
			return (r = format_anomaly(t->p, size > left ?
			    ANOMALY_TRUNCATED : ANOMALY_LIMIT, t->off, left,
			    NULL, 0)) < 0 ? r : 1;
		if ((r = tar_record_read(t->p, h->type, t->off + TAR_BLOCK,
		    size, &t->next)) != 0)
			return r;
	} else if ((r = take(t, h, size)) != 0) {
		return r;
	}
	/* Links, folders and devices carry no content whatever they say. */
	if (!record && !is_file(h->type) && h->type != 'S')
		size = h->type == '5' || (h->type >= '1' && h->type <= '6') ?
		    0 : size;
	if (!ckd_add64(&padded, size, (TAR_BLOCK - size % TAR_BLOCK) %
	    TAR_BLOCK) || padded > left)
		padded = left;
	t->off += TAR_BLOCK + padded;
	if (!record)
		memset(&t->next, 0, sizeof(t->next));
	return 0;
}

/* After the two zero blocks: zeros fill a record, anything else is odd. */
static int
check_tail(struct tar *t)
{
	uint8_t block[TAR_BLOCK];
	uint64_t at = t->off;
	size_t n, i;
	int r;

	for (; at < t->p->size; at += n) {
		if ((r = bytesrc_read_some(t->p->src, at, block,
		    sizeof(block), &n, t->p->e)) < 0)
			return r;
		for (i = 0; i < n && block[i] == 0; i++)
			;
		if (i < n)
			return format_anomaly(t->p, ANOMALY_TRAILING, at + i,
			    t->p->size - at - i, NULL, 0);
	}
	return 0;
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
			t->zeros++;
			t->off += TAR_BLOCK;
			continue;
		}
		t->zeros = 0;
		if (!tar_header_read(block, &h))
			return (r = format_anomaly(t->p, ANOMALY_MALFORMED,
			    t->off, TAR_BLOCK, NULL, 0)) < 0 ? r : 1;
		if ((r = step(t, &h)) != 0)
			return r;
	}
	return check_tail(t);
}

static int
tar_parse(struct parse *p)
{
	struct tar *t;
	int r, twins;

	if ((t = arena_alloc(p->arena, sizeof(*t))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	t->p = p;
	if ((r = walk(t)) < 0)
		return r;
	twins = names_twins(p, t->names, t->count, ANOMALY_TAR_DUPLICATE,
	    ANOMALY_NAME_CASE_TWIN);
	return twins < 0 ? twins : r;
}

const struct format format_tar = {
    .name = "tar",
    .kind = FORMAT_CONTAINER,
    .bid = tar_bid,
    .parse = tar_parse,
};
