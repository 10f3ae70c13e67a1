#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/base64.h"

int
base64_digit(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
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
	for (i = 0; i < n && p[i] != '='; i++) {
		if (!strict && blank(p[i]))
			continue;
		if ((v = base64_digit(p[i])) < 0 ||
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
