#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/jrow.h"
#include "analyzer/result_diff.h"
#include "analyzer/sink.h"
#include "analyzer/sink_rows.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/reader.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * The gate of a comparison's parent.  The input is a frame: its type, then
 * its body.  It is also a list of changes (two bytes where, one byte what) to
 * frames that a worker sends, since few inputs are frames by chance.
 *
 * A row that passes can be printed: its JSON is one line that reads back,
 * in which no key stands twice.
 */
#define TEXT(s) {(s), sizeof(s) - 1}
#define SEEDS 8

static uint8_t sent[64 * 1024];
static size_t start[SEEDS + 1];	/* of each frame; the last is the end */

static void
law(bool holds, const char *what)
{
	if (holds)
		return;
	(void)fprintf(stderr, "fuzz_diff_wire: %s\n", what);
	abort();
}

static void
read_back(const struct buf *line)
{
	struct arena *a = arena_new(64 * MIB);
	struct bytesrc *src = bytesrc_mem(line->p, line->len, NULL);
	struct jrow *row = NULL;
	struct reader rd;

	law(reader_init(&rd, src, 0, 0, a, NULL) >= 0 &&
	    jrow_read(&rd, a, &row, NULL) == 1, "a row is no JSON object");
	for (size_t i = 0; i < row->count && row->count < 200; i++)
		for (size_t k = i + 1; k < row->count; k++)
			law(strcmp(row->pairs[i].key, row->pairs[k].key) != 0,
			    "a key stands twice");
	bytesrc_free(src);
	arena_free(a);
}

static int
print(const struct result_diff *d)
{
	struct json_write w;
	struct buf b;

	buf_init(&b, 8 * MIB);
	json_init(&w, &b, JSON_COMPACT);
	sink_row_diff(&w, d);
	buf_putc(&b, '\n');
	law(buf_failed(&b) == 0, "a row is too long");
	read_back(&b);
	buf_release(&b);
	return 0;
}

#define PRINT(name, field, upper) \
	static int on_##name(void *ctx, const struct row_##name *r) \
	{ \
		const struct result_diff d = {.type = DIFF_ROW_##upper, \
		    .path = "p", .half = {"a", "b"}, .row.field = r}; \
\
		(void)ctx; \
		return print(&d); \
	}

PRINT(input, input, INPUT)
PRINT(conclusion, conclusion, CONCLUSION)
PRINT(candidate, candidate, CANDIDATE)
PRINT(change, change, CHANGE)
PRINT(detector, detector, DETECTOR)
PRINT(version, version, VERSION)
PRINT(caller, caller, CALLER)

static int
on_tensor(void *ctx, const struct row_tensor *r)
{
	const struct result_diff d = {.type = DIFF_ROW_TENSOR,
	    .half = {"a", "b"}, .row.tensor = r};

	(void)ctx;
	law(r->changed <= r->elements, "more changed than there is");
	law(r->half[ROW_OLD].there || r->half[ROW_NEW].there, "no side");
	law(r->half[ROW_OLD].rank <= TENSOR_RANK_MAX, "rank");
	return print(&d);
}

static int
on_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	(void)ctx;
	law(side < ROW_SIDES && path.p != NULL && f->id < FINDING_COUNT &&
	    f->ndetails <= FINDING_DETAILS, "a finding is out of range");
	return 0;
}

static const struct rows printed = {on_input, on_tensor, on_conclusion,
    on_candidate, on_change, on_detector, on_version, on_caller,
    on_finding, NULL};

