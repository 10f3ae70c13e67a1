#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"

/* The place is noted after the code, and only by who sees it first. */
static int
ends_early(struct err *e, uint64_t off)
{
	bool first = e != NULL && e->code == ERR_OK;

	(void)err_set(e, ERR_TRUNC, "the bytes end early");
	if (first)
		e->off = off;
	return ERR_TRUNC;
}

/* Go to ${off} with an empty window: the next read fills it from there. */
static void
drop_window(struct reader *r, uint64_t off)
{
	r->win_off = off;
	r->have = r->pos = 0;
}

int
reader_init(struct reader *r, const struct bytesrc *src, uint64_t off,
    size_t window, struct arena *a, struct err *e)
{
	memset(r, 0, sizeof(*r));
	if (off > bytesrc_size(src))
		return ends_early(e, off);
	r->cap = window != 0 ? window : LIMIT_READER_WINDOW;
	if ((r->win = arena_alloc(a, r->cap)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for a window");
	r->src = src;
	r->win_off = off;
	r->end = bytesrc_size(src);
	return 0;
}

int
reader_fill(struct reader *r, struct err *e)
{
	uint64_t at = reader_tell(r);
	size_t n;
	int rc;

	if (r->pos < r->have)
		return 0;
	if (at >= r->end)
		return ends_early(e, at);
	n = r->end - at < r->cap ? (size_t)(r->end - at) : r->cap;
	if ((rc = bytesrc_read(r->src, at, r->win, n, e)) < 0) {
		/* A part may have come: the window holds neither. */
		drop_window(r, at);
		return rc;
	}
	r->win_off = at;
	r->have = n;
	r->pos = 0;
	return 0;
}

int
reader_peek_u8(struct reader *r, uint8_t *ret, struct err *e)
{
	int rc;

	if ((rc = reader_fill(r, e)) < 0)
		return rc;
	*ret = r->win[r->pos];
	return 0;
}

/* Nothing moves when the bytes are not all there. */
static int
need(struct reader *r, uint64_t n, struct err *e)
{
	return n <= reader_left(r) ? 0 : ends_early(e, reader_tell(r));
}

int
reader_copy(struct reader *r, void *dst, size_t n, struct err *e)
{
	uint64_t at = reader_tell(r);
	size_t have;
	int rc;

	if ((rc = need(r, n, e)) < 0)
		return rc;
	if (n == 0)
		return 0;
	have = r->have - r->pos;
	if (n <= have) {
		memcpy(dst, r->win + r->pos, n);
		r->pos += n;
		return 0;
	}
	/* Beyond the window: what is there, then straight from the source. */
	if (have > 0)
		memcpy(dst, r->win + r->pos, have);
	if (n - have >= r->cap) {
		if ((rc = bytesrc_read(r->src, at + have,
		    (uint8_t *)dst + have, n - have, e)) < 0)
			return rc;
		drop_window(r, at + n);
		return 0;
	}
	r->pos = r->have;
	if ((rc = reader_fill(r, e)) < 0) {
		drop_window(r, at);
		return rc;
	}
	memcpy((uint8_t *)dst + have, r->win, n - have);
	r->pos = n - have;
	return 0;
}

/*
 * The next n <= 8 bytes in one piece: where they are in the window, or, when
 * they straddle its end, in ${raw}.
 */
static int
take(struct reader *r, uint8_t raw[8], unsigned n, const uint8_t **ret,
    struct err *e)
{
	if (n <= r->have - r->pos && n <= reader_left(r)) {
		*ret = r->win + r->pos;
		r->pos += n;
		return 0;
	}
	*ret = raw;
	return reader_copy(r, raw, n, e);
}

static int
read_le(struct reader *r, unsigned n, uint64_t *ret, struct err *e)
{
	const uint8_t *p;
	uint8_t raw[8];
	uint64_t v = 0;
	int rc;

	if ((rc = take(r, raw, n, &p, e)) < 0)
		return rc;
	for (unsigned i = n; i-- > 0;)
		v = v << 8 | p[i];
	*ret = v;
	return 0;
}

static int
read_be(struct reader *r, unsigned n, uint64_t *ret, struct err *e)
{
	const uint8_t *p;
	uint8_t raw[8];
	uint64_t v = 0;
	int rc;

	if ((rc = take(r, raw, n, &p, e)) < 0)
		return rc;
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | p[i];
	*ret = v;
	return 0;
}

int
reader_u16le(struct reader *r, uint16_t *ret, struct err *e)
{
	uint64_t v;
	int rc;

	if ((rc = read_le(r, 2, &v, e)) == 0)
		*ret = (uint16_t)v;
	return rc;
}

int
reader_u32le(struct reader *r, uint32_t *ret, struct err *e)
{
	uint64_t v;
	int rc;

	if ((rc = read_le(r, 4, &v, e)) == 0)
		*ret = (uint32_t)v;
	return rc;
}

int
reader_u64le(struct reader *r, uint64_t *ret, struct err *e)
{
	return read_le(r, 8, ret, e);
}

int
reader_u32be(struct reader *r, uint32_t *ret, struct err *e)
{
	uint64_t v;
	int rc;

	if ((rc = read_be(r, 4, &v, e)) == 0)
		*ret = (uint32_t)v;
	return rc;
}

int
reader_u64be(struct reader *r, uint64_t *ret, struct err *e)
{
	return read_be(r, 8, ret, e);
}

int
reader_skip(struct reader *r, uint64_t n, struct err *e)
{
	uint64_t at = reader_tell(r);
	int rc;

	if ((rc = need(r, n, e)) < 0)
		return rc;
	if (n <= r->have - r->pos)
		r->pos += (size_t)n;
	else
		drop_window(r, at + n);
	return 0;
}

int
reader_seek(struct reader *r, uint64_t off, struct err *e)
{
	if (off > r->end)
		return ends_early(e, off);
	if (off >= r->win_off && off - r->win_off <= r->have)
		r->pos = (size_t)(off - r->win_off);
	else
		drop_window(r, off);
	return 0;
}

int
reader_bytes(struct reader *r, uint64_t n, struct arena *a,
    const uint8_t **ret, struct err *e)
{
	size_t size;
	uint8_t *p;
	int rc;

	if ((rc = need(r, n, e)) < 0)
		return rc;
	if (!ckd_size(&size, n) || size == SIZE_MAX ||
	    (p = arena_alloc(a, size + 1)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory for bytes");
	if ((rc = reader_copy(r, p, size, e)) < 0)
		return rc;
	p[size] = '\0';
	*ret = p;
	return 0;
}

/*
 * Find the stop byte at or after the reader's place without consuming: the
 * window is moved along, and back at the end.
 */
static int
find_stop(struct reader *r, uint8_t stop, size_t max, size_t *ret,
    struct err *e)
{
	const uint64_t start = reader_tell(r);
	const uint8_t *hit = NULL;
	size_t n = 0, have;
	int rc;

	while (hit == NULL) {
		if (n > max)
			return err_set(e, ERR_LIMIT, "a line is too long");
		if ((rc = reader_fill(r, e)) < 0)
			return rc;
		have = r->have - r->pos;
		hit = memchr(r->win + r->pos, stop, have);
		n += hit != NULL ? (size_t)(hit - (r->win + r->pos)) : have;
		if (hit == NULL)
			r->pos = r->have;
	}
	if (n > max)
		return err_set(e, ERR_LIMIT, "a line is too long");
	*ret = n;
	return reader_seek(r, start, e);
}

int
reader_line(struct reader *r, uint8_t stop, size_t max, struct arena *a,
    const uint8_t **ret, size_t *n, struct err *e)
{
	const uint64_t start = reader_tell(r);
	size_t len = 0;
	int rc;

	if ((rc = find_stop(r, stop, max, &len, e)) < 0) {
		(void)reader_seek(r, start, NULL);
		return rc;
	}
	if ((rc = reader_bytes(r, len, a, ret, e)) < 0)
		return rc;
	*n = len;
	return reader_skip(r, 1, e);
}
