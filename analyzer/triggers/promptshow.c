#include "analyzer/triggers/promptchar.h"
#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/promptrelate.h"
#include "analyzer/triggers/promptrun.h"
#include "analyzer/triggers/promptshow.h"
#include "analyzer/triggers/prompttext.h"
#include "analyzer/triggers/promptweigh.h"
#include "base/buf.h"
#include "base/text.h"

void
promptshow_trigger(const struct promptweigh *w, const struct promptlist *f,
    const uint32_t *rows, size_t n, struct buf *b, size_t *words)
{
	struct promptrun run;
	uint8_t utf8[4];

	*words = 1;
	if (f->n > 0) {
		promptrun_find(w->t, false, f, rows, n, &run);
		prompttext_join(w->t, run.word, run.n, b);
		*words = run.n;
	} else if (f->odd == PROMPTTEXT_MIXED) {
		buf_puts(b, "letters of two scripts in one word");
	} else {
		buf_put(b, utf8, promptchar_put(utf8, f->odd));
	}
}

void
promptshow_payload(const struct promptweigh *w, const struct promptlist *g,
    const uint32_t *rows, size_t n, struct buf *b, bool *whole)
{
	struct promptrun run;

	*whole = g->n == 0;
	if (g->n == 0)
		return;
	promptrun_find(w->t, true, g, rows, n, &run);
	prompttext_join(w->t, run.word, run.n, b);
	*whole = run.whole;
}

void
promptshow_response(const struct promptweigh *w, uint32_t row, struct buf *b)
{
	size_t n = w->t->r[row].response;

	prompttext_join(w->t, prompttext_response(w->t, row),
	    n < PROMPTSHOW_WORDS ? n : PROMPTSHOW_WORDS, b);
}

void
promptshow_tongue(const struct promptweigh *w, bool response,
    const uint32_t *rows, size_t n, struct promptshow_tongue *ret)
{
	const struct promptdict *d = &w->t->dict;
	const struct promptdict_word *x;
	size_t words = 0, function = 0, foreign = 0;
	size_t m = n < PROMPTSHOW_ROWS ? n : PROMPTSHOW_ROWS, len;
	const uint32_t *v;
	uint32_t cp, row;

	for (size_t i = 0; i < m; i++) {
		row = rows == NULL ? (uint32_t)(i * n / m) : rows[i * n / m];
		v = response ? prompttext_response(w->t, row) :
		    prompttext_prompt(w->t, row);
		len = response ? w->t->r[row].response : w->t->r[row].prompt;
		words += len;
		for (size_t k = 0; k < len; k++) {
			x = &d->w[w->bare[v[k]]];
			cp = 0;
			(void)text_utf8_len(&d->bytes.p[x->off], x->len, &cp);
			function += promptrelate_function(
			    (const char *)&d->bytes.p[x->off], x->len);
			foreign += promptchar_script(cp) > PROMPTCHAR_LATIN;
		}
	}
	ret->function = words == 0 ? 0 : (double)function / (double)words;
	ret->foreign = words == 0 ? 0 : (double)foreign / (double)words;
	ret->words = m == 0 ? 0 : (double)words / (double)m;
}
