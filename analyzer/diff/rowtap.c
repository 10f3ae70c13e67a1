#include "analyzer/diff/rowtap.h"

static int
on_input(void *ctx, const struct row_input *r)
{
	const struct rowtap *t = ctx;

	return t->to.input(t->to.ctx, r);
}

static int
on_tensor(void *ctx, const struct row_tensor *r)
{
	const struct rowtap *t = ctx;

	return t->to.tensor(t->to.ctx, r);
}

static int
on_conclusion(void *ctx, const struct row_conclusion *r)
{
	const struct rowtap *t = ctx;

	return t->to.conclusion(t->to.ctx, r);
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	const struct rowtap *t = ctx;

	return t->to.candidate(t->to.ctx, r);
}

static int
on_change(void *ctx, const struct row_change *r)
{
	const struct rowtap *t = ctx;

	return t->to.change(t->to.ctx, r);
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	const struct rowtap *t = ctx;

	return t->to.detector(t->to.ctx, r);
}

static int
on_version(void *ctx, const struct row_version *r)
{
	const struct rowtap *t = ctx;

	return t->to.version(t->to.ctx, r);
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	const struct rowtap *t = ctx;

	return t->to.caller(t->to.ctx, r);
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	const struct rowtap *t = ctx;

	return t->to.finding(t->to.ctx, side, path, f);
}

void
rowtap_init(struct rowtap *t, const struct rows *to)
{
	t->to = *to;
	t->rows = (struct rows){.input = on_input, .tensor = on_tensor,
	    .conclusion = on_conclusion, .candidate = on_candidate,
	    .change = on_change, .detector = on_detector,
	    .version = on_version, .caller = on_caller,
	    .finding = on_finding, .ctx = t};
}
