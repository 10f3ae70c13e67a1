#include <math.h>
#include <string.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/diff_wire_tags.h"
#include "analyzer/wfield.h"
#include "base/err.h"

/*
 * The gate.  The worker may be in an attacker's hands: nothing passes whose
 * type, size and range are not right, so that whoever gets a row may print
 * it, index tables by its enums and walk its lists without asking again.
 */
void
diff_wire_in_init(struct diff_wire_in *in)
{
	memset(in, 0, sizeof(*in));
	basis_init(&in->basis);
}

void
diff_wire_in_release(struct diff_wire_in *in)
{
	basis_release(&in->basis);
}

static bool
get_text(const struct frame *f, uint8_t tag, size_t max, struct row_text *ret)
{
	const uint8_t *p;

	if (!wfield_bytes(f, tag, max, &p, &ret->n))
		return false;
	ret->p = (const char *)p;
	return true;
}

/* A tree of numbers; absent: an empty one. */
static int
get_basis(struct diff_wire_in *in, const struct frame *f, uint8_t tag)
{
	const struct cursor *c = &f->field[tag];

	buf_clear(&in->basis.b);
	if (!frame_has(f, tag))
		return 0;
	if (!basis_check(c->buf, c->len))
		return ERR_FORMAT;
	buf_put(&in->basis.b, c->buf, c->len);
	return buf_failed(&in->basis.b);
}

/* What is spread into a row must not be one of the row's own keys. */
static bool
spreads(const struct diff_wire_in *in, const char *const *own)
{
	const char *text;
	size_t n;

	for (; *own != NULL; own++)
		if (basis_find(in->basis.b.p, in->basis.b.len, *own, &text,
		    &n))
			return false;
	return true;
}

static bool
sub_text(struct cursor *c, size_t max, struct cursor *ret)
{
	uint32_t n;

	return cursor_u32le(c, &n) && n <= max && cursor_sub(c, n, ret);
}

static bool
packed_text(struct cursor *c, size_t max, struct row_text *ret)
{
	struct cursor t;

	if (!sub_text(c, max, &t))
		return false;
	*ret = (struct row_text){t.len > 0 ? (const char *)t.buf : "", t.len};
	return true;
}

static int
take_input(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	struct row_input r = {0};
	unsigned side;

	if (!wfield_enum(f, INPUT_SIDE, ROW_SIDES, &side) ||
	    !get_text(f, INPUT_PATH, DIFF_WIRE_NAME, &r.path) ||
	    r.path.p == NULL ||
	    !frame_u64(f, INPUT_SIZE, &r.size) ||
	    !wfield_own(f, INPUT_FORMAT, DIFF_WIRE_WORD, in->word[0]) ||
	    !frame_u64(f, INPUT_TENSORS, &r.tensors) ||
	    !wfield_bool(f, INPUT_COMPLETE, &r.complete) ||
	    !wfield_sha256(f, INPUT_SHA256, &r.has_sha256, r.sha256))
		return ERR_FORMAT;
	r.has_records = frame_has(f, INPUT_RECORDS);
	r.is_log = frame_has(f, INPUT_UNDATED);
	if (r.has_records && !frame_u64(f, INPUT_RECORDS, &r.records))
		return ERR_FORMAT;
	if (r.is_log && (!frame_u64(f, INPUT_UNDATED, &r.undated) ||
	    !frame_u64(f, INPUT_OUTSIDE, &r.outside) ||
	    r.undated > r.records || r.outside > r.records))
		return ERR_FORMAT;
	r.side = (enum row_side)side;
	r.format = in->word[0];
	return to->input(to->ctx, &r);
}

static bool
get_half(struct diff_wire_in *in, const struct frame *f, enum row_side side,
    struct row_half *h)
{
	uint8_t tag = side == ROW_OLD ? TENSOR_OLD : TENSOR_NEW, flags, rank;
	struct cursor c = f->field[tag], t;

