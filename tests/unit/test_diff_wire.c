#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/wire.h"
#include "base/err.h"

#define TEXT(s) {(s), sizeof(s) - 1}

/* What was sent, and where the reader is in it. */
static uint8_t sent[1 << 21];
static size_t sent_n, at;
static int fd = -1;
static struct diff_wire out;
static struct diff_wire_in in;

static int
setup(void **state)
{
	(void)state;
	fd = memfd_create("frames", 0);
	diff_wire_init(&out, fd, NULL);
	diff_wire_in_init(&in);
	return fd >= 0 ? 0 : -1;
}

static int
teardown(void **state)
{
	(void)state;
	diff_wire_release(&out);
	diff_wire_in_release(&in);
	(void)close(fd);
	return 0;
}

static void
receive(void)
{
	ssize_t n;

	assert_int_equal(diff_wire_flush(&out), 0);
	n = pread(fd, sent, sizeof(sent), 0);
	assert_true(n >= 0 && (size_t)n < sizeof(sent));
	sent_n = (size_t)n;
	at = 0;
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
}

static bool
next(struct frame *f)
{
	uint32_t n;
	bool ok;

	if (sent_n - at < FRAME_HEADER)
		return false;
	n = frame_size(sent + at, &ok);
	if (!ok || sent_n - at - FRAME_HEADER < n ||
	    !frame_parse(f, sent[at + 4], sent + at + FRAME_HEADER, n))
		return false;
	at += FRAME_HEADER + n;
	return true;
}

/* Rows as one line each: what the other side would print. */
static char line[4096];
static size_t rows_told;

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
	rows_told++;
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
	rows_told++;
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
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	(void)ctx;
	assert_true(f->id < FINDING_COUNT && side < ROW_SIDES);
	(void)snprintf(line, sizeof(line), "finding %s %d %.*s %u",
	    finding_info(f->id)->name, (int)side, (int)path.n, path.p,
	    f->ndetails);
	rows_told++;
	return 0;
}

static const struct rows told = {on_input, on_tensor, on_conclusion,
    on_candidate, on_change, on_detector, on_version, on_finding, NULL};

/* The next row in words, or what the gate said. */
static const char *
row(void)
{
	struct frame f;
	int r;

	if (!next(&f))
		return "no frame";
	r = diff_wire_take(&in, &f, &told);
	return r == 0 ? line : r == ERR_FORMAT ? "refused" : "failed";
}

static const uint64_t shape_old[2] = {4, 3}, shape_new[3] = {2, 2, 3};

static struct row_tensor
tensor(struct basis *more)
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

static void
send_all(struct basis *s)
{
	struct rows w = diff_wire_rows(&out);
	const struct row_text names[2] = {TEXT("w1"), TEXT("w2")};
	const struct row_input input = {.side = ROW_NEW, .path = TEXT("x/y"),
	    .size = 77, .format = "safetensors", .tensors = 5,
	    .complete = true, .has_sha256 = true, .sha256 = {[31] = 8}};
	const struct row_tensor t = tensor(s);
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
	struct finding f = {.id = FINDING_TRAILING, .ndetails = 1};

	f.details[0] = (struct detail){"n", NULL, 0, 4};
	assert_int_equal(w.input(w.ctx, &input), 0);
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	assert_int_equal(w.conclusion(w.ctx, &c), 0);
	assert_int_equal(w.candidate(w.ctx, &k), 0);
	assert_int_equal(w.change(w.ctx, &g), 0);
	assert_int_equal(w.detector(w.ctx, &d), 0);
	assert_int_equal(w.version(w.ctx, &v), 0);
	assert_int_equal(w.finding(w.ctx, ROW_NEW, names[0], &f), 0);
}

static void
some_basis(struct basis *s)
{
	basis_init(s);
	basis_u64(s, "r", 8);
	basis_array(s, "list");
	basis_f64(s, NULL, 0.5);
	basis_end(s);
}

