#include <string.h>

#include "base/buf.h"
#include "base/text.h"
#include "formats/rows/civil.h"
#include "formats/rows/ndtype.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"

/* "[ns]", "[25s]": the ticks of a time, in ns. */
static int64_t
read_unit(struct cursor c)
{
	static const struct {
		const char *name;
		int64_t ns;
	} units[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000},
	    {"s", 1000000000}, {"m", INT64_C(60000000000)},
	    {"h", INT64_C(3600000000000)}, {"D", INT64_C(86400000000000)}};
	struct cursor name;

	if (!cursor_match(&c, (const uint8_t *)"[", 1) ||
	    !cursor_line(&c, ']', &name))
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (name.len == strlen(units[i].name) &&
		    memcmp(name.buf, units[i].name, name.len) == 0)
			return units[i].ns;
	return 0;
}

static bool
size_fits(char kind, uint64_t n)
{
	switch (kind) {
	case 'b':
		return n == 1;
	case 'i':
	case 'u':
		return n == 1 || n == 2 || n == 4 || n == 8;
	case 'f':
		return n == 2 || n == 4 || n == 8 || n == 12 || n == 16;
	case 'c':
		return n == 8 || n == 16 || n == 24 || n == 32;
	case 'M':
	case 'm':
		return n == 8;
	default:
		return kind == 'S' || kind == 'U' || kind == 'V';
	}
}

bool
ndtype_read(struct cursor c, struct ndtype *ret)
{
	struct ndtype t = {0};
	uint64_t n = 0;
	size_t from;
	uint8_t b;

	if (!cursor_u8(&c, &b))
		return false;
	/* The byte order may be left out: 'f8', 'O'. */
	t.big = b == '>';
	if ((b == '<' || b == '>' || b == '|' || b == '=') &&
	    !cursor_u8(&c, &b))
		return false;
	t.kind = (char)(b == 'a' ? 'S' : b == '?' ? 'b' : b);
	if (t.kind == 'O') {
		t.size = 8;
		*ret = t;
		return true;
	}
	from = c.off;
	while (cursor_peek(&c, 0, &b) && b >= '0' && b <= '9')
		if (!cursor_skip(&c, 1))
			return false;
	if (!text_u64((const char *)c.buf + from, c.off - from, 10,
	    UINT32_MAX, &n) || !size_fits(t.kind, n))
		return false;
	t.size = t.kind == 'U' ? 4 * n : n;
	if (t.kind == 'M')
		t.unit = read_unit(c);
	*ret = t;
	return t.kind == 'M' || t.kind == 'm' || cursor_at_end(&c);
}

static uint64_t
load(const uint8_t *p, size_t n, bool big)
{
	uint64_t v = 0;

	for (size_t i = 0; i < n; i++)
		v = v << 8 | p[big ? i : n - 1 - i];
	return v;
}

/* False: a width that this machine does not have. */
static bool
real(const uint8_t *p, size_t n, bool big, double *ret)
{
	uint64_t v = load(p, n < 8 ? n : 8, big);
	uint32_t v4 = (uint32_t)v;
	float f;

	if (n == 2) {
		*ret = civil_half((uint16_t)v);
	} else if (n == 4) {
		memcpy(&f, &v4, sizeof(f));
		*ret = (double)f;
	} else if (n == 8) {
		memcpy(ret, &v, sizeof(*ret));
	} else {
		return false;
	}
	return true;
}

static void
set_bytes(struct rows_value *v, enum rows_value_type type, const uint8_t *p,
    size_t n)
{
	v->type = type;
	v->p = p;
	v->n = n;
}

