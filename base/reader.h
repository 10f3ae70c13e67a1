#ifndef BASE_READER_H_
#define BASE_READER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct bytesrc;
struct cursor;
struct err;

/*
 * A buffered forward reader over a byte source: the streaming twin of
 * cursor.  Reads return 0, or a negative err_code and move nothing:
 * ERR_TRUNC at the end of the source, ERR_IO when our side failed,
 * ERR_LIMIT when the caller's maximum is smaller than what is there.
 *
 * Results never depend on the window: tests run every parser with windows
 * of 1, 2, 3, 7 and 4096 bytes and compare.
 */
struct reader {
	const struct bytesrc *src;
	uint8_t *win;		/* the window, from the arena */
	size_t cap;		/* its size */
	size_t have, pos;	/* bytes in it, next byte */
	uint64_t win_off;	/* offset in src of win[0] */
	uint64_t end;		/* size of src; may be lowered before a read */
};

/*
 * reader_init(r, src, off, window, a, e): read ${src} from ${off}; ${window}
 * 0 means the default of limits.h.  The window comes from the arena.
 */
int reader_init(struct reader *r, const struct bytesrc *src, uint64_t off,
    size_t window, struct arena *a, struct err *e);

static inline uint64_t
reader_tell(const struct reader *r)
{
	return r->win_off + r->pos;
}

static inline uint64_t
reader_left(const struct reader *r)
{
	return r->end - reader_tell(r);
}

/* reader_fill: make at least one byte ready, or ERR_TRUNC / ERR_IO. */
int reader_fill(struct reader *r, struct err *e);

static inline int
reader_u8(struct reader *r, uint8_t *ret, struct err *e)
{
	int rc;

	if (r->pos == r->have && (rc = reader_fill(r, e)) < 0)
		return rc;
	*ret = r->win[r->pos++];
	return 0;
}

/*
 * reader_near: the next n bytes if the window holds all of them, consumed;
 * else NULL and nothing moves (reader_copy gets them then).  Valid until the
 * next read.
 */
static inline const uint8_t *
reader_near(struct reader *r, size_t n)
{
	const uint8_t *p = r->win + r->pos;

	if (n > r->have - r->pos || n > reader_left(r))
		return NULL;
	r->pos += n;
	return p;
}

/* reader_peek_u8: the next byte, not consumed. */
int reader_peek_u8(struct reader *r, uint8_t *ret, struct err *e);
int reader_u16le(struct reader *r, uint16_t *ret, struct err *e);
int reader_u32le(struct reader *r, uint32_t *ret, struct err *e);
int reader_u64le(struct reader *r, uint64_t *ret, struct err *e);
int reader_u32be(struct reader *r, uint32_t *ret, struct err *e);
int reader_u64be(struct reader *r, uint64_t *ret, struct err *e);

/* reader_copy: exactly n bytes into dst. */
int reader_copy(struct reader *r, void *dst, size_t n, struct err *e);
/* reader_skip: pass over n bytes without reading those beyond the window. */
int reader_skip(struct reader *r, uint64_t n, struct err *e);
/* reader_seek: go to an absolute offset of the source. */
int reader_seek(struct reader *r, uint64_t off, struct err *e);
/*
 * reader_bytes: n bytes into the arena, *ret NUL-terminated behind them.
 * n is compared with what is left before anything is allocated.
 */
int reader_bytes(struct reader *r, uint64_t n, struct arena *a,
    const uint8_t **ret, struct err *e);
/*
 * reader_line: bytes up to ${stop} (consumed, not returned) into the arena.
 * ERR_TRUNC when the source ends first, ERR_LIMIT past ${max} bytes.
 */
int reader_line(struct reader *r, uint8_t stop, size_t max, struct arena *a,
    const uint8_t **ret, size_t *n, struct err *e);

#endif /* !BASE_READER_H_ */