static void
every_row_survives_the_wire(void **state)
{
	struct basis s;

	(void)state;
	some_basis(&s);
	send_all(&s);
	receive();
	assert_string_equal(row(), "input 1 x/y safetensors 77 5 1 8");
	assert_string_equal(row(), "tensor h.0.w reshaped F32/2/abc/-1,4,3 "
	    "BF16/3/0/99,2,2,3 1 0.25 1 3 {r 8, list [0.5]}");
	assert_string_equal(row(), "merged-adapter strong 2/3000 last w2 "
	    "alt two {r 8, list [0.5]}");
	assert_string_equal(row(), "lead token cf 12.5 q 0.01 none #1 "
	    "embedding-row {r 8, list [0.5]}");
	assert_string_equal(row(), "template moved p k old 9999 new 0 "
	    "{r 8, list [0.5]}");
	assert_string_equal(row(), "class-margin 0 needs a base "
	    "{r 8, list [0.5]}");
	assert_string_equal(row(), "version v1 2 nan 8/9 10 "
	    "{r 8, list [0.5]}");
	assert_string_equal(row(), "finding OBJ-TRAILING 1 w1 1");
	assert_string_equal(row(), "no frame");
	basis_release(&s);
}

static void
frames_without_rows_survive_too(void **state)
{
	struct sandbox_status st = {true, 4, true};
	struct wire_carve piece;
	const char *what, *why;
	uint64_t done, total;
	struct frame f;

	(void)state;
	assert_int_equal(diff_wire_status(&out, &st), 0);
	assert_int_equal(diff_wire_progress(&out, 50, 100), 0);
	assert_int_equal(diff_wire_skip(&out, "a", "b c"), 0);
	assert_int_equal(diff_wire_carve(&out, "\0\1", 2), 0);
	assert_int_equal(diff_wire_done(&out, 1234), 0);
	receive();
	memset(&st, 0, sizeof(st));
	assert_true(next(&f) && diff_wire_read_status(&f, &st));
	assert_true(st.seccomp && st.rlimits && st.landlock_abi == 4);
	assert_int_equal(diff_wire_take(&in, &f, &told), ERR_FORMAT);
	assert_true(next(&f) && diff_wire_read_progress(&f, &done, &total));
	assert_true(done == 50 && total == 100);
	assert_true(next(&f) && diff_wire_read_skip(&in, &f, &what, &why));
	assert_string_equal(what, "a");
	assert_string_equal(why, "b c");
	assert_false(diff_wire_read_progress(&f, &done, &total));
	assert_true(next(&f) && diff_wire_read_carve(&f, &piece));
	assert_int_equal(piece.n, 2);
	assert_memory_equal(piece.p, "\0\1", 2);
	assert_true(next(&f) && diff_wire_read_done(&f, &done));
	assert_true(done == 1234);
	assert_false(next(&f));
}

static void
progress_is_told_at_most_two_hundred_times(void **state)
{
	struct frame f;
	unsigned n = 0;

	(void)state;
	for (uint64_t i = 0; i <= 1000000; i++)
		assert_int_equal(diff_wire_progress(&out, i, 1000000), 0);
	receive();
	while (next(&f))
		n++;
	assert_in_range(n, 100, 200);
}

static void
many_rows_go_out_together(void **state)
{
	struct rows w = diff_wire_rows(&out);
	struct row_tensor t = tensor(NULL);
	off_t before, after;
	unsigned writes = 0;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		before = lseek(fd, 0, SEEK_CUR);
		assert_int_equal(w.tensor(w.ctx, &t), 0);
		after = lseek(fd, 0, SEEK_CUR);
		writes += after != before;
	}
	assert_in_range(writes, 1, 50);
	receive();
	rows_told = 0;
	while (strcmp(row(), "no frame") != 0)
		;
	assert_int_equal(rows_told, 5000);
}

/* Names that do not fit are left out, and the count in all stays. */
static void
a_conclusion_lists_as_many_names_as_fit(void **state)
{
	static struct row_text names[ROW_TENSORS];
	static char name[DIFF_WIRE_NAME + 5];
	struct rows w = diff_wire_rows(&out);
	struct row_conclusion c = {.kind = CONCLUSION_PRUNED,
	    .tensors = names, .ntensors = ROW_TENSORS,
	    .tensors_in_all = ROW_TENSORS};

	(void)state;
	memset(name, 'n', sizeof(name));
	for (size_t i = 0; i < ROW_TENSORS; i++)
		names[i] = (struct row_text){name, sizeof(name)};
	assert_int_equal(w.conclusion(w.ctx, &c), 0);
	receive();
	assert_int_equal(strncmp(row(), "pruned weak 31/1000 last nnn", 28),
	    0);
}