	h->there = frame_has(f, tag);
	if (!h->there)
		return true;
	if (!cursor_u8(&c, &flags) || flags > HALF_FLAGS ||
	    !packed_text(&c, DIFF_WIRE_NAME, &h->name) ||
	    !packed_text(&c, DIFF_WIRE_NAME, &h->path) ||
	    !sub_text(&c, DIFF_WIRE_WORD, &t) ||
	    !wfield_is_own(t, DIFF_WIRE_WORD, in->word[side]) ||
	    !cursor_u8(&c, &rank) || rank > TENSOR_RANK_MAX)
		return false;
	for (unsigned i = 0; i < rank; i++)
		if (!cursor_u64le(&c, &in->shape[side][i]))
			return false;
	h->dtype = in->word[side];
	h->shape = in->shape[side];
	h->rank = rank;
	h->digested = (flags & HALF_DIGEST) != 0;
	h->has_sha256 = (flags & HALF_SHA256) != 0;
	if ((h->digested && !cursor_u64le(&c, &h->digest)) ||
	    (h->has_sha256 && !cursor_copy(&c, h->sha256, 32)))
		return false;
	return cursor_at_end(&c);
}

static bool
get_numbers(const struct frame *f, struct row_tensor *r)
{
	struct cursor c = f->field[TENSOR_NUMBERS];
	uint64_t rel, cosine, max;
	uint8_t measured;

	if (!frame_has(f, TENSOR_NUMBERS) || !cursor_u64le(&c, &r->elements) ||
	    !cursor_u64le(&c, &r->changed) || r->changed > r->elements ||
	    !cursor_u8(&c, &measured) || measured > 1 ||
	    !cursor_u64le(&c, &rel) || !cursor_u64le(&c, &cosine) ||
	    !cursor_u64le(&c, &max) || !cursor_at_end(&c))
		return false;
	r->measured = measured != 0;
	return wfield_in_range(rel, 0, HUGE_VAL, &r->rel_l2) &&
	    wfield_in_range(cosine, -1, 1, &r->cosine) &&
	    wfield_in_range(max, 0, HUGE_VAL, &r->max_abs);
}

/*
 * What is only on one side is added or removed, or a tie that was made or
 * cut; all else is on both.
 */
static bool
halves_fit(const struct row_tensor *r)
{
	if (r->status == ROW_RETIED)
		return r->half[ROW_OLD].there || r->half[ROW_NEW].there;
	return r->half[ROW_OLD].there == (r->status != ROW_ADDED) &&
	    r->half[ROW_NEW].there == (r->status != ROW_REMOVED);
}

static int
take_tensor(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	static const char *const own[] = {"type", "name", "status", "old",
	    "new", "elements", "changed", "rel_l2", "cosine", "max_abs",
	    NULL};
	struct row_tensor r = {0};
	unsigned status;
	int res;

	if (!get_text(f, TENSOR_NAME, DIFF_WIRE_NAME, &r.name) ||
	    r.name.p == NULL ||
	    !wfield_enum(f, TENSOR_STATUS, ROW_STATUS_COUNT, &status) ||
	    !get_half(in, f, ROW_OLD, &r.half[ROW_OLD]) ||
	    !get_half(in, f, ROW_NEW, &r.half[ROW_NEW]) ||
	    !get_numbers(f, &r))
		return ERR_FORMAT;
	r.status = (enum row_status)status;
	if (!halves_fit(&r))
		return ERR_FORMAT;
	if ((res = get_basis(in, f, TENSOR_MORE)) < 0 ||
	    !spreads(in, own))
		return res < 0 ? res : ERR_FORMAT;
	r.more = &in->basis;
	return to->tensor(to->ctx, &r);
}

static bool
get_names(struct diff_wire_in *in, const struct frame *f,
    struct row_conclusion *r)
{
	struct cursor c = f->field[CONCL_TENSORS];

	if (!frame_has(f, CONCL_TENSORS) || c.len > DIFF_WIRE_NAMES)
		return false;
	while (!cursor_at_end(&c)) {
		if (r->ntensors == ROW_TENSORS || !packed_text(&c,
		    DIFF_WIRE_NAME, &in->names[r->ntensors]))
			return false;
		r->ntensors++;
	}
	r->tensors = in->names;
	return frame_u64(f, CONCL_IN_ALL, &r->tensors_in_all) &&
	    r->tensors_in_all >= r->ntensors;
}

static bool
get_alternatives(struct diff_wire_in *in, const struct frame *f,
    struct row_conclusion *r)
{
	struct cursor c = f->field[CONCL_ALTERNATIVES], t;

