#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "analyzer/triggers/datavalue.h"
#include "base/buf.h"
#include "formats/rows/rows.h"

void
datavalue_text(struct buf *b, const struct rows_value *v)
{
	switch (v->type) {
	case ROWS_TEXT:
	case ROWS_BYTES:
	case ROWS_TREE:
		buf_put(b, v->p, v->n);
		return;
	case ROWS_BOOL:
		buf_puts(b, v->i != 0 ? "true" : "false");
		return;
	case ROWS_INT:
	case ROWS_TIME:
		buf_printf(b, "%" PRId64, v->i);
		return;
	case ROWS_UINT:
		buf_printf(b, "%" PRIu64, v->u);
		return;
	case ROWS_REAL:
		/* A label that was stored as 1.0 is 1. */
		if (v->d == floor(v->d) && fabs(v->d) < 1e15)
			buf_printf(b, "%.0f", v->d);
		else
			buf_printf(b, "%.9g", v->d);
		return;
	case ROWS_ABSENT:
	case ROWS_NULL:
		return;
	}
}

bool
datavalue_is_image(const uint8_t *p, size_t n)
{
	static const struct {
		const char *magic;
		size_t n;
	} known[] = {{"\x89PNG\r\n\x1a\n", 8}, {"\xff\xd8\xff", 3},
	    {"BM", 2}, {"P5", 2}, {"P6", 2}};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (n > 16 && memcmp(p, known[i].magic, known[i].n) == 0)
			return true;
	return false;
}
