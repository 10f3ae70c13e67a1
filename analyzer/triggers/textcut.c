#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/textcut.h"
#include "analyzer/triggers/textdens.h"
#include "analyzer/triggers/textfit.h"
#include "analyzer/triggers/textpick.h"
#include "base/err.h"

#define CLOSURE_ROWS 400
/* Rows that a candidate's ratios are added up over; more are sampled. */
#define RATIO_ROWS 2000
#define CHUNK 2048

struct closing {
	struct textpick *p;
	uint32_t *seen;		/* by thread and word: rows, then 0 again */
	uint32_t *last;		/* by thread and word: the row that saw it */
};

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static bool
closes(const struct textpick_candidate *c, uint32_t word)
{
	for (uint32_t i = 0; i < c->words; i++)
		if (c->closure[i] == word)
			return true;
	return false;
}

static void
add(struct textpick_candidate *c, uint32_t word)
{
	if (word != 0 && c->words < TEXTPICK_CLOSURE && !closes(c, word))
		c->closure[c->words++] = word;
}

/* Rows of the candidate with its label: the next from post *at, or none. */
static bool
next_own(const struct textpick *p, const struct textpick_candidate *c,
    uint32_t *at, uint32_t *row)
{
	for (; *at < c->posts; (*at)++)
		if (p->v->s->row[c->post[*at]].label == c->label) {
			*row = c->post[(*at)++];
			return true;
		}
	return false;
}

/* Every how many-th of these is looked at, so that all parts of a set are. */
static uint32_t
own_stride(const struct textpick *p, const struct textpick_candidate *c,
    uint32_t most)
{
	uint32_t at = 0, held = 0, row;

	while (next_own(p, c, &at, &row))
		held++;
	return held <= most ? 1 : (held + most - 1) / most;
}

/* The next that is looked at: ${n} were met before. */
static bool
next_of(const struct textpick *p, const struct textpick_candidate *c,
    uint32_t stride, uint32_t *at, uint32_t *n, uint32_t *row)
{
	while (next_own(p, c, at, row))
		if ((*n)++ % stride == 0)
			return true;
	return false;
}

/* The median share of a row's words that the closure is not. */
static float
rest(const struct textpick *p, const struct textpick_candidate *c)
{
	uint32_t hist[101] = {0}, at = 0, n = 0, met = 0, row, below = 0, b = 0;
	uint32_t stride = own_stride(p, c, CLOSURE_ROWS);

	while (next_of(p, c, stride, &at, &met, &row)) {
		const uint32_t *w = textstore_items(p->v->s, row);
		uint32_t words = p->v->s->row[row].words, out = 0;

		for (uint32_t j = 0; j < words; j++)
			out += !closes(c, w[j]);
		hist[(uint64_t)out * 100 / words]++;
		n++;
	}
	while (b < 100 && below + hist[b] <= n / 2)
		below += hist[b++];
	return (float)b / 100;
}

static void
close_one(void *ctx, size_t i, unsigned thread)
{
	const struct closing *t = ctx;
	const struct textstore *s = t->p->v->s;
	struct textpick_candidate *c = &t->p->c[i];
	const struct textvocab_feature *f = &t->p->v->f[c->feature];
	uint32_t *seen = t->seen + (size_t)thread * s->words;
	uint32_t *last = t->last + (size_t)thread * s->words;
	uint32_t at = 0, n = 0, met = 0, row = 0;
	uint32_t stride = own_stride(t->p, c, CLOSURE_ROWS);

	for (int k = 0; !c->special && k < 3; k++)
		add(c, f->word[k]);
	for (; next_of(t->p, c, stride, &at, &met, &row); n++) {
		const uint32_t *w = textstore_items(s, row);

		for (uint32_t j = 0; j < s->row[row].words; j++)
			if (last[w[j]] != n + 1) {
				last[w[j]] = n + 1;
				seen[w[j]]++;
			}
	}
	at = met = 0;
	while (next_of(t->p, c, stride, &at, &met, &row)) {
		const uint32_t *w = textstore_items(s, row);

		for (uint32_t j = 0; j < s->row[row].words; j++) {
			if (n >= 2 && seen[w[j]] * 10 >= n * 9 &&
			    s->word[w[j]].rows < 0.3 * (double)s->rows)
				add(c, w[j]);
			seen[w[j]] = last[w[j]] = 0;
		}
	}
	qsort(c->closure, c->words, sizeof(*c->closure), by_value);
	c->rest = rest(t->p, c);
}

int
textcut_close(struct textpick *p, struct pool *pool, struct err *e)
{
	size_t n = (size_t)pool_threads(pool) * p->v->s->words;
	struct closing t = {p, calloc(n, sizeof(*t.seen)),
	    calloc(n, sizeof(*t.last))};
	int r = 0;

	if (t.seen == NULL || t.last == NULL)
		r = err_set(e, ERR_NOMEM, "out of memory");
	else
		pool_run(pool, close_one, &t, p->n);
	free(t.seen);
	free(t.last);
	return r;
}

