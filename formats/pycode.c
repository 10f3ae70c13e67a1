#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/format.h"
#include "formats/pycode.h"

/* A literal of PYCODE_TEXT bytes, each of them an escape, and its quotes. */
#define LITERAL_MAX (PYCODE_TEXT * TEXT_GROWTH + 16)
_Static_assert(LITERAL_MAX < LIMIT_RENDER, "a literal fits in an empty list");

void
pycode_init(struct pycode *c, struct parse *p, uint64_t off, uint64_t len)
{
	memset(c, 0, sizeof(*c));
	c->p = p;
	c->off = off;
	c->len = len;
	for (unsigned i = 0; i < PYCODE_LISTS; i++)
		buf_init(&c->list[i], LIMIT_RENDER);
}

static struct fact
text_fact(const char *key, const void *p, size_t n)
{
	return (struct fact)FACT_TEXT(key, p != NULL ? p : "",
	    p != NULL ? n : 0);
}

static int
tell(struct pycode *c)
{
	const struct buf *names = &c->list[PYCODE_NAMES];
	const struct buf *constants = &c->list[PYCODE_CONSTANTS];
	const struct fact facts[] = {
	    text_fact("code", c->name, c->name_len),
	    text_fact("file", c->file, c->file_len),
	    text_fact("names", names->p, names->len),
	    text_fact("constants", constants->p, constants->len),
	    FACT_NUM("module", 1)};

	c->told++;
	return format_anomaly(c->p, ANOMALY_PYTHON_CODE, c->off, c->len,
	    facts, c->module ? 5 : 4);
}

/* A quote inside is an escape, so that a literal ends where it seems to. */
static void
put_quoted(struct buf *b, const char *p, size_t n)
{
	const char *quote;
	size_t run;

	buf_puts(b, b->len > 0 ? ", '" : "'");
	while (n > 0) {
		quote = memchr(p, '\'', n);
		run = quote != NULL ? (size_t)(quote - p) : n;
		text_put(b, p, run, TEXT_PLAIN);
		if (quote != NULL)
			buf_puts(b, "\\'");
		run += quote != NULL;
		p += run;
		n -= run;
	}
}

void
pycode_put(struct pycode *c, enum pycode_list list, const void *text,
    size_t n)
{
	struct buf *b = &c->list[list];
	const size_t most = n < PYCODE_TEXT ? n : PYCODE_TEXT;

	if (c->r < 0)
		return;
	if (LITERAL_MAX > LIMIT_RENDER - b->len) {
		c->r = tell(c);
		buf_clear(&c->list[PYCODE_NAMES]);
		buf_clear(&c->list[PYCODE_CONSTANTS]);
	}
	put_quoted(b, text, most);
	buf_puts(b, n > most ? "...'" : "'");
}

int
pycode_end(struct pycode *c)
{
	const bool more = c->told == 0 || c->list[PYCODE_NAMES].len > 0 ||
	    c->list[PYCODE_CONSTANTS].len > 0;

	for (unsigned i = 0; i < PYCODE_LISTS; i++)
		if (c->r == 0 && buf_failed(&c->list[i]) < 0)
			c->r = ERR_NOMEM;
	if (c->r == 0 && more)
		c->r = tell(c);
	for (unsigned i = 0; i < PYCODE_LISTS; i++)
		buf_release(&c->list[i]);
	return c->r;
}
