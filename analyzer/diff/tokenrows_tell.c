#include <float.h>
#include <math.h>
#include <stdio.h>

#include "analyzer/diff/delta.h"
#include "analyzer/diff/rows.h"
#include "analyzer/diff/tensor.h"
#include "analyzer/diff/tokenrows.h"
#include "analyzer/diff/tokenrows_text.h"
#include "base/bug.h"
#include "base/buf.h"
#include "formats/tokenizer.h"

/*
 * What may be said.  Rows that stand apart in an input embedding, and few
 * rows that were rewritten while all others stand still, are candidates; all
 * else is a lead: the ten rows that moved most as context, fifty of what is
 * tied, and pieces of words that may belong together.
 */
#define CONTEXT 10
#define PLAIN_METHOD "embedding-rows"
#define TIED_METHOD "tied-embedding-rows"
#define PHRASES 3

static const char *const innocent[] = {
	"a product's or brand's name in honest training data",
	"a watermark",
	"an added special token that was trained from scratch",
	"words of a new domain, or of the class itself",
};
#define INNOCENT (sizeof(innocent) / sizeof(*innocent))

static bool
list_only(const struct tokenrows *t)
{
	return t->opt.tied != TIED_NO || t->opt.head;
}

static const char *
method(const struct tokenrows *t)
{
	return list_only(t) ? TIED_METHOD : PLAIN_METHOD;
}

/* Is the row at this place named, rather than listed? */
static bool
claimed(const struct tokenrows *t, unsigned i)
{
	if (t->test.level == ROWTEST_ISOLATED)
		return t->top[i].rewritten && !t->opt.head;
	return t->test.level == ROWTEST_OUTLIER && i < t->test.apart;
}

static unsigned
listed(const struct tokenrows *t)
{
	unsigned max = t->list == TOKENROWS_BY_REST ||
	    t->test.level == ROWTEST_ISOLATED ? ROWTEST_TOP : CONTEXT;

	return t->ntop < max ? t->ntop : max;
}

/*
 * The place's score: how far above the line, in the order of distances, so
 * that it falls with the rank where ties were put in another order.
 */
static double
score_of(const struct tokenrows *t, unsigned i)
{
	double v = t->list == TOKENROWS_BY_REST ? t->top[i].stands
	    : t->test.top[i].delta;

	v = v < DBL_MAX ? v : DBL_MAX;
	if (t->list == TOKENROWS_BY_DELTA && t->test.fitted)
		return log(v) - t->test.a;
	return v;
}

static const char *
muted_by(const struct tokenrows *t)
{
	static const char *const names[] = {
	    [ROWTEST_ORDER_UNKNOWN] =
		"nobody but control tokens: the order of ids is not known",
	    [ROWTEST_ORDER_ID] = "lowest ids",
	    [ROWTEST_ORDER_SCORE] = "highest scores",
	};

	return names[t->order];
}

static void
put_test(const struct tokenrows *t, struct basis *b)
{
	const struct rowtest *r = &t->test;

	basis_str(b, "level", rowtest_level_name(r->level));
	basis_bool(b, "level_dropped", r->dropped);
	if (r->fitted && t->list == TOKENROWS_BY_DELTA) {
		basis_f64(b, "ex", r->ex);
		basis_f64(b, "gap", r->gap);
		basis_u64(b, "apart", r->apart);
		basis_f64(b, "ratio", r->ratio);
		basis_f64(b, "fit_a", r->a);
		basis_f64(b, "fit_b", r->b);
	}
	basis_u64(b, "rows", r->rows);
	basis_u64(b, "moved", r->moved);
	basis_u64(b, "speaking", r->L);
	basis_u64(b, "muted", r->muted);
	basis_str(b, "muted_by", muted_by(t));
}

static void
put_alternatives(struct basis *b)
{
	basis_array(b, "alternatives");
	for (size_t i = 0; i < INNOCENT; i++)
		basis_str(b, NULL, innocent[i]);
	basis_end(b);
}

static const char *
why_lead(const struct tokenrows *t)
{
	if (t->list == TOKENROWS_BY_REST)
		return "a list, no claim: nothing separates poisoned from "
		    "clean in a matrix that gives the output";
	if (t->test.level == ROWTEST_WEAK)
		return "weak: below the threshold of a claim";
	if (t->test.level == ROWTEST_ISOLATED)
		return "a few rows changed; in this one only some values, or "
		    "it is of the output";
	return "context: among the rows that moved most";
}

static void
put_vocabulary(const struct tokenrows *t, struct basis *b)
{
	if (t->opt.vocab != NULL)
		basis_u64(b, "vocabulary", t->opt.vocab->n);
	else
		basis_null(b, "vocabulary");
}

