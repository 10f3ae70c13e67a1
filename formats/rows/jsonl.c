#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/rows/jsonrec.h"
#include "formats/rows/rows.h"
#include "formats/textscan.h"

/*
 * JSON Lines: the bytes between line feeds are the records; nothing else
 * divides them.  A CR before the line feed is the record's, as is every
 * blank; a line without anything is a record too (a damaged one), so that a
 * record's number is its line's.  The last line needs no line feed.  A byte
 * order mark at the beginning is no record's.
 *
 * A line that lies in the reader's window is looked at there; one that does
 * not is put together in j->line, up to LIMIT_LINE.  Of a longer one only
 * the bounds are known: it is damaged, as far as we can say.
 */
static unsigned
jsonl_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	const struct rows_file *f = &p->file[0];
	struct cursor c, line;
	unsigned lines = 0;

	cursor_init(&c, head, n, 0);
	(void)rows_mark(&c);
	if (rows_named(f, ".jsonl") || rows_named(f, ".ndjson"))
		return 40;
	if (!textscan_head(c, bytesrc_size(f->src)))
		return 0;
	/* Lines that begin as objects, the first of which ends as one. */
	while (lines < 2 && textscan_line(&c, &line)) {
		if (!textscan_starts(&line, "{\"") &&
		    !textscan_starts(&line, "{ \"") &&
		    !textscan_starts(&line, "{}"))
			return 0;
		if (lines == 0 && (line.len < 2 ||
		    (line.buf[line.len - 1] != '}' &&
		    line.buf[line.len - 1] != '\r')))
			return 0;
		lines++;
	}
	return lines == 2 ? 22 : lines == 1 ? 10 : 0;
}

static int
jsonl_open(const struct rows_params *p, void **self, struct err *e)
{
	struct jsonrec *j;
	int r;

	if ((j = arena_alloc(p->arena, sizeof(*j))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = jsonrec_open(j, p, e)) < 0)
		return r;
	*self = j;
	return 0;
}

/*
 * The bytes up to the next line feed or the end, which are the record; *text
 * is NULL when they are too many.
 */
static int
take_line(struct jsonrec *j, const uint8_t **text, uint64_t *len,
    struct err *e)
{
	struct reader *rd = &j->rd;
	const uint8_t *here, *lf = NULL;
	size_t n;
	int r;

	buf_clear(&j->line);
	*len = 0;
	do {
		if (rd->pos == rd->have && (r = reader_fill(rd, e)) < 0)
			return r;
		here = rd->win + rd->pos;
		n = rd->have - rd->pos;
		if ((lf = memchr(here, '\n', n)) != NULL)
			n = (size_t)(lf - here);
		rd->pos += n + (lf != NULL);
		*len += n;
		if (*len == n && (lf != NULL || reader_left(rd) == 0)) {
			*text = n > LIMIT_LINE ? NULL : here;
			return 0;
		}
		buf_put(&j->line, here, n);
	} while (lf == NULL && reader_left(rd) > 0);
	if (buf_failed(&j->line) == ERR_NOMEM)
		return err_set(e, ERR_NOMEM, "out of memory");
	*text = buf_failed(&j->line) ? NULL : j->line.p;
	return 0;
}

static int
jsonl_next(void *self, struct rows_record *ret, struct err *e)
{
	struct jsonrec *j = self;
	const uint8_t *text = NULL;
	int r;

	if (!j->begun && (r = jsonrec_begin(j, e)) < 0)
		return r;
	if (reader_left(&j->rd) == 0)
		return 0;
	ret->off = reader_tell(&j->rd);
	if ((r = take_line(j, &text, &ret->len, e)) < 0)
		return r;
	jsonrec_take(j, text, (size_t)ret->len, ret);
	return 1;
}

static int
jsonl_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	return jsonrec_names(self, jsonl_open, jsonl_next, each, ctx, e);
}

const struct rows_format rows_jsonl = {
    .id = "jsonl",
    .flags = ROWS_FORWARD,
    .bid = jsonl_bid,
    .open = jsonl_open,
    .next = jsonl_next,
    .field = jsonrec_field,
    .json = jsonrec_json,
    .raw = jsonrec_raw,
    .fields = jsonl_fields,
    .close = jsonrec_close,
};
