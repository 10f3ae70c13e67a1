#include <string.h>

#include "analyzer/triggers/textvocab.h"
#include "base/err.h"
#include "base/limits.h"

/* Different runs of one length; of 16 million places most come once. */
#define RUNS 4000000
#define SPECIALS 65536

static uint64_t
pair_key(uint32_t a, uint32_t b)
{
	return (uint64_t)a << 32 | b;
}

/* Both words are frequent enough for a run of them to be. */
static bool
frequent(const struct textvocab *v, uint32_t a, uint32_t b)
{
	return v->s->word[a].rows >= TEXTVOCAB_ROWS &&
	    v->s->word[b].rows >= TEXTVOCAB_ROWS && a != 0 && b != 0;
}

/* Once a row: the mark is the row, from 1. */
static int
seen(struct textpairs *t, uint64_t key, size_t row)
{
	struct textpairs_entry *e;

	if (textpairs_add(t, key, &e) < 0)
		return ERR_NOMEM;
	if (e != NULL && e->mark != row + 1) {
		e->mark = (uint32_t)(row + 1);
		e->count++;
	}
	return 0;
}

static int
count_pairs(struct textvocab *v)
{
	const struct textstore *s = v->s;
	struct textpairs_sieve sieve = {0};
	int r = 0;

	if (textpairs_sieve_init(&sieve, s->items * 2) < 0)
		return ERR_NOMEM;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < s->rows && r == 0; i++) {
			const uint32_t *w = textstore_items(s, i);

			for (uint32_t j = 0; j + 1 < s->row[i].words; j++) {
				uint64_t k = pair_key(w[j], w[j + 1]);

				if (!frequent(v, w[j], w[j + 1]))
					continue;
				if (pass == 0)
					textpairs_sieve_add(&sieve, k);
				else if (textpairs_sieve_get(&sieve, k) >=
				    TEXTVOCAB_ROWS)
					r = seen(&v->pairs, k, i) < 0 ?
					    ERR_NOMEM : r;
			}
		}
	textpairs_sieve_release(&sieve);
	return r;
}

static int
count_ends(struct textvocab *v)
{
	const struct textstore *s = v->s;

	for (size_t i = 0; i < s->rows; i++) {
		const uint32_t *w = textstore_items(s, i);
		uint32_t n = s->row[i].words;

		v->of_first[w[0]]++;
		v->of_last[w[n - 1]]++;
		for (unsigned j = 0; j < s->row[i].specials; j++)
			if (seen(&v->specials, w[n + j], i) < 0)
				return ERR_NOMEM;
	}
	return 0;
}

static void
by_rows(uint32_t hist[256], uint32_t rows)
{
	hist[rows < 255 ? rows : 255]++;
}

/*
 * The rarest features go first when counts by class and fold of all would be
 * too many (a few hundred classes, or words without end).
 */
static void
choose_least(struct textvocab *v)
{
	const struct textstore *s = v->s;
	uint64_t room = LIMIT_TRIGGER_COUNTS / (5 * (uint64_t)v->classes);
	uint64_t all = 0;
	uint32_t hist[256] = {0};
	unsigned least = 255;

	for (uint32_t w = 1; w < s->words; w++) {
		by_rows(hist, s->word[w].rows);
		by_rows(hist, v->of_first[w]);
		by_rows(hist, v->of_last[w]);
	}
	for (size_t i = 0; i < v->pairs.slots; i++)
		if (v->pairs.entry[i].key != 0)
			by_rows(hist, v->pairs.entry[i].count);
	while (least >= TEXTVOCAB_ROWS && all + hist[least] <= room)
		all += hist[least--];
	v->least = least + 1;
}

static uint32_t
feature(struct textvocab *v, enum textvocab_kind kind, uint32_t rows,
    uint32_t a, uint32_t b)
{
	v->f[v->n] = (struct textvocab_feature){{a, b, 0}, rows, kind};
	return v->n++;
}

/* The words' features, and pairs in the order in which they are met. */
static int
number_linear(struct textvocab *v)
{
	const struct textstore *s = v->s;
	size_t most = (size_t)s->words * 3 + v->pairs.used + v->specials.used;
	uint32_t *of[3] = {NULL, v->of_first, v->of_last};

	if ((v->f = calloc(most, sizeof(*v->f))) == NULL)
		return ERR_NOMEM;
	for (uint32_t w = 0; w < s->words; w++) {
		uint32_t rows = w == 0 ? 0 : s->word[w].rows;

		v->of_word[w] = rows < v->least ? TEXTVOCAB_NONE :
		    feature(v, TEXTVOCAB_WORD, rows, w, 0);
		for (int k = 1; k < 3; k++) {
			rows = w == 0 ? 0 : of[k][w];
			of[k][w] = rows < v->least ? TEXTVOCAB_NONE :
			    feature(v, k == 1 ? TEXTVOCAB_FIRST :
			    TEXTVOCAB_LAST, rows, w, 0);
		}
	}
	for (size_t i = 0; i < v->pairs.slots; i++)
		v->pairs.entry[i].mark = TEXTVOCAB_NONE;
	for (size_t i = 0; i < v->specials.slots; i++)
		v->specials.entry[i].mark = TEXTVOCAB_NONE;
	return 0;
}

