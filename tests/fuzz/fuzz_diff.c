#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/diff_wire_tags.h"
#include "analyzer/diff/job.h"
#include "base/limits.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * The worker of a comparison, without its fence: every row that it sends must
 * pass its parent's gate, and mean what it says.
 *
 * The input is a model.  It is compared with itself: nothing may have changed.
 * Then its last byte says what it is compared with: as many changed bytes as
 * the byte says (two bytes where, one byte what, in front of it); or, from
 * 0x80 on, the input is two models, cut where the two bytes in front say.
 */
struct told {
	bool same;		/* both sides are the same bytes */
	unsigned tensors, identical, all_equal;
};

static void
law(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "fuzz_diff: %s\n", what);
	abort();
}

static void
check_basis(struct basis *s)
{
	const uint8_t *p;
	size_t n;

	if (s == NULL)
		return;
	p = basis_bytes(s, &n);
	law(basis_check(p, n), "evidence is not well formed");
}

static int
on_input(void *ctx, const struct row_input *r)
{
	(void)ctx;
	law(r->side < ROW_SIDES && r->format != NULL, "an input of no side");
	return 0;
}

static int
on_tensor(void *ctx, const struct row_tensor *r)
{
	const struct row_half *a = &r->half[ROW_OLD], *b = &r->half[ROW_NEW];
	struct told *t = ctx;

	t->tensors++;
	check_basis(r->more);
	law(a->there || b->there, "a tensor of no side");
	law(r->changed <= r->elements, "more changed than there is");
	law(!r->measured || (a->there && b->there), "measured alone");
	law((r->status == ROW_ADDED) <= !a->there, "added, and was there");
	law((r->status == ROW_REMOVED) <= !b->there, "removed, and is there");
	if (r->status == ROW_IDENTICAL) {
		t->identical++;
		law(r->measured && r->changed == 0, "identical, and changed");
		law(a->digested && b->digested && a->digest == b->digest,
		    "identical, of other digests");
		law(!a->has_sha256 || memcmp(a->sha256, b->sha256, 32) == 0,
		    "identical, of other SHA-256");
		law(a->rank == b->rank && (a->rank == 0 || memcmp(a->shape,
		    b->shape, a->rank * sizeof(*a->shape)) == 0),
		    "identical, of another shape");
	}
	law(!t->same || r->changed == 0, "a model differs from itself");
	return 0;
}

static int
on_conclusion(void *ctx, const struct row_conclusion *r)
{
	struct told *t = ctx;

	check_basis(r->evidence);
	law(r->ntensors <= r->tensors_in_all, "more named than there are");
	t->all_equal += r->kind == CONCLUSION_IDENTICAL;
	law(!t->same || r->kind == CONCLUSION_IDENTICAL ||
	    r->kind == CONCLUSION_RETIED || r->kind == CONCLUSION_RENAMED ||
	    r->kind == CONCLUSION_UNRELATED,
	    "a model became another without a change");
	return 0;
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	const struct told *t = ctx;

	check_basis(r->evidence);
	/* A lead may be about the new model's head by itself. */
	law(!t->same || r->lead, "a claim without a change");
	return 0;
}

static int
on_change(void *ctx, const struct row_change *r)
{
	(void)ctx;
	check_basis(r->more);
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	(void)ctx;
	check_basis(r->evidence);
	return 0;
}

static int
on_version(void *ctx, const struct row_version *r)
{
	(void)ctx;
	check_basis(r->evidence);
	law(r->identical <= r->shared, "more equal than shared");
	return 0;
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	(void)ctx;
	(void)r;
	law(false, "a comparison has no callers");
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	(void)ctx;
	(void)path;
	law(side < ROW_SIDES && f->id < FINDING_COUNT, "no such finding");
	return 0;
}

