#include "formats/rows/parquet.h"

#define GROUP 8		/* values that are packed together */

void
parquet_levels_init(struct parquet_levels *l, const struct cursor *c,
    unsigned width, bool old)
{
	l->c = *c;
	l->width = width;
	l->old = old;
	l->run = 0;
	l->groups = 0;
	l->value = 0;
	l->have = 0;
	l->pos = 0;
}

unsigned
parquet_levels_width(uint32_t max)
{
	unsigned n = 0;

	while (n < 32 && max >> n != 0)
		n++;
	return n;
}

/*
 * Unpack the next group.  Some writers leave out the last bytes of the last
 * group, which no value needs: what is not there is not had.
 */
static bool
unpack(struct parquet_levels *l)
{
	size_t n = l->width, left = cursor_left(&l->c);
	const uint64_t mask = (UINT64_C(1) << l->width) - 1;
	uint64_t acc = 0;
	unsigned bits = 0;
	uint8_t b = 0;

	if (n > left)
		n = left;
	l->have = l->width == 0 ? GROUP : (unsigned)(n * 8 / l->width);
	l->pos = 0;
	for (unsigned i = 0; i < l->have; i++) {
		for (; bits < l->width; bits += 8) {
			if (!cursor_u8(&l->c, &b))
				return false;
			acc = l->old ? acc << 8 | b : acc | (uint64_t)b << bits;
		}
		bits -= l->width;
		l->buf[i] = (uint32_t)((l->old ? acc >> bits : acc) & mask);
		if (!l->old)
			acc >>= l->width;
	}
	return l->have > 0;
}

/* The header of a run.  Runs of nothing are passed over: each takes a byte. */
static bool
begin(struct parquet_levels *l)
{
	uint64_t h, v = 0;
	uint8_t b = 0;

	do {
		if (!cursor_varint(&l->c, &h))
			return false;
		if ((h & 1) != 0) {
			l->groups = h >> 1;
			continue;
		}
		l->run = h >> 1;
		v = 0;
		for (unsigned i = 0; i < (l->width + 7) / 8; i++) {
			if (!cursor_u8(&l->c, &b))
				return false;
			v |= (uint64_t)b << 8 * i;
		}
		if (v >> l->width != 0)
			return false;
		l->value = (uint32_t)v;
	} while (l->run == 0 && l->groups == 0);
	return true;
}

bool
parquet_levels_next(struct parquet_levels *l, uint32_t *ret)
{
	if (l->pos == l->have && l->run == 0) {
		if (!l->old && l->groups == 0 && !begin(l))
			return false;
		if (l->old || l->groups > 0) {
			l->groups -= l->groups > 0;
			if (!unpack(l))
				return false;
		}
	}
	if (l->run > 0) {
		l->run--;
		*ret = l->value;
		return true;
	}
	*ret = l->buf[l->pos++];
	return true;
}
