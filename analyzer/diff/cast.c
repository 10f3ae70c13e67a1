#include <math.h>
#include <string.h>

#include "analyzer/diff/cast.h"
#include "analyzer/diff/elem.h"
#include "analyzer/diff/floatbits.h"

/*
 * Rounding in the float's own domain: a coarser float is a single with the
 * low mantissa bits cleared, so nobody needs to narrow and widen.  Where the
 * coarse type is subnormal its values stand equally spaced, and adding and
 * taking away a power of two whose last bit is that spacing rounds to
 * nearest even (Knuth, TAOCP 4.2.2); this also holds where threads flush
 * subnormals to zero, since a single's subnormals round to 0 anyway.
 *
 * Loops run over a constant number of elements in place, without branches:
 * that is what gcc -O2 makes vectors of.
 */
#define LANE 64
#define Q 32			/* elements of a block of Q8_0 and Q4_0 */
#define ABS 0x7fffffffU
#define INF 0x7f800000U
#define QUIET 0x00400000U

/* All ones where the condition holds: a choice without a branch. */
static inline uint32_t
mask(bool b)
{
	return 0U - (uint32_t)b;
}

static inline uint32_t
choose(uint32_t m, uint32_t yes, uint32_t no)
{
	return (yes & m) | (no & ~m);
}

static void
bf16_even(uint32_t *x)
{
	for (size_t i = 0; i < LANE; i++) {
		uint32_t u = x[i], nan = mask((int32_t)(u & ABS) > (int)INF);

		x[i] = choose(nan, u | QUIET, u + 0x7fffU +
		    ((u >> 16) & 1U)) & 0xffff0000U;
	}
}

static void
bf16_away(uint32_t *x)
{
	for (size_t i = 0; i < LANE; i++) {
		uint32_t u = x[i], nan = mask((int32_t)(u & ABS) > (int)INF);

		x[i] = choose(nan, u | QUIET, u + 0x8000U) & 0xffff0000U;
	}
}

static void
bf16_cut(uint32_t *x)
{
	for (size_t i = 0; i < LANE; i++)
		x[i] &= 0xffff0000U;
}

/* A float of fewer bits: what rounding does at both ends of its range. */
struct narrow {
	unsigned drop;		/* mantissa bits that go */
	uint32_t normal;	/* bits of its smallest normal number */
	uint32_t magic;		/* ... of the power whose ulp is its step */
	uint32_t over;		/* from here on, after rounding: too large */
	uint32_t becomes;	/* what that is made */
	uint32_t inf;		/* what infinity is made */
};

static const struct narrow f16 = {13, 0x38800000U, 0x3f000000U, 0x47800000U,
    INF, INF};
static const struct narrow f16_sat = {13, 0x38800000U, 0x3f000000U,
    0x47800000U, 0x477fe000U, 0x477fe000U};
/* Its bias leaves no infinity: 480 is where the NaN stands. */
static const struct narrow e4m3 = {20, 0x3c800000U, 0x46800000U, 0x43f00000U,
    INF | QUIET, INF | QUIET};
static const struct narrow e4m3_sat = {20, 0x3c800000U, 0x46800000U,
    0x43f00000U, 0x43e00000U, 0x43e00000U};
static const struct narrow e5m2 = {21, 0x38800000U, 0x43000000U, 0x47800000U,
    INF, INF};
static const struct narrow e5m2_sat = {21, 0x38800000U, 0x43000000U,
    0x47800000U, 0x47600000U, 0x47600000U};

static inline void
narrow(uint32_t *x, const struct narrow t)
{
	const uint32_t low = (1U << t.drop) - 1U, half = low >> 1;
	const float magic = floatbits_to(t.magic);

	for (size_t i = 0; i < LANE; i++) {
		uint32_t u = x[i], a = u & ABS, r, s;

		s = floatbits_of((floatbits_to(a) + magic) - magic);
		r = (a + half + ((a >> t.drop) & 1U)) & ~low;
		r = choose(mask((int32_t)r >= (int32_t)t.over), t.becomes, r);
		r = choose(mask((int32_t)a < (int32_t)t.normal), s, r);
		r = choose(mask(a == INF), t.inf, r);
		r = choose(mask((int32_t)a > (int32_t)INF),
		    (a | QUIET) & ~low, r);
		x[i] = r | (u & ~ABS);
	}
}

