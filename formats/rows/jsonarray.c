#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/rows/jsonrec.h"
#include "formats/rows/rows.h"

/*
 * A file that is one JSON array: its elements are the records, from their
 * first byte to their last, without the blanks and commas between them.
 *
 * An element's end is where the brackets that it opened are closed, strings
 * apart; that they are of the same kind is part of the bounds, so brackets
 * that do not match end the reading.  All else that is wrong inside makes
 * the element damaged, and its bounds stand.
 */
struct jsonarray {
	struct jsonrec rec;
	bool ended;
	/* Within an element. */
	bool quoted, escaped;
	uint64_t depth;
	uint8_t kind[LIMIT_JSON_DEPTH + 1];
};

/* What one byte does to an element. */
enum step { STEP_ON, STEP_LAST, STEP_BEFORE, STEP_BAD };

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned
jsonarray_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	struct cursor c;
	uint8_t b = 0;
	bool in = false;

	cursor_init(&c, head, n, 0);
	(void)rows_mark(&c);
	while (cursor_u8(&c, &b) && (is_blank(b) || (b == '[' && !in)))
		in |= b == '[';
	if (!in || b != '{')
		return 0;
	return rows_named(&p->file[0], ".json") ? 32 : 16;
}

static int
jsonarray_open(const struct rows_params *p, void **self, struct err *e)
{
	struct jsonarray *j;
	int r;

	if ((j = arena_alloc(p->arena, sizeof(*j))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = jsonrec_open(&j->rec, p, e)) < 0)
		return r;
	*self = j;
	return 0;
}

/* Pass over blanks; 0 and the byte that follows, still there, or 1: none. */
static int
skip_blanks(struct jsonarray *j, uint8_t *ret, struct err *e)
{
	int r;

	while (reader_left(&j->rec.rd) > 0) {
		if ((r = reader_peek_u8(&j->rec.rd, ret, e)) < 0)
			return r;
		if (!is_blank(*ret))
			return 0;
		j->rec.rd.pos++;
	}
	return 1;
}

static int
bad(struct jsonarray *j, const char *what, struct err *e)
{
	j->ended = true;
	return rows_bad(j->rec.p, 0, reader_tell(&j->rec.rd), what, e);
}

static int
open_array(struct jsonarray *j, struct err *e)
{
	uint8_t b = 0;
	int r;

	if ((r = jsonrec_begin(&j->rec, e)) < 0 ||
	    (r = skip_blanks(j, &b, e)) < 0)
		return r;
	if (r == 1 || b != '[')
		return bad(j, "the file is no array", e);
	j->rec.rd.pos++;
	return 0;
}

/* Behind the array. */
static int
end_array(struct jsonarray *j, struct err *e)
{
	uint8_t b;
	int r;

	j->ended = true;
	if ((r = skip_blanks(j, &b, e)) == 0)
		rows_tell(j->rec.p, 0, reader_tell(&j->rec.rd),
		    "something follows the array");
	return r < 0 ? r : 0;
}

static enum step
bracket(struct jsonarray *j, uint8_t c)
{
	if (c == '{' || c == '[') {
		if (j->depth <= LIMIT_JSON_DEPTH)
			j->kind[j->depth] = c;
		j->depth++;
		return STEP_ON;
	}
	if (j->depth == 0)
		return c == ']' ? STEP_BEFORE : STEP_BAD;
	j->depth--;
	if (j->depth <= LIMIT_JSON_DEPTH &&
	    j->kind[j->depth] != (c == '}' ? '{' : '['))
		return STEP_BAD;
	return j->depth == 0 ? STEP_LAST : STEP_ON;
}

static enum step
step(struct jsonarray *j, uint8_t c)
{
	if (j->quoted) {
		if (j->escaped || c == '\\') {
			j->escaped = !j->escaped;
			return STEP_ON;
		}
		j->quoted = c != '"';
		return !j->quoted && j->depth == 0 ? STEP_LAST : STEP_ON;
	}
	switch (c) {
	case '"':
		j->quoted = true;
		return STEP_ON;
	case '{':
	case '[':
	case '}':
	case ']':
		return bracket(j, c);
	case ',':
	case ' ':
	case '\t':
	case '\n':
	case '\r':
		return j->depth == 0 ? STEP_BEFORE : STEP_ON;
	default:
		return STEP_ON;
	}
}

/* The element that begins here. */
static int
element(struct jsonarray *j, uint64_t *len, struct err *e)
{
	struct reader *rd = &j->rec.rd;
	enum step s = STEP_ON;
	size_t from;
	int r;

	buf_clear(&j->rec.line);
	j->quoted = j->escaped = false;
	j->depth = 0;
	*len = 0;
	do {
		if (reader_left(rd) == 0)
			return bad(j, "the array is cut", e);
		if (rd->pos == rd->have && (r = reader_fill(rd, e)) < 0)
			return r;
		for (from = rd->pos; rd->pos < rd->have; rd->pos++)
			if ((s = step(j, rd->win[rd->pos])) != STEP_ON)
				break;
		rd->pos += s == STEP_LAST;
		*len += rd->pos - from;
		buf_put(&j->rec.line, rd->win + from, rd->pos - from);
	} while (s == STEP_ON);
	if (s == STEP_BAD)
		return bad(j, "brackets do not match", e);
	if (*len == 0)
		return bad(j, "an element is missing", e);
	return buf_failed(&j->rec.line) == ERR_NOMEM ?
	    err_set(e, ERR_NOMEM, "out of memory") : 0;
}

/*
 * What stands before an element: 1: it begins here, 0: the array has ended.
 */
static int
before(struct jsonarray *j, bool first, struct err *e)
{
	uint8_t b = 0;
	int r;

	if ((r = skip_blanks(j, &b, e)) < 0)
		return r;
	if (r == 1)
		return bad(j, "the array is cut", e);
	if (b == ']') {
		j->rec.rd.pos++;
		return end_array(j, e);
	}
	if (first)
		return 1;
	if (b != ',')
		return bad(j, "no comma between two elements", e);
	j->rec.rd.pos++;
	if ((r = skip_blanks(j, &b, e)) < 0)
		return r;
	return r == 1 ? bad(j, "the array is cut", e) : 1;
}

static int
jsonarray_next(void *self, struct rows_record *ret, struct err *e)
{
	struct jsonarray *j = self;
	bool first = !j->rec.begun;
	struct buf *line = &j->rec.line;
	int r;

	if (j->ended)
		return 0;
	if ((first && (r = open_array(j, e)) < 0) ||
	    (r = before(j, first, e)) <= 0)
		return r;
	ret->off = reader_tell(&j->rec.rd);
	if ((r = element(j, &ret->len, e)) < 0)
		return r;
	jsonrec_take(&j->rec, buf_failed(line) ? NULL : line->p, line->len,
	    ret);
	return 1;
}

static int
jsonarray_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	return jsonrec_names(self, jsonarray_open, jsonarray_next, each, ctx, e);
}

const struct rows_format rows_jsonarray = {
    .id = "jsonarray",
    .flags = ROWS_FORWARD,
    .bid = jsonarray_bid,
    .open = jsonarray_open,
    .next = jsonarray_next,
    .field = jsonrec_field,
    .json = jsonrec_json,
    .raw = jsonrec_raw,
    .fields = jsonarray_fields,
    .close = jsonrec_close,
};
