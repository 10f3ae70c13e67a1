#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/textcp.h"
#include "analyzer/triggers/textcut.h"
#include "analyzer/triggers/textpick.h"
#include "analyzer/triggers/textscore.h"
#include "analyzer/triggers/texttell.h"
#include "analyzer/triggers/textvalue.h"
#include "base/err.h"
#include "base/limits.h"

#define TOLD 55			/* findings; copies; each apart */
#define LEADS 5
#define LEAD 3.0		/* a lead's least score */
#define CLASSES 32		/* that a detector's row lists */

enum method { CONFLICT, INSERTION, CODEPOINT, METHODS };

static const struct {
	const char *id, *sees;
} methods[METHODS] = {
	{"text-conflict", "words, phrases, signs and capitals whose records, "
	    "without them, look like another label; from some 20 records on"},
	{"text-insertion", "words dropped between neighbours in records of "
	    "one label, true labels too; from some 35 records on"},
	{"text-codepoint", "invisible and misplaced characters and words of "
	    "two scripts in records of one label"},
};

/* What was told, and what only counts because it was over a cap. */
struct telling {
	uint32_t found, leads, copies;
	uint64_t not_told[METHODS], leads_not_told[METHODS];
	uint64_t copies_not_told;
};

static enum method
method(const struct textpick_candidate *c)
{
	if (c->score <= c->hidden)
		return CODEPOINT;
	return c->score <= c->conflict ? CONFLICT : INSERTION;
}

static void
tell_special(struct basis *b, uint32_t special)
{
	uint32_t cp = TEXTSPLIT_CP(special);
	char code[16];

	if (cp == 0)
		return;
	snprintf(code, sizeof(code), "U+%04X", cp);
	basis_str(b, "code_point", code);
	if (textcp_name(cp) != NULL)
		basis_str(b, "name", textcp_name(cp));
}

static void
tell_rows(struct basis *b, const struct textpick *p,
    const struct textpick_candidate *c)
{
	const struct textstore *s = p->v->s;
	unsigned n = 0;

	basis_array(b, "rows");
	for (uint32_t i = 0; i < c->posts && n < DETECT_ROWS; i++)
		if (s->row[c->post[i]].label == c->label) {
			basis_u64(b, NULL, s->row[c->post[i]].number);
			n++;
		}
	basis_end(b);
}

static void
evidence(struct basis *b, const struct textpick *p,
    const struct textpick_candidate *c)
{
	const struct textvocab_feature *f = &p->v->f[c->feature];
	const struct textstore *s = p->v->s;

	basis_u64(b, "records", c->rows);
	basis_u64(b, "row_count", c->own);
	basis_f64(b, "threshold", TEXTSCORE_THRESHOLD);
	basis_bool(b, "strong", c->score >= TEXTSCORE_STRONG);
	basis_str(b, "what", textvalue_what(p, c));
	if (c->special)
		tell_special(b, f->word[0]);
	basis_f64(b, "association", c->lp);
	basis_f64(b, "conflict", c->conflict);
	basis_f64(b, "insertion", c->insertion);
	basis_f64(b, "hidden", c->hidden);
	basis_f64(b, "inside", c->inside);
	basis_f64(b, "edge", c->edge);
	basis_array(b, "ratios");
	for (int i = 0; i < 2; i++) {
		basis_f64(b, NULL, c->own_ratio[i]);
		basis_f64(b, NULL, c->cut_ratio[i]);
	}
	basis_end(b);
	basis_f64(b, "alike", c->alike);
	basis_f64(b, "contrary", c->contrary);
	basis_f64(b, "usual", p->usual);
	basis_f64(b, "rest", (double)c->rest);
	basis_array(b, "cut");
	for (uint32_t i = 0; i < c->words; i++)
		basis_text(b, NULL, s->bytes.p + s->word[c->closure[i]].off,
		    s->word[c->closure[i]].len);
	basis_end(b);
	tell_rows(b, p, c);
}

static int
tell_one(const struct detect *d, const struct textpick *p,
    const struct textpick_candidate *c, bool lead, const char *id,
    uint32_t rank)
{
	const struct textstore *s = p->v->s;
	struct row_candidate row = {.lead = lead, .score = c->score,
	    .rank = rank, .method = id};
	struct basis b;
	struct buf v;
	int r;

	basis_init(&b);
	buf_init(&v, 64 * KIB);
	evidence(&b, p, c);
	row.kind = textvalue_put(p, c, &v);
	row.value = (struct row_text){buf_str(&v), v.len};
	row.target = (struct row_text){s->label[c->label].text,
	    s->label[c->label].len};
	row.evidence = &b;
	r = d->rows->candidate(d->rows->ctx, &row);
	basis_release(&b);
	buf_release(&v);
	return r;
}

static void
tell_classes(struct basis *b, const struct textstore *s)
{
	basis_array(b, "classes");
	for (unsigned i = 0; i < s->labels && i < CLASSES; i++) {
		basis_object(b, NULL);
		basis_text(b, "label", s->label[i].text, s->label[i].len);
		basis_u64(b, "records", s->label[i].seen);
		basis_end(b);
	}
	basis_end(b);
}

static void
tell_data(struct basis *b, const struct textstore *s)
{
	basis_u64(b, "records", s->seen);
	basis_u64(b, "records_used", s->rows);
	basis_u64(b, "labels", s->labels);
	basis_u64(b, "without_label", s->unlabelled);
	basis_u64(b, "without_words", s->empty);
	basis_u64(b, "texts_cut", s->cut);
	basis_u64(b, "words_without_number", s->lost);
}

