#include <endian.h>
#include <string.h>

#include "analyzer/diff/elem.h"
#include "analyzer/diff/floatbits.h"
#include "analyzer/diff/elem_wide.h"

#define FLOAT ELEM_FLOAT
#define INT ELEM_INT
#define BLOCKS ELEM_BLOCKS
#define BYTES ELEM_OPAQUE
static const struct elem_info infos[] = {
#define ELEM(id, name, kind, block, bytes, mantissa) \
	{name, kind, block, bytes, mantissa},
#include "analyzer/diff/elem.def"
#undef ELEM
};

/* How numpy and others spell the same. */
static const struct {
	const char *name;
	enum elem type;
} aliases[] = {{"<f4", ELEM_F32}, {"=f4", ELEM_F32}, {"f4", ELEM_F32},
    {"<f8", ELEM_F64}, {"=f8", ELEM_F64}, {"f8", ELEM_F64},
    {"<f2", ELEM_F16}, {"=f2", ELEM_F16}, {"f2", ELEM_F16},
    {"<i8", ELEM_I64}, {"=i8", ELEM_I64}, {"<u8", ELEM_U64},
    {"<i4", ELEM_I32}, {"=i4", ELEM_I32}, {"<u4", ELEM_U32},
    {"<i2", ELEM_I16}, {"<u2", ELEM_U16}, {"|i1", ELEM_I8},
    {"i1", ELEM_I8}, {"|u1", ELEM_U8}, {"u1", ELEM_U8}, {"|b1", ELEM_BOOL},
    {"F8E4M3FN", ELEM_F8_E4M3}, {"F8E5M2", ELEM_F8_E5M2}};

const struct elem_info *
elem_info(enum elem t)
{
	return &infos[t < ELEM_COUNT ? t : ELEM_BYTES];
}

enum elem
elem_find(const char *dtype)
{
	for (unsigned i = 0; i < ELEM_BYTES; i++)
		if (strcmp(infos[i].name, dtype) == 0)
			return (enum elem)i;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (strcmp(aliases[i].name, dtype) == 0)
			return aliases[i].type;
	return ELEM_BYTES;
}

float
elem_from_f16(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000U) << 16, m = h & 0x3ffU;
	unsigned e = (h >> 10) & 31U;

	if (e == 31)
		return floatbits_to(sign | 0x7f800000U | m << 13);
	if (e > 0)
		return floatbits_to(sign | (e + 112U) << 23 | m << 13);
	/* Subnormal: m times 2^-24, which single precision holds exactly. */
	return floatbits_to(sign | floatbits_of((float)m * 0x1p-24F));
}

uint16_t
elem_to_f16(float f)
{
	uint32_t u = floatbits_of(f), a = u & 0x7fffffffU;
	uint16_t sign = (uint16_t)((u >> 16) & 0x8000U);
	unsigned shift;

	if (a > 0x7f800000U)
		return (uint16_t)(sign | 0x7e00U | ((a >> 13) & 0x3ffU));
	if (a >= 0x477ff000U)	/* 65520 and above round to infinity */
		return (uint16_t)(sign | 0x7c00U);
	if (a >= 0x38800000U) {
		a += 0xfffU + ((a >> 13) & 1U);
		return (uint16_t)(sign | ((a - 0x38000000U) >> 13));
	}
	if (a < 0x33000000U)	/* below half of the smallest subnormal */
		return sign;
	shift = 126U - (a >> 23);
	a = (a & 0x7fffffU) | 0x800000U;
	a += (1U << (shift - 1U)) - 1U + ((a >> shift) & 1U);
	return (uint16_t)(sign | a >> shift);
}

