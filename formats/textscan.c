#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "formats/textscan.h"

static bool
is_control(uint32_t cp)
{
	return (cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r' &&
	    cp != '\f') || cp == 0x7f;
}

/* A byte order mark is invisible and usual at the beginning. */
#define BOM 0xfeff

bool
textscan_head(struct cursor head, uint64_t size)
{
	const uint8_t *p = head.buf;
	size_t n = head.len, len;
	uint32_t cp;

	if (n == 0)
		return false;
	for (size_t i = 0; i < n; i += len) {
		if ((len = text_utf8_len(p + i, n - i, &cp)) == 0)
			/* A character may be cut by the window. */
			return n - i < 4 && n < size && p[i] >= 0xc2;
		if (is_control(cp))
			return false;
	}
	return true;
}

bool
textscan_head_any(struct cursor head, uint64_t size)
{
	const uint8_t *p = head.buf;
	size_t n = head.len, len, foreign = 0;
	uint32_t cp;

	for (size_t i = 0; i < n; i += len) {
		len = text_utf8_len(p + i, n - i, &cp);
		if ((len == 0 && p[i] < 0x80) || (len > 0 && is_control(cp)))
			return false;
		if (len == 0) {
			foreign++;
			len = 1;
		}
	}
	return n > 0 && (foreign <= n / 8 || textscan_head(head, size));
}

struct scan {
	uint64_t invisible;	/* how many */
	uint64_t first;		/* offset of the first */
	uint64_t foreign;	/* bytes that are no UTF-8 */
	uint64_t first_foreign;
	uint64_t at;		/* offset of the window */
	bool any;		/* those are read on */
};

/* Does the end cut a character that began well? */
static bool
is_cut(const uint8_t *p, size_t n)
{
	size_t want = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (p[0] < 0xc2 || p[0] > 0xf4 || n >= want)
		return false;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return false;
	return true;
}

/*
 * As many whole characters of p[0..n) as there are; ${last}: nothing
 * follows.  Returns how many bytes, or sets *bad.
 */
static size_t
scan_window(struct scan *s, const uint8_t *p, size_t n, bool last, bool *bad)
{
	size_t i = 0, len;
	uint32_t cp;

	while (i < n) {
		len = text_utf8_len(p + i, n - i, &cp);
		if (len == 0 && !last && n - i < 4)
			break;
		if (len == 0 && s->any && p[i] >= 0x80 &&
		    !(last && is_cut(p + i, n - i))) {
			if (s->foreign++ == 0)
				s->first_foreign = s->at + i;
			i++;
			continue;
		}
		if (len == 0 || is_control(cp)) {
			*bad = true;
			break;
		}
		if (cp >= 0x80 && !text_cp_printable(cp) &&
		    !(cp == BOM && s->at + i == 0)) {
			if (s->invisible++ == 0)
				s->first = s->at + i;
		}
		i += len;
	}
	return i;
}

static int
tell(struct parse *p, enum anomaly id, uint64_t count, uint64_t off)
{
	const struct fact facts[] = {FACT_NUM("count", count)};

	return count > 0 ? format_anomaly(p, id, off, 0, facts, 1) : 0;
}

static int
run(struct parse *p, bool any)
{
	size_t cap = p->window >= 4 ? p->window : p->window == 0 ?
	    LIMIT_READER_WINDOW : 4, n, used;
	struct scan s = {.any = any};
	bool bad = false;
	uint8_t *win;
	int r;

	if ((win = arena_alloc(p->arena, cap)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	while (s.at < p->size && !bad) {
		if ((r = bytesrc_read_some(p->src, s.at, win, cap, &n,
		    p->e)) < 0)
			return r;
		used = scan_window(&s, win, n, s.at + n == p->size, &bad);
		s.at += used;
	}
	if ((r = tell(p, ANOMALY_TEXT_INVISIBLE, s.invisible, s.first)) < 0 ||
	    (r = tell(p, ANOMALY_TEXT_ENCODING, s.foreign,
	    s.first_foreign)) < 0 || !bad)
		return r;
	r = format_anomaly(p, ANOMALY_MALFORMED, s.at, 1, NULL, 0);
	return r < 0 ? r : 1;
}

int
textscan_run(struct parse *p)
{
	return run(p, false);
}

int
textscan_any(struct parse *p)
{
	return run(p, true);
}

int
textscan_lines(struct parse *p, textscan_line_fn *fn, void *ctx)
{
	struct arena *a = NULL;
	const uint8_t *text;
	struct reader rd;
	uint64_t off;
	size_t n;
	int r;

	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	while (reader_left(&rd) > 0 && r >= 0) {
		if (a == NULL && (a = arena_new(2 * LIMIT_LINE)) == NULL)
			return err_set(p->e, ERR_NOMEM, "out of memory");
		off = reader_tell(&rd);
		r = reader_line(&rd, '\n', LIMIT_LINE / 2, a, &text, &n,
		    p->e);
		if (r == ERR_TRUNC) {	/* the last line has no end */
			err_reset(p->e);
			n = (size_t)reader_left(&rd);
			r = reader_bytes(&rd, n, a, &text, p->e);
		}
		if (r >= 0)
			r = fn(p, ctx, text, n, off);
		if (arena_used(a) > LIMIT_LINE / 2) {
			arena_free(a);
			a = NULL;
		}
	}
	arena_free(a);
	return r < 0 ? r : 0;
}

bool
textscan_line(struct cursor *head, struct cursor *line)
{
	if (cursor_at_end(head))
		return false;
	if (cursor_line(head, '\n', line))
		return true;
	return cursor_sub(head, cursor_left(head), line);
}

bool
textscan_starts(const struct cursor *line, const char *word)
{
	struct cursor c = *line;

	return cursor_match(&c, (const uint8_t *)word, strlen(word));
}
