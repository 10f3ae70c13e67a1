#include "base/text.h"

/*
 * The escaping itself, all of it proved; text.c holds what needs libc.
 *
 * Ill-formed UTF-8 is found by the table of RFC 3629 section 4:
 *
 *   00..7F
 *   C2..DF 80..BF
 *   E0     A0..BF 80..BF
 *   E1..EC 80..BF 80..BF
 *   ED     80..9F 80..BF          (no surrogates)
 *   EE..EF 80..BF 80..BF
 *   F0     90..BF 80..BF 80..BF
 *   F1..F3 80..BF 80..BF 80..BF
 *   F4     80..8F 80..BF 80..BF   (not over 10FFFF)
 *
 * A byte that begins no well-formed sequence is escaped alone, and so is
 * each byte of a character that is not printable: its continuation bytes
 * begin nothing either, so a form that was cut for want of room goes on with
 * the same bytes.
 */

static bool
cont(uint8_t b)
{
	return b >= 0x80 && b <= 0xbf;
}

static size_t
len3(const uint8_t *s, size_t n, uint32_t *cp)
{
	if (n < 3 || !cont(s[1]) || !cont(s[2]) ||
	    (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f))
		return 0;
	*cp = 0x1000U * (s[0] - 0xe0U) + 0x40U * (s[1] - 0x80U) +
	    (s[2] - 0x80U);
	return 3;
}

static size_t
len4(const uint8_t *s, size_t n, uint32_t *cp)
{
	if (n < 4 || !cont(s[1]) || !cont(s[2]) || !cont(s[3]) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	*cp = 0x40000U * (s[0] - 0xf0U) + 0x1000U * (s[1] - 0x80U) +
	    0x40U * (s[2] - 0x80U) + (s[3] - 0x80U);
	return 4;
}

size_t
text_utf8_len(const uint8_t *src, size_t n, uint32_t *cp)
{
	if (n == 0)
		return 0;
	if (src[0] < 0x80) {
		*cp = src[0];
		return 1;
	}
	if (src[0] < 0xc2 || src[0] > 0xf4)
		return 0;
	if (src[0] >= 0xf0)
		return len4(src, n, cp);
	if (src[0] >= 0xe0)
		return len3(src, n, cp);
	if (n < 2 || !cont(src[1]))
		return 0;
	*cp = 0x40U * (src[0] - 0xc0U) + (src[1] - 0x80U);
	return 2;
}

bool
text_is_utf8(const uint8_t *src, size_t n)
{
	size_t i = 0;
	size_t len;
	uint32_t cp;

	while (i < n) {
		len = text_utf8_len(src + i, n - i, &cp);
		if (len == 0)
			return false;
		i += len;
	}
	return true;
}

static bool
in(uint32_t cp, uint32_t first, uint32_t last)
{
	return cp >= first && cp <= last;
}

/* Bidi controls, zero-width and format characters, line separators. */
static bool
is_invisible(uint32_t cp)
{
	return cp == 0xad || cp == 0x61c || cp == 0x180e ||
	    in(cp, 0x200b, 0x200f) || in(cp, 0x2028, 0x202e) ||
	    in(cp, 0x2060, 0x2064) || in(cp, 0x2066, 0x206f) ||
	    in(cp, 0xfe00, 0xfe0f) || cp == 0xfeff ||
	    in(cp, 0xfff9, 0xfffb) || in(cp, 0xe0000, 0xe007f) ||
	    in(cp, 0xe0100, 0xe01ef);
}

bool
text_cp_printable(uint32_t cp)
{
	if (cp < 0x20 || in(cp, 0x7f, 0x9f) || is_invisible(cp))
		return false;
	if (in(cp, 0xd800, 0xdfff) || in(cp, 0xe000, 0xf8ff) ||
	    in(cp, 0xfdd0, 0xfdef) || cp >= 0xf0000)
		return false; /* surrogate, private, noncharacter, beyond */
	return cp % 0x10000 < 0xfffe;
}

static char
upper_hex(unsigned v)
{
	return (char)(v < 10 ? '0' + v : 'A' + (v - 10));
}

/* How many bytes from src[0] stay as they are; 0: escape the first. */
static size_t
keeps(const uint8_t *src, size_t n, unsigned flags)
{
	uint32_t cp = 0;
	size_t len;

	len = text_utf8_len(src, n, &cp);
	if (len == 1 && (flags & TEXT_LINES) != 0 &&
	    (cp == '\n' || cp == '\t'))
		return 1;
	if (len == 0 || cp == '\\' || !text_cp_printable(cp) ||
	    ((flags & TEXT_PATH) != 0 && cp == '!'))
		return 0;
	return len;
}

size_t
text_printable(char *dst, size_t cap, const uint8_t *src, size_t n,
    unsigned flags, size_t *used)
{
	size_t i = 0;
	size_t o = 0;
	size_t k, len;

	while (i < n) {
		len = keeps(src + i, n - i, flags);
		if (cap - o < (len == 0 ? TEXT_GROWTH : len))
			break;
		if (len == 0) {
			dst[o] = '\\';
			dst[o + 1] = 'x';
			dst[o + 2] = upper_hex(src[i] / 16);
			dst[o + 3] = upper_hex(src[i] % 16);
			o += TEXT_GROWTH;
			i += 1;
			continue;
		}
		for (k = 0; k < len; k++)
			dst[o + k] = (char)src[i + k];
		o += len;
		i += len;
	}
	*used = i;
	return o;
}