	if (!frame_has(f, CONCL_ALTERNATIVES))
		return false;
	while (!cursor_at_end(&c)) {
		if (r->nalternatives == ROW_ALTERNATIVES ||
		    !sub_text(&c, DIFF_WIRE_WORDS, &t) ||
		    !wfield_is_own(t, DIFF_WIRE_WORDS, in->words[r->nalternatives]))
			return false;
		r->alternatives[r->nalternatives] =
		    in->words[r->nalternatives];
		r->nalternatives++;
	}
	return true;
}

static int
take_conclusion(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	struct row_conclusion r = {0};
	unsigned kind, confidence;
	int res;

	if (!wfield_enum(f, CONCL_KIND, CONCLUSION_COUNT, &kind) ||
	    !wfield_enum(f, CONCL_CONFIDENCE, CONFIDENCE_COUNT, &confidence) ||
	    !get_names(in, f, &r) || !get_alternatives(in, f, &r))
		return ERR_FORMAT;
	r.kind = (enum conclusion_kind)kind;
	r.confidence = (enum confidence)confidence;
	if ((res = get_basis(in, f, CONCL_EVIDENCE)) < 0)
		return res;
	r.evidence = &in->basis;
	return to->conclusion(to->ctx, &r);
}

static int
take_candidate(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	struct row_candidate r = {0};
	int res;

	r.has_q = frame_has(f, CAND_Q);
	if (!wfield_bool(f, CAND_LEAD, &r.lead) ||
	    !wfield_own(f, CAND_KIND, DIFF_WIRE_WORD, in->word[0]) ||
	    !get_text(f, CAND_VALUE, DIFF_WIRE_NAME, &r.value) ||
	    r.value.p == NULL ||
	    !wfield_number(f, CAND_SCORE, -HUGE_VAL, HUGE_VAL, &r.score) ||
	    (r.has_q && (!wfield_number(f, CAND_Q, 0, 1, &r.q) || isnan(r.q))) ||
	    !get_text(f, CAND_TARGET, DIFF_WIRE_NAME, &r.target) ||
	    !frame_u32(f, CAND_RANK, &r.rank) || r.rank == 0 ||
	    !wfield_own(f, CAND_METHOD, DIFF_WIRE_WORD, in->word[1]))
		return ERR_FORMAT;
	r.kind = in->word[0];
	r.method = in->word[1];
	if ((res = get_basis(in, f, CAND_EVIDENCE)) < 0)
		return res;
	r.evidence = &in->basis;
	return to->candidate(to->ctx, &r);
}

static int
take_change(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	static const char *const own[] = {"type", "area", "what", "path",
	    "key", "old", "new", NULL};
	struct row_change r = {0};
	unsigned area, what;
	int res;

	if (!wfield_enum(f, CHG_AREA, CHANGE_AREAS, &area) ||
	    !wfield_enum(f, CHG_WHAT, CHANGE_WHATS, &what) ||
	    !get_text(f, CHG_PATH, DIFF_WIRE_NAME, &r.path) ||
	    !get_text(f, CHG_KEY, DIFF_WIRE_NAME, &r.key) ||
	    !get_text(f, CHG_OLD, DIFF_WIRE_TEXT, &r.old) ||
	    !get_text(f, CHG_NEW, DIFF_WIRE_TEXT, &r.new))
		return ERR_FORMAT;
	r.area = (enum change_area)area;
	r.what = (enum change_what)what;
	if ((res = get_basis(in, f, CHG_MORE)) < 0 || !spreads(in, own))
		return res < 0 ? res : ERR_FORMAT;
	r.more = &in->basis;
	return to->change(to->ctx, &r);
}

static int
take_detector(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	struct row_detector r = {0};
	int res;

	if (!wfield_own(f, DET_METHOD, DIFF_WIRE_WORD, in->word[0]) ||
	    !wfield_bool(f, DET_APPLIED, &r.applied) ||
	    (frame_has(f, DET_REASON) &&
	    !wfield_own(f, DET_REASON, DIFF_WIRE_WORDS, in->words[0])))
		return ERR_FORMAT;
	r.method = in->word[0];
	r.reason = frame_has(f, DET_REASON) ? in->words[0] : NULL;
	if ((res = get_basis(in, f, DET_EVIDENCE)) < 0)
		return res;
	r.evidence = &in->basis;
	return to->detector(to->ctx, &r);
}

