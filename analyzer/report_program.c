#include <string.h>

#include "analyzer/html.h"
#include "analyzer/jrow.h"
#include "analyzer/report.h"
#include "base/buf.h"

/*
 * What loading an object would run: its calls, in their order, as the scan
 * told them.  Rows of one object stand together in a result.
 */
#define LINES_MAX 5000

static bool
is_call(const struct jrow *row)
{
	return strcmp(jrow_get(row, "type"), "call") == 0;
}

static void
shown(struct buf *b, const struct jrow *c, const char *key)
{
	const char *s = jrow_get(c, key);

	html_shown(b, s, strlen(s));
}

static void
write_line(const struct jrow *c, struct buf *b)
{
	bool danger = strcmp(jrow_get(c, "class"), "dangerous") == 0;

	buf_printf(b, "%8llu  ", (unsigned long long)jrow_u64(c, "offset"));
	html_open(b, danger ? "b" : "span", NULL);
	shown(b, c, "callee");
	buf_puts(b, "(");
	shown(b, c, "arguments");
	buf_puts(b, ")");
	html_close(b, danger ? "b" : "span");
	buf_puts(b, "  # ");
	shown(b, c, "opcode");
	buf_puts(b, ", ");
	shown(b, c, "class");
	buf_puts(b, "\n");
}

static void
write_programs_of(const struct report_source *s, struct buf *b,
    uint64_t *lines)
{
	const char *path = NULL;

	for (const struct jrow *c = s->first; c != NULL; c = c->next) {
		if (!is_call(c) || ++*lines > LINES_MAX)
			continue;
		if (path == NULL || strcmp(path, jrow_get(c, "path")) != 0) {
			if (path != NULL)
				html_close(b, "pre");
			path = jrow_get(c, "path");
			html_open(b, "h3", "m");
			shown(b, c, "path");
			html_close(b, "h3");
			html_open(b, "pre", "m");
		}
		write_line(c, b);
	}
	if (path != NULL)
		html_close(b, "pre");
}

void
report_write_programs(const struct report *r, struct buf *b)
{
	uint64_t lines = 0;

	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		for (const struct jrow *c = s->first; c != NULL && lines == 0;
		    c = c->next)
			lines = is_call(c);
	if (lines == 0)
		return;
	lines = 0;
	html_el(b, "h2", NULL, "Programs");
	html_el(b, "p", NULL, "What loading each object would run: offset, "
	    "call, opcode, and what the policy thinks of the callee.");
	for (const struct report_source *s = r->sources; s != NULL;
	    s = s->next)
		write_programs_of(s, b, &lines);
	if (lines > LINES_MAX)
		html_el(b, "p", "warn",
		    "More calls stand in the result files.");
}
