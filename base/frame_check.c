#include "base/frame.h"
#include "base/limits.h"

/*
 * The one gate between a hostile worker and its parent.  It stands in a file
 * of its own because all of it is proved; nothing but an index moves.
 */

/*@ requires \valid_read(p + (off .. off + 3)) && off <= SIZE_MAX - 3;
  @ assigns \nothing;
  @ ensures \result == frame_len(p, off);
  @*/
static uint32_t
u32le_at(const uint8_t *p, size_t off)
{
	return p[off] + 0x100U * p[off + 1] + 0x10000U * p[off + 2] +
	    0x1000000U * p[off + 3];
}

uint32_t
frame_size(const uint8_t head[FRAME_HEADER], bool *ok)
{
	uint32_t n = u32le_at(head, 0);

	*ok = n <= LIMIT_FRAME;
	return *ok ? n : 0;
}

bool
frame_check(const uint8_t *body, size_t n)
{
	size_t off = 0;
	uint32_t len;
	uint8_t last = 0;

	if (n > LIMIT_FRAME)
		return false;
	/*@ loop invariant off <= n;
	  @ loop invariant frame_tiles(body, off, n, last) <==>
	  @   frame_tiles(body, 0, n, 0);
	  @ loop assigns off, len, last;
	  @ loop variant n - off;
	  @*/
	while (off < n) {
		if (n - off < FRAME_FIELD)
			return false;
		len = u32le_at(body, off + 1);
		if (body[off] <= last || body[off] >= FRAME_TAGS ||
		    len > n - off - FRAME_FIELD)
			return false;
		last = body[off];
		off += FRAME_FIELD + len;
	}
	return true;
}
