#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/tarstream_parts.h"

/*
 * Files with holes, as GNU tar stores them (its manual, "Storing Sparse
 * Files").  Old: four pairs of offset and length in the header at 386, 21 in
 * each block behind it while a flag says so, the file's size at 483.  Pax 0.x:
 * in records.  Pax 1.0: decimal lines before the content, padded to a block.
 */
void
tarstream_add_piece(struct tarstream *t, uint64_t off, uint64_t n)
{
	/* One too many is enough to see that it was too many. */
	if (t->npieces <= LIMIT_TAR_PIECES)
		t->npieces++;
	if (t->npieces <= LIMIT_TAR_PIECES)
		t->piece[t->npieces - 1] = (struct tarstream_piece){off, n};
}

bool
tarstream_map_ok(const struct tarstream *t, uint64_t content, uint64_t real)
{
	uint64_t at = 0, sum = 0;

	if (t->npieces > LIMIT_TAR_PIECES)
		return false;
	for (size_t i = 0; i < t->npieces; i++) {
		const struct tarstream_piece *p = &t->piece[i];

		if (p->off < at || p->off > real || p->n > real - p->off ||
		    p->n > content - sum)
			return false;
		at = p->off + p->n;
		sum += p->n;
	}
	return sum == content;
}

/* ${n} pairs from ${off} of a block; false at one that makes no sense. */
static bool
take_pairs(struct tarstream *t, size_t off, unsigned n)
{
	uint64_t at, len;

	for (unsigned i = 0; i < n; i++, off += 24) {
		if (t->block[off] == '\0')
			return true;	/* the rest is empty */
		if (!tar_header_number(t->block, off, 12, &at) ||
		    !tar_header_number(t->block, off + 12, 12, &len))
			return false;
		tarstream_add_piece(t, at, len);
	}
	return true;
}

int
tarstream_gnu_map(struct tarstream *t, struct err *e)
{
	bool more = t->h.extended, ok;
	uint64_t real;
	size_t got;
	int r;

	ok = tar_header_number(t->block, 483, 12, &real) &&
	    take_pairs(t, 386, 4);
	t->said.real_size = ok ? real : 0;
	t->said.has_real = ok;
	while (more) {
		if ((r = tarstream_block(t, &got, e)) < 0)
			return r;
		if (r != 1) {
			t->cut = true;
			break;
		}
		t->at += TAR_BLOCK;
		more = tar_map_continues(t->block);
		ok = ok && take_pairs(t, 0, 21);
	}
	if (!ok)
		t->notes |= TARSTREAM_SPARSE_BAD;
	return 0;
}

/* A decimal line at *off, which moves behind it; 1, 0 there is none. */
static int
take_line(struct tarstream *t, uint64_t *off, uint64_t end, uint64_t *ret,
    struct err *e)
{
	char digits[24];
	size_t n = 0, got;
	int r;

	while (*off < end && n < sizeof(digits) &&
	    t->head_len < LIMIT_TAR_UNPARSED) {
		if ((r = bytesrc_read_some(t->src, *off, digits + n, 1, &got,
		    e)) < 0)
			return r;
		if (got == 0)
			return 0;
		(*off)++;
		t->unparsed[t->head_len++] = (uint8_t)digits[n];
		if (digits[n] == '\n')
			return text_u64(digits, n, 10, INT64_MAX, ret);
		n++;
	}
	return 0;
}

int
tarstream_map_1_0(struct tarstream *t, uint64_t off, uint64_t size,
    uint64_t *len, struct err *e)
{
	uint64_t at = off, end = off + size, n, v[2];
	int r;

	*len = 0;
	t->npieces = 0;
	t->head_len = 0;
	if ((r = take_line(t, &at, end, &n, e)) <= 0)
		return r;
	for (uint64_t i = 0; i < n && i < LIMIT_TAR_PIECES + 1; i++) {
		for (unsigned k = 0; k < 2; k++)
			if ((r = take_line(t, &at, end, &v[k], e)) <= 0)
				return r;
		tarstream_add_piece(t, v[0], v[1]);
	}
	n = at - off;
	n += (TAR_BLOCK - n % TAR_BLOCK) % TAR_BLOCK;
	if (n <= size)
		*len = n;
	return 0;
}
