#include "analyzer/diff/pass_kernel.h"
#include "analyzer/diff/vec4.h"

/*
 * The kernels in plain C with four lanes, on any machine.  See pass_avx2.c
 * for the same with eight; both take two vectors a step, one for each set of
 * accumulators.  Each 16-bit type is widened out of order: even elements from
 * the low halves of 32-bit lanes and odd ones from the high halves, which
 * costs two instructions and changes no sum.
 */
#define TARGET
#define INLINE static inline __attribute__((always_inline))
#define STEP 8
typedef vec4 lanes;

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
INLINE vec4
half(enum pass_type t, const uint8_t *p, unsigned k)
{
	vec4u x = vec4_bits(t == PASS_F32 ? p + 16 * (size_t)k : p);

	if (t == PASS_F32)
		return (vec4)x;
	if (t == PASS_BF16)
		return (vec4)(k == 0 ? x << 16 : x & 0xffff0000U);
	return vec4_f16(k == 0 ? x & 0xffffU : x >> 16);
}

INLINE void
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
INLINE void
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

INLINE float
total(vec4 x, vec4 y)
{
	x += y;
	return (x[0] + x[2]) + (x[1] + x[3]);
}

INLINE void
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

INLINE lanes
square_plus(lanes x, lanes y)
{
	return x * x + y;
}

#include "analyzer/diff/pass_loops.def"

const struct pass_kernels *
pass_portable(void)
{
	static const struct pass_kernels k = {"portable", KERNELS};

	return &k;
}
