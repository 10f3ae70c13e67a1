#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"

static void
put_unit(struct buf *b, uint32_t unit)
{
	buf_printf(b, "\\u%04" PRIx32, unit);
}

void
value_escape(struct buf *b, uint32_t cp)
{
	if (cp < 0x10000) {
		put_unit(b, cp);
		return;
	}
	put_unit(b, 0xd800 + ((cp - 0x10000) >> 10));
	put_unit(b, 0xdc00 + ((cp - 0x10000) & 0x3ff));
}

void
value_utf8(struct buf *b, uint32_t cp)
{
	if (cp < 0x80) {
		buf_putc(b, (char)cp);
		return;
	}
	if (cp < 0x800) {
		buf_putc(b, (char)(0xc0 | cp >> 6));
	} else {
		if (cp < 0x10000) {
			buf_putc(b, (char)(0xe0 | cp >> 12));
		} else {
			buf_putc(b, (char)(0xf0 | cp >> 18));
			buf_putc(b, (char)(0x80 | (cp >> 12 & 63)));
		}
		buf_putc(b, (char)(0x80 | (cp >> 6 & 63)));
	}
	buf_putc(b, (char)(0x80 | (cp & 63)));
}

/* Bytes that stand in a string as they are, from p[0] on. */
static size_t
plain_run(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] >= 0x20 && p[i] < 0x7f && p[i] != '"' &&
	    p[i] != '\\')
		i++;
	return i;
}

static void
put_special(struct buf *b, uint8_t c)
{
	switch (c) {
	case '"':
	case '\\':
		buf_putc(b, '\\');
		buf_putc(b, (char)c);
		break;
	case '\n':
		buf_puts(b, "\\n");
		break;
	case '\r':
		buf_puts(b, "\\r");
		break;
	case '\t':
		buf_puts(b, "\\t");
		break;
	default:
		put_unit(b, c);
	}
}

/* UTF-8 as a JSON string, quotes and all. */
static void
put_string(struct buf *b, const uint8_t *p, size_t n)
{
	size_t i = 0, len;
	uint32_t cp = 0;

	buf_putc(b, '"');
	while (i < n) {
		if ((len = plain_run(p + i, n - i)) > 0) {
			buf_put(b, p + i, len);
			i += len;
			continue;
		}
		if (p[i] < 0x80) {
			put_special(b, p[i++]);
			continue;
		}
		if ((len = text_utf8_len(p + i, n - i, &cp)) == 0) {
			put_unit(b, p[i++]);
			continue;
		}
		if (text_cp_printable(cp))
			buf_put(b, p + i, len);
		else
			value_escape(b, cp);
		i += len;
	}
	buf_putc(b, '"');
}

void
value_key(struct buf *b, const uint8_t *p, size_t n)
{
	put_string(b, p, n);
	buf_putc(b, ':');
}

static void
put_bytes(struct buf *b, const uint8_t *p, size_t n)
{
	buf_puts(b, "{\"base64\":\"");
	buf_base64(b, p, n);
	buf_puts(b, "\"}");
}

static void
put_real(struct buf *b, double d)
{
	char text[40];

	if (!isfinite(d)) {
		buf_puts(b, isnan(d) ? "\"NaN\"" : d > 0 ? "\"Infinity\"" :
		    "\"-Infinity\"");
		return;
	}
	/* The shortest that reads back as the same value; 17 always does. */
	for (int digits = 15; digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, d);
		if (!(strtod(text, NULL) < d) && !(strtod(text, NULL) > d))
			break;
	}
	buf_puts(b, text);
}

void
value_json(struct buf *b, const struct rows_value *v)
{
	char text[CLOCK_TEXT];

	switch (v->type) {
	case ROWS_ABSENT:
	case ROWS_NULL:
		buf_puts(b, "null");
		break;
	case ROWS_BOOL:
		buf_puts(b, v->i != 0 ? "true" : "false");
		break;
	case ROWS_INT:
		buf_printf(b, "%" PRId64, v->i);
		break;
	case ROWS_UINT:
		buf_printf(b, "%" PRIu64, v->u);
		break;
	case ROWS_REAL:
		put_real(b, v->d);
		break;
	case ROWS_TEXT:
		if (text_is_utf8(v->p, v->n))
			put_string(b, v->p, v->n);
		else
			put_bytes(b, v->p, v->n);
		break;
	case ROWS_BYTES:
		put_bytes(b, v->p, v->n);
		break;
	case ROWS_TIME:
		buf_printf(b, "\"%s\"", clock_rfc3339(text, v->i, 9));
		break;
	case ROWS_TREE:
		buf_put(b, v->p, v->n);
		break;
	}
}