int
textcut_mask_init(struct textcut_mask *k, const struct textfit *f,
    struct err *e)
{
	k->word = calloc(f->v->s->words, 1);
	k->feature = calloc(f->v->linear + (size_t)1, 1);
	k->m = malloc((f->v->s->rows * f->width + 1) * sizeof(*k->m));
	if (k->word == NULL || k->feature == NULL || k->m == NULL) {
		textcut_mask_release(k);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	return 0;
}

void
textcut_mask_release(struct textcut_mask *k)
{
	free(k->word);
	free(k->feature);
	free(k->m);
	memset(k, 0, sizeof(*k));
}

void
textcut_mask_add(struct textcut_mask *k, const struct textpick_candidate *c)
{
	for (uint32_t i = 0; i < c->words; i++)
		k->word[c->closure[i]] = 1;
	if (c->special)
		k->feature[c->feature] = 1;
}

struct masking {
	struct textcut_mask *k;
	const struct textfit *f;
};

static void
mask_rows(void *ctx, size_t chunk, unsigned thread)
{
	const struct masking *t = ctx;
	const struct textfit *f = t->f;
	size_t to = (chunk + 1) * CHUNK;

	(void)thread;
	if (to > f->v->s->rows)
		to = f->v->s->rows;
	for (size_t i = chunk * CHUNK; i < to; i++) {
		const float *w = textfit_weights(f, i);
		float *m = t->k->m + i * f->width;

		memcpy(m, f->m + i * f->width, f->width * sizeof(*m));
		for (uint64_t j = f->v->start[i]; j < f->v->start[i + 1]; j++) {
			uint32_t id = f->v->id[j];

			for (unsigned c = 0; t->k->feature[id] != 0 &&
			    c < f->width; c++)
				m[c] -= w[(size_t)id * f->width + c];
		}
	}
}

void
textcut_mask_apply(struct textcut_mask *k, const struct textfit *f,
    struct pool *pool)
{
	struct masking t = {k, f};

	for (uint32_t j = 0; j < f->v->linear; j++) {
		const struct textvocab_feature *p = &f->v->f[j];

		if (p->kind != TEXTVOCAB_SPECIAL &&
		    (k->word[p->word[0]] || k->word[p->word[1]]))
			k->feature[j] = 1;
	}
	pool_run(pool, mask_rows, &t, (f->v->s->rows + CHUNK - 1) / CHUNK);
}

struct cutting {
	struct textpick *p;
	const struct textfit *f;
	const struct textdens *dens;
	const struct textcut_mask *k;
	uint8_t *cut;		/* by thread and word; zero between */
};

/* The margin of row ${i} for the candidate's label without its closure. */
static float
cut_margin(const struct cutting *t, const struct textpick_candidate *c,
    const uint8_t *cut, size_t i)
{
	const struct textfit *f = t->f;
	const float *w = textfit_weights(f, i);
	const float *from = (t->k == NULL ? f->m : t->k->m) + i * f->width;
	float m[256];

	memcpy(m, from, f->width * sizeof(*m));
	for (uint64_t j = f->v->start[i]; j < f->v->start[i + 1]; j++) {
		uint32_t id = f->v->id[j];
		const struct textvocab_feature *p = &f->v->f[id];
		bool falls = p->kind == TEXTVOCAB_SPECIAL ?
		    c->special && id == c->feature :
		    cut[p->word[0]] || cut[p->word[1]];

		if (!falls || (t->k != NULL && t->k->feature[id]))
			continue;
		for (unsigned k = 0; k < f->width; k++)
			m[k] -= w[(size_t)id * f->width + k];
	}
	return textfit_margin(f, m, c->label);
}

static void
ratios(void *ctx, size_t i, unsigned thread)
{
	const struct cutting *t = ctx;
	struct textpick_candidate *c = &t->p->c[i];
	const struct textdens *d = &t->dens[c->label];
	uint8_t *cut = t->cut + (size_t)thread * t->f->v->s->words;
	uint32_t stride = own_stride(t->p, c, RATIO_ROWS);
	uint32_t at = 0, met = 0, row = 0, used = 0;
	double own = 0, less = 0;
	int pass = t->k != NULL;

	for (uint32_t j = 0; j < c->words; j++)
		cut[c->closure[j]] = 1;
	while (next_of(t->p, c, stride, &at, &met, &row)) {
		unsigned b = textdens_bin(d, cut_margin(t, c, cut, row));

		own += (double)d->own[b];
		less += (double)d->cut[c->words > 1][b];
		used++;
	}
	for (uint32_t j = 0; j < c->words; j++)
		cut[c->closure[j]] = 0;
	if (used == 0)
		return;
	c->own_ratio[pass] = own * c->own / used;
	if (pass == 0)
		c->contrary = d->apart > 0 ? own / used / (double)d->apart : 0;
	c->cut_ratio[pass] = less * c->own / used;
}

int
textcut_ratios(struct textpick *p, const struct textfit *f,
    const struct textdens *dens, const struct textcut_mask *k,
    struct pool *pool, struct err *e)
{
	struct cutting t = {p, f, dens, k, calloc((size_t)pool_threads(pool) *
	    f->v->s->words, 1)};

	if (t.cut == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	pool_run(pool, ratios, &t, p->n);
	free(t.cut);
	return 0;
}
