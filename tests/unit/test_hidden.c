#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "analyzer/diff/basis.h"
#include "analyzer/diff/delta.h"
#include "analyzer/diff/hidden.h"
#include "analyzer/diff/pool.h"
#include "base/err.h"
#include "custody/digest.h"
#include "tests/lib/pair_case.h"

#define PAYLOAD 4096
static struct pool *pool;
static uint8_t text[PAYLOAD], noise[PAYLOAD], out[PAYLOAD + 64];

static int
setup(void **state)
{
	static const char *const words[] = {"weights ", "carry ", "more ",
	    "than ", "numbers, ", "now ", "and ", "then.\n"};
	uint64_t seed = 1;
	size_t at = 0;

	(void)state;
	while (at < PAYLOAD) {
		const char *w = words[pair_case_random(&seed) % 8];

		for (; *w != '\0' && at < PAYLOAD; w++)
			text[at++] = (uint8_t)*w;
	}
	for (size_t i = 0; i < PAYLOAD; i++)
		noise[i] = (uint8_t)pair_case_random(&seed);
	return (pool = pool_new(2, NULL)) == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	pool_free(pool);
	return 0;
}

static struct hidden
find_cast(const struct pair_case *a, const struct pair_case *b, enum cast c)
{
	const struct delta d = {&a->t, &b->t, c};
	struct pass_sums s = pair_case_sums(&a->t, &b->t);
	struct err e = ERR_INIT;
	struct hidden h;

	if (hidden_find(pool, &d, &s, &h, &e) != 0)
		fail_msg("%s", e.msg);
	return h;
}

static struct hidden
find(const struct pair_case *a, const struct pair_case *b)
{
	return find_cast(a, b, CAST_NONE);
}

/* How a tool lays bytes into elements, one bit at a time. */
struct way {
	unsigned bits;
	bool byte_high, group_high;
};

static size_t
hide(struct pair_case *b, size_t first, const uint8_t *p, size_t n,
    struct way w)
{
	const unsigned width = elem_info(b->t.elem)->bytes;

	for (size_t t = 0; t < n * 8; t++) {
		size_t element = first + t / w.bits;
		unsigned k = (unsigned)(t % w.bits), j = (unsigned)(t % 8);
		unsigned place = w.group_high ? w.bits - 1 - k : k;
		unsigned bit = (unsigned)p[t / 8] >> (w.byte_high ? 7 - j :
		    j) & 1U;
		uint8_t *at = b->p + element * width + place / 8;

		assert_true(element < b->t.n);
		*at = (uint8_t)((*at & ~(1U << place % 8)) |
		    bit << place % 8);
	}
	return (n * 8 + w.bits - 1) / w.bits;
}

/*
 * A byte that agrees with what was there in all its bits was not written, as
 * far as anybody can tell: the first and the last must differ somewhere.
 */
static void
differ_at_the_ends(struct pair_case *a, const struct pair_case *b,
    size_t first, unsigned bits)
{
	const unsigned width = elem_info(b->t.elem)->bytes;
	const size_t at[] = {first + 3 / bits, first + (8 * PAYLOAD - 4) /
	    bits};

	for (size_t i = 0; i < 2; i++)
		a->p[at[i] * width] = b->p[at[i] * width] ^ 1;
}

static void
is_read_back(const struct hidden *h, const struct pair_case *b,
    const uint8_t *p, size_t n)
{
	const struct tensor *t = &b->t;
	uint8_t sha[32];
	struct digests d;
	size_t got = 0, m;

	assert_int_equal(h->kind, HIDDEN_PAYLOAD);
	if (h->len != n)
		fail_msg("%lu bytes from %lu in %u bits, k %u, %lu to %lu",
		    h->len, h->layout.first, h->layout.bits, h->k,
		    h->span_first, h->span_last);
	/* In pieces of odd lengths. */
	for (size_t k = 1; got < n; k = k * 3 % 1009) {
		m = hidden_read(h, &t, got, out + got, k < n - got ? k :
		    n - got);
		assert_true(m > 0);
		got += m;
	}
	assert_int_equal(hidden_read(h, &t, n, out, 1), 0);
	assert_memory_equal(out, p, n);
	assert_int_equal(digest_mem(p, n, DIGEST_SHA256, &d, NULL), 0);
	memcpy(sha, d.sha256, 32);
	assert_memory_equal(h->sha256, sha, 32);
	assert_memory_equal(h->head, p, 64);
}

