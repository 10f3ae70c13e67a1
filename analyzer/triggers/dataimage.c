#include <math.h>
#include <string.h>

#include "analyzer/triggers/dataimage.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pixels.h"
#include "formats/rows/rows.h"

void
dataimage_init(struct dataimage *d)
{
	memset(d, 0, sizeof(*d));
	pixels_init(&d->pixels);
}

void
dataimage_release(struct dataimage *d)
{
	buf_release(&d->pixels);
}

/* --- elements ------------------------------------------------------------- */

static uint64_t
whole(const struct rows_array *a, const uint8_t *p)
{
	uint64_t v = 0;

	for (unsigned i = 0; i < a->size; i++)
		v |= (uint64_t)p[a->big ? a->size - 1 - i : i] << (8 * i);
	return v;
}

static double
half(uint64_t bits)
{
	int e = (int)(bits >> 10 & 31);
	double m = (double)(bits & 1023) / 1024;
	double v = e == 0 ? ldexp(m, -14) : e == 31 ? NAN :
	    ldexp(1 + m, e - 15);

	return (bits & 0x8000) != 0 ? -v : v;
}

static double
element(const struct rows_array *a, const uint8_t *p)
{
	uint64_t v = whole(a, p);
	float single;
	double real;

	if (a->kind == 'i')
		return (double)((int64_t)(v << (64 - 8 * a->size)) >>
		    (64 - 8 * a->size));
	if (a->kind != 'f')
		return (double)v;
	if (a->size == 2)
		return half(v);
	if (a->size == 4) {
		uint32_t bits = (uint32_t)v;

		memcpy(&single, &bits, sizeof(single));
		return (double)single;
	}
	memcpy(&real, &v, sizeof(real));
	return real;
}

void
dataimage_survey(struct dataimage *d, const struct rows_array *a)
{
	double x;

	for (uint64_t i = 0; i < a->count; i++) {
		x = element(a, a->p + i * a->size);
		if (!isfinite(x))
			continue;
		d->low = fmin(d->low, x);
		d->high = fmax(d->high, x);
	}
	d->surveyed++;
}

/* --- geometry ------------------------------------------------------------- */

struct shape {
	uint64_t width, height, channels;
	bool planes;		/* the channel is the slowest axis */
};

static bool
is_channels(uint64_t n)
{
	return n == 1 || n == 3 || n == 4;
}

static bool
flat(uint64_t count, struct shape *s)
{
	uint64_t side;

	s->channels = 1;
	s->planes = true;
	for (unsigned k = 0; k < 2; k++, s->channels = 3) {
		if (count % s->channels != 0)
			continue;
		side = (uint64_t)llround(sqrt((double)(count / s->channels)));
		if (side >= 4 && side * side * s->channels == count) {
			s->width = s->height = side;
			return true;
		}
	}
	return false;
}

static bool
shape_of(const struct rows_array *a, struct shape *s)
{
	const uint64_t *n = a->shape;

	*s = (struct shape){.channels = 1};
	if (a->rank == 1)
		return flat(a->count, s);
	if (a->rank == 2) {
		s->height = n[0];
		s->width = n[1];
		return true;
	}
	if (a->rank != 3)
		return false;
	s->planes = !is_channels(n[2]) && is_channels(n[0]);
	if (!s->planes && !is_channels(n[2]))
		return false;
	s->channels = s->planes ? n[0] : n[2];
	s->height = s->planes ? n[1] : n[0];
	s->width = s->planes ? n[2] : n[1];
	return true;
}

/* --- pixels --------------------------------------------------------------- */

static uint8_t
pixel(const struct dataimage *d, double x)
{
	if (!isfinite(x))
		return 0;
	if (d->low < 0 && d->high <= 128)
		x = (x - d->low) / (d->high - d->low) * 255;
	else if (d->high <= 1)
		x *= 255;
	return x <= 0 ? 0 : x >= 255 ? 255 : (uint8_t)lround(x);
}

/* Alpha is no part of what a detector looks at. */
static void
fill(const struct dataimage *d, const struct rows_array *a,
    const struct shape *s, uint64_t channels, uint8_t *dst)
{
	const uint64_t pixels = s->width * s->height;
	bool bytes = a->size == 1 && a->kind != 'i';
	uint64_t from;

	if (bytes && !s->planes && channels == s->channels) {
		memcpy(dst, a->p, (size_t)(pixels * channels));
		return;
	}
	for (uint64_t i = 0; i < pixels; i++)
		for (uint64_t c = 0; c < channels; c++) {
			from = s->planes ? c * pixels + i :
			    i * s->channels + c;
			*dst++ = bytes ? a->p[from] : pixel(d, element(a,
			    a->p + from * a->size));
		}
}

int
dataimage_array(struct dataimage *d, const struct rows_array *a,
    const char **why, struct err *e)
{
	static const uint8_t zeros[4096];
	struct shape s;
	uint64_t channels, left;

	*why = "an array that has no shape of an image";
	if (!shape_of(a, &s) || s.width == 0 || s.height == 0 ||
	    s.width > LIMIT_PIXELS_SIDE || s.height > LIMIT_PIXELS_SIDE)
		return 0;
	channels = s.channels == 4 ? 3 : s.channels;
	buf_clear(&d->pixels);
	for (left = s.width * s.height * channels; left > 0 &&
	    buf_failed(&d->pixels) == 0;) {
		size_t n = left < sizeof(zeros) ? (size_t)left :
		    sizeof(zeros);

		buf_put(&d->pixels, zeros, n);
		left -= n;
	}
	if (buf_failed(&d->pixels) == ERR_NOMEM)
		return err_set(e, ERR_NOMEM, "out of memory");
	*why = "an image that is too large";
	if (buf_failed(&d->pixels) != 0)
		return 0;
	fill(d, a, &s, channels, d->pixels.p);
	d->image = (struct imageset_image){.width = (uint32_t)s.width,
	    .height = (uint32_t)s.height, .channels = (uint32_t)channels,
	    .p = d->pixels.p};
	return 1;
}

int
dataimage_file(struct dataimage *d, const uint8_t *p, size_t n,
    const char **why, struct err *e)
{
	struct pixels px;
	int r = pixels_decode(p, n, &d->pixels, &px, why, e);

	if (r != 0)
		return r < 0 ? r : 0;
	d->image = (struct imageset_image){.width = px.width,
	    .height = px.height, .channels = px.channels, .p = px.p,
	    .lossy = px.lossy};
	return 1;
}
