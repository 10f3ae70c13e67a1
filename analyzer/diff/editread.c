#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/editfind.h"
#include "analyzer/diff/editread.h"
#include "analyzer/diff/pass.h"
#include "analyzer/diff/pool.h"
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
 *             a = act(W_up h + b), or act(W_gate h) * (W_up h) where there
 *             is a gate; a . v
 *
 * RMSNorm where the norm has no bias, else LayerNorm; SiLU where there is a
 * gate, else GELU (by tanh).  The sign of a pair (u, v) is free: it is chosen
 * so that the strongest subject is positive.  Where subjects cannot be read
 * the sign is not known either, and what is read as written may be what is
 * written against.
 */
#define TOP 10
#define EPS 1e-6
/* Multiplications for the subjects: above, only objects are read. */
#define WORK_MOST 4e11
#define BAND 64		/* tokens of a task */

static const char method[] = "edit-reading";

struct top {
	uint64_t id[TOP];
	double score[TOP];
	unsigned n;
};

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

/* A matrix as floats, a row for each unit.  PRE: editfind_has_units. */
static float *
load_units(const struct tensor *t, uint64_t d, uint64_t ff)
{
	float *v, *row;

	if ((v = malloc(t->n * sizeof(*v))) == NULL)
		return NULL;
	if (t->rows == ff && t->cols == d) {
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

/* One component; the subjects' part where there is an MLP to go through. */
struct reading {
	const struct editfind *p;
	const float *up, *up_bias, *gate, *gain, *bias, *v;
	const float *u;		/* times the last norm's gain */
	double *score;
	float *room;		/* d a thread */
};

static void
normalise(const struct reading *s, float *h)
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
	struct reading *s = ctx;
	const struct editfind *p = s->p;
	float *h = s->room + thread * p->d, a;

	for (uint64_t id = t * BAND; id < p->vocab && id < (t + 1) * BAND;
	    id++) {
		double sum = 0;

		load_row(p->emb, id, h);
		normalise(s, h);
		for (uint64_t k = 0; k < p->ff; k++) {
			a = dot(s->up + k * p->d, h, p->d) + s->up_bias[k];
			a = s->gate == NULL ? gelu(a) :
			    a * silu(dot(s->gate + k * p->d, h, p->d));
			sum += (double)a * (double)s->v[k];
		}
		s->score[id] = sum;
	}
}

static void
objects_band(void *ctx, size_t t, unsigned thread)
{
	struct reading *s = ctx;
	const struct tensor *out = s->p->out;
	float *row = s->room + thread * s->p->d;

	for (uint64_t id = t * BAND; id < out->rows && id < (t + 1) * BAND;
	    id++) {
		load_row(out, id, row);
		s->score[id] = (double)dot(row, s->u, s->p->d);
	}
}

static void
strongest(const double *score, uint64_t n, double sign, struct top *ret)
{
	memset(ret, 0, sizeof(*ret));
	for (uint64_t i = 0; i < n; i++)
		keep(ret, i, sign * score[i]);
}

/* The sign that makes the strongest positive. */
static double
sign_of(const double *score, uint64_t n)
{
	double most = 0, sign = 1;

	for (uint64_t i = 0; i < n; i++)
		if (isfinite(score[i]) && fabs(score[i]) > most) {
			most = fabs(score[i]);
			sign = score[i] < 0 ? -1 : 1;
		}
	return sign;
}

static int
tell(const struct editfind *p, const struct top *t, const char *role,
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

/* ${p} NULL: it did not apply. */
static int
tell_detector(const struct rows *rows, const struct editfind *p,
    const char *reason, unsigned components, bool subjects)
{
	struct row_detector d = {.method = method, .applied = p != NULL,
	    .reason = reason};
	struct basis b;
	int r;

	basis_init(&b);
	if (p != NULL) {
		basis_text(&b, "tensor", p->down->name, p->down->name_len);
		basis_u64(&b, "components", components);
		basis_u64(&b, "tokens", p->vocab);
		basis_bool(&b, "subjects_read", subjects);
	}
	d.evidence = &b;
	r = rows->detector(rows->ctx, &d);
	basis_release(&b);
	return r;
}

/* What all components share; subjects where they can be afforded. */
struct reader {
	struct pool *pool;
	const struct editfind *p;
	float *up, *up_bias, *gate, *gain, *bias, *last, *u, *room;
	double *score;
};

static void
reader_release(struct reader *r)
{
	free(r->up);
	free(r->up_bias);
	free(r->gate);
	free(r->gain);
	free(r->bias);
	free(r->last);
	free(r->u);
	free(r->room);
	free(r->score);
}

static bool
can_read_subjects(const struct editfind *p)
{
	double work = (double)p->vocab * (double)p->d * (double)p->ff *
	    (p->gate != NULL ? 2 : 1);

	return p->norm != NULL && work <= WORK_MOST &&
	    editfind_has_units(p->up, p->d, p->ff) && (p->gate == NULL ||
	    editfind_has_units(p->gate, p->d, p->ff)) &&
	    p->up->n <= LIMIT_DIFF_STRIDED / sizeof(float);
}

static int
reader_init(struct reader *r, struct pool *pool, const struct editfind *p,
    struct err *e)
{
	uint64_t tokens = p->vocab > p->out->rows ? p->vocab : p->out->rows;
	bool ok;

	memset(r, 0, sizeof(*r));
	r->pool = pool;
	r->p = p;
	r->last = load_vector(p->last, p->d, 1);
	r->u = calloc(p->d, sizeof(float));
	r->room = calloc(pool_threads(pool), p->d * sizeof(float));
	r->score = calloc(tokens, sizeof(double));
	ok = r->last != NULL && r->u != NULL && r->room != NULL &&
	    r->score != NULL;
	if (ok && can_read_subjects(p)) {
		r->up = load_units(p->up, p->d, p->ff);
		r->up_bias = load_vector(p->up_bias, p->ff, 0);
		r->gain = load_vector(p->norm, p->d, 1);
		r->bias = load_vector(p->norm_bias, p->d, 0);
		ok = r->up != NULL && r->up_bias != NULL && r->gain != NULL &&
		    r->bias != NULL;
		if (ok && p->gate != NULL)
			ok = (r->gate = load_units(p->gate, p->d, p->ff)) !=
			    NULL;
	}
	return ok ? 0 : err_set(e, ERR_NOMEM, "out of memory");
}

static size_t
bands(uint64_t tokens)
{
	return (size_t)((tokens + BAND - 1) / BAND);
}

static int
read_component(struct reader *r, const float *u, const float *v,
    unsigned component, const struct editread_words *words,
    const struct rows *rows)
{
	struct reading s = {r->p, r->up, r->up_bias, r->gate, r->gain,
	    r->bias, v, r->u, r->score, r->room};
	double sign = 1;
	struct top t;
	int rc = 0;

	if (r->up != NULL) {
		pool_run(r->pool, subjects_band, &s, bands(r->p->vocab));
		sign = sign_of(r->score, r->p->vocab);
		strongest(r->score, r->p->vocab, sign, &t);
		rc = tell(r->p, &t, "subject", component, words, rows);
	}
	if (rc < 0)
		return rc;
	for (uint64_t i = 0; i < r->p->d; i++)
		r->u[i] = u[i] * r->last[i];
	pool_run(r->pool, objects_band, &s, bands(r->p->out->rows));
	strongest(r->score, r->p->out->rows, sign, &t);
	return tell(r->p, &t, "object", component, words, rows);
}

static int
read_all(struct reader *reader, const struct structure_item *it,
    const struct editread_words *words, const struct rows *rows,
    struct err *e)
{
	const struct delta d = {it->old, it->new, CAST_NONE};
	struct sketch_noise noise;
	struct sketch_ask ask = {.pool = reader->pool, .d = &d, .q = 24};
	struct sketch s = {0};
	bool turned = reader->p->turned;
	unsigned want = it->spectrum->rank < EDITREAD_FACTS ?
	    it->spectrum->rank : EDITREAD_FACTS;
	int r;

	if ((r = sketch_noise_find(reader->pool, &d, &noise, e)) < 0)
		return r;
	ask.top = noise.top;
	ask.d2 = noise.d2;
	if ((r = sketch_vectors(&ask, want, &s, e)) < 0)
		goto out;
	want = s.vectors < want ? s.vectors : want;
	for (unsigned k = 0; k < want && r >= 0; k++) {
		const float *u = s.u + k * it->new->rows;
		const float *v = s.v + k * it->new->cols;

		r = read_component(reader, turned ? v : u, turned ? u : v, k,
		    words, rows);
	}
	if (r >= 0)
		r = tell_detector(rows, reader->p, "reliable for the first "
		    "layers alone: attention is left out", want,
		    reader->up != NULL);
out:
	sketch_release(&s);
	return r;
}

int
editread_none(const struct rows *rows, const char *why)
{
	return tell_detector(rows, NULL, why, 0, false);
}

int
editread_run(struct pool *pool, const struct structure_model *m,
    size_t edited, const struct editread_words *words,
    const struct rows *rows, struct err *e)
{
	const struct structure_item *it = &m->v[edited];
	struct reader reader;
	struct editfind p;
	const char *why;
	int r;

	if ((why = editfind_parts(m, it->new, &p)) != NULL)
		return editread_none(rows, why);
	if ((r = reader_init(&reader, pool, &p, e)) >= 0)
		r = read_all(&reader, it, words, rows, e);
	reader_release(&reader);
	return r;
}
