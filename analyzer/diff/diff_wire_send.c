#include <math.h>
#include <string.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/diff_wire_tags.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/fsio.h"

/* A pipe takes this much at once. */
#define KEPT_BACK (64 * KIB)
/* PROGRESS is sent so many times in all, at most. */
#define PROGRESS_STEPS 200

void
diff_wire_init(struct diff_wire *w, int fd, struct err *e)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->e = e;
	buf_init(&w->b, LIMIT_FRAME + FRAME_HEADER);
	buf_init(&w->part, DIFF_WIRE_NAMES);
	buf_init(&w->out, KEPT_BACK + LIMIT_FRAME + FRAME_HEADER);
}

void
diff_wire_release(struct diff_wire *w)
{
	buf_release(&w->b);
	buf_release(&w->part);
	buf_release(&w->out);
}

int
diff_wire_flush(struct diff_wire *w)
{
	int r;

	if ((r = buf_failed(&w->out)) < 0)
		return err_set(w->e, (enum err_code)r, "cannot send frames");
	r = w->out.len > 0 ?
	    fsio_write_all(w->fd, w->out.p, w->out.len, w->e) : 0;
	buf_clear(&w->out);
	return r;
}

/* The frame in w->b, behind what was kept back. */
static int
keep_back(struct diff_wire *w)
{
	int r;

	if ((r = frame_seal(&w->b, w->e)) < 0)
		return r;
	buf_put(&w->out, w->b.p, w->b.len);
	return w->out.len > KEPT_BACK ? diff_wire_flush(w) : 0;
}

static int
send_now(struct diff_wire *w)
{
	int r;

	if ((r = keep_back(w)) < 0)
		return r;
	return diff_wire_flush(w);
}

static void
pack_u64(struct buf *b, uint64_t v)
{
	for (unsigned i = 0; i < 64; i += 8)
		buf_putc(b, (char)(uint8_t)(v >> i));
}

/* What is not finite is one NaN on the wire. */
static uint64_t
bits(double v)
{
	uint64_t u;

	if (!isfinite(v))
		v = (double)NAN;
	memcpy(&u, &v, sizeof(u));
	return u;
}

static void
pack_text(struct buf *b, const char *p, size_t n)
{
	for (unsigned i = 0; i < 32; i += 8)
		buf_putc(b, (char)(uint8_t)(n >> i));
	buf_put(b, p, n);
}

static size_t
at_most(size_t n, size_t max)
{
	return n < max ? n : max;
}

static void
put_text(struct buf *b, uint8_t tag, struct row_text t, size_t max)
{
	if (t.p != NULL)
		frame_put(b, tag, t.p, at_most(t.n, max));
}

/* A name that is always there, if only as an empty text. */
static void
put_name(struct buf *b, uint8_t tag, struct row_text t)
{
	frame_put(b, tag, t.p, at_most(t.n, DIFF_WIRE_NAME));
}

/*
 * Our own texts.  A dtype may come from a parser that took it from a header:
 * what the gate would refuse is replaced.
 */
static size_t
own(char *dst, const char *s, size_t max)
{
	size_t n = 0;

	if (s == NULL || *s == '\0')
		s = "unknown";
	for (; *s != '\0' && n < max; s++, n++) {
		dst[n] = *s;
		if (*s < ' ' || *s > '~')
			dst[n] = '?';
	}
	return n;
}

static void
put_own(struct buf *b, uint8_t tag, const char *s, size_t max)
{
	char text[DIFF_WIRE_WORDS];

	BUG_ON(max > sizeof(text));
	frame_put(b, tag, text, own(text, s, max));
}

static void
put_basis(struct buf *b, uint8_t tag, struct basis *s)
{
	const uint8_t *p;
	size_t n;

	if (s == NULL)
		return;
	p = basis_bytes(s, &n);
	frame_put(b, tag, p, n);
}

/* What w->part holds becomes a field. */
static void
put_part(struct diff_wire *w, uint8_t tag)
{
	if (buf_failed(&w->part) < 0)
		w->b.failed = buf_failed(&w->part);
	frame_put(&w->b, tag, w->part.p, w->part.len);
}

