#include <string.h>

#include "analyzer/weights_filter.h"
#include "base/bug.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define SETS 8
#define MARGIN 64		/* before and behind the classes */

/* The halves that first, second and third bytes have. */
struct halves {
	uint16_t low[3], high[3];
};

static void
halves_of(const struct weights_pattern *p, struct halves *h)
{
	memset(h, 0, sizeof(*h));
	for (unsigned k = 0; k < 2; k++) {
		h->low[k] = (uint16_t)(1u << (p->b[k] & 15));
		h->high[k] = (uint16_t)(1u << (p->b[k] >> 4));
	}
	for (unsigned b = 0; b < 256; b++)
		if ((p->third[b / 8] >> b % 8 & 1) != 0) {
			h->low[2] |= (uint16_t)(1u << (b & 15));
			h->high[2] |= (uint16_t)(1u << (b >> 4));
		}
}

static void
add(struct halves *h, const struct halves *x)
{
	for (unsigned k = 0; k < 3; k++) {
		h->low[k] |= x->low[k];
		h->high[k] |= x->high[k];
	}
}

/* How many three bytes the halves can be put together to. */
static uint64_t
reach(const struct halves *h)
{
	uint64_t product = 1;

	for (unsigned k = 0; k < 3; k++)
		product *= (uint64_t)__builtin_popcount(h->low[k]) *
		    (uint64_t)__builtin_popcount(h->high[k]);
	return product;
}

/*
 * Which set a pattern belongs to is free; what the filter lets through is
 * not.  Each goes into the set that grows least by it, ROUNDS times over.
 */
#define ROUNDS 3

static uint8_t
choose(const struct halves *x, const uint8_t *set, unsigned n, unsigned i)
{
	struct halves sets[SETS] = {{{0}, {0}}};
	uint64_t least = UINT64_MAX, grown;
	uint8_t best = 0;

	for (unsigned k = 0; k < n; k++)
		if (k != i && set[k] < SETS)
			add(&sets[set[k]], &x[k]);
	for (uint8_t s = 0; s < SETS; s++) {
		struct halves h = sets[s];

		add(&h, &x[i]);
		grown = reach(&h) - reach(&sets[s]);
		if (grown < least) {
			least = grown;
			best = s;
		}
	}
	return best;
}

static void
fill(struct weights_filter *f, const struct halves *h, unsigned s)
{
	for (unsigned k = 0; k < 3; k++)
		for (unsigned i = 0; i < 16; i++) {
			f->low[k][i] |= (uint8_t)((h->low[k] >> i & 1) << s);
			f->high[k][i] |= (uint8_t)((h->high[k] >> i & 1) <<
			    s);
		}
}

void
weights_filter_init(struct weights_filter *f, const struct weights_pattern *p,
    unsigned n)
{
	struct halves x[WEIGHTS_PATTERNS_MAX];
	uint8_t set[WEIGHTS_PATTERNS_MAX];

	BUG_ON(n > WEIGHTS_PATTERNS_MAX);
	memset(f, 0, sizeof(*f));
	memset(set, SETS, sizeof(set));
	for (unsigned i = 0; i < n; i++)
		halves_of(&p[i], &x[i]);
	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < n; i++)
			set[i] = choose(x, set, n, i);
	for (unsigned i = 0; i < n; i++) {
		unsigned both = (unsigned)p[i].b[0] << 8 | p[i].b[1];

		f->pair[both / 8] |= (uint8_t)(1u << both % 8);
	}
	for (unsigned s = 0; s < SETS; s++) {
		struct halves h = {{0}, {0}};

		for (unsigned i = 0; i < n; i++)
			if (set[i] == s)
				add(&h, &x[i]);
		fill(f, &h, s);
	}
	for (unsigned k = 0; k < 3; k++)
		for (unsigned b = 0; b < 256; b++)
			f->byte[k][b] = f->low[k][b & 15] &
			    f->high[k][b >> 4];
}

struct out {
	struct weights_hit *hits;
	size_t n, max;
};

/* A byte of the block, or -1. */
static int
at(const uint8_t *p, size_t n, size_t pos, int delta)
{
	int64_t i = (int64_t)pos + delta;

	return i >= 0 && (uint64_t)i < n ? p[i] : -1;
}

static void
check(const struct weights_filter *f, const struct weights_rule *r,
    unsigned rule, const uint8_t *p, size_t pos, size_t n, struct out *o)
{
	int second = at(p, n, pos, r->second), third = at(p, n, pos, r->third);
	unsigned both = (unsigned)p[pos] << 8 | (unsigned)second;

	if (second < 0 || third < 0 ||
	    (f->byte[0][p[pos]] & f->byte[1][second] &
	    f->byte[2][third]) == 0 ||
	    (f->pair[both / 8] >> both % 8 & 1) == 0)
		return;
	if (o->n < o->max)
		o->hits[o->n] = (struct weights_hit){(uint32_t)pos, rule};
	o->n++;
}