static void
to_f16(uint32_t *x)
{
	narrow(x, f16);
}

static void
to_f16_sat(uint32_t *x)
{
	narrow(x, f16_sat);
}

static void
to_e4m3(uint32_t *x)
{
	narrow(x, e4m3);
}

static void
to_e4m3_sat(uint32_t *x)
{
	narrow(x, e4m3_sat);
}

static void
to_e5m2(uint32_t *x)
{
	narrow(x, e5m2);
}

static void
to_e5m2_sat(uint32_t *x)
{
	narrow(x, e5m2_sat);
}

/* A block's scale and codes, before they are stored. */
struct codes {
	uint16_t d;
	int8_t q[Q];
};

static float
largest(const float *x)
{
	int32_t max = 0, a[Q];

	for (size_t i = 0; i < Q; i++)
		a[i] = (int32_t)(floatbits_of(x[i]) & ABS);
	for (size_t i = 0; i < Q; i++)
		max = a[i] > max ? a[i] : max;
	return floatbits_to((uint32_t)max);
}

/*
 * roundf's rule, half away from zero, for what fits a code; without a library
 * call, and without the error of adding a half (0.49999997 is 0).
 */
static inline int32_t
nearest(float v)
{
	uint32_t u = floatbits_of(v), a = u & ABS, i;
	int32_t minus = (int32_t)mask(u != a);
	float f = floatbits_to(a & mask((int32_t)a < 0x44800000)); /* 1024 */

	i = (uint32_t)(int32_t)f;
	i += (uint32_t)(f - (float)(int32_t)i >= 0.5F);
	return ((int32_t)i ^ minus) - minus;
}

static void
make_q8_0(const float *x, struct codes *c)
{
	float d = largest(x) / 127.0F, id = d != 0 ? 1.0F / d : 0.0F;
	int32_t q[Q];

	c->d = elem_to_f16(d);
	for (size_t i = 0; i < Q; i++)
		q[i] = nearest(x[i] * id);
	for (size_t i = 0; i < Q; i++)
		c->q[i] = (int8_t)q[i];
}

static inline int8_t
q4_code(float v)
{
	int i = (int)(v > 0 && v < 128.0F ? v : 0.0F);

	return (int8_t)((i < 15 ? i : 15) - 8);
}

static void
make_q4_0(const float *x, bool fused, struct codes *c)
{
	float max = 0, amax = 0, d, id;

	for (size_t i = 0; i < Q; i++)
		if (amax < fabsf(x[i])) {
			amax = fabsf(x[i]);
			max = x[i];
		}
	d = max / -8.0F;
	id = d != 0 ? 1.0F / d : 0.0F;
	c->d = elem_to_f16(d);
	for (size_t i = 0; i < Q; i++)
		c->q[i] = q4_code(fused ? fmaf(x[i], id, 8.5F) :
		    x[i] * id + 8.5F);
}

static void
make_codes(enum cast c, const float *x, bool fused, struct codes *ret)
{
	if (c == CAST_Q8_0)
		make_q8_0(x, ret);
	else
		make_q4_0(x, fused, ret);
}

static void
decode(const struct codes *c, float *y)
{
	float d = elem_from_f16(c->d);

	for (size_t i = 0; i < Q; i++)
		y[i] = (float)c->q[i] * d;
}

static const struct {
	const char *name;
	void (*lane)(uint32_t *x);	/* NULL: blocks, or nothing to do */
} casts[CAST_COUNT] = {
    [CAST_NONE] = {"none", NULL},
    [CAST_BF16_EVEN] = {"bf16", bf16_even},
    [CAST_BF16_AWAY] = {"bf16-half-away", bf16_away},
    [CAST_BF16_CUT] = {"bf16-truncated", bf16_cut},
    [CAST_F16] = {"f16", to_f16},
    [CAST_F16_SAT] = {"f16-saturated", to_f16_sat},
    [CAST_F8_E4M3] = {"f8_e4m3", to_e4m3},
    [CAST_F8_E4M3_SAT] = {"f8_e4m3-saturated", to_e4m3_sat},
    [CAST_F8_E5M2] = {"f8_e5m2", to_e5m2},
    [CAST_F8_E5M2_SAT] = {"f8_e5m2-saturated", to_e5m2_sat},
    [CAST_Q8_0] = {"q8_0", NULL},
    [CAST_Q4_0] = {"q4_0", NULL}};

