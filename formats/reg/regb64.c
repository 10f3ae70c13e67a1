#include "base/arena.h"
#include "base/err.h"
#include "formats/reg/regb64.h"

static int
value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters, of which ${real} are no padding: -1 when they are odd. */
static int32_t
quantum(const char *s, unsigned real)
{
	int32_t sum = 0;

	for (unsigned i = 0; i < 4; i++) {
		int v = i < real ? value(s[i]) : 0;

		if (v < 0)
			return -1;
		sum = sum << 6 | v;
	}
	if ((real == 2 && (sum & 0xffff) != 0) ||
	    (real == 3 && (sum & 0xff) != 0))
		return -1;
	return sum;
}

int
regb64_decode(const char *s, size_t n, struct arena *a, const uint8_t **ret,
    size_t *len)
{
	size_t pad, out = 0;
	uint8_t *dst;

	if (n % 4 != 0)
		return ERR_FORMAT;
	pad = n == 0 ? 0 : s[n - 1] != '=' ? 0 : s[n - 2] != '=' ? 1 : 2;
	if ((dst = arena_alloc(a, n / 4 * 3 + 1)) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < n; i += 4) {
		unsigned real = i + 4 < n ? 4 : 4 - (unsigned)pad;
		int32_t v = quantum(s + i, real);

		if (v < 0)
			return ERR_FORMAT;
		dst[out++] = (uint8_t)(v >> 16);
		if (real > 2)
			dst[out++] = (uint8_t)(v >> 8);
		if (real > 3)
			dst[out++] = (uint8_t)v;
	}
	dst[out] = '\0';
	*ret = dst;
	*len = out;
	return 0;
}