static const struct weights_rule in_a_row = {1, 2, ~0u};

size_t
weights_filter_row2_scalar(const struct weights_filter *f,
    const struct weights_filter *g, const uint8_t *p, size_t to, size_t n,
    struct weights_hit *hits, size_t max)
{
	struct out o = {hits, 0, max};

	for (size_t i = 0; i < to && i < n; i++) {
		check(f, &in_a_row, 0, p, i, n, &o);
		check(g, &in_a_row, 1, p, i, n, &o);
	}
	return o.n;
}

size_t
weights_filter_scalar(const struct weights_filter *f,
    const struct weights_rule *rules, unsigned nrules, unsigned width,
    const uint8_t *p, size_t to, size_t n, struct weights_hit *hits,
    size_t max)
{
	struct out o = {hits, 0, max};

	for (size_t pos = 0; pos < to && pos < n; pos++) {
		if (f->byte[0][p[pos]] == 0)
			continue;
		for (unsigned k = 0; k < nrules; k++)
			if ((rules[k].lanes >> pos % width & 1) != 0)
				check(f, &rules[k], k, p, pos, n, &o);
	}
	return o.n;
}

#if defined(__x86_64__)
#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i
load(const uint8_t *p)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)p);
}

AVX2 static inline __m256i
twice(const uint8_t table[16])
{
	return _mm256_broadcastsi128_si256(_mm_loadu_si128(
	    (const __m128i *)(const void *)table));
}

struct tables {
	__m256i low[3], high[3];
};

AVX2 static inline void
tables_of(struct tables *t, const struct weights_filter *f)
{
	for (unsigned k = 0; k < 3; k++) {
		t->low[k] = twice(f->low[k]);
		t->high[k] = twice(f->high[k]);
	}
}

/* The halves of 32 bytes. */
struct split {
	__m256i low, high;
};

AVX2 static inline struct split
split(__m256i x)
{
	const __m256i half = _mm256_set1_epi8(15);

	return (struct split){_mm256_and_si256(x, half),
	    _mm256_and_si256(_mm256_srli_epi16(x, 4), half)};
}

AVX2 static inline __m256i
classes(const struct tables *t, unsigned k, struct split x)
{
	return _mm256_and_si256(_mm256_shuffle_epi8(t->low[k], x.low),
	    _mm256_shuffle_epi8(t->high[k], x.high));
}

/* Where three bytes in a row have a class in common. */
AVX2 static inline __m256i
meet(const struct tables *t, const struct split x[3])
{
	return _mm256_and_si256(_mm256_and_si256(classes(t, 0, x[0]),
	    classes(t, 1, x[1])), classes(t, 2, x[2]));
}

/* Bits of the 32 bytes at which something stands. */
AVX2 static inline uint32_t
bits_of(__m256i m)
{
	return ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(m,
	    _mm256_setzero_si256()));
}

AVX2 static void
check_bits(const struct weights_filter *f, const struct weights_rule *rule,
    unsigned k, __m256i m, const uint8_t *p, size_t i, size_t to, size_t n,
    struct out *o)
{
	for (uint32_t bits = bits_of(m); bits != 0; bits &= bits - 1) {
		size_t pos = i + (unsigned)__builtin_ctz(bits);

		if (pos < to)
			check(f, rule, k, p, pos, n, o);
	}
}

/* Streams in a row: bytes are loaded three times, nothing is kept. */
AVX2 static size_t
run_row2(const struct weights_filter *f, const struct weights_filter *g,
    const uint8_t *p, size_t to, size_t n, struct out *o)
{
	struct tables t, u;
	size_t i = 0;

	tables_of(&t, f);
	tables_of(&u, g);
	for (; i < to && i + 34 <= n; i += 32) {
		const struct split x[3] = {split(load(p + i)),
		    split(load(p + i + 1)), split(load(p + i + 2))};
		__m256i a = meet(&t, x), b = meet(&u, x);
		__m256i any = _mm256_or_si256(a, b);

		if (_mm256_testz_si256(any, any))
			continue;
		check_bits(f, &in_a_row, 0, a, p, i, to, n, o);
		check_bits(g, &in_a_row, 1, b, p, i, to, n, o);
	}
	for (; i < to && i < n; i++) {
		check(f, &in_a_row, 0, p, i, n, o);
		check(g, &in_a_row, 1, p, i, n, o);
	}
	return o->n;
}

