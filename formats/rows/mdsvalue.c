#include <string.h>

#include "base/buf.h"
#include "base/cursor.h"
#include "formats/rows/jsonview.h"
#include "formats/rows/mdsvalue.h"
#include "formats/rows/ndtype.h"
#include "formats/rows/rows.h"

bool
mdsvalue_columns(const uint8_t *p, size_t n, struct mdscolumn *c,
    size_t columns)
{
	struct cursor cur;
	uint32_t size;

	cursor_init(&cur, p, n, 0);
	for (size_t i = 0; i < columns; i++) {
		c[i].len = c[i].size;
		if (c[i].fixed)
			continue;
		if (!cursor_u32le(&cur, &size))
			return false;
		c[i].len = size;
	}
	for (size_t i = 0; i < columns; i++) {
		c[i].off = cur.off;
		if (!cursor_skip(&cur, c[i].len))
			return false;
	}
	return cursor_at_end(&cur);
}

static bool
is(const struct mdscolumn *c, const char *code)
{
	return c->code_len == strlen(code) &&
	    memcmp(c->code, code, c->code_len) == 0;
}

static bool
starts(const struct mdscolumn *c, const char *code)
{
	size_t n = strlen(code);

	return c->code_len >= n && memcmp(c->code, code, n) == 0;
}

bool
mdsvalue_is_code(const struct mdscolumn *c)
{
	return is(c, "pkl");
}

/* NumPy's type of a number, when the value has its size. */
static bool
number_type(const struct mdscolumn *c, struct ndtype *ret)
{
	static const struct {
		const char *code;
		char kind;
		uint8_t size;
	} types[] = {{"int", 'i', 8}, {"int8", 'i', 1}, {"int16", 'i', 2},
	    {"int32", 'i', 4}, {"int64", 'i', 8}, {"uint8", 'u', 1},
	    {"uint16", 'u', 2}, {"uint32", 'u', 4}, {"uint64", 'u', 8},
	    {"float16", 'f', 2}, {"float32", 'f', 4}, {"float64", 'f', 8}};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (is(c, types[i].code) && c->len == types[i].size) {
			memset(ret, 0, sizeof(*ret));
			ret->kind = types[i].kind;
			ret->size = types[i].size;
			return true;
		}
	return false;
}

bool
mdsvalue_get(const struct mdscolumn *c, const uint8_t *sample,
    const char *path, struct rows_value *v, bool *twice, struct buf *scratch)
{
	static const uint8_t nothing[1];
	const uint8_t *p = c->len > 0 ? sample + c->off : nothing;
	const bool json = is(c, "json");
	struct ndtype t;

	*twice = false;
	memset(v, 0, sizeof(*v));
	buf_clear(scratch);
	if (json && jsonview_value(p, c->len, path, v, twice, scratch))
		return true;
	if (*path != '\0')
		return !json;
	if (number_type(c, &t)) {
		ndtype_element(&t, p, v, scratch);
		return true;
	}
	v->type = is(c, "str") || starts(c, "str_") ? ROWS_TEXT : ROWS_BYTES;
	v->p = p;
	v->n = c->len;
	return true;
}