/* One frame at its parent's gate; true: it was the last. */
static bool
take(struct diff_wire_in *in, const struct frame *f, const struct rows *rows)
{
	struct sandbox_status st;
	const char *what, *why;
	uint64_t a, b;

	if (f->type == DIFF_FRAME_DONE) {
		law(diff_wire_read_done(f, &a), "an end that is none");
		return true;
	}
	if (f->type == DIFF_FRAME_PROGRESS)
		law(diff_wire_read_progress(f, &a, &b), "no progress");
	else if (f->type == DIFF_FRAME_STATUS)
		law(diff_wire_read_status(f, &st), "no status");
	else if (f->type == DIFF_FRAME_SKIP)
		law(diff_wire_read_skip(in, f, &what, &why), "no skip");
	else
		law(diff_wire_take(in, f, rows) == 0, "a row is refused");
	return false;
}

static void
read_all(int fd, struct told *t)
{
	const struct rows rows = {on_input, on_tensor, on_conclusion,
	    on_candidate, on_change, on_detector, on_version, on_caller,
	    on_finding, t};
	off_t size = lseek(fd, 0, SEEK_END);
	struct diff_wire_in *in = calloc(1, sizeof(*in));
	uint8_t *p = malloc((size_t)size + 1);
	size_t at = 0;
	struct frame f;
	bool done = false, ok = true;
	uint32_t n;

	law(in != NULL && p != NULL && pread(fd, p, (size_t)size, 0) == size,
	    "cannot read back");
	diff_wire_in_init(in);
	while (at < (size_t)size) {
		law(!done && (size_t)size - at >= FRAME_HEADER, "half a frame");
		n = frame_size(p + at, &ok);
		law(ok && n <= (size_t)size - at - FRAME_HEADER &&
		    frame_parse(&f, p[at + 4], p + at + FRAME_HEADER, n),
		    "no frame");
		done = take(in, &f, &rows);
		at += FRAME_HEADER + n;
	}
	law(done, "it did not come to its end");
	diff_wire_in_release(in);
	free(in);
	free(p);
}

static int
file_of(const uint8_t *p, size_t n)
{
	int fd = memfd_create("model", MFD_CLOEXEC);

	law(fd >= 0 && (n == 0 || write(fd, p, n) == (ssize_t)n),
	    "no memory for a file");
	return fd;
}

static void
compare(const uint8_t *a, size_t na, const uint8_t *b, size_t nb)
{
	struct job_part part[2] = {{file_of(a, na), na, "", PART_WHOLE},
	    {file_of(b, nb), nb, "", PART_WHOLE}};
	struct diff_job job = {.side = {{&part[0], 1, NULL},
	    {&part[1], 1, NULL}}, .tokenizer = {.fd = -1}, .threads = 1,
	    .sha256 = true, .spool_fd = file_of(NULL, 0)};
	struct told t = {.same = a == b};
	int out = file_of(NULL, 0);

	law(diff_worker_main(&job, out) == 0, "the worker failed");
	read_all(out, &t);
	law(t.all_equal == 0 || t.tensors > 0, "equal, and nothing there");
	(void)close(part[0].fd);
	(void)close(part[1].fd);
	(void)close(job.spool_fd);
	(void)close(out);
}

static size_t
scaled(const uint8_t *p, size_t n)
{
	return (size_t)(p[0] << 8 | p[1]) * n >> 16;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	uint8_t *copy, last;
	size_t cut;

	if (n < 4 || n > MIB)
		return 0;
	compare(p, n, p, n);
	last = p[n - 1];
	if (last >= 0x80) {
		cut = scaled(p + n - 3, n);
		compare(p, cut, p + cut, n - cut);
		return 0;
	}
	if ((copy = malloc(n)) == NULL)
		return 0;
	memcpy(copy, p, n);
	for (size_t i = 1; i <= last % 16U + 1 && 3 * i + 1 <= n; i++)
		copy[scaled(p + n - 1 - 3 * i, n)] ^= p[n + 1 - 3 * i];
	compare(p, n, copy, n);
	free(copy);
	return 0;
}