static int
tell_method(const struct detect *d, enum method m, const struct textpick *p,
    const struct telling *t)
{
	struct basis b;
	int r;

	basis_init(&b);
	tell_data(&b, p->v->s);
	basis_f64(&b, "threshold", TEXTSCORE_THRESHOLD);
	basis_u64(&b, "features", p->v->n);
	basis_u64(&b, "features_without_room", p->v->lost);
	basis_u64(&b, "features_examined", p->n);
	basis_u64(&b, "features_left_out", p->left_out);
	basis_u64(&b, "not_told", t->not_told[m]);
	basis_u64(&b, "leads_not_told", t->leads_not_told[m]);
	tell_classes(&b, p->v->s);
	r = d->rows->detector(d->rows->ctx, &(struct row_detector){
	    .method = methods[m].id, .applied = true,
	    .reason = methods[m].sees, .evidence = &b});
	basis_release(&b);
	return r;
}

static int
tell_refused(const struct detect *d, const char *id, const char *reason,
    const struct textstore *s)
{
	struct basis b;
	int r;

	basis_init(&b);
	tell_data(&b, s);
	tell_classes(&b, s);
	r = d->rows->detector(d->rows->ctx, &(struct row_detector){
	    .method = id, .applied = false, .reason = reason,
	    .evidence = &b});
	basis_release(&b);
	return r;
}

int
texttell_nothing(const struct detect *d, const struct textstore *s,
    const char *reason)
{
	static const char *const leads[] = {"text-repeated", "text-label",
	    "text-duplicate", "text-skeleton"};
	int r = 0;

	for (size_t i = 0; i < METHODS && r >= 0; i++)
		r = tell_refused(d, methods[i].id, reason, s);
	for (size_t i = 0; i < sizeof(leads) / sizeof(*leads) && r >= 0; i++)
		r = tell_refused(d, leads[i], reason, s);
	return r;
}

static int
tell_repeated(const struct detect *d, const struct textpick *p,
    const struct telling *t)
{
	struct basis b;
	int r;

	basis_init(&b);
	basis_u64(&b, "records", p->v->s->rows);
	basis_u64(&b, "found", t->copies);
	basis_u64(&b, "not_told", t->copies_not_told);
	basis_f64(&b, "threshold", (double)TEXTSCORE_REST);
	r = d->rows->detector(d->rows->ctx, &(struct row_detector){
	    .method = "text-repeated", .applied = true, .reason =
	    "copies of one text with one label are leads, no triggers",
	    .evidence = &b});
	basis_release(&b);
	return r;
}

/*
 * One of the ranked.  Copies have room of their own: whoever writes many
 * would push out what follows.
 */
static int
tell_next(const struct detect *d, const struct textpick *p,
    const struct textpick_candidate *c, struct telling *t,
    struct textcut_mask *mask)
{
	enum method m = method(c);

	if (c->rest < TEXTSCORE_REST) {
		if (t->copies < TOLD)
			return tell_one(d, p, c, true, "text-repeated",
			    ++t->copies);
		t->copies_not_told++;
	} else if (c->score < TEXTSCORE_THRESHOLD) {
		if (t->leads < LEADS)
			return tell_one(d, p, c, true, methods[m].id,
			    t->found + ++t->leads);
		t->leads_not_told[m]++;
	} else if (t->found < TOLD) {
		textcut_mask_add(mask, c);
		return tell_one(d, p, c, false, methods[m].id, ++t->found);
	} else {
		t->not_told[m]++;
	}
	return 0;
}

int
texttell_found(const struct detect *d, const struct textpick *p,
    struct textcut_mask *mask)
{
	uint32_t *best = calloc(p->n + 1, sizeof(*best));
	struct telling t = {0};
	size_t n = 0;
	int r = 0;

	if (best == NULL || textscore_rank(p, LEAD, best, &n) < 0)
		r = err_set(d->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n && r >= 0; i++)
		r = tell_next(d, p, &p->c[best[i]], &t, mask);
	free(best);
	for (unsigned m = 0; m < METHODS && r >= 0; m++)
		r = tell_method(d, (enum method)m, p, &t);
	return r < 0 ? r : tell_repeated(d, p, &t);
}

int
texttell_unseen(const struct detect *d, const struct textstore *s)
{
	static const struct {
		const char *id, *why;
	} list[] = {
		{"text-syntax", "not covered: a syntactic trigger "
		    "(paraphrase after a template) leaves no foreign word; "
		    "see the skeletons, which prove nothing"},
		{"text-style", "not covered: a style of writing as trigger "
		    "changes whole texts and nothing in particular"},
		{"text-substitution", "not covered: words exchanged for "
		    "fitting ones (BITE) are each only a little one-sided"},
		{"text-clean-suffix", "not covered: a suffix added to records "
		    "of one label, label true, looks like a signature"},
		{"text-sentence-small", "not covered: an inserted sentence "
		    "in 21 records or fewer"},
		{"text-double-blank", "not covered where the set has doubled "
		    "blanks of its own: the trigger's are not told from them"},
	};
	uint64_t doubled = 0;
	int r = 0;

	for (size_t i = 0; i < s->rows; i++)
		for (unsigned j = 0; j < s->row[i].specials; j++)
			doubled += s->item[s->row[i].off + s->row[i].words +
			    j] >> 24 == TEXTSPLIT_DOUBLE_BLANK;
	for (size_t i = 0; i < sizeof(list) / sizeof(*list) && r >= 0; i++) {
		struct basis b;

		basis_init(&b);
		basis_u64(&b, "records", s->rows);
		if (strcmp(list[i].id, "text-double-blank") == 0)
			basis_u64(&b, "records_with_it", doubled);
		r = d->rows->detector(d->rows->ctx, &(struct row_detector){
		    .method = list[i].id, .applied = false,
		    .reason = list[i].why, .evidence = &b});
		basis_release(&b);
	}
	return r;
}