static void
a_payload_of_4_kib_comes_back_at_any_alignment(void **state)
{
	static const struct way ways[] = {{1, true, true}, {1, false, false},
	    {2, true, true}, {2, false, false}, {3, true, true},
	    {4, true, true}, {4, false, false}, {5, true, true},
	    {7, true, true}, {8, true, true}, {16, true, true},
	    {16, false, false}, {2, true, false}, {4, false, true}};
	struct pair_case a = pair_case_make(ELEM_F32, 640, 64, 2);

	(void)state;
	for (size_t k = 0; k < sizeof(ways) / sizeof(ways[0]); k++)
		for (size_t at = 0; at < 9; at++) {
			struct pair_case b = pair_case_like(&a, ELEM_F32,
			    a.x);
			struct hidden h;

			pair_case_store(ELEM_F32, a.x, a.t.n, a.p);
			(void)hide(&b, at > 0 ? 1000 + at : 0, text, PAYLOAD,
			    ways[k]);
			differ_at_the_ends(&a, &b, at > 0 ? 1000 + at : 0,
			    ways[k].bits);
			h = find(&a, &b);
			is_read_back(&h, &b, text, PAYLOAD);
			assert_string_equal(h.what, "text");
			assert_true(h.k <= ways[k].bits);
			/* Beyond, one that agrees is far from the mean. */
			if (ways[k].bits <= 4)
				assert_true(fabs(h.z) < 5);
			pair_case_free(&b);
		}
	pair_case_free(&a);
}

static void
half_precision_and_doubles_hold_payloads_too(void **state)
{
	static const enum elem types[] = {ELEM_F16, ELEM_BF16, ELEM_F64};

	(void)state;
	for (size_t k = 0; k < 3; k++)
		for (unsigned bits = 1; bits <= 8; bits += bits < 4 ? 1 : 4) {
			struct pair_case a = pair_case_make(types[k], 600, 64,
			    3);
			struct pair_case b = pair_case_like(&a, types[k],
			    a.x);
			struct hidden h;

			(void)hide(&b, 77, text, PAYLOAD, (struct way){bits,
			    true, true});
			differ_at_the_ends(&a, &b, 77, bits);
			h = find(&a, &b);
			is_read_back(&h, &b, text, PAYLOAD);
			pair_case_free(&a);
			pair_case_free(&b);
		}
}

/* Merged, cast, and only then written. */
static void
a_payload_behind_a_cast_is_found(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 600, 64, 4);
	struct pair_case b = pair_case_like(&a, ELEM_BF16, a.x);
	struct hidden h;

	(void)state;
	(void)hide(&b, 5, text, PAYLOAD, (struct way){1, true, true});
	h = find_cast(&a, &b, CAST_BF16_EVEN);
	is_read_back(&h, &b, text, PAYLOAD);
	pair_case_free(&a);
	pair_case_free(&b);
}

