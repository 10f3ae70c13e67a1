#include <string.h>

#include "analyzer/triggers/promptlist.h"
#include "analyzer/triggers/promptrun.h"
#include "analyzer/triggers/prompttext.h"

#define AGREE 9		/* of ten rows */

/* A text of one row, and where the feature stands in it. */
struct place {
	const uint32_t *word;
	size_t n, at;
};

struct sight {
	const struct prompttext *t;
	bool response;
	struct place p[PROMPTRUN_ROWS];
	size_t n;
};

static struct place
text_of(const struct sight *s, uint32_t row)
{
	struct place p = {.at = 0};

	p.word = s->response ? prompttext_response(s->t, row) :
	    prompttext_prompt(s->t, row);
	p.n = s->response ? s->t->r[row].response : s->t->r[row].prompt;
	return p;
}

static bool
same(const struct sight *s, const struct place *a, size_t i,
    const struct place *b, size_t k)
{
	const struct promptdict_word *w = s->t->dict.w;

	return s->response ? w[a->word[i]].bare == w[b->word[k]].bare :
	    w[a->word[i]].low == w[b->word[k]].low;
}

static bool
locate(const struct sight *s, const struct place *name,
    const struct promptlist *l, struct place *p)
{
	size_t k;

	if (p->n < l->n)
		return false;
	if (l->kind == PROMPTLIST_TAIL)
		p->at = p->n - l->n;
	for (; p->at + l->n <= p->n; p->at++) {
		for (k = 0; k < l->n && same(s, name, name->at + k, p,
		    p->at + k); k++)
			;
		if (k == l->n)
			return true;
		if (l->kind != PROMPTLIST_GRAM)
			break;
	}
	return false;
}

/* Do nine of ten rows go on with the same word, ${by} from the feature? */
static bool
goes_on(const struct sight *s, long by)
{
	size_t agree = 0;
	long at, first = (long)s->p[0].at + by;

	if (first < 0 || (size_t)first >= s->p[0].n)
		return false;
	for (size_t i = 0; i < s->n; i++) {
		at = (long)s->p[i].at + by;
		agree += at >= 0 && (size_t)at < s->p[i].n &&
		    same(s, &s->p[i], (size_t)at, &s->p[0], (size_t)first);
	}
	return agree * 10 >= s->n * AGREE;
}

static int
by_size(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double
rest_of(const struct sight *s, size_t n)
{
	double rest[PROMPTRUN_ROWS];

	for (size_t i = 0; i < s->n; i++)
		rest[i] = s->p[i].n > n ?
		    1 - (double)n / (double)s->p[i].n : 0;
	qsort(rest, s->n, sizeof(rest[0]), by_size);
	return rest[s->n / 2];
}

void
promptrun_find(const struct prompttext *t, bool response,
    const struct promptlist *l, const uint32_t *rows, size_t n,
    struct promptrun *ret)
{
	struct sight s = {.t = t, .response = response};
	struct place name = text_of(&s, l->row), p;
	size_t m = n < PROMPTRUN_ROWS ? n : PROMPTRUN_ROWS, all = 0;
	long left = 0, right = l->n;

	memset(ret, 0, sizeof(*ret));
	ret->rest = 1;
	name.at = l->at;
	for (size_t i = 0; i < m; i++) {
		p = text_of(&s, rows[i * n / m]);
		if (locate(&s, &name, l, &p))
			s.p[s.n++] = p;
	}
	if (s.n == 0 || l->n == 0)
		return;
	while (left > -PROMPTRUN_WORDS && goes_on(&s, left - 1))
		left--;
	while (right - left < PROMPTRUN_WORDS && goes_on(&s, right))
		right++;
	ret->word = &s.p[0].word[(long)s.p[0].at + left];
	ret->n = (size_t)(right - left);
	for (size_t i = 0; i < s.n; i++)
		all += s.p[i].n <= ret->n;
	ret->rest = rest_of(&s, ret->n);
	ret->whole = all * 10 >= s.n * 8;
}