/* The sender never trips its own gate, whatever text a parser hands it. */
static void
texts_of_our_own_are_made_printable(void **state)
{
	struct rows w = diff_wire_rows(&out);
	struct row_tensor t = tensor(NULL);

	(void)state;
	t.half[ROW_OLD].dtype = "F\x1b[32m\xff";
	t.half[ROW_NEW].dtype = NULL;
	t.half[ROW_NEW].name = (struct row_text){NULL, 0};
	t.rel_l2 = NAN;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.half[ROW_OLD].dtype = "";
	t.name = (struct row_text){NULL, 0};
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	receive();
	assert_string_equal(row(), "tensor h.0.w reshaped F?[32m?/2/abc/-1,"
	    "4,3 unknown/3/0/99,2,2,3 1 nan 1 3 {}");
	assert_int_equal(strncmp(row(), "tensor  reshaped unknown/2", 26), 0);
}

static void
a_side_that_the_status_denies_is_refused(void **state)
{
	struct rows w = diff_wire_rows(&out);
	struct row_tensor t = tensor(NULL);

	(void)state;
	t.status = ROW_ADDED;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.half[ROW_OLD].there = false;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.status = ROW_CHANGED;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	t.status = ROW_ADDED;
	t.changed = t.elements + 1;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	receive();
	assert_string_equal(row(), "refused");
	assert_int_equal(strncmp(row(), "tensor h.0.w added", 18), 0);
	assert_string_equal(row(), "refused");
	assert_string_equal(row(), "refused");
}

/* Two readers of the JSON would see two rows. */
static void
a_key_that_would_be_there_twice_is_refused(void **state)
{
	struct rows w = diff_wire_rows(&out);
	struct row_tensor t;
	struct row_change g = {.path = TEXT("p")};
	struct basis s;

	(void)state;
	basis_init(&s);
	basis_object(&s, "rank");
	basis_u64(&s, "status", 1);
	basis_end(&s);
	t = tensor(&s);
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	basis_u64(&s, "status", 1);
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	g.more = &s;
	assert_int_equal(w.change(w.ctx, &g), 0);
	basis_u64(&s, "twice", 1);
	basis_u64(&s, "twice", 2);
	assert_int_equal(w.change(w.ctx, &g), 0);
	receive();
	assert_int_equal(strncmp(row(), "tensor h.0.w reshaped", 21), 0);
	assert_string_equal(row(), "refused");
	assert_string_equal(row(), "config added p  old 9999 new 9999 "
	    "{rank (status 1), status 1}");
	assert_string_equal(row(), "refused");
	basis_release(&s);
}

/*
 * Whatever one bit of a frame becomes: the row is refused, or every row
 * function's asserts hold (ranges, lists, trees) and reading stays inside.
 */
static void
a_mutated_row_is_read_safely_or_refused(void **state)
{
	unsigned refused = 0, taken = 0;
	struct basis s;
	const char *got;

	(void)state;
	some_basis(&s);
	send_all(&s);
	receive();
	for (size_t i = 0; i < sent_n; i++)
		for (unsigned bit = 0; bit < 8; bit++) {
			sent[i] ^= (uint8_t)(1U << bit);
			at = 0;
			while (strcmp(got = row(), "no frame") != 0)
				if (strcmp(got, "refused") == 0)
					refused++;
				else
					taken++;
			sent[i] ^= (uint8_t)(1U << bit);
		}
	assert_true(refused > sent_n);
	assert_true(taken > sent_n);
	basis_release(&s);
}

static void
a_truncated_field_is_refused(void **state)
{
	struct rows w = diff_wire_rows(&out);
	struct row_tensor t = tensor(NULL);
	struct frame f;

	(void)state;
	assert_int_equal(w.tensor(w.ctx, &t), 0);
	receive();
	assert_true(next(&f));
	assert_int_equal(diff_wire_take(&in, &f, &told), 0);
	for (uint8_t tag = 1; tag < 6; tag++) {
		struct cursor was = f.field[tag];

		if (tag == 1)	/* a name may have any length */
			continue;
		for (size_t n = 0; n < was.len; n++) {
			f.field[tag].len = n;
			assert_int_equal(diff_wire_take(&in, &f, &told),
			    ERR_FORMAT);
		}
		f.field[tag] = was;
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_row_survives_the_wire),
		cmocka_unit_test(frames_without_rows_survive_too),
		cmocka_unit_test(progress_is_told_at_most_two_hundred_times),
		cmocka_unit_test(many_rows_go_out_together),
		cmocka_unit_test(a_conclusion_lists_as_many_names_as_fit),
		cmocka_unit_test(texts_of_our_own_are_made_printable),
		cmocka_unit_test(a_side_that_the_status_denies_is_refused),
		cmocka_unit_test(a_key_that_would_be_there_twice_is_refused),
		cmocka_unit_test(a_mutated_row_is_read_safely_or_refused),
		cmocka_unit_test(a_truncated_field_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
