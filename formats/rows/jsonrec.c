#include <string.h>

#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/jsonrec.h"
#include "formats/rows/jsonview.h"
#include "formats/rows/rows.h"

int
jsonrec_open(struct jsonrec *j, const struct rows_params *p, struct err *e)
{
	int r;

	memset(j, 0, sizeof(*j));
	j->p = p;
	if ((r = reader_init(&j->rd, p->file[0].src, 0, p->window, p->arena,
	    e)) < 0)
		return r;
	buf_init(&j->line, LIMIT_LINE);
	/* An escape is at most three times what it stands for. */
	buf_init(&j->scratch, 3 * LIMIT_LINE);
	return 0;
}

void
jsonrec_close(void *self)
{
	struct jsonrec *j = self;

	buf_release(&j->line);
	buf_release(&j->scratch);
}

int
jsonrec_begin(struct jsonrec *j, struct err *e)
{
	uint8_t head[3];
	struct cursor c;
	size_t n;
	int r;

	j->begun = true;
	if ((r = bytesrc_read_some(j->rd.src, 0, head, sizeof(head), &n,
	    e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	if (!rows_mark(&c))
		return 0;
	rows_tell(j->p, 0, 0, "the file begins with a byte order mark");
	return reader_skip(&j->rd, c.off, e);
}

void
jsonrec_take(struct jsonrec *j, const uint8_t *text, size_t n,
    struct rows_record *ret)
{
	size_t bad;

	j->text = text;
	j->n = n;
	j->off = ret->off;
	ret->verbatim = true;
	if (text == NULL) {
		rows_tell(j->p, 0, ret->off,
		    "a record is too long to be parsed");
		ret->damaged = true;
	} else if (!jsonview_check(text, n, &bad)) {
		rows_tell(j->p, 0, ret->off + bad, "a record is not JSON");
		ret->damaged = true;
	}
}

int
jsonrec_names(const struct jsonrec *j,
    int (*open)(const struct rows_params *p, void **self, struct err *e),
    int (*next)(void *self, struct rows_record *ret, struct err *e),
    void (*each)(void *ctx, const char *name, const char *type), void *ctx,
    struct err *e)
{
	struct rows_params quiet = *j->p;
	const struct jsonrec *look;
	struct rows_record rec;
	void *other;
	int r;

	quiet.tell = NULL;
	if ((r = open(&quiet, &other, e)) < 0)
		return r;
	do {
		memset(&rec, 0, sizeof(rec));
		r = next(other, &rec, e);
	} while (r == 1 && rec.damaged);
	look = other;
	if (r == 1)
		jsonview_keys(look->text, look->n, each, ctx);
	jsonrec_close(other);
	return r < 0 ? r : 0;
}

int
jsonrec_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct jsonrec *j = self;
	bool twice;
	int r;

	jsonview_get(j->text, j->n, path, ret, &twice, &j->scratch);
	if (twice)
		rows_tell(j->p, 0, j->off, "a key occurs twice");
	return (r = buf_failed(&j->scratch)) < 0 ?
	    err_set(e, (enum err_code)r, "a value is too long") : 0;
}

int
jsonrec_json(void *self, struct buf *b, struct err *e)
{
	const struct jsonrec *j = self;
	const bool object = jsonview_is_object(j->text, j->n);

	(void)e;
	buf_puts(b, object ? "" : "{\"value\":");
	jsonview_compact(b, j->text, j->n);
	buf_puts(b, object ? "" : "}");
	return 0;
}

const uint8_t *
jsonrec_raw(void *self)
{
	return ((const struct jsonrec *)self)->text;
}
