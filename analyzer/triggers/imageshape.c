#include <math.h>
#include <string.h>

#include "analyzer/triggers/imageresidue.h"

/*
 * The spectrum is a plain transform, rows first and columns then: a view has
 * at most 64 x 64 pixels, and few directions are looked at.
 */
#define FINE 0.35
#define COARSE 0.05		/* no wave: what is even */
#define LOUDEST 4
#define PLACED_WIN 0.45
#define PLACED_HF 0.45
#define PLACED_FS 0.5

struct plane {
	double re[VIEW_SIDE][VIEW_SIDE], im[VIEW_SIDE][VIEW_SIDE];
};

static void
window(const float *w, uint32_t width, uint32_t height, uint32_t ch,
    double all, struct residue_shape *ret)
{
	uint32_t kw = width < RESIDUE_WINDOW ? width : RESIDUE_WINDOW;
	uint32_t kh = height < RESIDUE_WINDOW ? height : RESIDUE_WINDOW;
	double best = -1;

	for (uint32_t y = 0; y + kh <= height; y++)
		for (uint32_t x = 0; x + kw <= width; x++) {
			double sum = 0;

			for (uint32_t j = 0; j < kh; j++) {
				const float *p = w + ((size_t)(y + j) * width +
				    x) * ch;

				for (uint32_t i = 0; i < kw * ch; i++)
					sum += (double)p[i] * p[i];
			}
			if (sum > best) {
				best = sum;
				ret->wx = x;
				ret->wy = y;
			}
		}
	ret->win = best / all;
}

/* One line of n numbers, ${step} apart, in place. */
static void
line(double *re, double *im, uint32_t n, size_t step, const double *cosine,
    const double *sine)
{
	double a[VIEW_SIDE], b[VIEW_SIDE];

	for (uint32_t k = 0; k < n; k++) {
		double x = 0, y = 0;

		for (uint32_t i = 0; i < n; i++) {
			double c = cosine[k * i % n], s = sine[k * i % n];

			x += re[i * step] * c + im[i * step] * s;
			y += im[i * step] * c - re[i * step] * s;
		}
		a[k] = x;
		b[k] = y;
	}
	for (uint32_t k = 0; k < n; k++) {
		re[k * step] = a[k];
		im[k * step] = b[k];
	}
}

static void
waves(double *cosine, double *sine, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		cosine[i] = cos(2 * M_PI * i / n);
		sine[i] = sin(2 * M_PI * i / n);
	}
}

static double
frequency(uint32_t k, uint32_t n)
{
	return (double)(k <= n / 2 ? k : n - k) / n;
}

static void
spectrum(const float *w, uint32_t width, uint32_t height, uint32_t ch,
    struct residue_shape *ret)
{
	double cw[VIEW_SIDE], sw[VIEW_SIDE], chh[VIEW_SIDE], sh[VIEW_SIDE];
	double power[VIEW_SIDE][VIEW_SIDE] = {{0}}, all = 0, fine = 0;
	double loud[LOUDEST] = {0};
	struct plane f;

	waves(cw, sw, width);
	waves(chh, sh, height);
	for (uint32_t c = 0; c < ch; c++) {
		memset(&f, 0, sizeof(f));
		for (uint32_t y = 0; y < height; y++) {
			for (uint32_t x = 0; x < width; x++)
				f.re[y][x] = w[((size_t)y * width + x) * ch +
				    c];
			line(f.re[y], f.im[y], width, 1, cw, sw);
		}
		for (uint32_t x = 0; x < width; x++) {
			line(&f.re[0][x], &f.im[0][x], height, VIEW_SIDE, chh,
			    sh);
			for (uint32_t y = 0; y < height; y++)
				power[y][x] += f.re[y][x] * f.re[y][x] +
				    f.im[y][x] * f.im[y][x];
		}
	}
	for (uint32_t y = 0; y < height; y++)
		for (uint32_t x = 0; x < width; x++) {
			double p = power[y][x];
			double f1 = hypot(frequency(x, width),
			    frequency(y, height));

			all += p;
			fine += f1 > FINE ? p : 0;
			if (f1 < COARSE)
				continue;
			for (unsigned i = 0; i < LOUDEST; i++)
				if (p > loud[i]) {
					double was = loud[i];

					loud[i] = p;
					p = was;
				}
		}
	if (!(all > 0))
		return;
	ret->hf = fine / all;
	ret->fs = (loud[0] + loud[1] + loud[2] + loud[3]) / all;
}

void
residue_shape(const float *w, uint32_t width, uint32_t height, uint32_t ch,
    struct residue_shape *ret)
{
	double all = 0;

	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < (size_t)width * height * ch; i++)
		all += (double)w[i] * w[i];
	if (!(all > 0))
		return;
	window(w, width, height, ch, all, ret);
	spectrum(w, width, height, ch, ret);
}

bool
residue_placed(const struct residue_shape *s)
{
	return s->win >= PLACED_WIN || s->hf >= PLACED_HF ||
	    s->fs >= PLACED_FS;
}