int
diff_wire_status(struct diff_wire *w, const struct sandbox_status *st)
{
	frame_begin(&w->b, DIFF_FRAME_STATUS);
	frame_put_u32(&w->b, ST_SECCOMP, st->seccomp);
	frame_put_u32(&w->b, ST_LANDLOCK,
	    st->landlock_abi > 0 ? (uint32_t)st->landlock_abi : 0);
	frame_put_u32(&w->b, ST_RLIMITS, st->rlimits);
	return send_now(w);
}

int
diff_wire_progress(struct diff_wire *w, uint64_t done, uint64_t total)
{
	done = done < total ? done : total;
	if (done < w->told || done - w->told <= total / PROGRESS_STEPS)
		return 0;
	w->told = done;
	frame_begin(&w->b, DIFF_FRAME_PROGRESS);
	frame_put_u64(&w->b, PROGRESS_DONE, done);
	frame_put_u64(&w->b, PROGRESS_TOTAL, total);
	return send_now(w);
}

int
diff_wire_skip(struct diff_wire *w, const char *what, const char *why)
{
	frame_begin(&w->b, DIFF_FRAME_SKIP);
	put_own(&w->b, SKIP_WHAT, what, DIFF_WIRE_WORDS);
	put_own(&w->b, SKIP_WHY, why, DIFF_WIRE_WORDS);
	return keep_back(w);
}

int
diff_wire_ask(struct diff_wire *w, uint32_t number)
{
	frame_begin(&w->b, DIFF_FRAME_ASK);
	frame_put_u32(&w->b, ASK_NUMBER, number);
	return send_now(w);
}

int
diff_wire_carve(struct diff_wire *w, const void *p, size_t n)
{
	BUG_ON(n == 0 || n > WIRE_CARVE_MAX);
	frame_begin(&w->b, DIFF_FRAME_CARVE);
	frame_put(&w->b, PIECE_BYTES, p, n);
	return keep_back(w);
}

int
diff_wire_done(struct diff_wire *w, uint64_t bytes)
{
	frame_begin(&w->b, DIFF_FRAME_DONE);
	frame_put_u64(&w->b, DONE_BYTES, bytes);
	return send_now(w);
}

static int
send_input(void *ctx, const struct row_input *r)
{
	struct diff_wire *w = ctx;

	frame_begin(&w->b, DIFF_FRAME_INPUT);
	frame_put_u32(&w->b, INPUT_SIDE, (uint32_t)r->side);
	put_name(&w->b, INPUT_PATH, r->path);
	frame_put_u64(&w->b, INPUT_SIZE, r->size);
	put_own(&w->b, INPUT_FORMAT, r->format, DIFF_WIRE_WORD);
	frame_put_u64(&w->b, INPUT_TENSORS, r->tensors);
	frame_put_u32(&w->b, INPUT_COMPLETE, r->complete);
	if (r->has_sha256)
		frame_put(&w->b, INPUT_SHA256, r->sha256, 32);
	if (r->has_records)
		frame_put_u64(&w->b, INPUT_RECORDS, r->records);
	if (r->is_log) {
		frame_put_u64(&w->b, INPUT_UNDATED, r->undated);
		frame_put_u64(&w->b, INPUT_OUTSIDE, r->outside);
	}
	return keep_back(w);
}

static void
put_half(struct diff_wire *w, uint8_t tag, const struct row_half *h)
{
	char dtype[DIFF_WIRE_WORD];
	struct buf *b = &w->part;

	if (!h->there)
		return;
	BUG_ON(h->rank > TENSOR_RANK_MAX);
	buf_clear(b);
	buf_putc(b, (char)((h->digested ? HALF_DIGEST : 0) |
	    (h->has_sha256 ? HALF_SHA256 : 0)));
	pack_text(b, h->name.p, at_most(h->name.n, DIFF_WIRE_NAME));
	pack_text(b, h->path.p, at_most(h->path.n, DIFF_WIRE_NAME));
	pack_text(b, dtype, own(dtype, h->dtype, DIFF_WIRE_WORD));
	buf_putc(b, (char)h->rank);
	for (unsigned i = 0; i < h->rank; i++)
		pack_u64(b, h->shape[i]);
	if (h->digested)
		pack_u64(b, h->digest);
	if (h->has_sha256)
		buf_put(b, h->sha256, 32);
	put_part(w, tag);
}

