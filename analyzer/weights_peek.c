#include "analyzer/weights_peek.h"
#include "base/cursor.h"
#include "base/limits.h"
#include "formats/pickle.h"

uint32_t
weights_peek_u32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	    (uint32_t)p[3] << 24;
}

static bool
is_text(uint8_t b)
{
	return (b >= 0x20 && b < 0x7f) || b == '\n' || b == '\r' ||
	    b == '\t';
}

size_t
weights_peek_text(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && is_text(p[i]))
		i++;
	return i;
}

/* 4 version, 6 flags, 8 method, 26 length of the name, 30 the name */
bool
weights_peek_zip(const uint8_t *p, size_t n)
{
	unsigned method, length;

	if (n < 46)
		return false;
	method = p[8] | (unsigned)p[9] << 8;
	length = p[26] | (unsigned)p[27] << 8;
	if (p[4] > 63 || p[5] > 20 || (p[7] & 0xc0) != 0 ||
	    !(method == 0 || method == 8 || method == 9 || method == 12 ||
	    method == 14 || method == 93 || method == 95 || method == 99) ||
	    length == 0 || length > 1024)
		return false;
	for (unsigned i = 0; i < length && 30 + i < n; i++)
		if (p[30 + i] < 0x20 || p[30 + i] == 0x7f)
			return false;
	return true;
}

/* RFC 1952: 3 flags, 8 extra flags, 9 system */
bool
weights_peek_gzip(const uint8_t *p, size_t n)
{
	return n >= 18 && (p[3] & 0xe0) == 0 &&
	    (p[8] == 0 || p[8] == 2 || p[8] == 4) &&
	    (p[9] <= 13 || p[9] == 255);
}

/* RFC 8878: 4 descriptor, then fields, then a block of at most 128 KiB */
bool
weights_peek_zstd(const uint8_t *p, size_t n)
{
	static const unsigned dictionary[] = {0, 1, 2, 4};
	static const unsigned content[] = {0, 2, 4, 8};
	bool single = n > 4 && (p[4] & 0x20) != 0;
	size_t at = 5;
	uint32_t block;

	if (n < 24 || (p[4] & 0x08) != 0)
		return false;
	at += !single;
	at += dictionary[p[4] & 3];
	at += p[4] >> 6 == 0 && single ? 1 : content[p[4] >> 6];
	block = weights_peek_u32(p + at) & 0xffffff;
	return (block >> 1 & 3) != 3 && block >> 3 > 0 &&
	    block >> 3 <= 128 * KIB;
}

/* A dotted name and a line feed; how many bytes, or 0. */
static size_t
name_line(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && ((p[i] >= 'a' && p[i] <= 'z') || p[i] == '_' ||
	    (p[i] >= 'A' && p[i] <= 'Z') || p[i] == '.' ||
	    (i > 0 && p[i] >= '0' && p[i] <= '9')))
		i++;
	return i > 1 && i < n && p[i] == '\n' ? i + 1 : 0;
}

/* GLOBAL, perhaps behind a MARK: two lines that name something. */
bool
weights_peek_global(const uint8_t *p, size_t n)
{
	size_t at = 1 + (p[0] == '('), a, b;

	if (n < 16 || (a = name_line(p + at, n - at)) == 0)
		return false;
	b = name_line(p + at + a, n - at - a);
	return b > 0 && a + b >= 8;
}

/*
 * PROTO and what follows: opcodes all the way, or some with a name among
 * them.  A pickle may be broken on purpose behind its call.
 */
#define NAME_LEAST 5

bool
weights_peek_name(const uint8_t *p, size_t n)
{
	unsigned run = 0;

	for (size_t i = 2; i < n && run < NAME_LEAST; i++)
		run = (p[i] >= 'a' && p[i] <= 'z') || p[i] == '_' ||
		    p[i] == '.' ? run + 1 : 0;
	return run == NAME_LEAST;
}

bool
weights_peek_pickle(const uint8_t *p, size_t n, uint64_t left)
{
	unsigned bits;
	struct cursor c;

	cursor_init(&c, p, n, 0);
	bits = pickle_plausible(c, left);
	return bits == 36 || (bits >= 24 && weights_peek_name(p, n));
}