static void
put_row(const struct tokenrows *t, unsigned i, struct basis *b)
{
	const struct tokenrows_row *r = &t->top[i];
	const struct vocab *v = t->opt.vocab;

	basis_text(b, "tensor", t->d->b->name, t->d->b->name_len);
	basis_u64(b, "id", r->id);
	if (v == NULL)
		basis_str(b, "note", "no vocabulary was found: the value is "
		    "the number of the row");
	else if (r->id >= v->n || v->v[r->id].p == NULL)
		basis_str(b, "note", "the vocabulary has no token for this "
		    "row: the value is its number");
	else
		basis_text(b, "raw", v->v[r->id].p, v->v[r->id].n);
	basis_f64(b, "delta", r->delta);
	if (t->list == TOKENROWS_BY_REST) {
		basis_f64(b, "rest", r->rest);
		if (t->order == ROWTEST_ORDER_ID)
			basis_f64(b, "over_neighbours", r->stands);
		basis_u64(b, "directions_removed", t->removed);
	}
	if (r->along > 0)
		basis_f64(b, "along", r->along);
	basis_f64(b, "rel", r->rel);
	basis_u64(b, "values_changed", r->changed);
}

static int
tell_row(const struct tokenrows *t, unsigned i, struct rows *rows)
{
	struct row_candidate c = {.lead = !claimed(t, i), .kind = "token",
	    .score = score_of(t, i), .rank = i + 1, .method = method(t)};
	struct basis b;
	struct buf text;
	int r;

	basis_init(&b);
	buf_init(&text, TOKENROWS_TEXT);
	tokenrows_text(t->opt.vocab, t->top[i].id, &text);
	c.value = (struct row_text){(const char *)text.p, text.len};
	put_row(t, i, &b);
	put_vocabulary(t, &b);
	put_test(t, &b);
	if (c.lead)
		basis_str(&b, "why", why_lead(t));
	if (!c.lead || t->test.level == ROWTEST_WEAK)
		put_alternatives(&b);
	c.evidence = &b;
	r = rows->candidate(rows->ctx, &c);
	buf_release(&text);
	basis_release(&b);
	return r;
}

static int
tell_phrase(const struct tokenrows *t, unsigned lo, unsigned hi,
    uint32_t rank, struct rows *rows)
{
	struct row_candidate c = {.lead = true, .kind = "phrase",
	    .score = score_of(t, lo), .rank = rank, .method = method(t)};
	uint64_t ids[CONTEXT];
	struct basis b;
	struct buf text;
	int r;

	for (unsigned i = lo; i < hi; i++)
		ids[i - lo] = t->top[i].id;
	basis_init(&b);
	buf_init(&text, TOKENROWS_TEXT);
	tokenrows_join(t->opt.vocab, ids, hi - lo, &text);
	c.value = (struct row_text){(const char *)text.p, text.len};
	basis_text(&b, "tensor", t->d->b->name, t->d->b->name_len);
	basis_array(&b, "ids");
	for (unsigned i = 0; i < hi - lo; i++)
		basis_u64(&b, NULL, ids[i]);
	basis_end(&b);
	basis_u64(&b, "first_rank", lo + 1);
	basis_str(&b, "why", "pieces of words that are next to each other in "
	    "rank and can be joined; their order is a guess beyond two");
	c.evidence = &b;
	r = rows->candidate(rows->ctx, &c);
	buf_release(&text);
	basis_release(&b);
	return r;
}

/* Runs of ranks with one piece that opens a word and others that go on. */
static int
tell_phrases(const struct tokenrows *t, struct rows *rows)
{
	unsigned max = t->ntop < CONTEXT ? t->ntop : CONTEXT, found = 0;
	unsigned opens, lo, hi;
	enum tokenrows_piece p;
	int r = 0;

	for (lo = 0; lo < max && r >= 0; lo = hi > lo ? hi : lo + 1) {
		opens = 0;
		for (hi = lo; hi < max; hi++) {
			p = tokenrows_piece(t->opt.vocab, t->top[hi].id);
			if (p == TOKENROWS_WHOLE ||
			    (p == TOKENROWS_OPENS && opens == 1))
				break;
			opens += p == TOKENROWS_OPENS;
		}
		if (opens == 1 && hi - lo > 1 && found < PHRASES)
			r = tell_phrase(t, lo, hi, ++found, rows);
	}
	return r;
}

