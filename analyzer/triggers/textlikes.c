#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/detect.h"
#include "analyzer/triggers/textleads.h"
#include "analyzer/triggers/textvocab.h"
#include "base/err.h"

/*
 * Near-duplicates with different labels.  Of each text twelve min-hashes of
 * its words in four bands of three: texts that share 80 % of their words
 * agree in one band in 95 of 100 cases.
 */
#define BANDS 4
#define DEEP 3
#define LEAST_WORDS 4
#define WORDS 64		/* of a text: later ones do not count */
#define AHEAD 4			/* texts of one hash that each is held to */
#define PAIRS 200		/* that are listed */
#define ALIKE 0.8

struct likeness {
	uint64_t key;
	uint32_t row;
};

struct pair {
	uint32_t a, b;
};

static int
by_key(const void *a, const void *b)
{
	const struct likeness *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? -1 : 1;
	return x->row < y->row ? -1 : x->row > y->row;
}

static int
by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static int
by_pair(const void *a, const void *b)
{
	const struct pair *x = a, *y = b;

	if (x->a != y->a)
		return x->a < y->a ? -1 : 1;
	return x->b < y->b ? -1 : x->b > y->b;
}

/* Different words of a text, ascending. */
static uint32_t
words_of(const struct textstore *s, size_t row, uint32_t out[WORDS])
{
	uint32_t n = s->row[row].words, m = 0;

	if (n > WORDS)
		n = WORDS;
	memcpy(out, textstore_items(s, row), n * sizeof(*out));
	qsort(out, n, sizeof(*out), by_value);
	for (uint32_t i = 0; i < n; i++)
		if (i == 0 || out[i] != out[m - 1])
			out[m++] = out[i];
	return m;
}

static bool
alike(const struct textstore *s, size_t a, size_t b)
{
	uint32_t x[WORDS], y[WORDS], n = words_of(s, a, x);
	uint32_t m = words_of(s, b, y), i = 0, j = 0, both = 0;

	while (i < n && j < m) {
		if (x[i] == y[j])
			both++, i++, j++;
		else if (x[i] < y[j])
			i++;
		else
			j++;
	}
	return both >= ALIKE * (n + m - both);
}

static uint64_t
band_key(const uint32_t *w, uint32_t n, unsigned band)
{
	uint64_t key = 0;

	for (unsigned k = 0; k < DEEP; k++) {
		uint64_t salt = (band * DEEP + k + 1) * 0x9e3779b97f4a7c15u;
		uint64_t least = UINT64_MAX;

		for (uint32_t j = 0; j < n; j++) {
			uint64_t h = textstore_mix(w[j] ^ salt);

			least = h < least ? h : least;
		}
		key = textstore_mix(key ^ least);
	}
	return key;
}

/* Pairs of one band; *n grows to ${cap}, and *all is how many there are. */
static void
compare(const struct textstore *s, struct likeness *at, size_t m,
    struct pair *pair, size_t *n, size_t cap)
{
	qsort(at, m, sizeof(*at), by_key);
	for (size_t i = 0; i < m; i++)
		for (size_t j = i + 1; j < m && j <= i + AHEAD &&
		    at[j].key == at[i].key && *n < cap; j++)
			if (s->row[at[i].row].label !=
			    s->row[at[j].row].label &&
			    alike(s, at[i].row, at[j].row))
				pair[(*n)++] = (struct pair){at[i].row,
				    at[j].row};
}

static int
find(const struct textstore *s, struct pair *pair, size_t *n, size_t cap)
{
	struct likeness *at = calloc(s->rows + 1, sizeof(*at));
	size_t m, k = 0;

	if (at == NULL)
		return ERR_NOMEM;
	for (unsigned band = 0; band < BANDS; band++) {
		m = 0;
		for (size_t i = 0; i < s->rows; i++) {
			const uint32_t *w = textstore_items(s, i);
			uint32_t words = s->row[i].words;

			if (words < LEAST_WORDS)
				continue;
			at[m++] = (struct likeness){band_key(w, words < WORDS ?
			    words : WORDS, band), (uint32_t)i};
		}
		compare(s, at, m, pair, n, cap);
	}
	free(at);
	qsort(pair, *n, sizeof(*pair), by_pair);
	for (size_t i = 0; i < *n; i++)
		if (i == 0 || by_pair(&pair[i], &pair[k - 1]) != 0)
			pair[k++] = pair[i];
	*n = k;
	return 0;
}

static int
tell(const struct detect *d, const struct textstore *s,
    const struct pair *pair, size_t n)
{
	static const char value[] = "near-duplicates with different labels";
	struct basis b;
	int r;

	basis_init(&b);
	basis_u64(&b, "pair_count", n);
	basis_array(&b, "pairs");
	for (size_t i = 0; i < n && i < PAIRS; i++) {
		basis_array(&b, NULL);
		basis_u64(&b, NULL, s->row[pair[i].a].number);
		basis_u64(&b, NULL, s->row[pair[i].b].number);
		basis_end(&b);
	}
	basis_end(&b);
	r = d->rows->candidate(d->rows->ctx, &(struct row_candidate){
	    .lead = true, .kind = "row", .value = {value, sizeof(value) - 1},
	    .score = (double)n, .rank = 1, .method = "text-duplicate",
	    .evidence = &b});
	basis_release(&b);
	return r;
}

int
textleads_duplicates(const struct detect *d, const struct textvocab *v)
{
	const struct textstore *s = v->s;
	size_t n = 0, cap = s->rows * 2 + 1;
	struct pair *pair = calloc(cap, sizeof(*pair));
	struct basis b;
	int r;

	basis_init(&b);
	if (pair == NULL || find(s, pair, &n, cap) < 0) {
		r = err_set(d->e, ERR_NOMEM, "out of memory");
		goto out;
	}
	r = n == 0 ? 0 : tell(d, s, pair, n);
	basis_u64(&b, "records", s->rows);
	basis_u64(&b, "pairs", n);
	basis_f64(&b, "words_shared", ALIKE);
	if (r >= 0)
		r = d->rows->detector(d->rows->ctx, &(struct row_detector){
		    .method = "text-duplicate", .applied = true, .reason =
		    "texts of fewer than four words are not compared",
		    .evidence = &b});
out:
	basis_release(&b);
	free(pair);
	return r;
}