AVX2 static size_t
run_row(const struct weights_filter *f, const struct weights_rule *rule,
    const uint8_t *p, size_t to, size_t n, struct out *o)
{
	struct tables t;
	size_t i = 0;

	tables_of(&t, f);
	for (; i < to && i + 34 <= n; i += 32) {
		const struct split x[3] = {split(load(p + i)),
		    split(load(p + i + 1)), split(load(p + i + 2))};
		__m256i m = meet(&t, x);

		if (!_mm256_testz_si256(m, m))
			check_bits(f, rule, 0, m, p, i, to, n, o);
	}
	for (; i < to && i < n; i++)
		check(f, rule, 0, p, i, n, o);
	return o->n;
}

/* Classes of all bytes; nothing begins or ends beyond them. */
AVX2 static void
classify(const struct weights_filter *f, const struct tables *t,
    const uint8_t *p, size_t n,
    uint8_t cls[3][WEIGHTS_FILTER_MAX + 2 * MARGIN])
{
	size_t i = 0;

	for (; i + 32 <= n; i += 32) {
		struct split x = split(load(p + i));

		for (unsigned k = 0; k < 3; k++)
			_mm256_storeu_si256((__m256i *)(void *)(cls[k] +
			    MARGIN + i), classes(t, k, x));
	}
	for (; i < n; i++)
		for (unsigned k = 0; k < 3; k++)
			cls[k][MARGIN + i] = f->byte[k][p[i]];
	for (unsigned k = 0; k < 3; k++)
		memset(cls[k] + MARGIN + n, 0, MARGIN);
}

struct place {
	const uint8_t *second, *third;	/* of rule, at place 0 */
	__m256i lanes;
};

/* One vector with something in it: which rule, which byte? */
AVX2 static __attribute__((noinline)) void
look(const struct weights_filter *f, const struct weights_rule *rules,
    unsigned nrules, const struct place *q, __m256i first, const uint8_t *p,
    size_t i, size_t to, size_t n, struct out *o)
{
	for (unsigned k = 0; k < nrules; k++) {
		__m256i m = _mm256_and_si256(_mm256_and_si256(first,
		    q[k].lanes), _mm256_and_si256(load(q[k].second + i),
		    load(q[k].third + i)));

		check_bits(f, &rules[k], k, m, p, i, to, n, o);
	}
}

AVX2 static size_t
run(const struct weights_filter *f, const struct weights_rule *rules,
    unsigned nrules, unsigned width, const uint8_t *p, size_t to, size_t n,
    struct out *o)
{
	static uint8_t cls[3][WEIGHTS_FILTER_MAX + 2 * MARGIN];
	struct place q[WEIGHTS_RULES_MAX];
	struct tables t;

	if (nrules == 1 && rules[0].second == 1 && rules[0].third == 2 &&
	    width == 1)
		return run_row(f, rules, p, to, n, o);
	tables_of(&t, f);
	for (unsigned k = 0; k < nrules; k++) {
		uint8_t lane[32];

		for (unsigned i = 0; i < 32; i++)
			lane[i] = rules[k].lanes >> i % width & 1 ? 255 : 0;
		q[k] = (struct place){cls[1] + (MARGIN + rules[k].second),
		    cls[2] + (MARGIN + rules[k].third), load(lane)};
	}
	classify(f, &t, p, n, cls);
	for (size_t i = 0; i < to && i < n; i += 32) {
		const __m256i first = load(cls[0] + MARGIN + i);
		__m256i any = _mm256_setzero_si256();

		for (unsigned k = 0; k < nrules; k++)
			any = _mm256_or_si256(any, _mm256_and_si256(
			    _mm256_and_si256(q[k].lanes,
			    load(q[k].second + i)), load(q[k].third + i)));
		if (!_mm256_testz_si256(first, any))
			look(f, rules, nrules, q, first, p, i, to, n, o);
	}
	return o->n;
}
#endif

size_t
weights_filter_run(const struct weights_filter *f,
    const struct weights_rule *rules, unsigned nrules, unsigned width,
    const uint8_t *p, size_t to, size_t n, struct weights_hit *hits,
    size_t max)
{
	BUG_ON(n > WEIGHTS_FILTER_MAX || nrules > WEIGHTS_RULES_MAX);
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2")) {
		struct out o = {hits, 0, max};

		return run(f, rules, nrules, width, p, to, n, &o);
	}
#endif
	return weights_filter_scalar(f, rules, nrules, width, p, to, n, hits,
	    max);
}

size_t
weights_filter_row2(const struct weights_filter *f,
    const struct weights_filter *g, const uint8_t *p, size_t to, size_t n,
    struct weights_hit *hits, size_t max)
{
	BUG_ON(n > WEIGHTS_FILTER_MAX);
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2")) {
		struct out o = {hits, 0, max};

		return run_row2(f, g, p, to, n, &o);
	}
#endif
	return weights_filter_row2_scalar(f, g, p, to, n, hits, max);
}
