#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/diff_wire.h"
#include "base/err.h"
#include "tests/lib/rowwire.h"

#define TEXT(s) {(s), sizeof(s) - 1}

uint8_t rowwire_sent[1 << 21];
size_t rowwire_sent_n, rowwire_at;
int rowwire_fd = -1;
struct diff_wire rowwire_out;
struct diff_wire_in rowwire_in;
size_t rowwire_rows;
static char line[4096];	/* the last row */

int
rowwire_setup(void **state)
{
	(void)state;
	rowwire_fd = memfd_create("frames", 0);
	diff_wire_init(&rowwire_out, rowwire_fd, NULL);
	diff_wire_in_init(&rowwire_in);
	return rowwire_fd >= 0 ? 0 : -1;
}

int
rowwire_teardown(void **state)
{
	(void)state;
	diff_wire_release(&rowwire_out);
	diff_wire_in_release(&rowwire_in);
	(void)close(rowwire_fd);
	return 0;
}

void
rowwire_receive(void)
{
	ssize_t n;

	assert_int_equal(diff_wire_flush(&rowwire_out), 0);
	n = pread(rowwire_fd, rowwire_sent, sizeof(rowwire_sent), 0);
	assert_true(n >= 0 && (size_t)n < sizeof(rowwire_sent));
	rowwire_sent_n = (size_t)n;
	rowwire_at = 0;
	assert_int_equal(ftruncate(rowwire_fd, 0), 0);
	assert_int_equal(lseek(rowwire_fd, 0, SEEK_SET), 0);
}

bool
rowwire_next(struct frame *f)
{
	uint32_t n;
	bool ok;

	if (rowwire_sent_n - rowwire_at < FRAME_HEADER)
		return false;
	n = frame_size(rowwire_sent + rowwire_at, &ok);
	if (!ok || rowwire_sent_n - rowwire_at - FRAME_HEADER < n ||
	    !frame_parse(f, rowwire_sent[rowwire_at + 4],
	    rowwire_sent + rowwire_at + FRAME_HEADER, n))
		return false;
	rowwire_at += FRAME_HEADER + n;
	return true;
}

static void
say(const char *what, struct basis *more)
{
	struct buf b;
	const uint8_t *p;
	size_t n;

	buf_init(&b, 1 << 20);
	p = basis_bytes(more, &n);
	assert_true(basis_check(p, n));
	basis_line(p, n, &b);
	(void)snprintf(line, sizeof(line), "%s {%s}", what, buf_str(&b));
	buf_release(&b);
	rowwire_rows++;
}

static int
on_input(void *ctx, const struct row_input *r)
{
	(void)ctx;
	assert_true(r->side < ROW_SIDES && r->path.p != NULL);
	(void)snprintf(line, sizeof(line), "input %d %.*s %s %llu %llu %d %d",
	    (int)r->side, (int)r->path.n, r->path.p, r->format,
	    (unsigned long long)r->size, (unsigned long long)r->tensors,
	    r->complete, r->has_sha256 ? r->sha256[31] : -1);
	rowwire_rows++;
	return 0;
}

static int
on_tensor(void *ctx, const struct row_tensor *r)
{
	char text[2048];
	size_t n = 0;

	(void)ctx;
	assert_true(r->status < ROW_STATUS_COUNT);
	assert_true(r->changed <= r->elements);
	assert_true(isnan(r->rel_l2) || r->rel_l2 >= 0);
	n += (size_t)snprintf(text, sizeof(text), "tensor %.*s %s",
	    (int)(r->name.n < 64 ? r->name.n : 64), r->name.p,
	    row_status_name(r->status));
	for (unsigned s = 0; s < ROW_SIDES; s++) {
		const struct row_half *h = &r->half[s];

		if (!h->there)
			continue;
		assert_true(h->rank <= TENSOR_RANK_MAX);
		n += (size_t)snprintf(text + n, sizeof(text) - n,
		    " %s/%u/%llx/%d", h->dtype, h->rank,
		    h->digested ? (unsigned long long)h->digest : 0,
		    h->has_sha256 ? h->sha256[0] : -1);
		for (unsigned i = 0; i < h->rank; i++)
			n += (size_t)snprintf(text + n, sizeof(text) - n,
			    ",%llu", (unsigned long long)h->shape[i]);
	}
	(void)snprintf(text + n, sizeof(text) - n, " %d %g %g %g",
	    r->measured, r->rel_l2, r->cosine, r->max_abs);
	say(text, r->more);
	return 0;
}

