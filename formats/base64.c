#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/base64.h"

/* Of either alphabet; every byte above is none. */
static const int8_t digits[128] = {
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
	-1, -1, -1, -1, -1, -1, -1, -1, -1, 62, -1, 62, -1, 63, 52, 53, 54,
	55, 56, 57, 58, 59, 60, 61, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3, 4,
	5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
	24, 25, -1, -1, -1, -1, 63, -1, 26, 27, 28, 29, 30, 31, 32, 33, 34,
	35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,
	-1, -1, -1, -1, -1,
};

static inline int
digit(uint8_t c)
{
	return c < 128 ? digits[c] : -1;
}

int
base64_digit(uint8_t c)
{
	return digit(c);
}

/* What a lenient reader passes. */
static bool
blank(uint8_t c)
{
	return c == '\n' || c == '\r' || c == ' ';
}

/* Nothing but padding from here on, and no more of it than may be. */
static bool
padding(const uint8_t *p, size_t n, bool strict)
{
	if (strict && n > 2)
		return false;
	for (size_t i = 0; i < n; i++)
		if (p[i] != '=' && (strict || p[i] == ' ' || !blank(p[i])))
			return false;
	return true;
}

/* Groups of four digits, up to the first that is none; bytes of ${p}. */
static size_t
groups(const uint8_t *p, size_t n, bool strict, uint8_t *out)
{
	size_t i;

	for (i = 0; n - i >= 4; i += 4) {
		const int a = digit(p[i]), b = digit(p[i + 1]);
		const int c = digit(p[i + 2]), d = digit(p[i + 3]);
		uint32_t bits;

		if ((a | b | c | d) < 0 || (strict && (memchr(p + i, '-', 4) !=
		    NULL || memchr(p + i, '_', 4) != NULL)))
			break;
		bits = (uint32_t)a << 18 | (uint32_t)b << 12 |
		    (uint32_t)c << 6 | (uint32_t)d;
		*out++ = (uint8_t)(bits >> 16);
		*out++ = (uint8_t)(bits >> 8 & 0xff);
		*out++ = (uint8_t)(bits & 0xff);
	}
	return i;
}

int
base64_decode(struct arena *a, const void *src, size_t n,
    enum base64_how how, const uint8_t **ret, size_t *len)
{
	const bool strict = how == BASE64_STRICT;
	const uint8_t *p = src;
	uint32_t bits = 0;
	unsigned held = 0;
	size_t k = 0, i;
	uint8_t *out;
	int v;

	if (strict && n % 4 != 0)
		return ERR_FORMAT;
	if ((out = arena_alloc(a, n / 4 * 3 + 4)) == NULL)
		return ERR_NOMEM;
	i = groups(p, n, strict, out);
	k = i / 4 * 3;
	for (; i < n && p[i] != '='; i++) {
		if (!strict && blank(p[i]))
			continue;
		if ((v = digit(p[i])) < 0 ||
		    (strict && (p[i] == '-' || p[i] == '_')))
			return ERR_FORMAT;
		bits = bits << 6 | (uint32_t)v;
		if ((held += 6) >= 8) {
			held -= 8;
			out[k++] = (uint8_t)(bits >> held & 0xff);
		}
	}
	if (held >= 6 || !padding(p + i, n - i, strict) ||
	    (strict && (bits & ((UINT32_C(1) << held) - 1)) != 0))
		return ERR_FORMAT;
	out[k] = '\0';
	*ret = out;
	*len = k;
	return 0;
}
