#include <string.h>

#include "analyzer/sink.h"
#include "base/buf.h"
#include "base/limits.h"
#include "base/text.h"

/*
 * scan --decompile: the programs alone, each below the name of its object.
 * A line: offset, opcode, the call as Python would write it, and behind '#'
 * what the policy thinks of the callee.
 */
void
sink_program_line(struct buf *b, const struct sink *s,
    const struct result_call *c, unsigned indent)
{
	static const char *const notes[] = {NULL, "deferred", "unframed view",
	    "carved"};
	bool danger = strcmp(c->cls, "dangerous") == 0;

	buf_printf(b, "%*s%08llx  %-12s ", (int)indent, "",
	    (unsigned long long)c->off, c->opcode);
	if (danger && s->colour)
		buf_puts(b, "\033[1;31m");
	text_put_literal(b, c->callee, c->callee_len);
	buf_putc(b, '(');
	text_put_literal(b, c->args, c->args_len);
	buf_putc(b, ')');
	if (danger && s->colour)
		buf_puts(b, "\033[0m");
	buf_printf(b, "  # %s", c->cls);
	for (unsigned i = 1; i < 4; i++)
		if ((c->flags & 1U << i) != 0)
			buf_printf(b, ", %s", notes[i]);
	buf_putc(b, '\n');
}

static int
program_header(struct sink *s, const struct result_header *h, struct err *e)
{
	(void)s;
	(void)h;
	(void)e;
	return 0;
}

static int
program_object(struct sink *s, const struct result_object *o, struct err *e)
{
	struct buf b;

	if (o->calls == 0)
		return 0;
	buf_init(&b, 64 * KIB);
	buf_printf(&b, "# %s: %llu calls, %s\n", o->path,
	    (unsigned long long)o->calls, verdict_name(o->verdict));
	return sink_flush(s, &b, e);
}

static int
program_finding(struct sink *s, const struct result_finding *f,
    struct err *e)
{
	(void)s;
	(void)f;
	(void)e;
	return 0;
}

static int
program_call(struct sink *s, const struct result_call *c, struct err *e)
{
	struct buf b;

	buf_init(&b, 64 * KIB);
	sink_program_line(&b, s, c, 0);
	return sink_flush(s, &b, e);
}

static int
program_carved(struct sink *s, const struct result_carved *c, struct err *e)
{
	(void)s;
	(void)c;
	(void)e;
	return 0;
}

static int
program_summary(struct sink *s, const struct result_summary *r,
    struct err *e)
{
	(void)s;
	(void)r;
	(void)e;
	return 0;
}

const struct sink_ops sink_program = {"program", program_header,
    program_object, program_finding, program_call, program_carved,
    program_summary, NULL};
