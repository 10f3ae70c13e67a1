#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/logs/lines.h"

#define WINDOW (256 * KIB)
/* What may be held: a record, its line end, and blanks before it. */
#define HOLD (LIMIT_LOG_RECORD + 4096)

void
lines_init(struct lines *l, const struct bytesrc *src, uint64_t off,
    size_t window, struct arena *a)
{
	*l = (struct lines){.src = src, .a = a, .off = off,
	    .window = window > 0 ? window : WINDOW};
}

static int
make_room(struct lines *l, struct err *e)
{
	const size_t held = l->have - l->pos;
	size_t cap = l->cap > 0 ? l->cap : 2 * WINDOW;
	uint8_t *buf = l->buf;

	if (l->have < l->cap)
		return 0;
	/* A buffer that is half full of what is wanted grows. */
	while (cap < HOLD && held > cap / 2)
		cap *= 2;
	if (cap != l->cap &&
	    (buf = arena_alloc(l->a, cap)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (held > 0)
		memmove(buf, l->buf + l->pos, held);
	l->buf = buf;
	l->cap = cap;
	l->off += l->pos;
	l->pos = 0;
	l->have = held;
	return 0;
}

/* More bytes behind those that are held; *got 0 at the end of the file. */
static int
more(struct lines *l, size_t *got, struct err *e)
{
	const size_t held = l->have - l->pos;
	/* At least as many as there are: what is looked at again doubles. */
	size_t want = l->window > held ? l->window : held;
	int r;

	*got = 0;
	if (l->off + l->have >= bytesrc_size(l->src))
		return 0;
	if (l->window < WINDOW)
		want = l->window;
	if ((r = make_room(l, e)) < 0)
		return r;
	if (want > l->cap - l->have)
		want = l->cap - l->have;
	if ((r = bytesrc_read_some(l->src, l->off + l->have, l->buf + l->have,
	    want, got, e)) < 0)
		return r;
	l->have += *got;
	return 0;
}

int
lines_ready(struct lines *l, size_t n, size_t *have, struct err *e)
{
	size_t got = 1;
	int r;

	while (l->have - l->pos < n && got > 0 &&
	    l->have - l->pos < LIMIT_LOG_RECORD)
		if ((r = more(l, &got, e)) < 0)
			return r;
	*have = l->have - l->pos;
	return 0;
}

void
lines_pass(struct lines *l, size_t n)
{
	const uint8_t *p = l->buf + l->pos, *hit;
	size_t left = n;

	while (left > 0 && (hit = memchr(p, '\n', left)) != NULL) {
		l->no++;
		left -= (size_t)(hit - p) + 1;
		p = hit + 1;
	}
	l->pos += n;
}

int
lines_skip(struct lines *l, uint64_t n, struct err *e)
{
	size_t have, step;
	int r;

	while (n > 0) {
		if ((r = lines_ready(l, 1, &have, e)) < 0 || have == 0)
			return r;
		step = have < n ? have : (size_t)n;
		lines_pass(l, step);
		n -= step;
	}
	return 0;
}

/* A line that is too long: to behind its end. */
static int
long_line(struct lines *l, struct lines_record *ret, struct err *e)
{
	const uint8_t *hit;
	size_t have;
	int r;

	ret->p = NULL;
	for (;;) {
		if ((r = lines_ready(l, 1, &have, e)) < 0)
			return r;
		if (have == 0)
			break;
		if ((hit = memchr(l->buf + l->pos, '\n', have)) != NULL) {
			lines_pass(l, (size_t)(hit - l->buf) - l->pos + 1);
			ret->ended = true;
			break;
		}
		lines_pass(l, have);
	}
	ret->n = lines_tell(l) - ret->off - (ret->ended ? 1 : 0);
	return 1;
}

int
lines_next(struct lines *l, struct lines_record *ret, struct err *e)
{
	size_t seen = 0, have = l->have - l->pos, got;
	const uint8_t *hit = NULL;
	int r;

	*ret = (struct lines_record){.off = lines_tell(l), .no = l->no + 1};
	for (;;) {
		if (have > seen && (hit = memchr(l->buf + l->pos + seen, '\n',
		    have - seen)) != NULL)
			break;
		seen = have;
		if (have >= LIMIT_LOG_RECORD)
			return long_line(l, ret, e);
		if ((r = more(l, &got, e)) < 0)
			return r;
		if (got == 0)
			break;
		have = l->have - l->pos;
	}
	if (have == 0)
		return 0;
	ret->p = l->buf + l->pos;
	ret->n = hit != NULL ? (size_t)(hit - ret->p) : have;
	ret->ended = hit != NULL;
	l->pos += ret->n + (hit != NULL ? 1 : 0);
	l->no += hit != NULL ? 1 : 0;
	if (ret->n > 0 && ret->p[ret->n - 1] == '\r')
		ret->n--;
	return 1;
}

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* What the parser says, once more bytes cannot change it. */
static int
settle(int r, bool at_end, size_t used, size_t have)
{
	if (r == ERR_LIMIT || r == ERR_NOMEM)
		return 4;
	if (!at_end && (r == ERR_TRUNC || used == have ||
	    (r == ERR_FORMAT && have - used < 16)))
		return 0;	/* a number or a word may go on */
	return r == 0 ? 1 : r == ERR_TRUNC ? 3 : 2;
}

int
lines_value(struct lines *l, struct jdoc *d, struct lines_record *ret,
    struct err *e)
{
	size_t have, used = 0, got;
	bool at_end = false;
	int r, found = 0;

	for (;;) {
		if ((r = lines_ready(l, 1, &have, e)) < 0 || have == 0)
			return r;
		if (!is_blank(l->buf[l->pos]))
			break;
		lines_pass(l, 1);
	}
	*ret = (struct lines_record){.off = lines_tell(l), .no = l->no + 1};
	while (found == 0) {
		have = l->have - l->pos;
		r = jdoc_parse(d, l->buf + l->pos, have <= LIMIT_LOG_RECORD ?
		    have : LIMIT_LOG_RECORD, &used);
		if ((found = settle(r, at_end, used, have)) != 0)
			break;
		if (have >= LIMIT_LOG_RECORD)
			return 4;
		if ((r = more(l, &got, e)) < 0)
			return r;
		at_end = got == 0;
	}
	ret->p = l->buf + l->pos;
	ret->n = used;
	ret->ended = found == 1;
	if (found == 1)
		lines_pass(l, used);
	return found;
}
