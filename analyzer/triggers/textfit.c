#include <math.h>
#include <string.h>

#include "analyzer/diff/pool.h"
#include "analyzer/triggers/textfit.h"
#include "base/err.h"

/* Rows of one task. */
#define CHUNK 2048

int
textfit_init(struct textfit *f, const struct textvocab *v, struct err *e)
{
	size_t rows = v->s->rows;

	memset(f, 0, sizeof(*f));
	f->v = v;
	f->classes = v->classes;
	f->width = f->classes == 2 ? 1 : f->classes;
	f->fold = malloc(rows + 1);
	f->w = calloc((size_t)TEXTFIT_FOLDS * v->linear * f->width + 1,
	    sizeof(*f->w));
	f->bias = calloc(TEXTFIT_FOLDS * (size_t)f->width, sizeof(*f->bias));
	f->m = calloc(rows * f->width + 1, sizeof(*f->m));
	f->top = calloc(rows * 2 + 1, sizeof(*f->top));
	if (f->fold == NULL || f->w == NULL || f->bias == NULL ||
	    f->m == NULL || f->top == NULL) {
		textfit_release(f);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	for (size_t i = 0; i < rows; i++)
		f->fold[i] = (uint8_t)(textstore_mix(
		    v->s->row[i].number ^ 0x5eed) % TEXTFIT_FOLDS);
	return 0;
}

void
textfit_release(struct textfit *f)
{
	free(f->fold);
	free(f->w);
	free(f->bias);
	free(f->m);
	free(f->top);
	memset(f, 0, sizeof(*f));
}

/* ln(i + 1/2), ten million times. */
static float *
log_table(size_t n)
{
	float *t = malloc((n + 1) * sizeof(*t));

	for (size_t i = 0; t != NULL && i <= n; i++)
		t[i] = logf((float)i + 0.5f);
	return t;
}

/* Counts of one fold become the weights of it: those of all others. */
static void
odds(struct textfit *f, unsigned fold, const uint32_t *in,
    const uint32_t *size, const float *ln)
{
	const struct textvocab *v = f->v;
	unsigned K = f->classes, first = f->width == 1 ? 1 : 0;
	float *w = f->w + (size_t)fold * v->linear * f->width;
	float off[256];
	uint32_t all = 0;

	for (unsigned c = 0; c < K; c++)
		all += v->s->label[c].rows - size[c];
	for (unsigned c = first; c < K; c++) {
		uint32_t own = v->s->label[c].rows - size[c];

		off[c] = logf((float)(own + 1)) - logf((float)(all - own + 1));
		f->bias[fold * f->width + c - first] = off[c];
	}
	for (uint32_t j = 0; j < v->linear; j++) {
		const uint32_t *n = v->count + (size_t)j * K;
		const uint32_t *m = in + (size_t)j * K;
		uint32_t sum = 0;

		for (unsigned c = 0; c < K; c++)
			sum += n[c] - m[c];
		for (unsigned c = first; c < K; c++) {
			uint32_t own = n[c] - m[c];

			w[(size_t)j * f->width + c - first] =
			    ln[own] - ln[sum - own] - off[c];
		}
	}
}

int
textfit_odds(struct textfit *f, struct err *e)
{
	const struct textvocab *v = f->v;
	const struct textstore *s = v->s;
	size_t n = (size_t)v->linear * f->classes;
	uint32_t *in = calloc(n + 1, sizeof(*in)), size[256];
	float *ln = log_table(s->rows);

	if (in == NULL || ln == NULL) {
		free(in);
		free(ln);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	for (unsigned fold = 0; fold < TEXTFIT_FOLDS; fold++) {
		memset(in, 0, n * sizeof(*in));
		memset(size, 0, sizeof(size));
		for (size_t i = 0; i < s->rows; i++) {
			if (f->fold[i] != fold)
				continue;
			size[s->row[i].label]++;
			for (uint64_t j = v->start[i]; j < v->start[i + 1]; j++)
				in[(size_t)v->id[j] * f->classes +
				    s->row[i].label]++;
		}
		odds(f, fold, in, size, ln);
	}
	free(in);
	free(ln);
	return 0;
}

static void
margins(void *ctx, size_t chunk, unsigned thread)
{
	struct textfit *f = ctx;
	const struct textvocab *v = f->v;
	size_t to = (chunk + 1) * CHUNK;

	(void)thread;
	if (to > v->s->rows)
		to = v->s->rows;
	for (size_t i = chunk * CHUNK; i < to; i++) {
		const float *w = textfit_weights(f, i);
		float *m = f->m + i * f->width;

		memcpy(m, f->bias + f->fold[i] * (size_t)f->width,
		    f->width * sizeof(*m));
		for (uint64_t j = v->start[i]; j < v->start[i + 1]; j++) {
			const float *p = w + (size_t)v->id[j] * f->width;

			for (unsigned c = 0; c < f->width; c++)
				m[c] += p[c];
		}
	}
}

void
textfit_margins(struct textfit *f, struct pool *pool)
{
	pool_run(pool, margins, f, (f->v->s->rows + CHUNK - 1) / CHUNK);
}

struct topping {
	struct textfit *f;
	float *sum;		/* by thread and word: zero between rows */
};

/* Words of a row, each once: its sum is taken and is zero afterwards. */
static void
take(float *sum, const uint32_t *w, uint32_t n, float top[2])
{
	float first = 0, second = 0;

	for (uint32_t j = 0; j < n; j++) {
		float x = sum[w[j]];

		sum[w[j]] = 0;
		if (x > first) {
			second = first;
			first = x;
		} else if (x > second) {
			second = x;
		}
	}
	top[0] = first;
	top[1] = first + second;
}

static void
tops(void *ctx, size_t chunk, unsigned thread)
{
	const struct topping *t = ctx;
	struct textfit *f = t->f;
	const struct textvocab *v = f->v;
	float *sum = t->sum + (size_t)thread * v->s->words;
	size_t to = (chunk + 1) * CHUNK;

	if (to > v->s->rows)
		to = v->s->rows;
	for (size_t i = chunk * CHUNK; i < to; i++) {
		const struct textstore_row *r = &v->s->row[i];
		const float *w = textfit_weights(f, i);

		for (uint64_t j = v->start[i]; j < v->start[i + 1]; j++) {
			const struct textvocab_feature *p = &v->f[v->id[j]];
			float x = textfit_margin(f, w + (size_t)v->id[j] *
			    f->width, r->label);

			if (p->kind == TEXTVOCAB_SPECIAL)
				continue;
			sum[p->word[0]] += x;
			if (p->kind == TEXTVOCAB_PAIR &&
			    p->word[1] != p->word[0])
				sum[p->word[1]] += x;
		}
		take(sum, textstore_items(v->s, i), r->words, f->top + i * 2);
	}
}

int
textfit_tops(struct textfit *f, struct pool *pool, struct err *e)
{
	struct topping t = {f, calloc((size_t)pool_threads(pool) *
	    f->v->s->words, sizeof(*t.sum))};

	if (t.sum == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	pool_run(pool, tops, &t, (f->v->s->rows + CHUNK - 1) / CHUNK);
	free(t.sum);
	return 0;
}
