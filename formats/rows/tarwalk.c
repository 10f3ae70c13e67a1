#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"
#include "formats/rows/rows.h"
#include "formats/rows/tarwalk.h"
#include "formats/tar_header.h"

/* A record that speaks of a member: a name and some attributes. */
#define RECORD_MAX (256 * KIB)
#define HEAD_MAX (1 * MIB)
#define SCRATCH (8 * MIB)

int
tarwalk_open(struct tarwalk *t, const struct rows_params *p, struct err *e)
{
	int r;

	memset(t, 0, sizeof(*t));
	t->p = p;
	buf_init(&t->head, HEAD_MAX);
	buf_init(&t->names, RECORD_MAX);
	if ((r = reader_init(&t->rd, p->file[0].src, 0, p->window, p->arena,
	    e)) < 0)
		return r;
	return (t->scratch = arena_new(SCRATCH)) != NULL ? 0 :
	    err_set(e, ERR_NOMEM, "out of memory");
}

void
tarwalk_close(struct tarwalk *t)
{
	arena_free(t->scratch);
	buf_release(&t->head);
	buf_release(&t->names);
}

uint64_t
tarwalk_tell(const struct tarwalk *t)
{
	return reader_tell(&t->rd);
}

static int
bad(struct tarwalk *t, uint64_t off, const char *what, struct err *e)
{
	t->ended = true;
	return rows_bad(t->p, 0, off, what, e);
}

static uint64_t
padded(uint64_t n)
{
	return n + (TAR_BLOCK - n % TAR_BLOCK) % TAR_BLOCK;
}

/* n bytes of the source into ${b}, or past them. */
static int
pass(struct tarwalk *t, struct buf *b, uint64_t n, struct err *e)
{
	struct reader *rd = &t->rd;
	size_t some;
	int r;

	if (b == NULL)
		return reader_skip(rd, n, e);
	while (n > 0) {
		if (rd->pos == rd->have && (r = reader_fill(rd, e)) < 0)
			return r;
		some = rd->have - rd->pos < n ? rd->have - rd->pos :
		    (size_t)n;
		buf_put(b, rd->win + rd->pos, some);
		rd->pos += some;
		n -= some;
	}
	return 0;
}

int
tarwalk_content(struct tarwalk *t, struct buf *b, struct err *e)
{
	uint64_t left = reader_left(&t->rd), want;

	if (t->size > left)
		return bad(t, t->off, "a member is cut", e);
	/* The padding of the last member may be missing. */
	want = padded(t->size);
	return pass(t, b, want < left ? want : left, e);
}

static int
ignore(void *ctx, const struct ev_anomaly *a)
{
	(void)a;
	*(bool *)ctx = true;
	return 0;
}

/* What a record's content, the last ${n} bytes of the head, says. */
static int
take_record(struct tarwalk *t, uint8_t type, size_t n, uint64_t off,
    struct tar_next *next, struct err *e)
{
	static const struct events ev = {.anomaly = ignore};
	struct parse p = {.arena = t->scratch, .ev = &ev, .e = e};
	struct bytesrc *src;
	bool odd = false;
	int r;

	if ((src = bytesrc_mem(t->head.p + t->head.len - n, n, e)) == NULL)
		return ERR_NOMEM;
	p.src = src;
	p.size = n;
	p.ctx = &odd;
	r = tar_record_read(&p, type, 0, n, next);
	bytesrc_free(src);
	if (odd)
		rows_tell(t->p, 0, off, "a record of the archive is odd");
	return r < 0 ? r : 0;
}

static int
read_record(struct tarwalk *t, const struct tar_header *h,
    struct tar_next *next, uint64_t off, struct err *e)
{
	uint64_t n = padded(h->size);
	int r;

	if (h->size > RECORD_MAX)
		return bad(t, off, "a record of the archive is too long", e);
	if (n > reader_left(&t->rd))
		return bad(t, off, "a member is cut", e);
	if ((r = pass(t, &t->head, n, e)) < 0)
		return r;
	if (buf_failed(&t->head))
		return bad(t, off, "too many records speak of a member", e);
	t->head.len -= (size_t)(n - h->size);
	r = take_record(t, h->type, (size_t)h->size, off, next, e);
	t->head.len += (size_t)(n - h->size);
	return r;
}

/* The member's own header, and what was said of it before. */
static int
set_member(struct tarwalk *t, const struct tar_header *h,
    const struct tar_next *next, struct err *e)
{
	const char *name = next->has_name ? next->name : h->name;
	size_t n = next->has_name ? next->name_len : h->name_len;

	buf_clear(&t->names);
	buf_put(&t->names, name, n);
	if (buf_failed(&t->names))
		return err_set(e, ERR_NOMEM, "out of memory");
	t->name = buf_str(&t->names);
	t->name_len = n;
	t->size = next->has_size ? next->size : h->size;
	if (h->type == 'S' || next->sparse)
		return bad(t, t->off, "a sparse member is not read", e);
	t->regular = (h->type == '0' || h->type == '\0' || h->type == '7') &&
	    (n == 0 || name[n - 1] != '/');
	/* Links, folders and devices have no content, whatever they state. */
	if (h->type >= '1' && h->type <= '6')
		t->size = 0;
	return 1;
}

int
tarwalk_next(struct tarwalk *t, struct err *e)
{
	struct tar_next next = {0};
	struct tar_header h;
	uint8_t block[TAR_BLOCK];
	uint64_t off;
	int r;

	if (arena_used(t->scratch) > SCRATCH / 2) {
		arena_free(t->scratch);
		if ((t->scratch = arena_new(SCRATCH)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	}
	buf_clear(&t->head);
	t->off = reader_tell(&t->rd);
	while (!t->ended) {
		off = reader_tell(&t->rd);
		if (reader_left(&t->rd) == 0 && t->head.len == 0) {
			t->ended = true;
			rows_tell(t->p, 0, off,
			    "the archive has no end blocks");
			return 0;
		}
		if (reader_left(&t->rd) < TAR_BLOCK)
			return bad(t, off, "the archive is cut", e);
		if ((r = reader_copy(&t->rd, block, TAR_BLOCK, e)) < 0)
			return r;
		if (tar_is_zero(block)) {
			t->ended = true;
			return t->head.len == 0 ? 0 : bad(t, off,
			    "the archive ends within a member", e);
		}
		if (!tar_header_read(block, &h) || !h.checksum_ok)
			return bad(t, off, "no header of a member", e);
		buf_put(&t->head, block, TAR_BLOCK);
		if (!tar_is_record(h.type))
			return set_member(t, &h, &next, e);
		if ((r = read_record(t, &h, &next, off, e)) < 0)
			return r;
	}
	return 0;
}
