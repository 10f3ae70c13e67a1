#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/weights.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/format.h"
#include "tests/lib/weights_case.h"

/* xorshift64*: good enough to look like noise to every test of ours. */
static uint64_t
next(uint64_t *s)
{
	*s ^= *s >> 12;
	*s ^= *s << 25;
	*s ^= *s >> 27;
	return *s * 0x2545f4914f6cdd1dULL;
}

static double
uniform(uint64_t *s)
{
	return ((double)(next(s) >> 11) + 0.5) / 9007199254740992.0;
}

void
weights_case_noise(uint8_t *p, size_t n, uint32_t seed)
{
	uint64_t s = seed * 2654435761u + 1;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(next(&s) >> 40);
}

unsigned
weights_case_width(const char *dtype)
{
	return strcmp(dtype, "F32") == 0 ? 4 : strcmp(dtype, "F64") == 0 ?
	    8 : strcmp(dtype, "U8") == 0 ? 1 : 2;
}

static uint32_t
bits_of(float v)
{
	uint32_t u;

	memcpy(&u, &v, sizeof(u));
	return u;
}

/* Round to even, subnormals included; the values here are small. */
static uint16_t
to_f16(float v)
{
	uint32_t u = bits_of(v), sign = u >> 16 & 0x8000;
	int e = (int)(u >> 23 & 255) - 112;
	uint32_t m = (u & 0x7fffff) | 0x800000;
	unsigned shift = 13;

	if (e < 1) {
		if (e < -12)
			return (uint16_t)sign;
		shift += (unsigned)(1 - e);
		e = 1;
	}
	m += (1u << (shift - 1)) - 1 + (m >> shift & 1);
	return (uint16_t)(sign + (((uint32_t)e - 1) << 10) + (m >> shift));
}

static uint16_t
to_bf16(float v)
{
	uint32_t u = bits_of(v);

	return (uint16_t)((u + 0x7fff + (u >> 16 & 1)) >> 16);
}

uint8_t *
weights_case_make(const char *dtype, size_t n, uint32_t seed)
{
	unsigned w = weights_case_width(dtype);
	uint64_t s = seed * 2654435761u + 1;
	uint8_t *p = malloc(n * w + 1);
	double scale = 0.02;

	if (p == NULL)
		abort();
	for (size_t i = 0; i < n; i++) {
		uint32_t u;
		float v;

		if (i % 256 == 0)
			scale = 0.02 * exp(0.3 * (uniform(&s) - 0.5));
		v = (float)(scale * sqrt(-2 * log(uniform(&s))) *
		    cos(6.283185307179586 * uniform(&s)));
		u = w == 4 ? bits_of(v) : strcmp(dtype, "F16") == 0 ?
		    to_f16(v) : to_bf16(v);
		for (unsigned b = 0; b < w; b++)
			p[i * w + b] = (uint8_t)(u >> (8 * b));
	}
	return p;
}

void
weights_case_hide(uint8_t *tensor, const char *dtype, size_t at,
    const uint8_t *payload, size_t n, unsigned lanes)
{
	unsigned w = weights_case_width(dtype);

	for (size_t i = 0; i < n; i++)
		tensor[(at + i / lanes) * w + i % lanes] = payload[i];
}

void
weights_case_hide_bits(uint8_t *tensor, const char *dtype, size_t at,
    const uint8_t *payload, size_t n, unsigned bits)
{
	unsigned w = weights_case_width(dtype), mask = (1u << bits) - 1;
	size_t per = 8 / bits;

	for (size_t i = 0; i < n * per; i++) {
		uint8_t *x = tensor + (at + i) * w;
		unsigned v = (unsigned)payload[i / per] >>
		    (8 - bits * (i % per + 1));

		*x = (uint8_t)((*x & ~mask) | (v & mask));
	}
}

void
weights_case_clear(uint8_t *tensor, const char *dtype, size_t n,
    unsigned bits)
{
	unsigned w = weights_case_width(dtype);

	for (size_t i = 0; i < n; i++)
		for (unsigned b = 0; b < bits; b++)
			tensor[i * w + b / 8] &= (uint8_t)~(1u << b % 8);
}

static int
on_finding(void *ctx, const struct finding *f)
{
	struct weights_case *c = ctx;
	size_t used = 0;

	if (c->findings == 64)
		abort();
	c->id[c->findings] = f->id;
	c->severity[c->findings] = f->severity;
	c->off[c->findings] = f->off;
	c->len[c->findings] = f->len;
	for (unsigned i = 0; i < f->ndetails && used < 512; i++) {
		const struct detail *d = &f->details[i];
		char *to = c->text[c->findings] + used;
		int n = d->text != NULL ? snprintf(to, 512 - used,
		    "%s=%.*s ", d->key, (int)d->len, d->text) :
		    snprintf(to, 512 - used, "%s=%llu ", d->key,
		    (unsigned long long)d->num);

		used += n > 0 ? (size_t)n : 0;
	}
	c->findings++;
	return 0;
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	struct weights_case *c = ctx;
	size_t got;

	if (c->members == 64)
		abort();
	(void)snprintf(c->member[c->members], sizeof(c->member[0]), "%.*s",
	    (int)m->name_len, m->name);
	c->member_len[c->members] = (size_t)m->size;
	if (bytesrc_read_some(m->src, 0, c->head[c->members], 16, &got,
	    NULL) < 0)
		abort();
	c->members++;
	return 0;
}

void
weights_case_run(struct weights_case *c, const struct weights_case_tensor *t,
    size_t count)
{
	static const struct weights_events ev = {on_finding, on_member};
	struct err e = ERR_INIT;
	struct weights *w = weights_new(&ev, c, WEIGHTS_ALL, &e);
	struct bytesrc *src[16] = {NULL};

	memset(c, 0, sizeof(*c));
	if (w == NULL || count > 16)
		abort();
	for (size_t i = 0; i < count; i++) {
		size_t len = t[i].n * weights_case_width(t[i].dtype);
		struct weights_tensor x = {.name = "w", .name_len = 1,
		    .dtype = t[i].dtype, .len = len, .row = t[i].row};

		x.src = src[i] = bytesrc_mem(t[i].p, len, &e);
		if (src[i] == NULL || weights_tensor(w, &x, &e) < 0)
			abort();
	}
	if (weights_end(w, &e) < 0)
		abort();
	for (size_t i = 0; i < count; i++)
		bytesrc_free(src[i]);
	weights_free(w);
}

void
weights_case_run_one(struct weights_case *c, const char *dtype,
    const uint8_t *p, size_t n)
{
	const struct weights_case_tensor t = {dtype, p, n, 0};

	weights_case_run(c, &t, 1);
}

int
weights_case_find(const struct weights_case *c, enum finding_id id)
{
	for (unsigned i = 0; i < c->findings; i++)
		if (c->id[i] == id)
			return (int)i;
	return -1;
}

unsigned
weights_case_flags(const struct weights_case *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < c->findings; i++)
		n += c->severity[i] > SEVERITY_INFO;
	return n;
}