static int
take_version(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	struct row_version r = {0};
	int res;

	if (!get_text(f, VER_PATH, DIFF_WIRE_NAME, &r.path) ||
	    !frame_u32(f, VER_RANK, &r.rank) ||
	    !wfield_number(f, VER_DISTANCE, 0, HUGE_VAL, &r.distance) ||
	    !frame_u64(f, VER_SHARED, &r.shared) ||
	    !frame_u64(f, VER_IDENTICAL, &r.identical) ||
	    r.identical > r.shared ||
	    !wfield_bool(f, VER_PARENT, &r.parent) ||
	    !wfield_bool(f, VER_ROLLBACK, &r.rollback))
		return ERR_FORMAT;
	if ((res = get_basis(in, f, VER_EVIDENCE)) < 0)
		return res;
	r.evidence = &in->basis;
	return to->version(to->ctx, &r);
}

static bool
get_verdicts(const struct frame *f, struct row_caller *r)
{
	struct cursor c = f->field[CALL_VERDICTS];
	uint8_t v;

	if (!frame_has(f, CALL_VERDICTS))
		return true;
	while (!cursor_at_end(&c)) {
		if (r->nverdicts == ROW_VERDICTS || !cursor_u8(&c, &v) ||
		    v >= CALLER_VERDICTS)
			return false;
		r->verdicts[r->nverdicts++] =
		    caller_verdict_name((enum caller_verdict)v);
	}
	return true;
}

static bool
get_times(const struct frame *f, struct row_caller *r)
{
	uint64_t first, last;

	r->has_times = frame_has(f, CALL_FIRST);
	if (!r->has_times)
		return !frame_has(f, CALL_LAST);
	if (!frame_u64(f, CALL_FIRST, &first) ||
	    !frame_u64(f, CALL_LAST, &last))
		return false;
	r->first_ns = (int64_t)first;
	r->last_ns = (int64_t)last;
	return r->first_ns <= r->last_ns;
}

static int
take_caller(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	struct row_caller r = {0};
	int res;

	if (!get_text(f, CALL_NAME, DIFF_WIRE_NAME, &r.caller) ||
	    !get_text(f, CALL_ENDPOINT, DIFF_WIRE_NAME, &r.endpoint) ||
	    !frame_u64(f, CALL_REQUESTS, &r.requests) ||
	    !get_verdicts(f, &r) || !get_times(f, &r))
		return ERR_FORMAT;
	if ((res = get_basis(in, f, CALL_STATISTICS)) < 0)
		return res;
	r.statistics = &in->basis;
	return to->caller(to->ctx, &r);
}

static int
take_finding(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	struct row_text path;
	struct finding x;
	unsigned side;

	if (!wfield_enum(f, FIND_SIDE, ROW_SIDES, &side) ||
	    !wire_get_finding(f, &x, in->keys) ||
	    !get_text(f, FIND_PATH, DIFF_WIRE_NAME, &path))
		return ERR_FORMAT;
	if (path.p == NULL)
		path.p = "";
	return to->finding(to->ctx, (enum row_side)side, path, &x);
}

int
diff_wire_take(struct diff_wire_in *in, const struct frame *f,
    const struct rows *to)
{
	static int (*const take[])(struct diff_wire_in *,
	    const struct frame *, const struct rows *) = {
		[DIFF_FRAME_INPUT] = take_input,
		[DIFF_FRAME_TENSOR] = take_tensor,
		[DIFF_FRAME_CONCLUSION] = take_conclusion,
		[DIFF_FRAME_CANDIDATE] = take_candidate,
		[DIFF_FRAME_CHANGE] = take_change,
		[DIFF_FRAME_DETECTOR] = take_detector,
		[DIFF_FRAME_VERSION] = take_version,
		[DIFF_FRAME_FINDING] = take_finding,
		[DIFF_FRAME_CALLER] = take_caller,
	};

	if (f->type >= sizeof(take) / sizeof(take[0]) || take[f->type] == NULL)
		return ERR_FORMAT;
	return take[f->type](in, f, to);
}
