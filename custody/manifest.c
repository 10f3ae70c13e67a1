#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/manifest.h"

void
manifest_put(struct buf *b, const uint8_t *digest, size_t len,
    const char *name, size_t n)
{
	buf_hex(b, digest, len);
	buf_puts(b, "  ");
	buf_put(b, name, n);
	buf_putc(b, '\n');
}

bool
manifest_parse(struct cursor line, size_t len, struct manifest_line *ret)
{
	struct manifest_line l = {0};
	struct cursor hex;

	if (len > MANIFEST_DIGEST_MAX || !cursor_sub(&line, 2 * len, &hex) ||
	    !text_unhex(l.digest, (const char *)hex.buf, hex.len) ||
	    !cursor_match(&line, (const uint8_t *)"  ", 2))
		return false;
	l.name = (const char *)line.buf + line.off;
	l.n = cursor_left(&line);
	if (!bag_member_ok(l.name, l.n))
		return false;
	*ret = l;
	return true;
}

int
manifest_walk_init(struct manifest_walk *w, const struct bytesrc *src,
    size_t len, struct arena *a, struct err *e)
{
	w->len = len;
	w->lines = 0;
	return reader_init(&w->r, src, 0, 0, a, e);
}

static int
malformed(const struct manifest_walk *w, struct err *e)
{
	if (e != NULL && e->code == ERR_OK)
		e->off = reader_tell(&w->r);
	return err_set(e, ERR_FORMAT, "line %llu is malformed",
	    (unsigned long long)w->lines + 1);
}

int
manifest_walk_next(struct manifest_walk *w, struct manifest_line *ret,
    struct err *e)
{
	struct cursor line;
	size_t n = 0;
	uint8_t c;
	int r;

	if (reader_left(&w->r) == 0)
		return 0;
	for (;;) {
		if (reader_left(&w->r) == 0)
			return malformed(w, e);
		if ((r = reader_u8(&w->r, &c, e)) < 0)
			return r;
		if (c == '\n')
			break;
		if (n == sizeof(w->text))
			return malformed(w, e);
		w->text[n++] = c;
	}
	cursor_init(&line, w->text, n, 0);
	if (!manifest_parse(line, w->len, ret))
		return malformed(w, e);
	w->lines++;
	return 1;
}
