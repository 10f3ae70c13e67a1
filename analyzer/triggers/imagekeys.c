#include <string.h>

#include "analyzer/triggers/imagekeys.h"

/*
 * A row of a view is a word of bits.  Bit x of eh[y] says that pixels x - 1
 * and x of row y differ sharply, of ev[y] that pixel x of rows y - 1 and y
 * do; what lies outside differs.  Whether a window is cut out on all sides is
 * then a few ands for a row of windows, and a photograph has few of them.
 */
static const uint64_t odd[IMAGEKEYS_SIDE] = {0x9e3779b97f4a7c15U,
    0xc2b2ae3d27d4eb4fU, 0x165667b19e3779f9U, 0xd6e8feb86659fd93U,
    0xff51afd7ed558ccdU};

unsigned
imagekeys_side(unsigned tag)
{
	if (tag == IMAGEKEYS_PLACED)
		return 2;
	return tag < IMAGEKEYS_FREE ? tag + 1 : tag < IMAGEKEYS_DENSE ?
	    tag - IMAGEKEYS_FREE + 2 : tag - IMAGEKEYS_DENSE + 3;
}

static inline unsigned
apart(uint8_t a, uint8_t b)
{
	return a < b ? (unsigned)(b - a) : (unsigned)(a - b);
}

/* The largest difference of two pixels. */
static inline unsigned
step(const uint8_t *a, const uint8_t *b, uint32_t ch)
{
	unsigned d = apart(a[0], b[0]), m;

	if (ch == 3) {
		m = apart(a[1], b[1]);
		d = d > m ? d : m;
		m = apart(a[2], b[2]);
		d = d > m ? d : m;
	}
	return d;
}

static inline uint64_t
pixel(const uint8_t *p, uint32_t ch)
{
	uint64_t v = ch == 3 ? (uint64_t)p[0] | (uint64_t)p[1] << 8 |
	    (uint64_t)p[2] << 16 : p[0];

	v = (v + 1) * 0xff51afd7ed558ccdU;
	return v ^ v >> 32;
}

static void
edges(struct imagekeys *s, const struct imagekeys_view *v)
{
	const size_t row = (size_t)v->w * v->ch;
	const uint64_t beyond = v->w < 64 ? ~(uint64_t)0 << v->w : 0;

	for (uint32_t y = 0; y < v->h; y++) {
		const uint8_t *p = v->p + y * row;
		uint64_t eh = 1, ev = 0;

		for (uint32_t x = 0; x < v->w; x++, p += v->ch) {
			s->v[y][x] = pixel(p, v->ch);
			if (x > 0) {
				unsigned d = step(p - v->ch, p, v->ch);

				eh |= (uint64_t)(d >= v->sharp) << x;
			}
			if (y > 0) {
				unsigned d = step(p - row, p, v->ch);

				ev |= (uint64_t)(d >= v->sharp) << x;
			}
		}
		s->eh[y] = eh | beyond;
		s->ev[y] = y > 0 ? ev : ~(uint64_t)0;
	}
	s->ev[v->h] = ~(uint64_t)0;
}

/* Windows of row y that fit: bits of their first pixel. */
static uint64_t
fitting(const struct imagekeys_view *v, unsigned k)
{
	unsigned n = v->w + 1 - k;

	return n >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << n) - 1;
}

static uint64_t
cut_out(const struct imagekeys *s, uint32_t y, unsigned k, uint64_t fit)
{
	uint64_t m = fit, across = s->ev[y] & s->ev[y + k];

	for (unsigned j = 0; j < k && m != 0; j++) {
		uint64_t e = s->eh[y + j];

		m &= e & (e >> k | ~(uint64_t)0 << (64 - k));
		m &= across >> j;
	}
	return m;
}

/* Windows with a sharp edge inside. */
static uint64_t
edged(const struct imagekeys *s, uint32_t y, unsigned k, uint64_t fit)
{
	uint64_t m = 0;

	for (unsigned j = 0; j < k; j++)
		for (unsigned i = 0; i < k; i++) {
			if (i > 0)
				m |= s->eh[y + j] >> i;
			if (j > 0)
				m |= s->ev[y + j] >> i;
		}
	return m & fit;
}

static inline uint64_t
fold(uint64_t r)
{
	return r ^ r >> 29;
}

static inline uint64_t
key(uint64_t h, unsigned tag)
{
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93U;
	h ^= h >> 32;
	return (h & ~(uint64_t)0xffff) | (uint64_t)tag << 12;
}