static int
on_conclusion(void *ctx, const struct row_conclusion *r)
{
	char text[256];

	(void)ctx;
	assert_true(r->ntensors <= r->tensors_in_all);
	(void)snprintf(text, sizeof(text), "%s %s %zu/%llu last %.*s alt %s",
	    conclusion_name(r->kind), confidence_name(r->confidence),
	    r->ntensors, (unsigned long long)r->tensors_in_all,
	    r->ntensors > 0 ? (int)r->tensors[r->ntensors - 1].n : 0,
	    r->ntensors > 0 ? r->tensors[r->ntensors - 1].p : "",
	    r->nalternatives > 0 ? r->alternatives[r->nalternatives - 1] :
	    "none");
	say(text, r->evidence);
	return 0;
}

static int
on_candidate(void *ctx, const struct row_candidate *r)
{
	char text[256];

	(void)ctx;
	(void)snprintf(text, sizeof(text), "%s %s %.*s %g q %g %.*s #%u %s",
	    r->lead ? "lead" : "candidate", r->kind, (int)r->value.n,
	    r->value.p, r->score, r->has_q ? r->q : -1,
	    r->target.p != NULL ? (int)r->target.n : 4,
	    r->target.p != NULL ? r->target.p : "none", r->rank, r->method);
	say(text, r->evidence);
	return 0;
}

static int
on_change(void *ctx, const struct row_change *r)
{
	char text[256];

	(void)ctx;
	(void)snprintf(text, sizeof(text), "%s %s %.*s %.*s old %zu new %zu",
	    change_area_name(r->area), change_what_name(r->what),
	    (int)r->path.n, r->path.p, (int)r->key.n, r->key.p,
	    r->old.p != NULL ? r->old.n : 9999,
	    r->new.p != NULL ? r->new.n : 9999);
	say(text, r->more);
	return 0;
}

static int
on_detector(void *ctx, const struct row_detector *r)
{
	char text[1024];

	(void)ctx;
	(void)snprintf(text, sizeof(text), "%s %d %s", r->method, r->applied,
	    r->reason != NULL ? r->reason : "none");
	say(text, r->evidence);
	return 0;
}

static int
on_version(void *ctx, const struct row_version *r)
{
	char text[256];

	(void)ctx;
	(void)snprintf(text, sizeof(text), "version %.*s %u %g %llu/%llu %d%d",
	    (int)r->path.n, r->path.p, r->rank, r->distance,
	    (unsigned long long)r->identical, (unsigned long long)r->shared,
	    r->parent, r->rollback);
	say(text, r->evidence);
	return 0;
}

static int
on_caller(void *ctx, const struct row_caller *r)
{
	char text[256];

	(void)ctx;
	assert_true(r->nverdicts <= ROW_VERDICTS);
	assert_true(!r->has_times || r->first_ns <= r->last_ns);
	(void)snprintf(text, sizeof(text), "caller %.*s at %.*s %llu %u %s "
	    "%lld %lld", (int)r->caller.n, r->caller.p,
	    r->endpoint.p != NULL ? (int)r->endpoint.n : 4,
	    r->endpoint.p != NULL ? r->endpoint.p : "none",
	    (unsigned long long)r->requests, r->nverdicts,
	    r->nverdicts > 0 ? r->verdicts[r->nverdicts - 1] : "none",
	    (long long)r->first_ns, (long long)r->last_ns);
	say(text, r->statistics);
	return 0;
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	(void)ctx;
	assert_true(f->id < FINDING_COUNT && side < ROW_SIDES);
	(void)snprintf(line, sizeof(line), "finding %s %d %.*s %u",
	    finding_info(f->id)->name, (int)side, (int)path.n, path.p,
	    f->ndetails);
	rowwire_rows++;
	return 0;
}

