#include <string.h>

#include "tools/mksample.h"

/*
 * Tar: a ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
 * member NAME [type=C] [link=TARGET]
 */
static void
octal(uint8_t *p, unsigned digits, uint64_t v)
{
	for (unsigned i = digits; i-- > 0; v >>= 3)
		p[i] = (uint8_t)('0' + (v & 7));
}

static void
checksum(uint8_t *h)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += h[i];
	octal(h + 148, 6, sum);
	h[154] = '\0';
}

void
tar_member(const struct stmt *s, const struct word *w, unsigned count,
    const struct buf *content, struct buf *out)
{
	uint8_t h[512];

	memset(h, 0, sizeof(h));
	if (w[1].n > 100)
		die(s, "too long a name");
	memcpy(h, w[1].p, w[1].n);
	octal(h + 100, 7, 0644);
	octal(h + 108, 7, 0);
	octal(h + 116, 7, 0);
	octal(h + 124, 11, content->len);
	octal(h + 136, 11, 315532800);	/* 1980-01-01 */
	h[156] = '0';
	for (unsigned i = 2; i < count; i++) {
		if (w[i].n == 6 && memcmp(w[i].p, "type=", 5) == 0)
			h[156] = (uint8_t)w[i].p[5];
		else if (w[i].n > 5 && w[i].n < 105 &&
		    memcmp(w[i].p, "link=", 5) == 0)
			memcpy(h + 157, w[i].p + 5, w[i].n - 5);
		else
			die(s, "unknown option of a member");
	}
	memcpy(h + 257, "ustar\0" "00", 8);
	checksum(h);
	buf_put(out, h, sizeof(h));
	buf_put(out, content->p, content->len);
	for (size_t n = content->len; n % 512 != 0; n++)
		buf_putc(out, '\0');
}
