#include <math.h>
#include <string.h>

#include "analyzer/diff/basis.h"
#include "analyzer/triggers/imagepicture.h"
#include "base/buf.h"
#include "base/limits.h"
#include "formats/pngwrite.h"

#define ENLARGED 40		/* a block's side at least, in pixels */

static void
put(struct basis *s, const uint8_t *p, uint32_t w, uint32_t h, uint32_t ch)
{
	struct buf png, text;

	buf_init(&png, IMAGEPICTURE_MAX / 4 * 3);
	buf_init(&text, IMAGEPICTURE_MAX);
	pngwrite(&png, p, w, h, ch);
	if (buf_failed(&png) == 0)
		buf_base64(&text, png.p, png.len);
	if (buf_failed(&png) == 0 && buf_failed(&text) == 0) {
		basis_long(s, "picture", text.p, text.len);
		basis_u64(s, "picture_width", w);
		basis_u64(s, "picture_height", h);
	}
	buf_release(&png);
	buf_release(&text);
}

static void
put_block(const struct imageset *t, const struct image_find *f,
    struct basis *s)
{
	const struct view *v = &t->view[f->view];
	const uint8_t *p = imageset_view(t, f->sample, f->view);
	uint8_t out[2 * ENLARGED * 2 * ENLARGED * 3];
	unsigned by = (ENLARGED + f->k - 1) / f->k, side = by * f->k;

	for (unsigned y = 0; y < side; y++)
		for (unsigned x = 0; x < side; x++)
			memcpy(out + (y * side + x) * t->ch, p +
			    ((size_t)(f->y + y / by) * v->w + f->x + x / by) *
			    t->ch, t->ch);
	put(s, out, side, side, t->ch);
}

/* Every step-th number, grey where it is zero. */
static void
put_shape(const struct imageset *t, const struct image_find *f,
    struct basis *s)
{
	const struct view *v = &t->view[f->view];
	uint8_t out[VIEW_SIDE * VIEW_SIDE * 3];
	unsigned step = v->w > VIEW_PART || v->h > VIEW_PART ? 2 : 1;
	uint32_t w = (v->w + step - 1) / step, h = (v->h + step - 1) / step;
	float top = 0;

	for (size_t i = 0; i < view_size(t, f->view); i++)
		top = fmaxf(top, fabsf(f->shape[i]));
	for (uint32_t y = 0; y < h; y++)
		for (uint32_t x = 0; x < w; x++)
			for (uint32_t c = 0; c < t->ch; c++) {
				float a = f->shape[((size_t)y * step * v->w +
				    x * step) * t->ch + c];

				out[((size_t)y * w + x) * t->ch + c] =
				    (uint8_t)(top > 0 ? 128 + lrintf(127 * a /
				    top) : 128);
			}
	put(s, out, w, h, t->ch);
}

void
imagepicture_put(const struct imageset *t, const struct image_find *f,
    struct basis *s)
{
	if (f->k > 0)
		put_block(t, f, s);
	else if (f->shape != NULL)
		put_shape(t, f, s);
}
