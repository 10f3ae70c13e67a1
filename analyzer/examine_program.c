#include "analyzer/attempt.h"
#include "analyzer/examine.h"
#include "analyzer/program.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"

/* A second parse: the calls alone, as the program that loading runs. */
struct program_run {
	struct program program;
	struct err *e;
};

static int
on_program_call(void *ctx, const struct ev_call *c)
{
	struct program_run *run = ctx;

	return program_call(&run->program, c, run->e);
}

int
examine_program(struct examine *x, const struct attempt *at,
    const struct bytesrc *src, uint32_t index, unsigned depth,
    struct err *e)
{
	static const struct events events = {.call = on_program_call};
	const unsigned mode = x->job->program;
	struct program_run run = {.program = {.w = x->wire,
	    .object = index, .max = mode == PROGRAM_ALL ?
	    PROGRAM_MAX_ALL : PROGRAM_MAX_JUDGED}, .e = e};
	struct parse p = {.src = src, .ev = &events, .ctx = &run,
	    .e = e, .depth = depth};
	int r;

	if (at->calls == 0 || mode == PROGRAM_NONE ||
	    (mode == PROGRAM_JUDGED && !at->judged))
		return 0;
	if ((p.arena = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	p.size = bytesrc_size(p.src);
	r = at->format->parse(&p);
	arena_free(p.arena);
	/* Whatever else ended the parse has been told the first time. */
	if (r == ERR_NOMEM || r == ERR_LIMIT) {
		err_reset(e);
		return 0;
	}
	return r < 0 ? r : 0;
}