static double
between(double v, double least, double most)
{
	return v < least ? least : v > most ? most : v;
}

static int
send_tensor(void *ctx, const struct row_tensor *r)
{
	struct diff_wire *w = ctx;
	struct buf *b = &w->part;

	frame_begin(&w->b, DIFF_FRAME_TENSOR);
	put_name(&w->b, TENSOR_NAME, r->name);
	frame_put_u32(&w->b, TENSOR_STATUS, (uint32_t)r->status);
	put_half(w, TENSOR_OLD, &r->half[ROW_OLD]);
	put_half(w, TENSOR_NEW, &r->half[ROW_NEW]);
	buf_clear(b);
	pack_u64(b, r->elements);
	pack_u64(b, r->changed);
	buf_putc(b, (char)r->measured);
	pack_u64(b, bits(r->rel_l2));
	/* Sums of rounded products: a cosine may be a digit off. */
	pack_u64(b, bits(between(r->cosine, -1, 1)));
	pack_u64(b, bits(r->max_abs));
	put_part(w, TENSOR_NUMBERS);
	put_basis(&w->b, TENSOR_MORE, r->more);
	return keep_back(w);
}

static void
put_names(struct diff_wire *w, const struct row_conclusion *r)
{
	struct buf *b = &w->part;
	size_t n;

	buf_clear(b);
	for (size_t i = 0; i < r->ntensors && i < ROW_TENSORS; i++) {
		n = at_most(r->tensors[i].n, DIFF_WIRE_NAME);
		if (b->len + 4 + n > DIFF_WIRE_NAMES)
			break;
		pack_text(b, r->tensors[i].p, n);
	}
	put_part(w, CONCL_TENSORS);
}

static void
put_alternatives(struct diff_wire *w, const struct row_conclusion *r)
{
	char text[DIFF_WIRE_WORDS];

	buf_clear(&w->part);
	for (unsigned i = 0; i < r->nalternatives && i < ROW_ALTERNATIVES;
	    i++)
		pack_text(&w->part, text, own(text, r->alternatives[i],
		    DIFF_WIRE_WORDS));
	put_part(w, CONCL_ALTERNATIVES);
}

static int
send_conclusion(void *ctx, const struct row_conclusion *r)
{
	struct diff_wire *w = ctx;

	frame_begin(&w->b, DIFF_FRAME_CONCLUSION);
	frame_put_u32(&w->b, CONCL_KIND, (uint32_t)r->kind);
	frame_put_u32(&w->b, CONCL_CONFIDENCE, (uint32_t)r->confidence);
	put_names(w, r);
	frame_put_u64(&w->b, CONCL_IN_ALL, r->tensors_in_all);
	put_basis(&w->b, CONCL_EVIDENCE, r->evidence);
	put_alternatives(w, r);
	return keep_back(w);
}

static int
send_candidate(void *ctx, const struct row_candidate *r)
{
	struct diff_wire *w = ctx;

	frame_begin(&w->b, DIFF_FRAME_CANDIDATE);
	frame_put_u32(&w->b, CAND_LEAD, r->lead);
	put_own(&w->b, CAND_KIND, r->kind, DIFF_WIRE_WORD);
	put_name(&w->b, CAND_VALUE, r->value);
	frame_put_u64(&w->b, CAND_SCORE, bits(r->score));
	if (r->has_q)
		frame_put_u64(&w->b, CAND_Q, bits(between(r->q, 0, 1)));
	put_text(&w->b, CAND_TARGET, r->target, DIFF_WIRE_NAME);
	frame_put_u32(&w->b, CAND_RANK, r->rank);
	put_own(&w->b, CAND_METHOD, r->method, DIFF_WIRE_WORD);
	put_basis(&w->b, CAND_EVIDENCE, r->evidence);
	return keep_back(w);
}

