#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/diff_wire_tags.h"
#include "base/buf.h"
#include "base/limits.h"
#include "tests/lib/basis_case.h"
#include "tests/lib/diff_case.h"
#include "tests/lib/model_case.h"

static void
copy(char dst[DIFF_CASE_TEXT], struct row_text t)
{
	size_t n = t.n < DIFF_CASE_TEXT - 1 ? t.n : DIFF_CASE_TEXT - 1;

	if (t.p != NULL)
		memcpy(dst, t.p, n);
	dst[t.p != NULL ? n : 0] = '\0';
}

static int
on_input(void *ctx, const struct row_input *r)
{
	struct diff_case *c = ctx;

	assert_true(c->ninputs < DIFF_CASE_ROWS);
	copy(c->input[c->ninputs], r->path);
	c->complete[c->ninputs++] = r->complete;
	return 0;
}

static void
take_half(struct diff_case_tensor *t, unsigned s, const struct row_half *h)
{
	t->rank[s] = h->rank;
	for (unsigned i = 0; i < h->rank && i < 3; i++)
		t->shape[s][i] = h->shape[i];
	t->digest[s] = h->digest;
	memcpy(t->sha256[s], h->sha256, 32);
}

static void
take_more(struct diff_case_tensor *t, struct basis *more)
{
	struct buf b;
	size_t n;

	if (more == NULL)
		return;
	buf_init(&b, MIB);
	basis_case_put(more, &b);
	n = b.len < sizeof(t->more) - 1 ? b.len : sizeof(t->more) - 1;
	memcpy(t->more, buf_str(&b), n);
	buf_release(&b);
}

static int
on_tensor(void *ctx, const struct row_tensor *r)
{
	struct diff_case *c = ctx;
	struct diff_case_tensor *t = &c->tensor[c->ntensors];

	assert_true(c->ntensors++ < DIFF_CASE_ROWS);
	copy(t->name, r->name);
	t->status = r->status;
	t->measured = r->measured;
	t->changed = r->changed;
	t->rel = r->rel_l2;
	t->cosine = r->cosine;
	for (unsigned s = 0; s < 2; s++)
		take_half(t, s, &r->half[s]);
	take_more(t, r->more);
	return 0;
}

static int
on_conclusion(void *ctx, const struct row_conclusion *r)
{
	struct diff_case *c = ctx;

	c->conclusion[r->kind]++;
	c->conclusions++;
	return 0;
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	struct diff_case *c = ctx;

	c->candidates += !r->lead;
	c->leads += r->lead;
	return 0;
}

static int
on_change(void *ctx, const struct row_change *r)
{
	struct diff_case *c = ctx;
	struct diff_case_change *x = &c->change[c->nchanges];

	assert_true(c->nchanges++ < DIFF_CASE_ROWS);
	x->area = r->area;
	x->what = r->what;
	copy(x->path, r->path);
	copy(x->key, r->key);
	copy(x->old, r->old);
	copy(x->new, r->new);
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	struct diff_case *c = ctx;

	(void)r;
	c->ndetectors++;
	return 0;
}

static int
on_version(void *ctx, const struct row_version *r)
{
	struct diff_case *c = ctx;

	c->nversions++;
	c->distance = r->distance;
	c->shared = r->shared;
	c->identical = r->identical;
	return 0;
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	(void)ctx;
	(void)r;
	fail_msg("a comparison has no callers");
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	struct diff_case *c = ctx;

	(void)side;
	copy(c->at, path);
	c->finding[f->id]++;
	c->findings++;
	return 0;
}

static void
take(struct diff_case *c, struct diff_wire_in *in, const struct frame *f)
{
	const struct rows rows = {on_input, on_tensor, on_conclusion,
	    on_candidate, on_change, on_detector, on_version, on_caller,
	    on_finding, c};
	uint64_t bytes;

	if (f->type == DIFF_FRAME_DONE)
		c->done = diff_wire_read_done(f, &bytes);
	else if (f->type != DIFF_FRAME_PROGRESS &&
	    f->type != DIFF_FRAME_STATUS && f->type != DIFF_FRAME_SKIP &&
	    f->type != DIFF_FRAME_CARVE)
		assert_int_equal(diff_wire_take(in, f, &rows), 0);
}

static void
read_rows(struct diff_case *c, int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	struct diff_wire_in *in = calloc(1, sizeof(*in));
	uint8_t *p = malloc((size_t)size + 1);
	struct frame f;
	uint32_t n;
	bool ok;

	assert_true(in != NULL && p != NULL);
	assert_int_equal(pread(fd, p, (size_t)size, 0), size);
	diff_wire_in_init(in);
	for (size_t at = 0; at < (size_t)size; at += FRAME_HEADER + n) {
		n = frame_size(p + at, &ok);
		assert_true(ok && frame_parse(&f, p[at + 4],
		    p + at + FRAME_HEADER, n));
		take(c, in, &f);
	}
	diff_wire_in_release(in);
	free(in);
	free(p);
}

void
diff_case_run(struct diff_case *c, const struct job_side *old,
    const struct job_side *new, enum diff_mode mode)
{
	struct diff_job job = {.side = {*old, *new}, .mode = mode,
	    .tokenizer = {.fd = -1}, .threads = 1, .sha256 = true,
	    .spool_fd = model_case_spool()};
	int out = model_case_spool();

	memset(c, 0, sizeof(*c));
	c->status = diff_worker_main(&job, out);
	read_rows(c, out);
	(void)close(out);
	(void)close(job.spool_fd);
}

void
diff_case_models(struct diff_case *c, struct model_case *old,
    struct model_case *new, enum diff_mode mode)
{
	diff_case_run(c, &old->side, &new->side, mode);
	model_case_free(old);
	model_case_free(new);
	assert_int_equal(c->status, 0);
}

const struct diff_case_tensor *
diff_case_tensor(const struct diff_case *c, const char *name)
{
	for (unsigned i = 0; i < c->ntensors; i++)
		if (strcmp(c->tensor[i].name, name) == 0)
			return &c->tensor[i];
	fail_msg("no tensor %s", name);
	return NULL;
}

unsigned
diff_case_changes(const struct diff_case *c, enum change_area area,
    const char *key)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->nchanges; i++)
		n += c->change[i].area == area && (key == NULL ||
		    strcmp(c->change[i].key, key) == 0);
	return n;
}
