#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "formats/rows/csvrow.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"
#include "formats/textscan.h"

/*
 * Tables (RFC 4180), with comma, semicolon, tab or bar: the delimiter that
 * divides most of the first lines alike; a name in .tsv decides.  The first
 * row is the header and no record.  Every row after it is one, an empty line
 * too; a row's bytes end before its line feed, a CR before that is its own.
 * Line feeds within quotes divide nothing; with tabs a row is a line.
 *
 * Of a table that is said to have no header (rows_params) the first row is a
 * record too, and columns have their numbers.
 *
 * Columns are named by the header.  One without a name has its number, of
 * equal names the later ones get ".1", ".2" (as pandas does), and so have
 * fields beyond the header their number.  All values are text.
 */
#define COLUMNS_MAX 16384	/* of a header; real ones have some hundreds */
#define SNIFF_LINES 10

struct column {
	const char *name;
	size_t n;
};

struct csv {
	const struct rows_params *p;
	struct reader rd;
	struct buf row, text;
	struct column *column;
	size_t columns;
	uint8_t delimiter;
	const uint8_t *at;	/* of the current row; NULL: too long */
	size_t n;
};

static bool
is_lines(const struct csv *t)
{
	return t->delimiter == '\t';
}

/* Delimiters of each of the first lines, quotes apart. */
static unsigned
count_lines(struct cursor c, uint8_t delimiter, unsigned *fields)
{
	bool quoted = false;
	unsigned lines = 0, n = 0;
	uint8_t b;

	while (lines < SNIFF_LINES && cursor_u8(&c, &b)) {
		if (b == '"' && delimiter != '\t')
			quoted = !quoted;
		else if (b == delimiter && !quoted)
			n++;
		if (b != '\n' || quoted)
			continue;
		fields[lines++] = n;
		n = 0;
	}
	/* The rest of the head is a line when it is all there is. */
	if (lines == 0 && c.len < ROWS_HEAD)
		fields[lines++] = n;
	return lines;
}

/* How many lines have as many as the first, which has some. */
static unsigned
sniff(struct cursor head, uint8_t *ret, unsigned *lines)
{
	static const uint8_t delimiters[] = {',', '\t', ';', '|'};
	unsigned fields[SNIFF_LINES], best = 0, same, n;

	*ret = ',';
	*lines = 0;
	for (unsigned d = 0; d < sizeof(delimiters); d++) {
		n = count_lines(head, delimiters[d], fields);
		same = 0;
		for (unsigned i = 0; i < n; i++)
			same += fields[0] > 0 && fields[i] == fields[0];
		if (same > best) {
			best = same;
			*ret = delimiters[d];
		}
		if (n > *lines)
			*lines = n;
	}
	return best;
}

static unsigned
csv_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	const struct rows_file *f = &p->file[0];
	unsigned same, lines;
	uint8_t delimiter;
	struct cursor c;

	cursor_init(&c, head, n, 0);
	(void)rows_mark(&c);
	if (rows_named(f, ".csv") || rows_named(f, ".tsv"))
		return 38;
	if (!textscan_head_any(c, bytesrc_size(f->src)))
		return 0;
	same = sniff(c, &delimiter, &lines);
	return same >= 3 && same == lines ? 14 : 0;
}

/* The next row's bytes; 1, 0 at the end, or negative. */
static int
take_row(struct csv *t, uint64_t *off, uint64_t *len, struct err *e)
{
	struct csvscan s = {.delimiter = t->delimiter,
	    .lines = is_lines(t)};
	struct reader *rd = &t->rd;
	const uint8_t *here;
	size_t n, left;
	bool end;
	int r;

	if (reader_left(rd) == 0)
		return 0;
	*off = reader_tell(rd);
	*len = 0;
	buf_clear(&t->row);
	do {
		if (rd->pos == rd->have && (r = reader_fill(rd, e)) < 0)
			return r;
		here = rd->win + rd->pos;
		left = rd->have - rd->pos;
		end = csvscan_row(&s, here, left, &n);
		rd->pos += n + end;
		*len += n;
		if (*len == n && n <= LIMIT_LINE &&
		    (end || reader_left(rd) == 0)) {
			t->at = here;
			break;
		}
		buf_put(&t->row, here, n);
		t->at = buf_failed(&t->row) ? NULL : t->row.p;
	} while (!end && reader_left(rd) > 0);
	if (buf_failed(&t->row) == ERR_NOMEM)
		return err_set(e, ERR_NOMEM, "out of memory");
	t->n = (size_t)*len;
	if (csvscan_open(&s))
		return rows_bad(t->p, 0, *off, "a quote is never closed", e);
	return 1;
}