/* One frame of each kind of row, as a worker sends it. */
static void
send_rows(struct rows w, struct basis *s)
{
	static const uint64_t shape[2] = {4, 3};
	static const struct row_text names[2] = {TEXT("w1"), TEXT("w2")};
	const struct row_input input = {.path = TEXT("x"), .format = "npy",
	    .has_sha256 = true};
	struct row_tensor t = {.name = TEXT("w"), .status = ROW_CHANGED,
	    .elements = 12, .measured = true, .changed = 7, .more = s};
	const struct row_conclusion c = {.tensors = names, .ntensors = 2,
	    .tensors_in_all = 2, .evidence = s, .alternatives = {"one"},
	    .nalternatives = 1};
	const struct row_candidate k = {.kind = "token", .value = TEXT("cf"),
	    .has_q = true, .rank = 1, .method = "m", .evidence = s};
	const struct row_change g = {.path = TEXT("p"), .key = TEXT("k"),
	    .new = TEXT("v"), .more = s};
	const struct row_detector d = {.method = "m", .reason = "r",
	    .evidence = s};
	const struct row_version v = {.path = TEXT("v"), .rank = 1,
	    .evidence = s};
	struct finding f = {.id = FINDING_TRAILING, .ndetails = 1};

	t.half[0] = t.half[1] = (struct row_half){.there = true,
	    .name = TEXT("w"), .path = TEXT("a"), .dtype = "F32",
	    .shape = shape, .rank = 2, .digested = true, .has_sha256 = true};
	f.details[0] = (struct detail){"n", NULL, 0, 4};
	(void)w.input(w.ctx, &input);
	(void)w.tensor(w.ctx, &t);
	(void)w.conclusion(w.ctx, &c);
	(void)w.candidate(w.ctx, &k);
	(void)w.change(w.ctx, &g);
	(void)w.detector(w.ctx, &d);
	(void)w.version(w.ctx, &v);
	(void)w.finding(w.ctx, ROW_NEW, names[0], &f);
}

static void
make_seeds(void)
{
	int fd = memfd_create("seeds", 0);
	struct diff_wire w;
	struct basis s;
	ssize_t n;
	bool ok;

	basis_init(&s);
	basis_object(&s, "rank");
	basis_u64(&s, "r", 8);
	basis_end(&s);
	basis_array(&s, "list");
	basis_f64(&s, NULL, 0.5);
	basis_end(&s);
	basis_str(&s, "text", "abc");
	diff_wire_init(&w, fd, NULL);
	send_rows(diff_wire_rows(&w), &s);
	law(diff_wire_flush(&w) == 0, "cannot make seeds");
	n = pread(fd, sent, sizeof(sent), 0);
	law(n > 0, "cannot make seeds");
	for (unsigned i = 0; i < SEEDS; i++)
		start[i + 1] = start[i] + FRAME_HEADER +
		    frame_size(sent + start[i], &ok);
	law(start[SEEDS] == (size_t)n, "a row is not one frame");
	diff_wire_release(&w);
	basis_release(&s);
	(void)close(fd);
}

static int
take(uint8_t type, const uint8_t *body, size_t n)
{
	struct diff_wire_in *in = calloc(1, sizeof(*in));
	struct sandbox_status st;
	struct wire_carve piece;
	const char *what, *why;
	struct frame f;
	uint64_t a, b;
	int r = ERR_FORMAT;

	law(in != NULL, "out of memory");
	diff_wire_in_init(in);
	if (frame_parse(&f, type, body, n)) {
		r = diff_wire_take(in, &f, &printed);
		law(r == 0 || r == ERR_FORMAT, "neither taken nor refused");
		(void)diff_wire_read_status(&f, &st);
		(void)diff_wire_read_progress(&f, &a, &b);
		(void)diff_wire_read_skip(in, &f, &what, &why);
		(void)diff_wire_read_carve(&f, &piece);
		(void)diff_wire_read_done(&f, &a);
	}
	diff_wire_in_release(in);
	free(in);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	const uint8_t *seed;
	uint8_t *copy;
	size_t len;

	if (n < 4 || n > LIMIT_FRAME)
		return 0;
	if (start[SEEDS] == 0) {
		make_seeds();
		for (unsigned i = 0; i < SEEDS; i++)
			law(take(sent[start[i] + 4], sent + start[i] +
			    FRAME_HEADER, start[i + 1] - start[i] -
			    FRAME_HEADER) == 0, "a worker's row is refused");
	}
	(void)take(p[0], p + 1, n - 1);
	seed = sent + start[p[0] % SEEDS];
	len = start[p[0] % SEEDS + 1] - start[p[0] % SEEDS] - FRAME_HEADER;
	if ((copy = malloc(len)) == NULL)
		return 0;
	memcpy(copy, seed + FRAME_HEADER, len);
	for (size_t i = 1; i + 3 <= n && i < 60; i += 3)
		copy[(size_t)(p[i] << 8 | p[i + 1]) % len] ^= p[i + 2];
	(void)take(seed[4], copy, len);
	free(copy);
	return 0;
}
