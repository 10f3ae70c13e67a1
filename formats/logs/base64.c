#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * Base64 of RFC 4648, either alphabet, with or without padding; white space
 * within is passed.  Strict about all else.
 */
static int
value(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

bool
base64_decode(struct arena *a, const uint8_t *p, size_t n,
    const uint8_t **ret, size_t *ret_n)
{
	uint32_t bits = 0;
	unsigned held = 0;
	size_t k = 0, i;
	uint8_t *out;
	int v;

	if ((out = arena_alloc(a, n / 4 * 3 + 4)) == NULL)
		return false;
	for (i = 0; i < n && p[i] != '='; i++) {
		if (p[i] == '\n' || p[i] == '\r' || p[i] == ' ')
			continue;
		if ((v = value(p[i])) < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		if ((held += 6) >= 8) {
			held -= 8;
			out[k++] = (uint8_t)(bits >> held);
		}
	}
	for (; i < n; i++)
		if (p[i] != '=' && p[i] != '\n' && p[i] != '\r')
			return false;
	if (held >= 6)
		return false;
	*ret = out;
	*ret_n = k;
	return true;
}
