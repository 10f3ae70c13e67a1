#include <string.h>

#include "base/buf.h"
#include "formats/rows/csvrow.h"

/* One byte of a row, which is not the line feed that ends it. */
static void
scan(struct csvscan *s, uint8_t c)
{
	switch (s->state) {
	case CSV_QUOTED:
		if (c == '"')
			s->state = CSV_CLOSED;
		return;
	case CSV_START:
		if (c == '"') {
			s->state = CSV_QUOTED;
			return;
		}
		break;
	case CSV_CLOSED:
		/* The second of two: the quote was not the end. */
		if (c == '"') {
			s->state = CSV_QUOTED;
			return;
		}
		break;
	case CSV_PLAIN:
		break;
	}
	s->state = c == s->delimiter ? CSV_START : CSV_PLAIN;
}

bool
csvscan_row(struct csvscan *s, const uint8_t *p, size_t len, size_t *n)
{
	const uint8_t *lf, *quote;
	size_t i = 0;

	if (s->lines && len > 0) {
		lf = memchr(p, '\n', len);
		*n = lf != NULL ? (size_t)(lf - p) : len;
		return lf != NULL;
	}
	if (s->state == CSV_START && len > 0) {
		/* A line without any quote is a row. */
		lf = memchr(p, '\n', len);
		quote = lf == NULL ? NULL :
		    memchr(p, '"', (size_t)(lf - p));
		if (lf != NULL && quote == NULL) {
			*n = (size_t)(lf - p);
			return true;
		}
	}
	for (; i < len; i++) {
		if (s->state == CSV_QUOTED) {
			if ((quote = memchr(p + i, '"', len - i)) == NULL)
				break;
			i = (size_t)(quote - p);
		} else if (p[i] == '\n') {
			*n = i;
			return true;
		}
		scan(s, p[i]);
	}
	*n = len;
	return false;
}

bool
csvscan_open(const struct csvscan *s)
{
	return s->state == CSV_QUOTED;
}

void
csvfields_init(struct csvfields *f, const uint8_t *p, size_t n,
    uint8_t delimiter, bool lines)
{
	if (n > 0 && p[n - 1] == '\r')
		n--;
	cursor_init(&f->c, p, n, 0);
	f->delimiter = delimiter;
	f->lines = lines;
	f->done = false;
}

/* Behind an opening quote: the field's text, and what follows the other. */
static void
quoted(struct csvfields *f, struct buf *b)
{
	struct cursor part;
	uint8_t c;

	for (;;) {
		if (!cursor_line(&f->c, '"', &part)) {
			buf_put(b, f->c.buf + f->c.off, cursor_left(&f->c));
			f->c.off = f->c.len;
			return;
		}
		buf_put(b, part.buf, part.len);
		if (!cursor_peek(&f->c, 0, &c) || c != '"')
			return;
		buf_putc(b, '"');
		f->c.off++;
	}
}

/* Is the quote here closed right before a delimiter or the end? */
static bool
closes(const struct csvfields *f)
{
	struct cursor c = f->c, part;
	uint8_t next;

	c.off++;
	while (cursor_line(&c, '"', &part)) {
		if (!cursor_peek(&c, 0, &next) || next == f->delimiter)
			return true;
		if (next != '"')
			return false;
		c.off++;
	}
	return false;
}

bool
csvfields_next(struct csvfields *f, const uint8_t **p, size_t *n,
    struct buf *scratch)
{
	struct cursor rest;
	bool made = false;
	uint8_t c;

	buf_clear(scratch);
	if (f->done)
		return false;
	if (cursor_peek(&f->c, 0, &c) && c == '"' &&
	    (!f->lines || closes(f))) {
		f->c.off++;
		quoted(f, scratch);
		made = true;
	}
	if (!cursor_line(&f->c, f->delimiter, &rest)) {
		rest = f->c;
		f->done = cursor_sub(&f->c, cursor_left(&f->c), &rest);
	}
	*p = rest.buf;
	*n = rest.len;
	if (made) {
		buf_put(scratch, rest.buf, rest.len);
		*p = scratch->p;
		*n = scratch->len;
	}
	return true;
}
