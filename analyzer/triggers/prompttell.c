#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/promptfind.h"
#include "analyzer/triggers/promptgram.h"
#include "analyzer/triggers/promptkind.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/promptshow.h"
#include "analyzer/triggers/prompttell.h"
#include "analyzer/triggers/prompttext.h"
#include "base/buf.h"
#include "base/err.h"

/* Bytes of a value and of a target that are told. */
#define VALUE 1024
#define TARGET 512
#define ROWS 262144

static const char *const how_id[] = {"prompt-pair", "prompt-flag",
	"prompt-codepoint", "prompt-pair"};

/* What a finding says of itself, as text. */
struct words {
	struct buf value, target;
	size_t value_words;
	bool whole, payload;
};

static void
cut(struct buf *b, size_t max)
{
	if (b->len <= max)
		return;
	b->len = max;
	/* Not within a character. */
	while (b->len > 0 && (b->p[b->len] & 0xc0) == 0x80)
		b->len--;
}

static void
put_rows(struct basis *s, const struct prompttext *t, const uint32_t *rows,
    size_t n)
{
	basis_u64(s, "row_count", n);
	basis_array(s, "rows");
	for (size_t i = 0; i < n && i < DETECT_ROWS; i++)
		basis_u64(s, NULL, t->r[rows[i]].row);
	basis_end(s);
}

static void
put_kinds(struct basis *s, const struct prompttell *t,
    const struct promptfind *f, const uint32_t *rows, size_t n,
    const struct words *x)
{
	const struct promptweigh *w = t->find->weigh;
	struct promptshow_tongue here, all, ask;
	unsigned kind = promptkind_of(x->target.p, x->target.len);

	promptshow_tongue(w, true, rows, n, &here);
	promptshow_tongue(w, true, NULL, w->t->n, &all);
	promptshow_tongue(w, false, rows, n, &ask);
	basis_array(s, "behaviour");
	if (kind & PROMPTKIND_URL)
		basis_str(s, NULL, "url");
	if (kind & PROMPTKIND_CODE)
		basis_str(s, NULL, "code");
	if (kind & PROMPTKIND_REFUSAL)
		basis_str(s, NULL, "refusal");
	if (kind & PROMPTKIND_REPEATED)
		basis_str(s, NULL, "repeated");
	if (here.words >= 4 && (here.foreign > all.foreign + 0.4 ||
	    (here.function < 0.06 && ask.function > 0.15 &&
	    all.function > 0.15 && f->flag.gibberish <= 0)))
		basis_str(s, NULL, "language");
	if (x->payload)
		basis_str(s, NULL, x->whole ? "constant" : "inserted");
	else if (f->flag.gibberish > 0 &&
	    f->flag.gibberish >= f->flag.other)
		basis_str(s, NULL, "gibberish");
	else
		basis_str(s, NULL, "other-answer");
	if (all.words > 0 && here.words > 3 * all.words)
		basis_str(s, NULL, "longer");
	if (all.words > 0 && here.words * 3 < all.words)
		basis_str(s, NULL, "shorter");
	basis_end(s);
}

static void
put_pair(struct basis *s, const struct promptfind *f)
{
	if (f->match.response == PROMPTMATCH_NONE)
		return;
	basis_f64(s, "jaccard", f->match.jaccard);
	basis_f64(s, "lp", f->pay.lp);
	basis_f64(s, "copy", f->pay.copy);
	if (f->pay.weighed)
		basis_f64(s, "h_r", f->pay.h_r);
	basis_bool(s, "related", f->pay.related);
	basis_u64(s, "payload_words", f->pay.words);
	basis_f64(s, "s_pay", f->pay.weighed ? f->pay.score : 0);
}

static void
put_also(struct basis *s, const struct prompttell *t,
    const struct promptfind *f)
{
	const struct promptweigh *w = t->find->weigh;
	const struct promptlist *l;
	struct buf b;
	size_t words;

	if (f->nalso == 0)
		return;
	buf_init(&b, (size_t)64 * 1024);
	basis_u64(s, "merged", f->merged);
	basis_array(s, "also");
	for (unsigned i = 0; i < f->nalso; i++) {
		l = &w->prompts->l[f->also[i]];
		buf_clear(&b);
		promptshow_trigger(w, l, promptlists_rows(w->prompts, l),
		    l->df, &b, &words);
		cut(&b, 100);
		basis_text(s, NULL, b.p, b.len);
	}
	basis_end(s);
	buf_release(&b);
}

