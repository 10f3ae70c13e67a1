#include <string.h>

#include "analyzer/diff/around.h"
#include "analyzer/diff/around_config.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/flatjson.h"
#include "formats/pyoutline.h"

/*
 * Texts as keys and values, so that what moved or was laid out anew is no
 * change: code by what it defines, requirements by package, a licence by its
 * words.
 */
typedef int outline_fn(struct flatjson *f, const uint8_t *t, size_t n,
    struct err *e);

static int
outline(const struct doc *d, outline_fn *fn, struct arena *arena,
    struct flat_list *ret, struct err *e)
{
	struct flatjson f = {.a = arena};
	const uint8_t *t;
	size_t n;
	int r;

	if ((r = around_read(d, arena, &t, &n, e)) != 0)
		return r;
	if (d != NULL && (r = fn(&f, t, n, e)) != 0) {
		if (r != ERR_LIMIT)
			return r;
		err_reset(e);
		return 1;
	}
	return flatjson_done(&f, ret, e);
}

static int
compare(const struct doc *old, const struct doc *new, outline_fn *fn,
    enum change_area area, const struct rows *rows, struct arena *arena,
    struct err *e)
{
	const struct doc *shown = new != NULL ? new : old;
	struct flat_list a, b;
	int r;

	if ((r = outline(old, fn, arena, &a, e)) != 0 ||
	    (r = outline(new, fn, arena, &b, e)) != 0)
		return r;
	return around_flat(&a, &b, area, (struct row_text){shown->path,
	    shown->path_len}, rows, e);
}

/* Words with one blank between them. */
static int
outline_words(struct flatjson *f, const uint8_t *t, size_t n, struct err *e)
{
	struct cursor c;
	struct buf b;
	bool blank = false;
	uint8_t x;
	int r;

	buf_init(&b, AROUND_TEXT_MAX);
	cursor_init(&c, t, n, 0);
	while (cursor_u8(&c, &x)) {
		if (x == ' ' || (x >= '\t' && x <= '\r')) {
			blank = b.len > 0;
			continue;
		}
		if (blank)
			buf_putc(&b, ' ');
		blank = false;
		buf_putc(&b, (char)x);
	}
	r = buf_failed(&b) < 0 ? err_set(e, ERR_NOMEM, "out of memory") :
	    flatjson_put(f, flatjson_leaf("text", 4, FLAT_STRING, b.p,
	    b.len), e);
	buf_release(&b);
	return r;
}

/* What is cut off ends at the end. */
static void
step(struct cursor *c, size_t n)
{
	while (n > 0 && cursor_skip(c, 1))
		n--;
}

static bool
name_byte(uint8_t x)
{
	return (x >= '0' && x <= '9') || (x >= 'a' && x <= 'z') ||
	    (x >= 'A' && x <= 'Z') || x == '-' || x == '_' || x == '.';
}

/*
 * A line of requirements.txt: the package's name, folded as PEP 503 has it,
 * is the key; options of pip are their own key.
 */
static int
requirement(struct flatjson *f, struct cursor line, struct err *e)
{
	struct buf key, value;
	bool in_name = true;
	uint8_t x;
	int r;

	buf_init(&key, 4096);
	buf_init(&value, 64 * KIB);
	while (cursor_u8(&line, &x)) {
		if (x == '#' || x == '\r')
			break;
		if (x == ' ' || x == '\t')
			continue;
		in_name = in_name && name_byte(x);
		if (!in_name)
			buf_putc(&value, (char)x);
		else if (x == '_' || x == '.')
			buf_putc(&key, '-');
		else
			buf_putc(&key, (char)(x >= 'A' && x <= 'Z' ?
			    x - 'A' + 'a' : x));
	}
	r = buf_failed(&key) < 0 || buf_failed(&value) < 0 || key.len == 0 ?
	    0 : flatjson_put(f, flatjson_leaf((const char *)key.p, key.len,
	    FLAT_STRING, value.p != NULL ? value.p : (const uint8_t *)"",
	    value.len), e);
	buf_release(&key);
	buf_release(&value);
	return r;
}

static int
outline_requirements(struct flatjson *f, const uint8_t *t, size_t n,
    struct err *e)
{
	struct cursor c, line;
	size_t len;
	uint8_t x;
	int r = 0;

	cursor_init(&c, t, n, 0);
	while (r >= 0 && !cursor_at_end(&c)) {
		for (len = 0; cursor_peek(&c, len, &x) && x != '\n'; len++)
			;
		if (!cursor_sub(&c, len, &line))
			break;
		step(&c, 1);
		r = requirement(f, line, e);
	}
	return r;
}

int
around_code(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e)
{
	return compare(old, new, pyoutline_put, CHANGE_CODE, rows, arena, e);
}

int
around_licence(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e)
{
	return compare(old, new, outline_words, CHANGE_LICENCE, rows, arena,
	    e);
}

int
around_requirements(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e)
{
	return compare(old, new, outline_requirements, CHANGE_DEPENDENCIES,
	    rows, arena, e);
}
