#include <stdio.h>
#include <string.h>

#include "tools/mksample.h"

/*
 * Tar: a ustar header (POSIX.1-2017, pax, "ustar Interchange Format").
 * member NAME [OPTION...]
 *   type=C link=TARGET prefix=TEXT
 *   mode=NUMBER size=NUMBER   what the header says; the content stays
 *   negative                  a size below zero, in base 256
 *   behind=TEXT               in the name's field, behind its NUL
 *   pad=HH                    what fills the last block
 *   gnu v7                    another magic, or none
 *   signed                    a checksum of signed bytes
 */
enum magic { MAGIC_USTAR, MAGIC_GNU, MAGIC_V7 };

struct options {
	uint8_t *h;		/* the header */
	enum magic magic;
	uint8_t pad;
	bool is_signed;
};

static void
octal(uint8_t *p, unsigned digits, uint64_t v)
{
	for (unsigned i = digits; i-- > 0; v >>= 3)
		p[i] = (uint8_t)('0' + (v & 7));
}

static void
checksum(uint8_t *h, bool is_signed)
{
	unsigned sum = 0;

	memset(h + 148, ' ', 8);
	for (unsigned i = 0; i < 512; i++)
		sum += is_signed ? (unsigned)(int8_t)h[i] : h[i];
	octal(h + 148, 6, sum);
	h[154] = '\0';
}

static void
place(const struct stmt *s, uint8_t *h, size_t off, size_t room,
    const struct word *v)
{
	if (v->n > room)
		die(s, "too long for its field");
	memcpy(h + off, v->p, v->n);
}

static void
member_option(const struct stmt *s, const struct word *w, struct options *o)
{
	size_t name = strnlen((char *)o->h, 100);
	struct word v;

	if (word_option(w, "type", &v))
		o->h[156] = (uint8_t)v.p[0];
	else if (word_option(w, "link", &v))
		place(s, o->h, 157, 100, &v);
	else if (word_option(w, "prefix", &v))
		place(s, o->h, 345, 155, &v);
	else if (word_option(w, "behind", &v))
		place(s, o->h, name + 1, 99 - name, &v);
	else if (word_option(w, "mode", &v))
		octal(o->h + 100, 7, word_number(s, &v));
	else if (word_option(w, "size", &v))
		octal(o->h + 124, 11, word_number(s, &v));
	else if (word_option(w, "pad", &v))
		o->pad = (uint8_t)v.p[0];
	else if (word_is(w, "negative"))
		memset(o->h + 124, 0xff, 12);
	else if (word_is(w, "gnu"))
		o->magic = MAGIC_GNU;
	else if (word_is(w, "v7"))
		o->magic = MAGIC_V7;
	else if (word_is(w, "signed"))
		o->is_signed = true;
	else
		die(s, "unknown option of a member");
}

void
tar_member(const struct stmt *s, const struct word *w, unsigned count,
    const struct buf *content, struct buf *out)
{
	uint8_t h[512];
	struct options o = {.h = h};

	memset(h, 0, sizeof(h));
	place(s, h, 0, 100, &w[1]);
	octal(h + 100, 7, 0644);
	octal(h + 108, 7, 0);
	octal(h + 116, 7, 0);
	octal(h + 124, 11, content->len);
	octal(h + 136, 11, 315532800);	/* 1980-01-01 */
	h[156] = '0';
	for (unsigned i = 2; i < count; i++)
		member_option(s, &w[i], &o);
	if (o.magic != MAGIC_V7)
		memcpy(h + 257, o.magic == MAGIC_GNU ? "ustar  " :
		    "ustar\0" "00", 8);
	checksum(h, o.is_signed);
	buf_put(out, h, sizeof(h));
	buf_put(out, content->p, content->len);
	for (size_t n = content->len; n % 512 != 0; n++)
		buf_putc(out, (char)o.pad);
}

/* "LENGTH KEY=VALUE\n", where the length counts itself. */
void
tar_pax(const struct word *key, const struct word *value, struct buf *out)
{
	size_t n = key->n + value->n + 3, digits = 1;
	char text[24];

	for (size_t limit = 10; n + digits >= limit; limit *= 10)
		digits++;
	(void)snprintf(text, sizeof(text), "%zu ", n + digits);
	buf_puts(out, text);
	buf_put(out, key->p, key->n);
	buf_putc(out, '=');
	buf_put(out, value->p, value->n);
	buf_putc(out, '\n');
}