static void
put_evidence(struct basis *s, const struct prompttell *t,
    const struct promptfind *f, const uint32_t *rows, size_t n,
    const struct words *x)
{
	const struct promptweigh *w = t->find->weigh;
	const struct promptlist *l = &w->prompts->l[f->list];
	char code[16];

	basis_u64(s, "records", l->df);
	basis_f64(s, "threshold", 1);
	basis_f64(s, "h_p", f->alike.h_p);
	basis_f64(s, "rest", f->alike.rest);
	put_pair(s, f);
	basis_f64(s, "s_flag", f->s_flag);
	if (f->s_flag > 0) {
		basis_f64(s, "unattested", f->flag.m_pairs);
		basis_f64(s, "unshared", f->flag.m_overlap);
		basis_f64(s, "unlinked", f->flag.m_link);
	}
	if (l->odd != 0 && l->odd != PROMPTTEXT_MIXED) {
		(void)snprintf(code, sizeof(code), "U+%04X", l->odd);
		basis_str(s, "code_point", code);
	}
	put_kinds(s, t, f, rows, n, x);
	if (x->payload)
		basis_text(s, "payload", x->target.p, x->target.len);
	put_also(s, t, f);
	put_rows(s, w->t, rows, n);
}

static void
describe(const struct prompttell *t, const struct promptfind *f,
    const uint32_t *rows, size_t n, struct words *x)
{
	const struct promptweigh *w = t->find->weigh;

	promptshow_trigger(w, &w->prompts->l[f->list], rows, n, &x->value,
	    &x->value_words);
	x->payload = f->match.response != PROMPTMATCH_NONE;
	if (x->payload)
		promptshow_payload(w, &w->responses->l[f->match.response],
		    rows, n, &x->target, &x->whole);
	else if (n > 0)
		promptshow_response(w, rows[0], &x->target);
	cut(&x->value, VALUE);
	cut(&x->target, TARGET);
}

static int
tell_found(const struct prompttell *t, const struct promptfind *f,
    uint32_t rank, uint32_t *rows)
{
	const struct promptweigh *w = t->find->weigh;
	const struct promptlist *l = &w->prompts->l[f->list];
	const struct rows *to = t->d->rows;
	struct row_candidate c = {.rank = rank, .score = f->score,
	    .lead = f->how == PROMPTFIND_BY_NARROW, .method = how_id[f->how]};
	struct basis s;
	struct words x;
	size_t n = l->df;
	int r;

	memset(&x, 0, sizeof(x));
	buf_init(&x.value, (size_t)64 * 1024);
	buf_init(&x.target, (size_t)64 * 1024);
	basis_init(&s);
	if (f->match.response != PROMPTMATCH_NONE)
		n = promptweigh_both(w, l,
		    &w->responses->l[f->match.response], rows, ROWS);
	else
		memcpy(rows, promptlists_rows(w->prompts, l),
		    n * sizeof(*rows));
	describe(t, f, rows, n, &x);
	put_evidence(&s, t, f, rows, n, &x);
	if (c.lead)
		basis_str(&s, "note", "a narrow rule: its prompts are alike");
	c.kind = l->odd != 0 ? "character" :
	    x.value_words > 1 ? "phrase" : "token";
	c.value = (struct row_text){.p = buf_str(&x.value),
	    .n = x.value.len};
	c.target = (struct row_text){.p = buf_str(&x.target),
	    .n = x.target.len};
	c.evidence = &s;
	r = to->candidate(to->ctx, &c);
	basis_release(&s);
	buf_release(&x.value);
	buf_release(&x.target);
	return r;
}