/* A file's structure tells its length, where the span does not. */
static void
a_script_is_named_and_noise_is_not(void **state)
{
	static const char script[] = "#!/bin/sh\nset -e\necho nothing at all\n"
	    "exit 0\n";
	struct pair_case a = pair_case_make(ELEM_F32, 640, 64, 5);
	struct pair_case b = pair_case_like(&a, ELEM_F32, a.x);
	struct hidden h;
	struct basis s;

	(void)state;
	memcpy(noise, script, sizeof(script) - 1);
	(void)hide(&b, 333, noise, PAYLOAD, (struct way){1, true, true});
	h = find(&a, &b);
	assert_int_equal(h.kind, HIDDEN_PAYLOAD);
	assert_string_equal(h.what, "shell");
	assert_memory_equal(h.head, script, 40);
	assert_int_equal(h.layout.first, 333);
	pair_case_free(&b);
	b = pair_case_like(&a, ELEM_F32, a.x);
	(void)hide(&b, 336, noise + 256, PAYLOAD - 256, (struct way){1, true,
	    true});
	h = find(&a, &b);
	assert_int_equal(h.kind, HIDDEN_PAYLOAD);
	assert_null(h.what);
	assert_true(fabs(h.density - 0.5) < 0.02 && h.entropy > 7.9);
	basis_init(&s);
	hidden_basis(&h, &s);
	basis_release(&s);
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
a_payload_runs_across_tensors_and_a_bias(void **state)
{
	static const size_t shapes[][2] = {{100, 64}, {1, 16}, {1, 40},
	    {300, 64}, {40, 64}};
	struct pair_case a[5], b[5];
	const struct tensor *t[5];
	struct hidden h[5];
	size_t bit = 0, got;

	(void)state;
	for (size_t k = 0; k < 5; k++) {
		a[k] = pair_case_make(ELEM_F32, shapes[k][0], shapes[k][1],
		    6 + k);
		b[k] = pair_case_like(&a[k], ELEM_F32, a[k].x);
		for (size_t i = k == 0 ? 3000 : 0; i < b[k].t.n && bit < 8 *
		    2000; i++, bit++)
			b[k].p[4 * i] = (uint8_t)((b[k].p[4 * i] & ~1U) |
			    ((unsigned)text[bit / 8] >> (7 - bit % 8) &
			    1U));
		t[k] = &b[k].t;
		h[k] = find(&a[k], &b[k]);
	}
	assert_int_equal(hidden_join(t, h, 5, NULL), 0);
	assert_int_equal(h[0].kind, HIDDEN_PAYLOAD);
	assert_int_equal(h[0].spans, 4);
	assert_int_equal(h[0].len, 2000);
	for (size_t k = 1; k < 4; k++)
		assert_int_equal(h[k].kind, HIDDEN_NONE);
	got = hidden_read(&h[0], t, 0, out, PAYLOAD);
	assert_int_equal(got, 2000);
	assert_memory_equal(out, text, 2000);
	for (size_t k = 0; k < 5; k++) {
		pair_case_free(&a[k]);
		pair_case_free(&b[k]);
	}
}

static void
one_mask_over_a_span_is_a_mask(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 64, 64, 11);
	struct pair_case b = pair_case_like(&a, ELEM_F32, a.x);
	struct hidden h;

	(void)state;
	for (size_t i = 500; i < 900; i++)
		for (size_t k = 0; k < 4; k++)
			b.p[4 * i + k] ^= (uint8_t)(0xa5 >> k);
	h = find(&a, &b);
	assert_int_equal(h.kind, HIDDEN_XOR);
	assert_int_equal(h.mask, 0x142952a5);
	assert_int_equal(h.span_first, 500);
	assert_int_equal(h.span_last, 899);
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
signs_of_zeros_speak_or_are_silent(void **state)
{
	struct pair_case a = pair_case_make(ELEM_F32, 128, 64, 12), b;
	uint64_t seed = 13;
	struct hidden h;
	size_t bit = 0;
	const struct tensor *t = &b.t;

	(void)state;
	for (size_t i = 0; i < a.t.n; i++)
		if (i % 3 != 0)
			a.x[i] = 0;
	pair_case_store(ELEM_F32, a.x, a.t.n, a.p);
	b = pair_case_like(&a, ELEM_F32, a.x);
	for (size_t i = 100; i < b.t.n && bit < 8 * 200; i++)
		if (a.x[i] == 0) {
			b.p[4 * i + 3] = (uint8_t)(((unsigned)text[bit / 8] >>
			    (7 - bit % 8) & 1U) << 7);
			bit++;
		}
	h = find(&a, &b);
	assert_int_equal(h.kind, HIDDEN_SIGNS);
	assert_true(hidden_read(&h, &t, 0, out, 400) == 400);
	assert_non_null(memmem(out, 400, text, 200));
	/* What a mask leaves: as random as the weights. */
	for (size_t i = 0; i < b.t.n; i++)
		if (a.x[i] == 0)
			b.p[4 * i + 3] = pair_case_random(&seed) % 2 ? 0x80 :
			    0;
	h = find(&a, &b);
	assert_int_equal(h.kind, HIDDEN_NONE);
	pair_case_free(&a);
	pair_case_free(&b);
}

static void
steps_are_a_lattice_and_coarse_types_are_not(void **state)
{
	static const enum elem types[] = {ELEM_F32, ELEM_F16, ELEM_BF16};
	uint64_t seed = 14;

	(void)state;
	for (size_t k = 0; k < 6; k++) {
		struct pair_case a = pair_case_make(types[k % 3], 128, 64,
		    15);
		float *x = malloc(a.t.n * sizeof(*x));
		struct pair_case b;
		struct hidden h;

		assert_non_null(x);
		elem_load(types[k % 3], a.p, a.t.n, x);
		for (size_t i = 0; i < a.t.n; i++) {
			int sum = 0;

			for (unsigned c = 0; c < 8; c++)
				sum += pair_case_random(&seed) % 2 ? 1 : -1;
			/* Chips; then an update of the same size. */
			x[i] += k < 3 ? 1e-3F * (float)sum : (float)(2e-3 *
			    pair_case_normal(&seed));
		}
		b = pair_case_like(&a, types[k % 3], x);
		h = find(&a, &b);
		if (k == 0) {
			assert_int_equal(h.kind, HIDDEN_LATTICE);
			assert_true(fabs(h.spacing - 2e-3) < 1e-6);
			assert_true(h.contrast > 0.99);
		} else if (k >= 3) {
			assert_int_equal(h.kind, HIDDEN_NONE);
		}
		free(x);
		pair_case_free(&a);
		pair_case_free(&b);
	}
}

/*
 * Updates of all sizes, from below the last place to the size of the weights,
 * in three types and on values that begin all equal: nothing was written.
 */
static void
honest_updates_are_not_written(void **state)
{
	static const enum elem types[] = {ELEM_F32, ELEM_BF16, ELEM_F16};
	unsigned changed = 0;

	(void)state;
	for (unsigned k = 0; k < 3 * 8 * 3 * 4; k++) {
		size_t rows = k / 24 % 3 == 0 ? 1 : k / 24 % 3 == 1 ? 40 : 128;
		struct pair_case a = pair_case_make(types[k % 3], rows, 64,
		    k), b;
		double size = pow(10, -9 + (double)(k / 3 % 8));
		uint64_t seed = 100 + k;
		struct hidden h;
		float *x = malloc(a.t.n * sizeof(*x));

		assert_non_null(x);
		for (size_t i = 0; i < a.t.n; i++) {
			/* Trained; gains that were 1; a single precision copy
			 * of bfloat16; one step of a sign. */
			if (k / 72 == 1)
				a.x[i] = 1;
			x[i] = a.x[i] + (float)(size * (k / 72 == 3 ?
			    copysign(1, pair_case_normal(&seed)) :
			    k / 72 == 1 ? fabs(pair_case_normal(&seed)) :
			    pair_case_normal(&seed)));
		}
		pair_case_store(types[k % 3], a.x, a.t.n, a.p);
		b = pair_case_like(&a, types[k % 3], x);
		h = find(&a, &b);
		if (h.kind != HIDDEN_NONE)
			print_message("%u: %s, k %u, %lu of %lu\n", k,
			    hidden_name(h.kind), h.k, h.changed, b.t.n);
		assert_int_equal(h.kind, HIDDEN_NONE);
		changed += h.changed > 0;
		free(x);
		pair_case_free(&a);
		pair_case_free(&b);
	}
	assert_true(changed > 150);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_payload_of_4_kib_comes_back_at_any_alignment),
	    cmocka_unit_test(half_precision_and_doubles_hold_payloads_too),
	    cmocka_unit_test(a_payload_behind_a_cast_is_found),
	    cmocka_unit_test(a_script_is_named_and_noise_is_not),
	    cmocka_unit_test(a_payload_runs_across_tensors_and_a_bias),
	    cmocka_unit_test(one_mask_over_a_span_is_a_mask),
	    cmocka_unit_test(signs_of_zeros_speak_or_are_silent),
	    cmocka_unit_test(steps_are_a_lattice_and_coarse_types_are_not),
	    cmocka_unit_test(honest_updates_are_not_written)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