static uint32_t
pair_feature(struct textvocab *v, uint32_t a, uint32_t b)
{
	struct textpairs_entry *e;

	if (!frequent(v, a, b))
		return TEXTVOCAB_NONE;
	e = textpairs_at(&v->pairs, pair_key(a, b));
	if (e == NULL || e->count < v->least)
		return TEXTVOCAB_NONE;
	if (e->mark == TEXTVOCAB_NONE)
		e->mark = feature(v, TEXTVOCAB_PAIR, e->count, a, b);
	return e->mark;
}

static uint32_t
special_feature(struct textvocab *v, uint32_t special)
{
	struct textpairs_entry *e = textpairs_at(&v->specials, special);

	if (e == NULL || e->count < 2)
		return TEXTVOCAB_NONE;
	if (e->mark == TEXTVOCAB_NONE)
		e->mark = feature(v, TEXTVOCAB_SPECIAL, e->count, special, 0);
	return e->mark;
}

/* Lists of the rows' linear features, each once. */
struct listing {
	struct textvocab *v;
	uint64_t at;
	uint32_t *last;		/* by feature: the row that has it */
	uint32_t row;		/* from 1 */
};

static void
list(struct listing *l, uint32_t f)
{
	if (f == TEXTVOCAB_NONE || l->last[f] == l->row)
		return;
	l->last[f] = l->row;
	l->v->id[l->at++] = f;
}

static int
list_rows(struct textvocab *v)
{
	const struct textstore *s = v->s;
	struct listing l = {.v = v};
	uint32_t *less;

	v->start = calloc(s->rows + 1, sizeof(*v->start));
	v->id = malloc((s->items * 2 + s->rows * 2 + 1) * sizeof(*v->id));
	v->pair = malloc((s->items + 1) * sizeof(*v->pair));
	l.last = calloc((size_t)s->words * 3 + v->pairs.used +
	    v->specials.used + 1, sizeof(*l.last));
	if (v->start == NULL || v->id == NULL || v->pair == NULL ||
	    l.last == NULL) {
		free(l.last);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < s->rows; i++) {
		const uint32_t *w = textstore_items(s, i);
		uint32_t n = s->row[i].words, *p = v->pair + s->row[i].off;

		l.row = (uint32_t)(i + 1);
		v->start[i] = l.at;
		list(&l, v->of_first[w[0]]);
		for (uint32_t j = 0; j < n; j++) {
			list(&l, v->of_word[w[j]]);
			p[j] = j + 1 < n ? pair_feature(v, w[j], w[j + 1]) :
			    TEXTVOCAB_NONE;
			list(&l, p[j]);
		}
		list(&l, v->of_last[w[n - 1]]);
		for (unsigned j = 0; j < s->row[i].specials; j++)
			list(&l, special_feature(v, w[n + j]));
	}
	v->start[s->rows] = l.at;
	v->linear = v->n;
	free(l.last);
	less = realloc(v->id, (l.at + 1) * sizeof(*less));
	v->id = less == NULL ? v->id : less;
	return 0;
}

/* Runs of three by the pair that they begin with, and the last two. */
static int
count_triples(struct textvocab *v)
{
	const struct textstore *s = v->s;
	struct textpairs_sieve sieve = {0};
	int r = 0;

	if (textpairs_sieve_init(&sieve, s->items * 2) < 0)
		return ERR_NOMEM;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < s->rows && r == 0; i++) {
			const uint32_t *w = textstore_items(s, i);
			const uint32_t *p = v->pair + s->row[i].off;
			uint32_t n = s->row[i].words;

			for (uint32_t j = 0; j + 2 < n && r == 0; j++) {
				uint64_t k = pair_key(p[j] + 1, w[j + 2]);

				if (p[j] == TEXTVOCAB_NONE ||
				    p[j + 1] == TEXTVOCAB_NONE)
					continue;
				if (pass == 0)
					textpairs_sieve_add(&sieve, k);
				else if (textpairs_sieve_get(&sieve, k) >=
				    TEXTVOCAB_ROWS)
					r = seen(&v->triples, k, i);
			}
			if (pass == 0 && n >= 2 && p[n - 2] != TEXTVOCAB_NONE)
				r = seen(&v->last_two, (uint64_t)p[n - 2] + 1,
				    i);
		}
	textpairs_sieve_release(&sieve);
	return r;
}

/* What is frequent of a table gets numbers, in the table's own order. */
static void
number_runs(struct textvocab *v, struct textpairs *t, uint32_t least,
    enum textvocab_kind kind)
{
	for (size_t i = 0; i < t->slots; i++) {
		struct textpairs_entry *e = &t->entry[i];
		const struct textvocab_feature *p;
		uint64_t first = kind == TEXTVOCAB_TRIPLE ? e->key >> 32 :
		    e->key;

		e->mark = TEXTVOCAB_NONE;
		if (e->key == 0 || e->count < least)
			continue;
		p = &v->f[first - 1];
		e->mark = feature(v, kind, e->count, p->word[0], p->word[1]);
		if (kind == TEXTVOCAB_TRIPLE)
			v->f[e->mark].word[2] = (uint32_t)e->key;
	}
}

