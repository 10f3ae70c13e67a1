#include <string.h>

#include "base/buf.h"
#include "base/bug.h"
#include "base/text.h"

void
text_put(struct buf *b, const void *src, size_t n, unsigned flags)
{
	const uint8_t *s = src;
	char part[1024];
	size_t off = 0;
	size_t len, used;

	while (off < n && buf_failed(b) == 0) {
		len = text_printable(part, sizeof(part), s + off, n - off,
		    flags, &used);
		buf_put(b, part, len);
		off += used;
	}
}

void
text_put_literal(struct buf *b, const void *src, size_t n)
{
	const uint8_t *s = src, *slash;
	size_t part;

	while (n > 0) {
		slash = memchr(s, '\\', n);
		part = slash != NULL ? (size_t)(slash - s) : n;
		text_put(b, s, part, TEXT_PLAIN);
		if (slash != NULL) {
			buf_putc(b, '\\');
			part++;
		}
		s += part;
		n -= part;
	}
}

const char *
text_z(char *dst, size_t cap, const void *src, size_t n)
{
	const uint8_t *s = src;
	size_t len, used;

	BUG_ON(cap < 8);
	len = text_printable(dst, cap - 1, s, n, TEXT_PLAIN, &used);
	if (used < n) {
		/* Again, with room for the dots. */
		len = text_printable(dst, cap - 4, s, n, TEXT_PLAIN, &used);
		memcpy(dst + len, "...", 3);
		len += 3;
	}
	dst[len] = '\0';
	return dst;
}

/* The value of a digit, 16 or more for none. */
static unsigned
digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

bool
text_u64(const char *s, size_t n, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;
	unsigned d;
	size_t i;

	BUG_ON(base < 2 || base > 16);
	if (n == 0)
		return false;
	for (i = 0; i < n; i++) {
		d = digit(s[i]);
		if (d >= base || d > max || v > (max - d) / base)
			return false;
		v = v * base + d;
	}
	*ret = v;
	return true;
}

static bool
is_lower_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

bool
text_unhex(uint8_t *dst, const char *s, size_t n)
{
	size_t i;

	if (n % 2 != 0)
		return false;
	for (i = 0; i < n; i++)
		if (!is_lower_hex(s[i]))
			return false;
	for (i = 0; i < n; i += 2)
		dst[i / 2] = (uint8_t)(digit(s[i]) * 16 + digit(s[i + 1]));
	return true;
}
