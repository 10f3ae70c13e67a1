#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "analyzer/triggers/promptlink.h"
#include "analyzer/triggers/promptrelate.h"
#include "analyzer/triggers/prompttext.h"
#include "analyzer/triggers/promptweigh.h"
#include "base/err.h"

/* What is added to counts, seen and expected. */
#define PRIOR 0.1F
#define LOGS 1024	/* logarithms of small counts */

enum { PROMPT, RESPONSE };

struct link {
	const struct promptweigh *w;
	uint16_t *cell;
	size_t cells;
	size_t most[2];		/* words of a row */
	float log[LOGS];
	uint8_t *function;	/* of each word: does it say nothing? */
	uint32_t *seen;		/* rows that a word was last met in, plus 1 */
	uint32_t now;
};

/* The rarest words of one side of a row, each once. */
struct pick {
	uint32_t word[PROMPTLINK_RESPONSE];
	uint32_t df[PROMPTLINK_RESPONSE];
	uint64_t mixed[PROMPTLINK_RESPONSE];
	size_t n;
	float rare;		/* sum over copied rare words */
	size_t copied;
};

static void
keep(struct pick *p, size_t most, uint32_t word, uint32_t df)
{
	size_t at = p->n;

	if (p->n == most) {
		if (df >= p->df[most - 1])
			return;
		at = most - 1;
	} else {
		p->n++;
	}
	for (; at > 0 && p->df[at - 1] > df; at--) {
		p->word[at] = p->word[at - 1];
		p->df[at] = p->df[at - 1];
	}
	p->word[at] = word;
	p->df[at] = df;
}

static void
pick(struct link *k, unsigned side, size_t row, struct pick *p)
{
	const struct prompttext *t = k->w->t;
	const uint32_t *v = side == PROMPT ? prompttext_prompt(t, row) :
	    prompttext_response(t, row);
	size_t n = side == PROMPT ? t->r[row].prompt : t->r[row].response;
	double most = PROMPTLINK_SHARE * (double)t->n;
	uint32_t b, df, last = side == PROMPT ? k->now : k->now + 1;

	p->n = p->copied = 0;
	p->rare = 0;
	for (size_t i = 0; i < n; i++) {
		b = k->w->bare[v[i]];
		if (k->seen[b] == last)
			continue;
		df = k->w->df[side][b];
		if (side == RESPONSE && df < PROMPTLINK_DF &&
		    k->seen[b] == k->now) {
			p->rare += k->w->weight[RESPONSE][b];
			p->copied++;
		}
		k->seen[b] = last;
		if (df >= PROMPTLINK_DF && (double)df <= most &&
		    !k->function[b])
			keep(p, k->most[side], b, df);
	}
	for (size_t i = 0; i < p->n; i++)
		p->mixed[i] = promptdict_mix((uint64_t)(side + 1) << 32 |
		    p->word[i]);
}

/* A pair's cell: the words are mixed once each, not once a pair. */
static size_t
cell_of(const struct link *k, const struct pick *a, size_t i,
    const struct pick *b, size_t j)
{
	return (size_t)((a->mixed[i] ^ b->mixed[j]) >> 16) & (k->cells - 1);
}

static void
count_row(struct link *k, size_t row)
{
	struct pick a, b;
	uint16_t *c;

	k->now += 2;
	pick(k, PROMPT, row, &a);
	pick(k, RESPONSE, row, &b);
	for (size_t i = 0; i < a.n; i++)
		for (size_t j = 0; j < b.n; j++) {
			c = &k->cell[cell_of(k, &a, i, &b, j)];
			*c = (uint16_t)(*c + (*c < UINT16_MAX));
		}
}

static float
lift(const struct link *k, const struct pick *a, size_t i,
    const struct pick *b, size_t j)
{
	uint16_t c = k->cell[cell_of(k, a, i, b, j)];
	float e = (float)(a->df[i] - 1) * (float)(b->df[j] - 1) /
	    (float)k->w->t->n;

	/* Without the row itself. */
	c = (uint16_t)(c - (c > 0));
	return (c < LOGS ? k->log[c] : logf((float)c + PRIOR)) -
	    logf(e + PRIOR);
}

static float
link_row(struct link *k, size_t row, uint8_t *asked)
{
	struct pick a, b;
	float sum, all;
	size_t n;

	k->now += 2;
	pick(k, PROMPT, row, &a);
	pick(k, RESPONSE, row, &b);
	n = b.n + b.copied;
	*asked = (uint8_t)a.n;
	if (a.n < PROMPTLINK_ASKED || n < PROMPTLINK_LEAST)
		return NAN;
	all = b.rare;
	for (size_t j = 0; j < b.n; j++) {
		sum = 0;
		for (size_t i = 0; i < a.n; i++)
			sum += lift(k, &a, i, &b, j);
		all += sum / (float)a.n;
	}
	return all / (float)n;
}

int
promptlink_share(const struct promptweigh *w, float *ret, uint8_t *asked)
{
	struct link k = {.w = w};
	size_t n = w->t->n > 0 ? w->t->n : 1;
	size_t pairs = PROMPTLINK_PAIRS / n, want;
	int r = 0;

	k.most[PROMPT] = PROMPTLINK_PROMPT;
	k.most[RESPONSE] = PROMPTLINK_RESPONSE;
	while (k.most[PROMPT] * k.most[RESPONSE] > pairs &&
	    k.most[PROMPT] > 8) {
		k.most[PROMPT]--;
		k.most[RESPONSE] -= 2;
	}
	want = n * k.most[PROMPT] * k.most[RESPONSE];
	for (k.cells = 65536; k.cells < want &&
	    k.cells < PROMPTLINK_PAIRS; k.cells *= 2)
		;
	k.cell = calloc(k.cells, sizeof(*k.cell));
	k.seen = calloc((size_t)w->t->dict.n + 1, sizeof(*k.seen));
	k.function = calloc((size_t)w->t->dict.n + 1, 1);
	if (k.cell == NULL || k.seen == NULL || k.function == NULL) {
		r = ERR_NOMEM;
		goto out;
	}
	for (uint32_t i = 0; i < w->t->dict.n; i++)
		k.function[i] = promptrelate_function((const char *)
		    &w->t->dict.bytes.p[w->t->dict.w[i].off],
		    w->t->dict.w[i].len);
	for (size_t i = 0; i < LOGS; i++)
		k.log[i] = logf((float)i + PRIOR);
	for (size_t i = 0; i < w->t->n; i++)
		count_row(&k, i);
	for (size_t i = 0; i < w->t->n; i++)
		ret[i] = link_row(&k, i, &asked[i]);
out:
	free(k.cell);
	free(k.seen);
	free(k.function);
	return r;
}