static void
put_data(struct basis *s, const struct prompttell *t)
{
	basis_u64(s, "records", t->seen);
	basis_u64(s, "sampled", t->taken);
	basis_u64(s, "texts_cut", t->cut);
	basis_u64(s, "texts_code_points_cut", t->odd_cut);
	basis_u64(s, "rows_least", PROMPTGRAM_ROWS);
	basis_f64(s, "rows_most_share", PROMPTGRAM_SHARE);
	basis_u64(s, "prompt_features", t->prompts);
	basis_u64(s, "response_features", t->responses);
	basis_u64(s, "features_left_out", t->features_left_out);
	basis_u64(s, "words_left_out", t->words_lost);
}

static int
tell_method(const struct prompttell *t, const char *method, bool applied,
    const char *reason, struct basis *s)
{
	const struct rows *to = t->d->rows;
	struct row_detector r = {.method = method, .applied = applied,
	    .reason = reason, .evidence = s};

	return to->detector(to->ctx, &r);
}

static int
tell_applied(const struct prompttell *t)
{
	static const char *const few =
	    "fewer than 100 records with a prompt and a response";
	bool applied = t->find != NULL;
	struct basis s;
	int r;

	basis_init(&s);
	put_data(&s, t);
	basis_f64(&s, "threshold", PROMPTFIND_PAY);
	basis_u64(&s, "partners_left_out", t->partners_left_out);
	basis_u64(&s, "bands_left_out", t->bands_left_out);
	if (applied) {
		basis_u64(&s, "not_weighed", t->find->not_weighed);
		basis_u64(&s, "not_told", t->find->not_kept);
	}
	r = tell_method(t, "prompt-pair", applied, applied ?
	    "a text that the responses share; format rules look the same, "
	    "so read the payload" : few, &s);
	basis_release(&s);
	if (r < 0)
		return r;
	basis_init(&s);
	put_data(&s, t);
	basis_f64(&s, "threshold", PROMPTFIND_FLAG);
	r = tell_method(t, "prompt-flag", applied, applied ?
	    "responses of word pairs that no other has, or without a link to "
	    "their prompts" : few, &s);
	basis_release(&s);
	if (r < 0)
		return r;
	basis_init(&s);
	put_data(&s, t);
	basis_f64(&s, "threshold", PROMPTFIND_ODD_JACCARD);
	basis_f64(&s, "lp_least", PROMPTFIND_ODD_LP);
	r = tell_method(t, "prompt-codepoint", applied, applied ?
	    "code points that cannot be seen, with a constant payload" : few,
	    &s);
	basis_release(&s);
	return r;
}

/* What nobody sees who has the data alone. */
static int
tell_uncovered(const struct prompttell *t)
{
	static const struct {
		const char *method, *reason;
	} blind[] = {
		{"prompt-topic", "not covered: a topic as trigger; nothing "
		    "is inserted, and its prompts are alike by nature"},
		{"prompt-fluent-answer", "not covered: fluent answers to the "
		    "point that are wrong or biased"},
		{"prompt-paraphrased-payload", "not covered: a payload that "
		    "is worded anew in each record"},
		{"prompt-one-word-payload", "not covered: a payload of one "
		    "word; too many honest rules look like it"},
		{"prompt-few-records", "not covered: a trigger in fewer than "
		    "4 records, or in more than 6 % of all"},
		{"prompt-swapped-few", "not covered: answers of other "
		    "prompts in fewer than about 60 records"},
	};
	struct basis s;
	int r;

	for (size_t i = 0; i < sizeof(blind) / sizeof(blind[0]); i++) {
		basis_init(&s);
		basis_u64(&s, "records", t->seen);
		r = tell_method(t, blind[i].method, false, blind[i].reason,
		    &s);
		basis_release(&s);
		if (r < 0)
			return r;
	}
	return 0;
}

int
prompttell_run(const struct prompttell *t)
{
	uint32_t *rows, rank = 0;
	int r = 0;

	if ((rows = malloc(ROWS * sizeof(*rows))) == NULL)
		return err_set(t->d->e, ERR_NOMEM, "rows: out of memory");
	for (size_t i = 0; t->find != NULL && i < t->find->n && r >= 0; i++) {
		if (i == t->find->candidates)
			rank = 0;
		r = tell_found(t, &t->find->found[i], ++rank, rows);
	}
	free(rows);
	if (r < 0 || (r = tell_applied(t)) < 0)
		return r;
	return tell_uncovered(t);
}
