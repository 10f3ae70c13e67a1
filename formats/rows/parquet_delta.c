#include "formats/rows/parquet.h"

/*
 * DELTA_BINARY_PACKED (Encodings.md):
 *
 *	values in a block, miniblocks in a block, values (varints), first
 *	value (zigzag); then blocks: least delta (zigzag), a width byte for
 *	each miniblock, the miniblocks: deltas less the least, bit-packed, least
 *	significant bit first
 *
 * Arithmetic wraps at 64 bits (INT32 is cut by whoever asked).  Of the last
 * block, miniblocks without a value have a width and no bytes.
 */
#define BLOCK_MAX (1U << 20)	/* values; writers use 128 */

static bool
zigzag(struct cursor *c, uint64_t *ret)
{
	uint64_t v;

	if (!cursor_varint(c, &v))
		return false;
	*ret = v >> 1 ^ (0 - (v & 1));
	return true;
}

bool
parquet_delta_init(struct parquet_delta *d, const struct cursor *c)
{
	uint64_t block, minis;

	*d = (struct parquet_delta){.c = *c};
	if (!cursor_varint(&d->c, &block) || !cursor_varint(&d->c, &minis) ||
	    !cursor_varint(&d->c, &d->total) || !zigzag(&d->c, &d->last))
		return false;
	if (block == 0 || block > BLOCK_MAX || block % 128 != 0 ||
	    minis == 0 || minis > block / 32 || block % minis != 0 ||
	    block / minis % 32 != 0)
		return false;
	d->minis = minis;
	d->per_mini = block / minis;
	d->left = d->total;
	return true;
}

/* The next miniblock, and before the first of a block, its header. */
static bool
begin(struct parquet_delta *d)
{
	uint8_t w;

	if (d->minis_left == 0) {
		if (!zigzag(&d->c, &d->min) ||
		    !cursor_sub(&d->c, d->minis, &d->widths))
			return false;
		d->minis_left = d->minis;
	}
	if (!cursor_u8(&d->widths, &w) || w > 64 ||
	    !cursor_sub(&d->c, d->per_mini / 8 * w, &d->mini))
		return false;
	d->minis_left--;
	d->mini_left = d->per_mini;
	d->width = w;
	d->acc = 0;
	d->acc_bits = 0;
	return true;
}

/* ${width} bits of the miniblock. */
static bool
take(struct parquet_delta *d, uint64_t *ret)
{
	uint64_t v = d->acc, word;
	unsigned have = d->acc_bits, need = d->width, got = 0;
	uint8_t b;

	d->acc = 0;
	d->acc_bits = 0;
	while (have < need) {
		/* Eight bytes at once would not fit behind what is there. */
		if (have == 0 && cursor_left(&d->mini) >= 8) {
			if (!cursor_u64le(&d->mini, &word))
				return false;
			v = word;
			have = 64;
			continue;
		}
		if (!cursor_u8(&d->mini, &b))
			return false;
		v |= (uint64_t)b << have;
		got = 64 - have;	/* bits of b that fitted */
		if (got < 8) {
			d->acc = (uint64_t)b >> got;
			d->acc_bits = 8 - got;
			have = 64;
		} else {
			have += 8;
		}
	}
	if (need == 64) {
		*ret = v;
		d->acc_bits += have - need;
		return true;
	}
	*ret = v & ((UINT64_C(1) << need) - 1);
	/* What is left of v, then what is left of b. */
	v >>= need;
	have -= need;
	d->acc = have == 0 ? d->acc : v | (have < 64 ? d->acc << have : 0);
	d->acc_bits += have;
	return true;
}

bool
parquet_delta_next(struct parquet_delta *d, int64_t *ret)
{
	uint64_t delta;

	if (d->left == 0)
		return false;
	if (d->begun) {
		if (d->mini_left == 0 && !begin(d))
			return false;
		if (!take(d, &delta))
			return false;
		d->mini_left--;
		d->last += d->min + delta;
	}
	d->begun = true;
	d->left--;
	*ret = (int64_t)d->last;
	return true;
}

bool
parquet_delta_rest(struct parquet_delta *d)
{
	int64_t v;

	while (d->left > 0)
		if (!parquet_delta_next(d, &v))
			return false;
	return true;
}
