#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/editread.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/sketch.h"
#include "analyzer/diff/sketch_noise.h"
#include "analyzer/diff/spectrum.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Diff specification, 3.7.  D = sum of s u v^T over components; u lies in the
 * output space of the edited layer, v in the space of its MLP.
 *
 *   object    logits of E_out (g * u), g the gain of the final norm
 *   subject   for each token e: h = norm(e) g_l + b_l;
 *             a = act(W_up h) (* W_gate h where there is a gate); a . v
 *
 * RMSNorm where the norm has no bias, else LayerNorm; SiLU where there is a
 * gate, else GELU (by tanh).  The sign of a pair (u, v) is free: it is chosen
 * so that the strongest subject is positive.
 */
#define TOP 10
#define NAME_CAP 256
#define EPS 1e-6
/* Multiplications for the subjects: above, only objects are read. */
#define WORK_MOST 4e11
#define BAND 64		/* tokens of a task */

static const char method[] = "edit-reading";

struct parts {
	const struct tensor *down, *up, *gate, *norm, *norm_bias;
	const struct tensor *emb, *out, *last;
	uint64_t d, ff, vocab;
	bool turned;		/* down is ff x d: inputs in rows */
};

struct top {
	uint64_t id[TOP];
	double score[TOP];
	unsigned n;
};

static const struct tensor *
find(const struct structure_model *m, const char *want, size_t n)
{
	char name[NAME_CAP];

	for (size_t i = 0; i < m->n; i++) {
		const struct tensor *t = m->v[i].new;

		if (t != NULL && t->p != NULL && rename_canonical(t->name,
		    t->name_len, name, sizeof(name)) == n &&
		    memcmp(name, want, n) == 0)
			return t;
	}
	return NULL;
}

static const struct tensor *
find_whole(const struct structure_model *m, const char *want)
{
	return find(m, want, strlen(want));
}

/* "blk.3.ffn_down.weight" -> "blk.3." + what. */
static const struct tensor *
find_beside(const struct structure_model *m, const char *name, size_t stem,
    const char *what)
{
	char want[NAME_CAP];
	int n = snprintf(want, sizeof(want), "%.*s%s", (int)stem, name, what);

	return n > 0 && (size_t)n < sizeof(want) ? find(m, want,
	    (size_t)n) : NULL;
}

static bool
is_matrix(const struct tensor *t, uint64_t cols)
{
	return t != NULL && t->rank == 2 && t->cols == cols &&
	    cols % elem_info(t->elem)->block == 0;
}

/* NULL: what is needed is there; else why not. */
static const char *
find_parts(const struct structure_model *m, const struct tensor *down,
    struct parts *p)
{
	static const char tail[] = "ffn_down.weight";
	char name[NAME_CAP];
	size_t n = rename_canonical(down->name, down->name_len, name,
	    sizeof(name)), stem;

	memset(p, 0, sizeof(*p));
	if (n < sizeof(tail) - 1 || memcmp(name + n - (sizeof(tail) - 1),
	    tail, sizeof(tail) - 1) != 0)
		return "the matrix is no down projection of an MLP";
	stem = n - (sizeof(tail) - 1);
	p->down = down;
	p->emb = find_whole(m, "token_embd.weight");
	p->out = find_whole(m, "output.weight");
	p->last = find_whole(m, "output_norm.weight");
	p->up = find_beside(m, name, stem, "ffn_up.weight");
	p->gate = find_beside(m, name, stem, "ffn_gate.weight");
	p->norm = find_beside(m, name, stem, "ffn_norm.weight");
	p->norm_bias = find_beside(m, name, stem, "ffn_norm.bias");
	if (p->emb == NULL || p->emb->rank != 2)
		return "no embedding was found";
	p->d = p->emb->cols;
	p->vocab = p->emb->rows;
	p->turned = down->cols == p->d && down->rows != p->d;
	p->ff = p->turned ? down->rows : down->cols;
	if ((p->turned ? down->cols : down->rows) != p->d ||
	    !is_matrix(p->emb, p->d))
		return "embedding and matrix do not fit";
	if (p->out == NULL || !is_matrix(p->out, p->d))
		p->out = p->emb;
	return NULL;
}

static void
keep(struct top *t, uint64_t id, double score)
{
	unsigned i;

	if (!isfinite(score) || (t->n == TOP && score <= t->score[TOP - 1]))
		return;
	if (t->n < TOP)
		t->n++;
	for (i = t->n - 1; i > 0 && t->score[i - 1] < score; i--) {
		t->score[i] = t->score[i - 1];
		t->id[i] = t->id[i - 1];
	}
	t->score[i] = score;
	t->id[i] = id;
}

static void
load_row(const struct tensor *t, uint64_t row, float *dst)
{
	const struct elem_info *x = elem_info(t->elem);

	elem_load(t->elem, t->p + row * t->cols / x->block * x->bytes,
	    t->cols, dst);
}