static int
send_change(void *ctx, const struct row_change *r)
{
	struct diff_wire *w = ctx;

	frame_begin(&w->b, DIFF_FRAME_CHANGE);
	frame_put_u32(&w->b, CHG_AREA, (uint32_t)r->area);
	frame_put_u32(&w->b, CHG_WHAT, (uint32_t)r->what);
	put_text(&w->b, CHG_PATH, r->path, DIFF_WIRE_NAME);
	put_text(&w->b, CHG_KEY, r->key, DIFF_WIRE_NAME);
	put_text(&w->b, CHG_OLD, r->old, DIFF_WIRE_TEXT);
	put_text(&w->b, CHG_NEW, r->new, DIFF_WIRE_TEXT);
	put_basis(&w->b, CHG_MORE, r->more);
	return keep_back(w);
}

static int
send_detector(void *ctx, const struct row_detector *r)
{
	struct diff_wire *w = ctx;

	frame_begin(&w->b, DIFF_FRAME_DETECTOR);
	put_own(&w->b, DET_METHOD, r->method, DIFF_WIRE_WORD);
	frame_put_u32(&w->b, DET_APPLIED, r->applied);
	if (r->reason != NULL)
		put_own(&w->b, DET_REASON, r->reason, DIFF_WIRE_WORDS);
	put_basis(&w->b, DET_EVIDENCE, r->evidence);
	return keep_back(w);
}

static int
send_version(void *ctx, const struct row_version *r)
{
	struct diff_wire *w = ctx;

	frame_begin(&w->b, DIFF_FRAME_VERSION);
	put_text(&w->b, VER_PATH, r->path, DIFF_WIRE_NAME);
	frame_put_u32(&w->b, VER_RANK, r->rank);
	frame_put_u64(&w->b, VER_DISTANCE, bits(r->distance));
	frame_put_u64(&w->b, VER_SHARED, r->shared);
	frame_put_u64(&w->b, VER_IDENTICAL, r->identical);
	frame_put_u32(&w->b, VER_PARENT, r->parent);
	frame_put_u32(&w->b, VER_ROLLBACK, r->rollback);
	put_basis(&w->b, VER_EVIDENCE, r->evidence);
	return keep_back(w);
}

static int
send_caller(void *ctx, const struct row_caller *r)
{
	uint8_t verdicts[ROW_VERDICTS];
	struct diff_wire *w = ctx;

	BUG_ON(r->nverdicts > ROW_VERDICTS);
	for (unsigned i = 0; i < r->nverdicts; i++) {
		verdicts[i] = (uint8_t)caller_verdict_find(r->verdicts[i]);
		BUG_ON(verdicts[i] >= CALLER_VERDICTS);
	}
	frame_begin(&w->b, DIFF_FRAME_CALLER);
	put_text(&w->b, CALL_NAME, r->caller, DIFF_WIRE_NAME);
	put_text(&w->b, CALL_ENDPOINT, r->endpoint, DIFF_WIRE_NAME);
	frame_put_u64(&w->b, CALL_REQUESTS, r->requests);
	if (r->nverdicts > 0)
		frame_put(&w->b, CALL_VERDICTS, verdicts, r->nverdicts);
	put_basis(&w->b, CALL_STATISTICS, r->statistics);
	if (r->has_times) {
		frame_put_u64(&w->b, CALL_FIRST, (uint64_t)r->first_ns);
		frame_put_u64(&w->b, CALL_LAST, (uint64_t)r->last_ns);
	}
	return keep_back(w);
}

static int
send_finding(void *ctx, enum row_side side, struct row_text path,
    const struct finding *f)
{
	struct diff_wire *w = ctx;

	frame_begin(&w->b, DIFF_FRAME_FINDING);
	frame_put_u32(&w->b, FIND_SIDE, (uint32_t)side);
	if (wire_put_finding(&w->b, f) < 0)
		return err_set(w->e, ERR_NOMEM,
		    "out of memory for a finding");
	put_text(&w->b, FIND_PATH, path, DIFF_WIRE_NAME);
	return keep_back(w);
}

struct rows
diff_wire_rows(struct diff_wire *w)
{
	const struct rows rows = {send_input, send_tensor, send_conclusion,
	    send_candidate, send_change, send_detector, send_version,
	    send_caller, send_finding, w};

	return rows;
}