const struct rows rowwire_told = {on_input, on_tensor, on_conclusion,
    on_candidate, on_change, on_detector, on_version, on_caller,
    on_finding, NULL};

const char *
rowwire_row(void)
{
	struct frame f;
	int r;

	if (!rowwire_next(&f))
		return "no frame";
	r = diff_wire_take(&rowwire_in, &f, &rowwire_told);
	return r == 0 ? line : r == ERR_FORMAT ? "refused" : "failed";
}

static const uint64_t shape_old[2] = {4, 3}, shape_new[3] = {2, 2, 3};

struct row_tensor
rowwire_tensor(struct basis *more)
{
	struct row_tensor t = {.name = TEXT("h.0.w"), .status = ROW_RESHAPED,
	    .elements = 12, .measured = true, .changed = 7, .rel_l2 = 0.25,
	    .cosine = 1.0000001, .max_abs = 3, .more = more};

	t.half[ROW_OLD] = (struct row_half){.there = true,
	    .name = TEXT("h.0.w"), .path = TEXT("a"), .dtype = "F32",
	    .shape = shape_old, .rank = 2, .digested = true, .digest = 0xabc};
	t.half[ROW_NEW] = (struct row_half){.there = true,
	    .name = TEXT("h.0.w"), .path = TEXT("b"), .dtype = "BF16",
	    .shape = shape_new, .rank = 3, .has_sha256 = true,
	    .sha256 = {99}};
	return t;
}

void
rowwire_send_all(struct basis *s)
{
	struct rows w = diff_wire_rows(&rowwire_out);
	const struct row_text names[2] = {TEXT("w1"), TEXT("w2")};
	const struct row_input input = {.side = ROW_NEW, .path = TEXT("x/y"),
	    .size = 77, .format = "safetensors", .tensors = 5,
	    .complete = true, .has_sha256 = true, .sha256 = {[31] = 8}};
	const struct row_tensor t = rowwire_tensor(s);
	const struct row_conclusion c = {.kind = CONCLUSION_MERGED_ADAPTER,
	    .confidence = CONFIDENCE_STRONG, .tensors = names, .ntensors = 2,
	    .tensors_in_all = 3000, .evidence = s,
	    .alternatives = {"one", "two"}, .nalternatives = 2};
	const struct row_candidate k = {.lead = true, .kind = "token",
	    .value = TEXT("cf"), .score = 12.5, .has_q = true, .q = 0.01,
	    .rank = 1, .method = "embedding-row", .evidence = s};
	const struct row_change g = {.area = CHANGE_TEMPLATE,
	    .what = CHANGE_MOVED, .path = TEXT("p"), .key = TEXT("k"),
	    .new = TEXT(""), .more = s};
	const struct row_detector d = {.method = "class-margin",
	    .reason = "needs a base", .evidence = s};
	const struct row_version v = {.path = TEXT("v1"), .rank = 2,
	    .distance = INFINITY, .shared = 9, .identical = 8,
	    .parent = true, .evidence = s};
	const struct row_caller x = {.caller = TEXT("key"), .requests = 12,
	    .verdicts = {"extraction-dictionary", "evasion-boundary"}, .nverdicts = 2,
	    .statistics = s, .has_times = true, .first_ns = -5,
	    .last_ns = 6};
	struct finding f = {.id = FINDING_TRAILING, .ndetails = 1};

	f.details[0] = (struct detail){"n", NULL, 0, 4};
	assert_int_equal(w.input(w.ctx, &input), 0);
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	assert_int_equal(w.conclusion(w.ctx, &c), 0);
	assert_int_equal(w.candidate(w.ctx, &k), 0);
	assert_int_equal(w.change(w.ctx, &g), 0);
	assert_int_equal(w.detector(w.ctx, &d), 0);
	assert_int_equal(w.version(w.ctx, &v), 0);
	assert_int_equal(w.caller(w.ctx, &x), 0);
	assert_int_equal(w.finding(w.ctx, ROW_NEW, names[0], &f), 0);
}

void
rowwire_basis(struct basis *s)
{
	basis_init(s);
	basis_u64(s, "r", 8);
	basis_array(s, "list");
	basis_f64(s, NULL, 0.5);
	basis_end(s);
}
