#include <string.h>

#include "analyzer/program.h"
#include "analyzer/rules.h"
#include "analyzer/wire.h"
#include "base/buf.h"
#include "base/limits.h"

const char *
program_class_name(enum policy_class c)
{
	switch (c) {
	case POLICY_ALLOW:
		return "allow";
	case POLICY_JUDGE:
		return "judge";
	case POLICY_DANGEROUS:
		return "dangerous";
	case POLICY_UNKNOWN:
		break;
	}
	return "unknown";
}

int
program_call(struct program *p, const struct ev_call *c, struct err *e)
{
	const struct policy_row *row;
	struct wire_call x = {.object = p->object, .stream = c->stream,
	    .flags = c->flags, .off = c->off, .index = c->index};
	struct buf args;
	int r;

	if (p->sent >= p->max)
		return 0;
	p->sent++;
	row = policy_judge(c->callee, rule_callee(c));
	x.cls = row != NULL ? row->cls : POLICY_UNKNOWN;
	x.opcode = (const uint8_t *)c->opcode;
	x.opcode_len = strlen(c->opcode);
	x.callee = (const uint8_t *)c->callee;
	x.callee_len = c->callee_len < LIMIT_RENDER ? c->callee_len :
	    LIMIT_RENDER;
	buf_init(&args, LIMIT_RENDER);
	format_call_args(c, &args);
	x.args = args.p;
	x.args_len = args.len;
	r = wire_send_call(p->w, &x, e);
	buf_release(&args);
	return r;
}