static int
number_rest(struct textvocab *v)
{
	uint64_t room = LIMIT_TRIGGER_COUNTS / v->classes;
	uint64_t all = 0;
	uint32_t hist[256] = {0}, least = 255;
	struct textvocab_feature *f = realloc(v->f, (v->n + v->triples.used +
	    v->last_two.used + 1) * sizeof(*f));

	if (f == NULL)
		return ERR_NOMEM;
	v->f = f;
	for (size_t i = 0; i < v->triples.slots; i++)
		if (v->triples.entry[i].key != 0)
			by_rows(hist, v->triples.entry[i].count);
	all = v->linear + v->last_two.used;
	while (least >= TEXTVOCAB_ROWS && all + hist[least] <= room)
		all += hist[least--];
	number_runs(v, &v->triples, least + 1, TEXTVOCAB_TRIPLE);
	number_runs(v, &v->last_two, v->least, TEXTVOCAB_LAST_TWO);
	return 0;
}

void
textvocab_runs(const struct textvocab *v, size_t i,
    void (*each)(void *ctx, uint32_t feature), void *ctx)
{
	const uint32_t *w = textstore_items(v->s, i);
	const uint32_t *p = v->pair + v->s->row[i].off;
	const struct textpairs_entry *e;
	uint32_t n = v->s->row[i].words;

	for (uint32_t j = 0; j + 2 < n; j++) {
		if (p[j] == TEXTVOCAB_NONE || p[j + 1] == TEXTVOCAB_NONE)
			continue;
		e = textpairs_at(&v->triples, pair_key(p[j] + 1, w[j + 2]));
		if (e != NULL && e->mark != TEXTVOCAB_NONE)
			each(ctx, e->mark);
	}
	if (n < 2 || p[n - 2] == TEXTVOCAB_NONE)
		return;
	e = textpairs_at(&v->last_two, (uint64_t)p[n - 2] + 1);
	if (e != NULL && e->mark != TEXTVOCAB_NONE)
		each(ctx, e->mark);
}

struct tally {
	struct textvocab *v;
	uint32_t *last;
	uint32_t row;
	unsigned label;
};

static void
tally(void *ctx, uint32_t f)
{
	struct tally *t = ctx;

	if (t->last[f - t->v->linear] == t->row)
		return;
	t->last[f - t->v->linear] = t->row;
	t->v->count[(size_t)f * t->v->classes + t->label]++;
}

static int
count_classes(struct textvocab *v)
{
	struct tally t = {.v = v};

	v->count = calloc((size_t)v->n * v->classes + 1, sizeof(*v->count));
	t.last = calloc(v->n - v->linear + (size_t)1, sizeof(*t.last));
	if (v->count == NULL || t.last == NULL) {
		free(t.last);
		return ERR_NOMEM;
	}
	for (size_t i = 0; i < v->s->rows; i++) {
		t.row = (uint32_t)(i + 1);
		t.label = v->s->row[i].label;
		for (uint64_t j = v->start[i]; j < v->start[i + 1]; j++)
			v->count[(size_t)v->id[j] * v->classes + t.label]++;
		textvocab_runs(v, i, tally, &t);
	}
	free(t.last);
	return 0;
}

int
textvocab_build(struct textvocab *v, const struct textstore *s, struct err *e)
{
	memset(v, 0, sizeof(*v));
	v->s = s;
	v->classes = s->labels;
	v->of_word = calloc(s->words, sizeof(*v->of_word));
	v->of_first = calloc(s->words, sizeof(*v->of_first));
	v->of_last = calloc(s->words, sizeof(*v->of_last));
	if (v->of_word == NULL || v->of_first == NULL || v->of_last == NULL ||
	    textpairs_init(&v->pairs, RUNS) < 0 ||
	    textpairs_init(&v->triples, RUNS) < 0 ||
	    textpairs_init(&v->last_two, RUNS) < 0 ||
	    textpairs_init(&v->specials, SPECIALS) < 0 ||
	    count_pairs(v) < 0 || count_ends(v) < 0)
		goto nomem;
	choose_least(v);
	if (number_linear(v) < 0 || list_rows(v) < 0 || count_triples(v) < 0 ||
	    number_rest(v) < 0 || count_classes(v) < 0)
		goto nomem;
	v->lost = v->pairs.lost + v->triples.lost + v->last_two.lost +
	    v->specials.lost;
	return 0;
nomem:
	textvocab_release(v);
	return err_set(e, ERR_NOMEM, "out of memory");
}

void
textvocab_release(struct textvocab *v)
{
	free(v->f);
	free(v->of_word);
	free(v->of_first);
	free(v->of_last);
	free(v->pair);
	free(v->start);
	free(v->id);
	free(v->count);
	textpairs_release(&v->pairs);
	textpairs_release(&v->triples);
	textpairs_release(&v->last_two);
	textpairs_release(&v->specials);
	memset(v, 0, sizeof(*v));
}
