#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

#define BUF_FIRST 64

void
buf_init(struct buf *b, size_t max)
{
	memset(b, 0, sizeof(*b));
	/* One byte more is always allocated, for buf_str's NUL. */
	b->max = max == SIZE_MAX ? SIZE_MAX - 1 : max;
}

void
buf_release(struct buf *b)
{
	free(b->p);
	buf_init(b, b->max);
}

void
buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = 0;
}

int
buf_failed(const struct buf *b)
{
	return b->failed;
}

/* Room for n more bytes and a NUL; false after noting why not. */
static bool
reserve(struct buf *b, size_t n)
{
	size_t need, cap;
	uint8_t *p;

	if (b->failed != 0)
		return false;
	if (n > b->max - b->len) {
		b->failed = ERR_LIMIT;
		return false;
	}
	need = b->len + n + 1;
	if (need <= b->cap)
		return true;
	cap = b->cap < BUF_FIRST ? BUF_FIRST : b->cap;
	while (cap < need)
		cap = cap > b->max / 2 ? b->max + 1 : cap * 2;
	if ((p = realloc(b->p, cap)) == NULL) {
		b->failed = ERR_NOMEM;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

void
buf_put(struct buf *b, const void *p, size_t n)
{
	if (n == 0 || !reserve(b, n))
		return;
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

void
buf_putc(struct buf *b, char c)
{
	buf_put(b, &c, 1);
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int r;

	va_copy(again, ap);
	r = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	if (r < 0) {
		if (b->failed == 0)
			b->failed = ERR_LIMIT; /* over INT_MAX bytes */
		return;
	}
	if (!reserve(b, (size_t)r))
		return;
	vsnprintf((char *)b->p + b->len, (size_t)r + 1, fmt, ap);
	b->len += (size_t)r;
}

void
buf_hex(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *s = p;
	size_t i;

	if (n > SIZE_MAX / 2) {
		if (b->failed == 0)
			b->failed = ERR_LIMIT;
		return;
	}
	if (!reserve(b, n * 2))
		return;
	for (i = 0; i < n; i++) {
		b->p[b->len++] = (uint8_t)digits[s[i] >> 4];
		b->p[b->len++] = (uint8_t)digits[s[i] & 15];
	}
}

void
buf_base64(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *s = p;
	uint8_t *d;
	size_t i, got;
	uint32_t v;

	if (n > SIZE_MAX / 2) {
		if (b->failed == 0)
			b->failed = ERR_LIMIT;
		return;
	}
	if (!reserve(b, (n / 3 + (n % 3 != 0)) * 4))
		return;
	for (i = 0; i < n; i += got) {
		got = n - i < 3 ? n - i : 3;
		v = (uint32_t)s[i] << 16;
		if (got > 1)
			v |= (uint32_t)s[i + 1] << 8;
		if (got > 2)
			v |= s[i + 2];
		d = b->p + b->len;
		d[0] = (uint8_t)digits[v >> 18];
		d[1] = (uint8_t)digits[(v >> 12) & 63];
		d[2] = got > 1 ? (uint8_t)digits[(v >> 6) & 63] : '=';
		d[3] = got > 2 ? (uint8_t)digits[v & 63] : '=';
		b->len += 4;
	}
}

const char *
buf_str(struct buf *b)
{
	if (b->failed != 0 || b->p == NULL)
		return "";
	b->p[b->len] = '\0';
	return (const char *)b->p;
}
