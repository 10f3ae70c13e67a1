#include <stdio.h>
#include <string.h>

#include "analyzer/html.h"
#include "analyzer/jrow.h"
#include "analyzer/report.h"
#include "base/buf.h"

/*
 * Bytes that no format explains, and what was carved of them.
 */
#define ROWS_MAX 10000
#define RANGES_SHOWN 8

static bool
is_type(const struct jrow *row, const char *type)
{
	return strcmp(jrow_get(row, "type"), type) == 0;
}

static void
write_ranges(const struct jrow *o, struct buf *b)
{
	char off[64], len[64];
	unsigned i = 0;

	for (; i < RANGES_SHOWN; i++) {
		(void)snprintf(off, sizeof(off),
		    "coverage.unexplained_ranges.%u.0", i);
		(void)snprintf(len, sizeof(len),
		    "coverage.unexplained_ranges.%u.1", i);
		if (jrow_find(o, off) == NULL)
			return;
		if (i > 0)
			buf_puts(b, "<br>");
		buf_printf(b, "%llu, %llu bytes",
		    (unsigned long long)jrow_u64(o, off),
		    (unsigned long long)jrow_u64(o, len));
	}
	buf_puts(b, "<br>more stand in the result file");
}

static void
write_object(const struct jrow *o, struct buf *b)
{
	html_open(b, "tr", NULL);
	html_open(b, "td", "m");
	html_shown(b, jrow_get(o, "path"), strlen(jrow_get(o, "path")));
	html_close(b, "td");
	html_cell_u64(b, jrow_u64(o, "coverage.explained"));
	html_cell_u64(b, jrow_u64(o, "coverage.padding"));
	html_cell_u64(b, jrow_u64(o, "coverage.unexplained"));
	html_open(b, "td", "m");
	write_ranges(o, b);
	html_close(b, "td");
	html_close(b, "tr");
}

static void
write_carved(const struct jrow *c, struct buf *b)
{
	html_open(b, "tr", NULL);
	html_el(b, "td", "m", jrow_get(c, "file"));
	html_cell_u64(b, jrow_u64(c, "length"));
	html_open(b, "td", "m");
	html_shown(b, jrow_get(c, "path"), strlen(jrow_get(c, "path")));
	buf_puts(b, " @ ");
	html_str(b, jrow_get(c, "offset"));
	html_close(b, "td");
	html_close(b, "tr");
}

/* A table of the rows that ${wants} wants; nothing when there are none. */
static void
write_table(const struct report *r, const char *head,
    bool (*wants)(const struct jrow *row),
    void (*write)(const struct jrow *row, struct buf *b), struct buf *b)
{
	uint64_t n = 0;

	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		for (const struct jrow *o = s->first; o != NULL; o = o->next) {
			if (!wants(o) || ++n > ROWS_MAX)
				continue;
			if (n == 1)
				buf_puts(b, head);
			write(o, b);
		}
	if (n > 0)
		html_close(b, "table");
	if (n > ROWS_MAX)
		html_el(b, "p", "warn", "More stand in the result files.");
}

static bool
has_bare_bytes(const struct jrow *o)
{
	return is_type(o, "object") &&
	    jrow_u64(o, "coverage.unexplained") > 0;
}

static bool
was_carved(const struct jrow *c)
{
	return is_type(c, "carved");
}

void
report_write_bytes(const struct report *r, struct buf *b)
{
	write_table(r, "<h2>Bytes that no format explains</h2>"
	    "<p>Zeros among them are counted and are no finding.</p>"
	    "<table><tr><th>object</th><th>explained</th><th>padding</th>"
	    "<th>unexplained</th><th>where (offset, length)</th></tr>\n",
	    has_bare_bytes, write_object, b);
	write_table(r, "<h2>Carved</h2><p>Written to the folder that "
	    "<code>--carve</code> named; each file's name is its SHA-256.</p>"
	    "<table><tr><th>file</th><th>bytes</th><th>from</th></tr>\n",
	    was_carved, write_carved, b);
}