static uint16_t
u16_at(const uint8_t *p)
{
	uint16_t v;

	memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

static float
f16_at(const uint8_t *p)
{
	return elem_from_f16(u16_at(p));
}

/* E4M3 has no infinity and one NaN. */
static float
from_e4m3(uint64_t v)
{
	uint32_t sign = (uint32_t)(v & 0x80U) << 24;
	uint32_t e = (v >> 3) & 15U, m = v & 7U;

	if (e == 15 && m == 7)
		return floatbits_to(sign | 0x7fc00000U);
	if (e > 0)
		return floatbits_to(sign | (e + 120U) << 23 | m << 20);
	return floatbits_to(sign | floatbits_of((float)m * 0x1p-9F));
}

uint64_t
elem_bits(enum elem t, const uint8_t *p, uint64_t i)
{
	const struct elem_info *x = elem_info(t);
	uint64_t v = 0;

	memcpy(&v, p + i * x->bytes, x->bytes);
	v = le64toh(v);
	if (t == ELEM_F32_BE)
		return be32toh(htole32((uint32_t)v));
	if (t == ELEM_F64_BE)
		return be64toh(htole64(v));
	if (t == ELEM_F16_BE)
		return be16toh(htole16((uint16_t)v));
	return v;
}

/*
 * K-quants pack eight 6-bit scales and minima into twelve bytes
 * (ggml-quants.c get_scale_min_k4).
 */
static void
scale_min(const uint8_t *q, unsigned j, float *scale, float *min)
{
	unsigned s, m;

	if (j < 4) {
		s = q[j] & 63U;
		m = q[j + 4] & 63U;
	} else {
		s = (q[j + 4] & 15U) | (unsigned)(q[j - 4] >> 6) << 4;
		m = (unsigned)(q[j + 4] >> 4) | (unsigned)(q[j] >> 6) << 4;
	}
	*scale = (float)s;
	*min = (float)m;
}

static void
load_q32(bool min, bool five, const uint8_t *p, float *y)
{
	/* Adding -0 changes nothing, not even the sign of a zero. */
	float d = f16_at(p), m = min ? f16_at(p + 2) : -0.0F;
	const uint8_t *high = p + (min ? 4 : 2);
	const uint8_t *q = high + (five ? 4 : 0);
	int bias = min ? 0 : five ? 16 : 8, lo, hi;

	for (unsigned j = 0; j < 16; j++) {
		lo = q[j] & 15;
		hi = q[j] >> 4;
		if (five) {
			lo |= (high[j / 8] >> (j % 8) & 1) << 4;
			hi |= (high[2 + j / 8] >> (j % 8) & 1) << 4;
		}
		y[j] = (float)(lo - bias) * d + m;
		y[j + 16] = (float)(hi - bias) * d + m;
	}
}

static void
load_q8_0(const uint8_t *p, float *y)
{
	float d = f16_at(p);

	for (unsigned j = 0; j < 32; j++)
		y[j] = (float)(int8_t)p[2 + j] * d;
}

static void
load_q2_k(const uint8_t *p, float *y)
{
	const uint8_t *q = p + 16;
	float d = f16_at(p + 80), m = f16_at(p + 82);

	for (unsigned i = 0; i < 16; i++) {
		float dl = d * (float)(p[i] & 15U);
		float ml = m * (float)(p[i] >> 4);
		unsigned half = i / 8, shift = 2 * (i % 8 / 2);

		for (unsigned l = 0; l < 16; l++)
			y[16 * i + l] = dl * (float)((unsigned)q[32 *
			    half + 16 * (i % 2) + l] >> shift & 3U) - ml;
	}
}

static void
load_q3_k(const uint8_t *p, float *y)
{
	const uint8_t *high = p, *q = p + 32, *s = p + 96;
	float d = f16_at(p + 108);

	for (unsigned i = 0; i < 16; i++) {
		unsigned low = i < 8 ? s[i] & 15U : (unsigned)s[i - 8] >> 4;
		int scale = (int)(low |
		    ((unsigned)s[8 + i % 4] >> (2 * (i / 4)) & 3U) << 4) -
		    32;
		unsigned half = i / 8, shift = i % 8 / 2;

		for (unsigned l = 0; l < 16; l++) {
			unsigned at = 16 * (i % 2) + l;
			int v = q[32 * half + at] >> (2 * shift) & 3;

			if ((high[at] >> (4 * half + shift) & 1) == 0)
				v -= 4;
			y[16 * i + l] = d * (float)scale * (float)v;
		}
	}
}

static void
load_q45_k(bool five, const uint8_t *p, float *y)
{
	const uint8_t *high = p + 16, *q = p + (five ? 48 : 16);
	float d = f16_at(p), m = f16_at(p + 2), scale, min;

	for (unsigned j = 0; j < 8; j++) {
		scale_min(p + 4, j, &scale, &min);
		for (unsigned l = 0; l < 32; l++) {
			unsigned v = (unsigned)q[32 * (j / 2) + l] >>
			    (4 * (j % 2)) & 15U;

			if (five)
				v |= ((unsigned)high[l] >> j & 1U) << 4;
			y[32 * j + l] = d * scale * (float)v - m * min;
		}
	}
}

static void
load_q6_k(const uint8_t *p, float *y)
{
	const uint8_t *low = p, *high = p + 128;
	float d = f16_at(p + 208);

	for (unsigned i = 0; i < 256; i++) {
		unsigned half = i / 128, r = i % 128, part = r / 32,
		    l = r % 32;
		unsigned v = (unsigned)low[64 * half + 32 * (part % 2) + l] >>
		    (4 * (part / 2)) & 15U;

		v |= ((unsigned)high[32 * half + l] >> (2 * part) & 3U) << 4;
		y[i] = d * (float)(int8_t)p[192 + i / 16] *
		    (float)((int)v - 32);
	}
}

static void
load_q4_0(const uint8_t *p, float *y)
{
	load_q32(false, false, p, y);
}

static void
load_q4_1(const uint8_t *p, float *y)
{
	load_q32(true, false, p, y);
}

static void
load_q5_0(const uint8_t *p, float *y)
{
	load_q32(false, true, p, y);
}

static void
load_q5_1(const uint8_t *p, float *y)
{
	load_q32(true, true, p, y);
}

static void
load_q4_k(const uint8_t *p, float *y)
{
	load_q45_k(false, p, y);
}

static void
load_q5_k(const uint8_t *p, float *y)
{
	load_q45_k(true, p, y);
}

static float
from_f64(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return (float)d;
}

static float
from_f32(uint64_t v)
{
	return floatbits_to((uint32_t)v);
}

static float
from_f16(uint64_t v)
{
	return elem_from_f16((uint16_t)v);
}

/* The top half of binary16. */
static float
from_e5m2(uint64_t v)
{
	return elem_from_f16((uint16_t)(v << 8));
}

static float
from_i64(uint64_t v)
{
	return (float)(int64_t)v;
}

static float
from_i32(uint64_t v)
{
	return (float)(int32_t)(uint32_t)v;
}

static float
from_i16(uint64_t v)
{
	return (float)(int16_t)(uint16_t)v;
}

static float
from_i8(uint64_t v)
{
	return (float)(int8_t)(uint8_t)v;
}

static float
from_unsigned(uint64_t v)
{
	return (float)v;
}

/* One of the two: an element's bits, or a block's bytes. */
static const struct {
	float (*one)(uint64_t bits);
	void (*block)(const uint8_t *p, float *y);
} loaders[ELEM_COUNT] = {
    [ELEM_F64] = {from_f64, NULL}, [ELEM_F64_BE] = {from_f64, NULL},
    [ELEM_F32_BE] = {from_f32, NULL}, [ELEM_F16_BE] = {from_f16, NULL},
    [ELEM_F8_E4M3] = {from_e4m3, NULL},
    [ELEM_F8_E5M2] = {from_e5m2, NULL}, [ELEM_I64] = {from_i64, NULL},
    [ELEM_I32] = {from_i32, NULL}, [ELEM_I16] = {from_i16, NULL},
    [ELEM_I8] = {from_i8, NULL}, [ELEM_U64] = {from_unsigned, NULL},
    [ELEM_U32] = {from_unsigned, NULL}, [ELEM_U16] = {from_unsigned, NULL},
    [ELEM_U8] = {from_unsigned, NULL}, [ELEM_BOOL] = {from_unsigned, NULL},
    [ELEM_BYTES] = {from_unsigned, NULL}, [ELEM_Q4_0] = {NULL, load_q4_0},
    [ELEM_Q4_1] = {NULL, load_q4_1}, [ELEM_Q5_0] = {NULL, load_q5_0},
    [ELEM_Q5_1] = {NULL, load_q5_1}, [ELEM_Q8_0] = {NULL, load_q8_0},
    [ELEM_Q2_K] = {NULL, load_q2_k}, [ELEM_Q3_K] = {NULL, load_q3_k},
    [ELEM_Q4_K] = {NULL, load_q4_k}, [ELEM_Q5_K] = {NULL, load_q5_k},
    [ELEM_Q6_K] = {NULL, load_q6_k}};

void
elem_load(enum elem t, const uint8_t *p, size_t n, float *dst)
{
	const struct elem_info *x = elem_info(t);

	if (t == ELEM_F32) {
		memcpy(dst, p, n * sizeof(*dst));
	} else if (t == ELEM_BF16) {
		elem_wide_bf16(p, n, dst);
	} else if (t == ELEM_F16) {
		elem_wide_f16(p, n, dst);
	} else if (loaders[t].block != NULL) {
		for (size_t i = 0; i < n / x->block; i++)
			loaders[t].block(p + i * x->bytes,
			    dst + i * x->block);
	} else {
		for (size_t i = 0; i < n; i++)
			dst[i] = loaders[t].one(elem_bits(t, p, i));
	}
}