const char *
cast_name(enum cast c)
{
	return casts[c].name;
}

unsigned
cast_unit(enum cast c)
{
	return c == CAST_Q8_0 || c == CAST_Q4_0 ? Q : 1;
}

void
cast_block(enum cast c, const float *src, float *dst, size_t n)
{
	uint32_t lane[LANE] = {0};
	struct codes q;

	if (c == CAST_NONE) {
		memmove(dst, src, n * sizeof(*dst));
		return;
	}
	if (cast_unit(c) == Q) {
		for (size_t i = 0; i + Q <= n; i += Q) {
			make_codes(c, src + i, false, &q);
			decode(&q, dst + i);
		}
		return;
	}
	for (size_t i = 0; i < n; i += LANE) {
		size_t m = n - i < LANE ? n - i : LANE;

		memcpy(lane, src + i, m * sizeof(*lane));
		casts[c].lane(lane);
		memcpy(dst + i, lane, m * sizeof(*lane));
	}
}

static bool
same_bits(const uint32_t *a, const uint32_t *b, size_t n)
{
	if (memcmp(a, b, n * sizeof(*a)) == 0)
		return true;
	for (size_t i = 0; i < n; i++)
		if (a[i] != b[i] && !((a[i] & ABS) > INF &&
		    (b[i] & ABS) > INF))
			return false;
	return true;
}

static bool
same_values(const float *a, const float *b)
{
	for (size_t i = 0; i < Q; i++)
		if (!(a[i] == b[i]) && !(isnan(a[i]) && isnan(b[i])))
			return false;
	return true;
}

bool
cast_equal(enum cast c, const float *a, const float *b, size_t n)
{
	uint32_t x[LANE] = {0}, y[LANE];
	const bool q = cast_unit(c) == Q;
	struct codes codes;
	float v[Q];

	for (size_t i = 0; q && i + Q <= n; i += Q) {
		bool same = false;

		for (int fused = 0; fused < (c == CAST_Q4_0 ? 2 : 1) && !same;
		    fused++) {
			make_codes(c, a + i, fused > 0, &codes);
			decode(&codes, v);
			same = same_values(v, b + i);
		}
		if (!same)
			return false;
	}
	for (size_t i = 0; !q && i < n; i += LANE) {
		size_t m = n - i < LANE ? n - i : LANE;

		memcpy(x, a + i, m * sizeof(*x));
		memcpy(y, b + i, m * sizeof(*y));
		if (c != CAST_NONE)
			casts[c].lane(x);
		if (!same_bits(x, y, m))
			return false;
	}
	return true;
}

/* ggml's block_q8_0 and block_q4_0: fp16 scale, codes (low nibbles first). */
static void
store(enum cast c, const struct codes *q, uint8_t *p)
{
	p[0] = (uint8_t)q->d;
	p[1] = (uint8_t)(q->d >> 8);
	if (c == CAST_Q8_0) {
		memcpy(p + 2, q->q, Q);
		return;
	}
	for (size_t i = 0; i < Q / 2; i++)
		p[2 + i] = (uint8_t)((q->q[i] + 8) |
		    (q->q[i + Q / 2] + 8) << 4);
}

bool
cast_stored(enum cast c, const float *a, const uint8_t *p, size_t n)
{
	const size_t len = c == CAST_Q8_0 ? Q + 2 : Q / 2 + 2;
	struct codes q;
	uint8_t want[Q + 2];

	for (size_t i = 0; i + Q <= n; i += Q, p += len) {
		make_codes(c, a + i, false, &q);
		store(c, &q, want);
		if (memcmp(want, p, len) == 0)
			continue;
		if (c == CAST_Q8_0)
			return false;
		make_codes(c, a + i, true, &q);
		store(c, &q, want);
		if (memcmp(want, p, len) != 0)
			return false;
	}
	return true;
}
