#include "formats/logs/shape.h"

void
tell(struct logs_ctx *c, enum logs_problem id, uint64_t off, uint64_t len,
    const char *what)
{
	struct logs_told t = {.id = id, .path = c->f->path,
	    .path_len = c->f->path_len, .off = off, .len = len, .what = what,
	    .line = c->raw_no};

	if (++c->acc.problem[id] > LIMIT_LOG_TOLD || c->stop < 0)
		return;
	c->stop = c->p->ev->problem(c->p->ev->ctx, &t);
}

void
tell_once(struct logs_ctx *c, enum logs_problem id, const char *what)
{
	if (c->acc.problem[id] == 0)
		tell(c, id, c->raw_off, c->raw_n, what);
}