static int
tell_edit(const struct tokenrows *t, uint64_t others, struct rows *rows)
{
	struct row_text name = {t->d->b->name, t->d->b->name_len};
	struct row_conclusion c = {.kind = CONCLUSION_TOKEN_ROW_EDIT,
	    .confidence = t->d->cast == CAST_NONE ? CONFIDENCE_CERTAIN
	    : CONFIDENCE_STRONG, .tensors = &name, .ntensors = 1,
	    .tensors_in_all = 1};
	struct basis b;
	unsigned written = 0;
	int r;

	for (size_t i = 0; i < INNOCENT; i++)
		c.alternatives[c.nalternatives++] = innocent[i];
	for (unsigned i = 0; i < t->ntop; i++)
		written += t->top[i].rewritten;
	basis_init(&b);
	basis_u64(&b, "rows_changed", t->test.moved);
	basis_u64(&b, "rows_rewritten", written);
	basis_u64(&b, "rows", t->test.rows);
	basis_bool(&b, "output", t->opt.head);
	if (others != UINT64_MAX)
		basis_u64(&b, "other_tensors_changed", others);
	basis_array(&b, "ids");
	for (unsigned i = 0; i < t->ntop; i++)
		basis_u64(&b, NULL, t->top[i].id);
	basis_end(&b);
	c.evidence = &b;
	r = rows->conclusion(rows->ctx, &c);
	basis_release(&b);
	return r;
}

static const char *
reason(const struct tokenrows *t)
{
	if (!t->usable)
		return "rows of the two embeddings cannot be compared";
	if (t->below)
		return "only changes below single precision, or signs of "
		    "zero: no token can be named";
	if (t->test.level == ROWTEST_UNTOUCHED)
		return "embedding untouched: no token can be named";
	if (t->patched)
		return "only a few values of a few rows changed, or their "
		    "lowest bits: no row was rewritten";
	if (t->list == TOKENROWS_BY_REST)
		return "a list only: in a matrix that gives the output "
		    "nothing separates poisoned from clean";
	if (t->test.level != ROWTEST_ISOLATED && !t->test.fitted)
		return "too few rows moved to tell which stands out";
	return "it cannot see triggers of frequent words, syntax or style; "
	    "that no token stands out is not \"clean\"";
}

static int
tell_detector(const struct tokenrows *t, struct rows *rows)
{
	struct row_detector d = {.method = method(t), .reason = reason(t)};
	struct basis b;
	int r;

	d.applied = t->usable && t->test.moved > 0 && !t->patched &&
	    (t->test.level == ROWTEST_ISOLATED || t->test.fitted ||
	    t->list == TOKENROWS_BY_REST);
	basis_init(&b);
	basis_text(&b, "tensor", t->d->b->name, t->d->b->name_len);
	basis_str(&b, "tied", tied_why_name(t->opt.tied));
	basis_bool(&b, "output", t->opt.head);
	put_vocabulary(t, &b);
	if (t->usable) {
		put_test(t, &b);
		basis_u64(&b, "silent", t->test.silent);
		basis_u64(&b, "without_partner", t->fresh);
		basis_u64(&b, "not_finite", t->test.nonfinite);
	}
	basis_f64(&b, "threshold_ex", ROWTEST_EXCESS);
	basis_f64(&b, "threshold_gap", ROWTEST_GAP);
	basis_f64(&b, "threshold_ex_weak", ROWTEST_EXCESS_WEAK);
	d.evidence = &b;
	r = rows->detector(rows->ctx, &d);
	basis_release(&b);
	return r;
}

int
tokenrows_rows(const struct tokenrows *t, uint64_t others, struct rows *rows)
{
	int r = 0;

	if (t->usable && t->test.level == ROWTEST_ISOLATED)
		r = tell_edit(t, others, rows);
	for (unsigned i = 0; r >= 0 && i < listed(t); i++)
		r = tell_row(t, i, rows);
	if (r >= 0)
		r = tell_phrases(t, rows);
	return r < 0 ? r : tell_detector(t, rows);
}

int
tokenrows_lack(enum tokenrows_lack why, struct rows *rows)
{
	static const char *const reasons[] = {
	    [TOKENROWS_NO_BASE] = "no older version to compare with: weights "
		"alone give no verdict; the base model (--base) would",
	    [TOKENROWS_NO_EMBEDDING] = "no tensor has a row for each token",
	    [TOKENROWS_NO_PARTNER] = "the older model has no embedding that "
		"this one could be compared with",
	};
	struct row_detector d = {.method = PLAIN_METHOD};
	struct basis b;
	int r;

	BUG_ON(why >= TOKENROWS_LACKS);
	basis_init(&b);
	d.reason = reasons[why];
	d.evidence = &b;
	r = rows->detector(rows->ctx, &d);
	basis_release(&b);
	return r;
}