static void
set_int(struct rows_value *v, const struct ndtype *t, const uint8_t *p)
{
	uint64_t u = load(p, (size_t)t->size, t->big);
	unsigned bits = 64 - 8 * (unsigned)t->size;

	v->type = t->kind == 'b' ? ROWS_BOOL : ROWS_INT;
	v->u = u;
	v->i = (int64_t)u;
	if (t->kind == 'b')
		v->i = u != 0;
	else if (t->kind == 'u' && u > INT64_MAX)
		v->type = ROWS_UINT;
	else if (t->kind != 'u' && bits > 0)
		v->i = (int64_t)(u << bits) >> bits;
	/* NaT, and times beyond what ns since 1970 hold, stay ticks. */
	if (t->kind == 'M' && t->unit != 0 && v->i != INT64_MIN &&
	    v->i <= INT64_MAX / t->unit && v->i >= INT64_MIN / t->unit) {
		v->type = ROWS_TIME;
		v->i *= t->unit;
	}
}

/* UCS-4 up to its NULs, as UTF-8; what is no character as U+FFFD. */
static void
put_ucs4(struct buf *b, const struct ndtype *t, const uint8_t *p)
{
	size_t n = (size_t)t->size / 4;

	while (n > 0 && load(p + 4 * (n - 1), 4, t->big) == 0)
		n--;
	for (size_t i = 0; i < n; i++) {
		uint32_t c = (uint32_t)load(p + 4 * i, 4, t->big);

		if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
			c = 0xfffd;
		value_utf8(b, c);
	}
}

void
ndtype_element(const struct ndtype *t, const uint8_t *p,
    struct rows_value *v, struct buf *scratch)
{
	size_t n = (size_t)t->size;

	memset(v, 0, sizeof(*v));
	switch (t->kind) {
	case 'b':
	case 'i':
	case 'u':
	case 'M':
	case 'm':
		set_int(v, t, p);
		break;
	case 'f':
		v->type = ROWS_REAL;
		if (!real(p, n, t->big, &v->d))
			set_bytes(v, ROWS_BYTES, p, n);
		break;
	case 'c':
		buf_clear(scratch);
		ndtype_json(scratch, t, NULL, 0, p);
		set_bytes(v, ROWS_TREE, scratch->p, scratch->len);
		break;
	case 'S':
		while (n > 0 && p[n - 1] == 0)
			n--;
		set_bytes(v, text_is_utf8(p, n) ? ROWS_TEXT : ROWS_BYTES, p,
		    n);
		break;
	case 'U':
		buf_clear(scratch);
		put_ucs4(scratch, t, p);
		set_bytes(v, ROWS_TEXT, scratch->p, scratch->len);
		break;
	default:
		set_bytes(v, ROWS_BYTES, p, n);
	}
}

static void
put_element(struct buf *b, const struct ndtype *t, const uint8_t *p,
    struct buf *scratch)
{
	struct ndtype part = *t;
	struct rows_value v;

	if (t->kind != 'c') {
		ndtype_element(t, p, &v, scratch);
		value_json(b, &v);
		return;
	}
	part.kind = 'f';
	part.size /= 2;
	buf_putc(b, '[');
	ndtype_element(&part, p, &v, scratch);
	value_json(b, &v);
	buf_putc(b, ',');
	ndtype_element(&part, p + part.size, &v, scratch);
	value_json(b, &v);
	buf_putc(b, ']');
}

void
ndtype_json(struct buf *b, const struct ndtype *t, const uint64_t *shape,
    unsigned rank, const uint8_t *p)
{
	uint64_t at[NDTYPE_RANK] = {0};
	struct buf scratch;
	unsigned open = 0, k;
	bool empty = false;

	for (k = 0; k < rank; k++)
		empty |= shape[k] == 0;
	if (empty) {
		buf_puts(b, "[]");
		return;
	}
	/* A text of UCS-4 gets no longer than it was. */
	buf_init(&scratch, (size_t)t->size + 64);
	do {
		for (; open < rank; open++)
			buf_putc(b, '[');
		put_element(b, t, p, &scratch);
		p += t->size;
		for (k = rank; k > 0 && ++at[k - 1] == shape[k - 1]; k--) {
			at[k - 1] = 0;
			buf_putc(b, ']');
			open--;
		}
		if (k > 0)
			buf_putc(b, ',');
	} while (k > 0 && !buf_failed(b));
	buf_release(&scratch);
}