static uint64_t
window(const struct imagekeys *s, uint32_t y, uint32_t x, unsigned k)
{
	uint64_t h = 0;

	for (unsigned j = 0; j < k; j++) {
		uint64_t r = 0;

		for (unsigned i = 0; i < k; i++)
			r += s->v[y + j][x + i] * odd[i];
		h += fold(r) * odd[j];
	}
	return h;
}

struct output {
	uint64_t *keys;
	uint16_t *places;
	size_t n;
};

static inline void
put(struct output *o, uint64_t k, uint32_t y, uint32_t x)
{
	if (o->places != NULL)
		o->places[o->n] = (uint16_t)(y * VIEW_SIDE + x);
	o->keys[o->n++] = k;
}

static inline uint64_t
place(const struct imagekeys_view *v, uint32_t y, uint32_t x)
{
	return ((uint64_t)v->number << 12 | y * VIEW_SIDE | x) + 1;
}

static void
placed_rows(const struct imagekeys *s, const struct imagekeys_view *v,
    struct output *o)
{
	for (uint32_t y = 0; y + 2 <= v->h; y++)
		for (uint32_t x = 0; x + 2 <= v->w; x++)
			put(o, key(window(s, y, x, 2) + place(v, y, x) *
			    odd[4], IMAGEKEYS_PLACED), y, x);
}

static void
sharp_row(const struct imagekeys *s, const struct imagekeys_view *v,
    uint32_t y, unsigned tags, struct output *o)
{
	for (unsigned k = 1; k <= IMAGEKEYS_SIDE; k++) {
		uint64_t m;

		if (k > v->w || k > v->h - y)
			break;
		for (m = cut_out(s, y, k, fitting(v, k)); m != 0; m &= m - 1) {
			uint32_t x = (uint32_t)__builtin_ctzll(m);
			uint64_t h = window(s, y, x, k);
			uint64_t at = place(v, y, x);

			if ((tags >> (k - 1) & 1) != 0)
				put(o, key(h + at * odd[4], k - 1), y, x);
			if (k > 1 && (tags >> (IMAGEKEYS_FREE + k - 2) & 1) !=
			    0)
				put(o, key(h, IMAGEKEYS_FREE + k - 2), y, x);
		}
	}
}

/*
 * Windows of 3 and 4 at every place: sums along rows, of which the last four
 * are kept, then along columns.
 */
static void
dense_rows(struct imagekeys *s, const struct imagekeys_view *v, unsigned tags,
    struct output *o)
{
	for (uint32_t y = 0; y < v->h; y++) {
		const uint64_t *p = s->v[y];
		uint64_t *r3 = s->rows[0][y & 3], *r4 = s->rows[1][y & 3];

		for (uint32_t x = 0; x < v->w; x++) {
			uint64_t r = p[x] * odd[0] + p[x + 1] * odd[1] +
			    p[x + 2] * odd[2];

			r3[x] = fold(r);
			r4[x] = fold(r + p[x + 3] * odd[3]);
		}
		for (unsigned k = 3; k <= 4; k++) {
			unsigned tag = IMAGEKEYS_DENSE + k - 3;
			uint64_t m;

			if ((tags >> tag & 1) == 0 || y + 1 < k || k > v->w)
				continue;
			for (m = edged(s, y + 1 - k, k, fitting(v, k));
			    m != 0; m &= m - 1) {
				uint32_t x = (uint32_t)__builtin_ctzll(m);
				uint64_t h = 0;

				for (unsigned j = 0; j < k; j++)
					h += s->rows[k - 3][(y + 1 - k + j) &
					    3][x] * odd[j];
				put(o, key(h, tag), y + 1 - k, x);
			}
		}
	}
}

size_t
imagekeys_of(struct imagekeys *s, const struct imagekeys_view *v,
    unsigned tags, uint64_t *out, uint16_t *places)
{
	struct output o = {.keys = out, .places = places};

	edges(s, v);
	if ((tags & ((1U << IMAGEKEYS_DENSE) - 1)) != 0)
		for (uint32_t y = 0; y < v->h; y++)
			sharp_row(s, v, y, tags, &o);
	if ((tags >> IMAGEKEYS_DENSE & 3) != 0)
		dense_rows(s, v, tags, &o);
	if ((tags >> IMAGEKEYS_PLACED & 1) != 0)
		placed_rows(s, v, &o);
	return o.n;
}