static bool
is_taken(const struct csv *t, const char *name, size_t n)
{
	for (size_t i = 0; i < t->columns; i++)
		if (t->column[i].n == n &&
		    memcmp(t->column[i].name, name, n) == 0)
			return true;
	return false;
}

/* A name that no column before it has. */
static int
add_column(struct csv *t, const uint8_t *name, size_t n, struct err *e)
{
	char tail[24];
	unsigned k = 0;
	size_t len = n;

	if (n == 0) {
		(void)snprintf(tail, sizeof(tail), "%zu", t->columns);
		name = (const uint8_t *)tail;
		n = strlen(tail);
	}
	buf_clear(&t->text);
	buf_put(&t->text, name, n);
	/* Past a thousand columns this would be quadratic: names may recur. */
	while (t->columns < 1024 && is_taken(t, buf_str(&t->text),
	    t->text.len)) {
		if (k == 0 && len > 0)
			rows_tell(t->p, 0, 0, "two columns have one name");
		t->text.len = n;
		buf_printf(&t->text, ".%u", ++k);
	}
	if (buf_failed(&t->text) || (t->column[t->columns].name =
	    arena_dup(t->p->arena, buf_str(&t->text), t->text.len)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	t->column[t->columns++].n = t->text.len;
	return 0;
}

static int
header(struct csv *t, struct err *e)
{
	struct csvfields f;
	const uint8_t *p;
	struct buf name;
	uint64_t off, len;
	size_t n, count = 0;
	int r;

	if ((r = take_row(t, &off, &len, e)) <= 0)
		return r;
	if (t->at == NULL)
		return rows_bad(t->p, 0, off, "the header is too long", e);
	csvfields_init(&f, t->at, t->n, t->delimiter, is_lines(t));
	while (csvfields_next(&f, &p, &n, &t->text))
		count++;
	if (count > COLUMNS_MAX)
		return rows_bad(t->p, 0, off, "the header is too long", e);
	if ((t->column = arena_array(t->p->arena, count,
	    sizeof(t->column[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	buf_init(&name, LIMIT_LINE);
	csvfields_init(&f, t->at, t->n, t->delimiter, is_lines(t));
	while (r >= 0 && csvfields_next(&f, &p, &n, &name))
		r = add_column(t, p, n, e);
	buf_release(&name);
	return r;
}

/* To the first row, and the delimiter. */
static int
begin(struct csv *t, struct err *e)
{
	const struct bytesrc *src = t->p->file[0].src;
	uint8_t head[ROWS_HEAD];
	struct cursor c;
	unsigned lines;
	size_t n;
	int r;

	if ((r = bytesrc_read_some(src, 0, head, sizeof(head), &n, e)) < 0 ||
	    (r = reader_init(&t->rd, src, 0, t->p->window, t->p->arena,
	    e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	if (rows_mark(&c) && (r = reader_skip(&t->rd, c.off, e)) < 0)
		return r;
	(void)sniff(c, &t->delimiter, &lines);
	if (rows_named(&t->p->file[0], ".tsv"))
		t->delimiter = '\t';
	return 0;
}

/* Numbers for names, and back to the first row. */
static int
without_header(struct csv *t, struct err *e)
{
	char name[24];

	for (size_t i = 0; i < t->columns; i++) {
		(void)snprintf(name, sizeof(name), "%zu", i);
		t->column[i].n = strlen(name);
		if ((t->column[i].name = arena_dup(t->p->arena, name,
		    strlen(name))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	}
	return begin(t, e);
}

static int
csv_open(const struct rows_params *p, void **self, struct err *e)
{
	struct csv *t;
	int r;

	if ((t = arena_alloc(p->arena, sizeof(*t))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	t->p = p;
	if ((r = begin(t, e)) < 0)
		return r;
	buf_init(&t->row, LIMIT_LINE);
	buf_init(&t->text, LIMIT_LINE);
	if ((r = header(t, e)) < 0 ||
	    (p->headless && (r = without_header(t, e)) < 0)) {
		buf_release(&t->row);
		buf_release(&t->text);
		return r;
	}
	*self = t;
	return 0;
}

static void
csv_close(void *self)
{
	struct csv *t = self;

	buf_release(&t->row);
	buf_release(&t->text);
}

static int
csv_next(void *self, struct rows_record *ret, struct err *e)
{
	struct csv *t = self;
	int r;

	if ((r = take_row(t, &ret->off, &ret->len, e)) <= 0)
		return r;
	ret->verbatim = true;
	if (t->at == NULL) {
		rows_tell(t->p, 0, ret->off,
		    "a record is too long to be parsed");
		ret->damaged = true;
	}
	return 1;
}

static const uint8_t *
csv_raw(void *self)
{
	return ((const struct csv *)self)->at;
}

/* The column of that name, or its number; SIZE_MAX: there is none. */
static size_t
find_column(const struct csv *t, const char *path)
{
	size_t n = strlen(path);
	uint64_t k;

	for (size_t i = 0; i < t->columns; i++)
		if (t->column[i].n == n &&
		    memcmp(t->column[i].name, path, n) == 0)
			return i;
	return text_u64(path, n, 10, SIZE_MAX - 1, &k) ? (size_t)k : SIZE_MAX;
}

static int
csv_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct csv *t = self;
	size_t want = find_column(t, path), n;
	struct csvfields f;
	const uint8_t *p;

	if (want == SIZE_MAX)
		return 0;
	csvfields_init(&f, t->at, t->n, t->delimiter, is_lines(t));
	for (size_t i = 0; csvfields_next(&f, &p, &n, &t->text); i++) {
		if (i < want)
			continue;
		if (buf_failed(&t->text))
			return err_set(e, ERR_NOMEM, "out of memory");
		ret->type = ROWS_TEXT;
		ret->p = p;
		ret->n = n;
		return 0;
	}
	return 0;
}

static int
csv_json(void *self, struct buf *b, struct err *e)
{
	struct csv *t = self;
	struct rows_value v = {.type = ROWS_TEXT};
	struct csvfields f;

	csvfields_init(&f, t->at, t->n, t->delimiter, is_lines(t));
	buf_putc(b, '{');
	for (size_t i = 0; csvfields_next(&f, &v.p, &v.n, &t->text); i++) {
		if (buf_failed(&t->text))
			return err_set(e, ERR_NOMEM, "out of memory");
		buf_puts(b, i == 0 ? "" : ",");
		if (i < t->columns)
			value_key(b, (const uint8_t *)t->column[i].name,
			    t->column[i].n);
		else
			buf_printf(b, "\"%zu\":", i);
		value_json(b, &v);
	}
	buf_putc(b, '}');
	return 0;
}

static int
csv_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	const struct csv *t = self;
	char name[256];

	(void)e;
	for (size_t i = 0; i < t->columns; i++) {
		/* One that would be cut is found by its number. */
		(void)text_z(name, sizeof(name), t->column[i].name,
		    t->column[i].n);
		if (t->column[i].n >= sizeof(name))
			(void)snprintf(name, sizeof(name), "%zu", i);
		each(ctx, name, "string");
	}
	return 0;
}

const struct rows_format rows_csv = {
    .id = "csv",
    .flags = ROWS_FORWARD,
    .bid = csv_bid,
    .open = csv_open,
    .next = csv_next,
    .field = csv_field,
    .json = csv_json,
    .raw = csv_raw,
    .fields = csv_fields,
    .close = csv_close,
};