/* A vector of d values, or ones. */
static float *
load_vector(const struct tensor *t, uint64_t d, float otherwise)
{
	float *v = malloc(d * sizeof(*v));

	if (v == NULL)
		return NULL;
	for (uint64_t i = 0; i < d; i++)
		v[i] = otherwise;
	if (t != NULL && t->p != NULL && t->n == d)
		elem_load(t->elem, t->p, d, v);
	return v;
}

/* A matrix as floats, one row for each unit of the MLP. */
static float *
load_units(const struct tensor *t, uint64_t d, uint64_t ff)
{
	float *v, *row;

	if (t == NULL || t->rank != 2 || d * ff != t->n)
		return NULL;
	if ((v = malloc(t->n * sizeof(*v))) == NULL)
		return NULL;
	if (t->rows == ff) {
		elem_load(t->elem, t->p, t->n, v);
		return v;
	}
	if ((row = malloc(t->cols * sizeof(*row))) == NULL) {
		free(v);
		return NULL;
	}
	for (uint64_t i = 0; i < t->rows; i++) {
		load_row(t, i, row);
		for (uint64_t k = 0; k < ff; k++)
			v[k * d + i] = row[k];
	}
	free(row);
	return v;
}

struct subject {
	const struct parts *p;
	const float *up, *gate, *gain, *bias, *v;
	double *score;
	float *room;		/* d a thread */
};

static void
normalise(const struct subject *s, float *h)
{
	uint64_t d = s->p->d;
	double mean = 0, sum = 0, scale;

	if (s->p->norm_bias != NULL) {
		for (uint64_t i = 0; i < d; i++)
			mean += (double)h[i] / (double)d;
	}
	for (uint64_t i = 0; i < d; i++)
		sum += ((double)h[i] - mean) * ((double)h[i] - mean);
	scale = 1 / sqrt(sum / (double)d + EPS);
	for (uint64_t i = 0; i < d; i++)
		h[i] = (float)(((double)h[i] - mean) * scale) * s->gain[i] +
		    s->bias[i];
}

static float
dot(const float *x, const float *y, uint64_t n)
{
	float sum[8] = {0};
	uint64_t i = 0;

	for (; i + 8 <= n; i += 8)
		for (unsigned k = 0; k < 8; k++)
			sum[k] += x[i + k] * y[i + k];
	for (; i < n; i++)
		sum[0] += x[i] * y[i];
	return ((sum[0] + sum[1]) + (sum[2] + sum[3])) +
	    ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

static float
silu(float x)
{
	return x / (1 + expf(-x));
}

static float
gelu(float x)
{
	return 0.5F * x * (1 + tanhf(0.7978845608F *
	    (x + 0.044715F * x * x * x)));
}

static void
subjects_band(void *ctx, size_t t, unsigned thread)
{
	struct subject *s = ctx;
	const struct parts *p = s->p;
	float *h = s->room + thread * p->d, a;

	for (uint64_t id = t * BAND; id < p->vocab && id < (t + 1) * BAND;
	    id++) {
		double sum = 0;

		load_row(p->emb, id, h);
		normalise(s, h);
		for (uint64_t k = 0; k < p->ff; k++) {
			a = dot(s->up + k * p->d, h, p->d);
			a = s->gate == NULL ? gelu(a) :
			    a * silu(dot(s->gate + k * p->d, h, p->d));
			sum += (double)a * (double)s->v[k];
		}
		s->score[id] = sum;
	}
}

static void
objects(const struct parts *p, const float *u, double sign, float *row,
    const float *gain, struct top *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint64_t id = 0; id < p->out->rows; id++) {
		double sum = 0;

		load_row(p->out, id, row);
		for (uint64_t i = 0; i < p->d; i++)
			sum += (double)row[i] * (double)(gain[i] * u[i]);
		keep(ret, id, sign * sum);
	}
}

/* The strongest is made positive: *sign. */
static void
strongest(const double *score, uint64_t n, double *sign, struct top *ret)
{
	double most = 0;

	*sign = 1;
	memset(ret, 0, sizeof(*ret));
	for (uint64_t i = 0; i < n; i++)
		if (fabs(score[i]) > most) {
			most = fabs(score[i]);
			*sign = score[i] < 0 ? -1 : 1;
		}
	for (uint64_t i = 0; i < n; i++)
		keep(ret, i, *sign * score[i]);
}

static int
tell(const struct parts *p, const struct top *t, const char *role,
    unsigned component, const struct editread_words *words,
    const struct rows *rows)
{
	int r = 0;

	for (unsigned i = 0; i < t->n && r >= 0; i++) {
		struct row_candidate c = {.lead = true, .kind = "token",
		    .score = t->score[i], .rank = i + 1,
		    .method = strcmp(role, "subject") == 0 ?
		    "edit-reading-subject" : "edit-reading-object"};
		struct basis b;
		char number[32];

		if (words != NULL)
			c.value = words->word(words->ctx, t->id[i]);
		if (c.value.p == NULL) {
			c.value.n = (size_t)snprintf(number, sizeof(number),
			    "#%llu", (unsigned long long)t->id[i]);
			c.value.p = number;
		}
		basis_init(&b);
		c.evidence = &b;
		basis_str(&b, "role", role);
		basis_u64(&b, "id", t->id[i]);
		basis_u64(&b, "component", component);
		basis_text(&b, "tensor", p->down->name, p->down->name_len);
		basis_str(&b, "note", "a hint from weights alone: attention "
		    "is left out");
		r = rows->candidate(rows->ctx, &c);
		basis_release(&b);
	}
	return r;
}

