#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/jsonrec.h"
#include "formats/rows/jsonview.h"
#include "formats/rows/rows.h"

void
jsonrec_init(struct jsonrec *j, const struct rows_params *p)
{
	j->p = p;
	j->text = NULL;
	j->n = 0;
	j->off = 0;
	/* An escape is at most three times what it stands for. */
	buf_init(&j->scratch, 3 * LIMIT_LINE);
}

void
jsonrec_release(struct jsonrec *j)
{
	buf_release(&j->scratch);
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
jsonrec_field(struct jsonrec *j, const char *path, struct rows_value *ret,
    struct err *e)
{
	bool twice;
	int r;

	jsonview_get(j->text, j->n, path, ret, &twice, &j->scratch);
	if (twice)
		rows_tell(j->p, 0, j->off, "a key occurs twice");
	return (r = buf_failed(&j->scratch)) < 0 ?
	    err_set(e, (enum err_code)r, "a value is too long") : 0;
}

void
jsonrec_json(const struct jsonrec *j, struct buf *b)
{
	const bool object = jsonview_is_object(j->text, j->n);

	buf_puts(b, object ? "" : "{\"value\":");
	jsonview_compact(b, j->text, j->n);
	buf_puts(b, object ? "" : "}");
}
