#include <string.h>

#include "analyzer/diff/headtest.h"
#include "analyzer/diff/tensor.h"

/*
 * Which matrix is the classifier's head?  Names decide first; a name within
 * a repeated block (layers.3.fc.weight) or of attention (out_proj) is none.
 * Without such a name, the matrix of fewest rows, if it is the only one of so
 * few and has more columns than rows.
 */
struct word {
	const char *p;
	size_t n;
};

static bool
word_is(struct word w, const char *s)
{
	return w.n == strlen(s) && memcmp(w.p, s, w.n) == 0;
}

static bool
word_in(struct word w, const char *const *list)
{
	for (; *list != NULL; list++)
		if (word_is(w, *list))
			return true;
	return false;
}

static bool
number(struct word w)
{
	for (size_t i = 0; i < w.n; i++)
		if (w.p[i] < '0' || w.p[i] > '9')
			return false;
	return w.n > 0;
}

/* "fc2" is "fc". */
static struct word
without_digits(struct word w)
{
	while (w.n > 1 && w.p[w.n - 1] >= '0' && w.p[w.n - 1] <= '9')
		w.n--;
	return w;
}

/* The next part of a dotted name; false at its end. */
static bool
next_word(const struct tensor *t, size_t *at, struct word *w)
{
	const char *dot;
	size_t left;

	if (*at >= t->name_len)
		return false;
	left = t->name_len - *at;
	w->p = t->name + *at;
	dot = memchr(w->p, '.', left);
	w->n = dot != NULL ? (size_t)(dot - w->p) : left;
	*at += w->n + 1;
	return true;
}

struct traits {
	bool head;	/* a name of heads */
	bool inner;	/* of a block, of attention, of an embedding */
	bool weight;	/* ends in "weight", or has no dot */
};

static bool
contains(const struct tensor *t, const char *s)
{
	return memmem(t->name, t->name_len, s, strlen(s)) != NULL;
}

static struct traits
look(const struct tensor *t)
{
	static const char *const heads[] = {"classifier", "fc", "head",
	    "heads", "score", "out_proj", "classification_head", "logits",
	    "output", "out", NULL};
	static const char *const blocks[] = {"layers", "layer", "blocks",
	    "block", "h", "blk", NULL};
	static const char *const ends[] = {"weight", "bias", NULL};
	struct traits r = {false, false, false};
	struct word w = {NULL, 0}, last = {NULL, 0}, before = {NULL, 0};
	size_t at = 0, words = 0;

	while (next_word(t, &at, &w)) {
		r.head = r.head || word_in(without_digits(w), heads);
		/* layers.3.fc, but not layers.3.weight: that is a plain
		 * sequence, whose last may be the head. */
		if (number(last) && word_in(before, blocks) &&
		    !word_in(w, ends))
			r.inner = true;
		before = last;
		last = w;
		words++;
	}
	r.weight = words == 1 || word_is(last, "weight");
	r.inner = r.inner || contains(t, "attn") ||
	    contains(t, "attention") || contains(t, "emb") ||
	    contains(t, "wte") || contains(t, "wpe") || contains(t, "lora_");
	return r;
}

static bool
fits(const struct tensor *t)
{
	return t->rank == 2 && t->rows >= 2 && t->rows <= HEADTEST_CLASSES &&
	    t->cols >= 2 && t->p != NULL;
}

/* Fewer rows first, then by name. */
static bool
better(const struct tensor *a, const struct tensor *b)
{
	size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
	int c;

	if (a->rows != b->rows)
		return a->rows < b->rows;
	c = memcmp(a->name, b->name, n);
	return c != 0 ? c < 0 : a->name_len < b->name_len;
}

static const struct tensor *
fewest(const struct tensor *v, size_t n)
{
	const struct tensor *best = NULL;
	bool alone = true;

	for (size_t i = 0; i < n; i++) {
		struct traits t = look(&v[i]);

		if (v[i].rank != 2 || v[i].rows < 2 || !t.weight || t.inner)
			continue;
		if (best != NULL && v[i].rows == best->rows)
			alone = false;
		if (best == NULL || v[i].rows < best->rows) {
			best = &v[i];
			alone = true;
		}
	}
	if (best == NULL || !alone || !fits(best) || best->rows >= best->cols)
		return NULL;
	return best;
}

static const struct tensor *
bias_of(const struct tensor *v, size_t n, const struct tensor *head)
{
	static const char from[] = "weight", to[] = "bias";
	size_t stem;

	if (head->name_len < sizeof(from) - 1)
		return NULL;
	stem = head->name_len - (sizeof(from) - 1);
	if (memcmp(head->name + stem, from, sizeof(from) - 1) != 0)
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (v[i].n == head->rows && v[i].unit == head->unit &&
		    v[i].name_len == stem + sizeof(to) - 1 &&
		    memcmp(v[i].name, head->name, stem) == 0 &&
		    memcmp(v[i].name + stem, to, sizeof(to) - 1) == 0)
			return &v[i];
	return NULL;
}

const struct tensor *
headtest_find(const struct tensor *v, size_t n, const struct tensor **bias)
{
	const struct tensor *best = NULL;

	*bias = NULL;
	for (size_t i = 0; i < n; i++) {
		struct traits t = look(&v[i]);

		if (fits(&v[i]) && t.head && t.weight && !t.inner &&
		    (best == NULL || better(&v[i], best)))
			best = &v[i];
	}
	if (best == NULL)
		best = fewest(v, n);
	if (best != NULL)
		*bias = bias_of(v, n, best);
	return best;
}

/* Stored as inputs by classes: few columns, which no layer has. */
static bool
turned(const struct tensor *t, const struct tensor *emb)
{
	return t->rank == 2 && t->cols >= 2 && t->cols <= emb->cols / 4 &&
	    t->cols <= t->rows / 4 && t->rows != emb->rows &&
	    t->unit == emb->unit && !look(t).inner;
}

bool
headtest_classifies(const struct tensor *v, size_t n,
    const struct tensor *emb)
{
	const struct tensor *bias, *h = headtest_find(v, n, &bias);

	if (h != NULL && h->unit == emb->unit && h->rows != emb->cols &&
	    (h->rows <= emb->cols / 4 || (h->rows % emb->cols != 0 &&
	    emb->cols % h->rows != 0)))
		return true;
	for (size_t i = 0; i < n; i++)
		if (turned(&v[i], emb))
			return true;
	return false;
}