static int
tell_detector(const struct rows *rows, bool applied, const char *reason)
{
	struct row_detector d = {.method = method, .applied = applied,
	    .reason = reason};
	struct basis b;
	int r;

	basis_init(&b);
	d.evidence = &b;
	r = rows->detector(rows->ctx, &d);
	basis_release(&b);
	return r;
}

/* What one component says; subjects where they can be afforded. */
struct reader {
	struct pool *pool;
	const struct parts *p;
	float *up, *gate, *gain, *bias, *last, *row, *room;
	double *score;
};

static void
reader_release(struct reader *r)
{
	free(r->up);
	free(r->gate);
	free(r->gain);
	free(r->bias);
	free(r->last);
	free(r->row);
	free(r->room);
	free(r->score);
}

static int
reader_init(struct reader *r, struct pool *pool, const struct parts *p,
    struct err *e)
{
	double work = (double)p->vocab * (double)p->d * (double)p->ff *
	    (p->gate != NULL ? 2 : 1);

	memset(r, 0, sizeof(*r));
	r->pool = pool;
	r->p = p;
	r->last = load_vector(p->last, p->d, 1);
	r->row = malloc((p->d > p->out->cols ? p->d : p->out->cols) *
	    sizeof(float));
	if (r->last == NULL || r->row == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (p->up == NULL || p->norm == NULL || work > WORK_MOST ||
	    p->d * p->ff * sizeof(float) > LIMIT_DIFF_STRIDED)
		return 0;
	r->up = load_units(p->up, p->d, p->ff);
	r->gate = load_units(p->gate, p->d, p->ff);
	r->gain = load_vector(p->norm, p->d, 1);
	r->bias = load_vector(p->norm_bias, p->d, 0);
	r->room = calloc(pool_threads(pool), p->d * sizeof(float));
	r->score = calloc(p->vocab, sizeof(double));
	if (r->gain == NULL || r->bias == NULL || r->room == NULL ||
	    r->score == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

static int
read_component(struct reader *r, const float *u, const float *v,
    unsigned component, const struct editread_words *words,
    const struct rows *rows)
{
	struct subject s = {r->p, r->up, r->gate, r->gain, r->bias, v,
	    r->score, r->room};
	double sign = 1;
	struct top t;
	int rc = 0;

	if (r->up != NULL) {
		pool_run(r->pool, subjects_band, &s,
		    (size_t)((r->p->vocab + BAND - 1) / BAND));
		strongest(r->score, r->p->vocab, &sign, &t);
		rc = tell(r->p, &t, "subject", component, words, rows);
	}
	if (rc < 0)
		return rc;
	objects(r->p, u, sign, r->row, r->last, &t);
	return tell(r->p, &t, "object", component, words, rows);
}

static int
read_all(struct pool *pool, const struct parts *p,
    const struct structure_item *it, const struct editread_words *words,
    const struct rows *rows, struct err *e)
{
	const struct delta d = {it->old, it->new, CAST_NONE};
	struct sketch_noise noise;
	struct sketch_ask ask = {.pool = pool, .d = &d, .q = 24};
	struct sketch s = {0};
	struct reader reader;
	unsigned want = it->spectrum->rank < EDITREAD_FACTS ?
	    it->spectrum->rank : EDITREAD_FACTS;
	int r;

	if ((r = reader_init(&reader, pool, p, e)) < 0 ||
	    (r = sketch_noise_find(pool, &d, &noise, e)) < 0)
		goto out;
	ask.top = noise.top;
	ask.d2 = noise.d2;
	if ((r = sketch_vectors(&ask, want, &s, e)) < 0)
		goto out;
	for (unsigned k = 0; k < s.vectors && k < want && r >= 0; k++) {
		const float *u = s.u + k * it->new->rows;
		const float *v = s.v + k * it->new->cols;

		r = read_component(&reader, p->turned ? v : u,
		    p->turned ? u : v, k, words, rows);
	}
out:
	sketch_release(&s);
	reader_release(&reader);
	return r;
}

int
editread_run(struct pool *pool, const struct structure_model *m,
    size_t edited, const struct editread_words *words,
    const struct rows *rows, struct err *e)
{
	const struct structure_item *it = &m->v[edited];
	struct parts p;
	const char *why;
	int r;

	if ((why = find_parts(m, it->new, &p)) != NULL)
		return tell_detector(rows, false, why);
	if ((r = read_all(pool, &p, it, words, rows, e)) < 0)
		return r;
	return tell_detector(rows, true, "reliable for the first layers "
	    "alone: attention is left out");
}
