#include "analyzer/diff/pass_kernel.h"
#include "analyzer/diff/vec4.h"

/*
 * The kernels in plain C with four lanes, on any machine.  See pass_avx2.c
 * for the same with eight; both take two vectors a step, one for each set of
 * accumulators.  Each 16-bit type is widened out of order: even elements from
 * the low halves of 32-bit lanes and odd ones from the high halves, which
 * costs two instructions and changes no sum.
 */
#define STEP 8

struct sums {
	vec4 a2, b2, ab, d2;
};

/* What needs no second set: registers are few. */
struct rest {
	vec4i max;	/* the bits of |D|: ordered as the values are */
	vec4u same;	/* counts of equal elements */
	vec4u bits;	/* that differ */
};

/* Half ${k} of the vectors that a step takes from one side. */
static inline vec4
half(enum pass_type t, const uint8_t *p, unsigned k)
{
	vec4u x = vec4_bits(t == PASS_F32 ? p + 16 * (size_t)k : p);

	if (t == PASS_F32)
		return (vec4)x;
	if (t == PASS_BF16)
		return (vec4)(k == 0 ? x << 16 : x & 0xffff0000U);
	return vec4_f16(k == 0 ? x & 0xffffU : x >> 16);
}

static inline void
add(struct sums *s, struct rest *r, vec4 a, vec4 b)
{
	vec4 d = b - a;
	vec4i m = (vec4i)((vec4u)d & 0x7fffffffU);

	s->a2 += a * a;
	s->b2 += b * b;
	s->ab += a * b;
	s->d2 += d * d;
	r->max = (vec4i)vec4_pick(m > r->max, (vec4u)m, (vec4u)r->max);
}

/* 16 bytes of each side. */
static inline void
compare(enum pass_type t, struct rest *r, const uint8_t *a, const uint8_t *b)
{
	vec4u x = vec4_bits(a), y = vec4_bits(b);

	r->bits |= x ^ y;
	if (t == PASS_F32)
		r->same -= (vec4u)(x == y);
	else
		r->same = (vec4u)((vec8h)r->same - (vec8h)((vec8h)x ==
		    (vec8h)y));
}

static inline float
total(vec4 x, vec4 y)
{
	x += y;
	return (x[0] + x[2]) + (x[1] + x[3]);
}

static inline void
finish(enum pass_type t, size_t n, const struct sums s[2],
    const struct rest *r, struct pass_part *ret)
{
	uint32_t same = 0, all = 0, max = 0;

	for (unsigned i = 0; i < 4; i++) {
		same += t == PASS_F32 ? r->same[i] :
		    (r->same[i] & 0xffffU) + (r->same[i] >> 16);
		all |= t == PASS_F32 ? r->bits[i] :
		    (r->bits[i] & 0xffffU) | r->bits[i] >> 16;
		if ((uint32_t)r->max[i] > max)
			max = (uint32_t)r->max[i];
	}
	ret->a2 = total(s[0].a2, s[1].a2);
	ret->b2 = total(s[0].b2, s[1].b2);
	ret->ab = total(s[0].ab, s[1].ab);
	ret->d2 = total(s[0].d2, s[1].d2);
	memcpy(&ret->max_abs, &max, sizeof(max));
	ret->changed = (uint32_t)n - same;
	ret->xor_or = all;
}

static inline __attribute__((always_inline)) void
step(enum pass_type t, struct sums s[2], struct rest *r, const uint8_t *a,
    const uint8_t *b)
{
	compare(t, r, a, b);
	add(&s[0], r, half(t, a, 0), half(t, b, 0));
	if (t == PASS_F32)
		compare(t, r, a + 16, b + 16);
	add(&s[1], r, half(t, a, 1), half(t, b, 1));
}

/* ${t} is a constant wherever this is expanded. */
static inline __attribute__((always_inline)) void
sums(enum pass_type t, const uint8_t *a, const uint8_t *b, size_t n,
    struct pass_part *ret)
{
	const size_t width = t == PASS_F32 ? 4 : 2;
	struct sums s[2] = {0};
	struct rest r = {0};
	uint8_t end[2][4 * STEP] = {0};
	size_t whole = n / STEP * STEP;

	for (size_t i = 0; i < whole * width; i += STEP * width) {
		pass_ahead(a, i);
		pass_ahead(b, i);
		step(t, s, &r, a + i, b + i);
	}
	if (whole < n) {
		/* What is left, and zeros, which add nothing. */
		memcpy(end[0], a + whole * width, (n - whole) * width);
		memcpy(end[1], b + whole * width, (n - whole) * width);
		step(t, s, &r, end[0], end[1]);
		whole += STEP;
	}
	finish(t, whole, s, &r, ret);
}

static inline __attribute__((always_inline)) void
row(enum pass_type t, const uint8_t *a, const uint8_t *b, size_t n,
    struct pass_row *ret)
{
	const size_t width = t == PASS_F32 ? 4 : 2;
	uint8_t end[2][4 * STEP];
	vec4 d2[2] = {0}, a2[2] = {0}, d, x;

	for (size_t i = 0; i < n; i += STEP) {
		const uint8_t *p = a + i * width, *q = b + i * width;

		if (n - i < STEP) {
			memset(end, 0, sizeof(end));
			memcpy(end[0], p, (n - i) * width);
			memcpy(end[1], q, (n - i) * width);
			p = end[0];
			q = end[1];
		}
		for (unsigned k = 0; k < 2; k++) {
			x = half(t, p, k);
			d = half(t, q, k) - x;
			d2[k] += d * d;
			a2[k] += x * x;
		}
	}
	ret->d2 = total(d2[0], d2[1]);
	ret->a2 = total(a2[0], a2[1]);
}

static inline __attribute__((always_inline)) void
rows(enum pass_type t, const uint8_t *a, const uint8_t *b, size_t n,
    const size_t first_cols[2], struct pass_row *ret)
{
	const size_t width = t == PASS_F32 ? 4 : 2;
	size_t len = first_cols[0];

	for (size_t i = 0; i < n; i += len, len = first_cols[1]) {
		if (len > n - i)
			len = n - i;
		row(t, a + i * width, b + i * width, len, ret++);
	}
}

#define KERNEL(name, type) \
	static void \
	sums_##name(const uint8_t *a, const uint8_t *b, size_t n, \
	    struct pass_part *ret) \
	{ \
		sums(type, a, b, n, ret); \
	} \
	static void \
	rows_##name(const uint8_t *a, const uint8_t *b, size_t n, \
	    const size_t first_cols[2], struct pass_row *ret) \
	{ \
		rows(type, a, b, n, first_cols, ret); \
	}
KERNEL(f32, PASS_F32)
KERNEL(bf16, PASS_BF16)
KERNEL(f16, PASS_F16)

const struct pass_kernels *
pass_portable(void)
{
	static const struct pass_kernels k = {"portable",
	    {{sums_f32, rows_f32}, {sums_bf16, rows_bf16},
	    {sums_f16, rows_f16}}};

	return &k;
}
