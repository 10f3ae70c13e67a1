#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pixels.h"
#include "formats/pixels_parts.h"

/*
 * The choice of a decoder, and the two formats that need no library.
 *
 *	BMP (Windows GDI, BITMAPFILEHEADER and BITMAPINFOHEADER), little endian
 *	 0 "BM"            10 offset of the pixels    14 size of the header
 *	18 width           22 height (negative: rows from the top)
 *	28 bits a pixel    30 compression (0; 3: masks of the channels)
 *	46 colours in the palette (0: 256), which stands behind the header
 *	54 the masks, where compression is 3
 *
 *	PNM (netpbm): P5 or P6, width, height, the largest value, one blank
 */
#define BMP_HEAD 54
#define BMP_MASKS 3

struct palette {
	uint8_t rgb[256][3];
	bool grey;
};

struct bmp {
	uint32_t data, header, width, compression, colours;
	int64_t height;
	uint16_t bits;
	const char *bad;
};

void
pixels_init(struct buf *space)
{
	buf_init(space, (size_t)LIMIT_PIXELS * 3);
}

int
pixels_no(struct pixels_job *j, const char *why)
{
	j->why = why;
	return 1;
}

int
pixels_room(struct pixels_job *j, uint64_t width, uint64_t height,
    unsigned channels)
{
	static const uint8_t zeros[4096];
	size_t n;

	if (width == 0 || height == 0)
		return pixels_no(j, "the image has no pixels");
	if (width > LIMIT_PIXELS_SIDE || height > LIMIT_PIXELS_SIDE ||
	    width * height > LIMIT_PIXELS)
		return pixels_no(j, "the image is larger than the limit");
	n = (size_t)(width * height * channels);
	while (n > 0) {
		size_t k = n < sizeof(zeros) ? n : sizeof(zeros);

		buf_put(j->space, zeros, k);
		n -= k;
	}
	if (buf_failed(j->space) != 0)
		return err_set(j->e, ERR_NOMEM, "no memory for an image");
	j->im.width = (uint32_t)width;
	j->im.height = (uint32_t)height;
	j->im.channels = channels;
	j->out = j->space->p;
	return 0;
}

static bool
bmp_head(struct cursor *c, struct bmp *b)
{
	uint32_t height, mask[3] = {0};
	uint16_t planes;

	if (!cursor_skip(c, 10) || !cursor_u32le(c, &b->data) ||
	    !cursor_u32le(c, &b->header) || !cursor_u32le(c, &b->width) ||
	    !cursor_u32le(c, &height) || !cursor_u16le(c, &planes) ||
	    !cursor_u16le(c, &b->bits) || !cursor_u32le(c, &b->compression) ||
	    !cursor_skip(c, 12) || !cursor_u32le(c, &b->colours) ||
	    !cursor_skip(c, 4))
		return false;
	b->height = (int32_t)height;
	if (b->header < 40 || b->width > INT32_MAX)
		b->bad = "the header of the bitmap is of another kind";
	else if (b->bits != 8 && b->bits != 24 && b->bits != 32)
		b->bad = "the bitmap has not 8, 24 or 32 bits a pixel";
	else if (b->compression == BMP_MASKS && (b->bits != 32 ||
	    !cursor_u32le(c, &mask[0]) || !cursor_u32le(c, &mask[1]) ||
	    !cursor_u32le(c, &mask[2]) || mask[0] != 0xff0000 ||
	    mask[1] != 0xff00 || mask[2] != 0xff))
		b->bad = "the bitmap has unusual masks of its channels";
	else if (b->compression != 0 && b->compression != BMP_MASKS)
		b->bad = "the bitmap is compressed";
	return true;
}

/* The palette: blue, green, red, nothing; absent colours are black. */
static void
bmp_palette(struct cursor c, const struct bmp *b, struct palette *p)
{
	uint32_t n = b->colours == 0 || b->colours > 256 ? 256 : b->colours;
	uint8_t q[4];

	p->grey = true;
	if (!cursor_seek(&c, 14) || !cursor_skip(&c, b->header))
		return;
	for (uint32_t i = 0; i < n && cursor_copy(&c, q, 4); i++) {
		p->rgb[i][0] = q[2];
		p->rgb[i][1] = q[1];
		p->rgb[i][2] = q[0];
		p->grey = p->grey && q[0] == q[1] && q[1] == q[2];
	}
}

static void
bmp_row(const struct bmp *b, const uint8_t *src, const struct palette *p,
    unsigned channels, uint8_t *dst)
{
	unsigned step = b->bits / 8u;

	for (uint32_t x = 0; x < b->width; x++) {
		const uint8_t *s = src + (size_t)x * step;

		if (b->bits == 8) {
			memcpy(dst, p->rgb[*s], channels);
		} else {
			dst[0] = s[2];
			dst[1] = s[1];
			dst[2] = s[0];
		}
		dst += channels;
	}
}

static int
pixels_bmp(struct pixels_job *j)
{
	struct palette palette = {0};
	struct cursor c = j->c, row;
	struct bmp b = {0};
	uint64_t height, stride;
	unsigned channels;
	int r;

	j->im.format = "bmp";
	if (!bmp_head(&c, &b))
		return pixels_no(j, "the header of the bitmap is cut");
	if (b.bad != NULL)
		return pixels_no(j, b.bad);
	if (b.bits == 8)
		bmp_palette(j->c, &b, &palette);
	height = (uint64_t)(b.height < 0 ? -b.height : b.height);
	stride = ((uint64_t)b.width * b.bits / 8 + 3) & ~(uint64_t)3;
	c = j->c;
	if (!cursor_seek(&c, b.data) || (stride != 0 &&
	    cursor_left(&c) / stride < height && height * stride - 3 >
	    cursor_left(&c)))
		return pixels_no(j, "the pixels of the bitmap are cut");
	channels = palette.grey ? 1 : 3;
	if ((r = pixels_room(j, b.width, height, channels)) != 0)
		return r;
	j->im.cut = b.bits == 32;
	for (uint64_t y = 0; y < height; y++) {
		uint64_t at = b.height < 0 ? y : height - 1 - y;
		uint64_t take = (uint64_t)b.width * b.bits / 8;

		/* The last row may lack what fills it up. */
		if (!cursor_sub(&c, take, &row) || (y + 1 < height &&
		    !cursor_skip(&c, stride - take)))
			return pixels_no(j, "the pixels of the bitmap are cut");
		bmp_row(&b, row.buf, &palette, channels,
		    j->out + (size_t)at * b.width * channels);
	}
	return 0;
}

/* A number after blanks and comments; leaves the byte behind it. */
static bool
pnm_number(struct cursor *c, uint32_t *ret)
{
	uint32_t v = 0;
	bool any = false, comment = false;
	uint8_t b;

	while (cursor_peek(c, 0, &b)) {
		if (comment) {
			comment = b != '\n';
		} else if (b >= '0' && b <= '9') {
			if (v > 100000000)
				return false;
			v = v * 10 + (b - '0');
			any = true;
		} else if (any) {
			break;
		} else if (b == '#') {
			comment = true;
		} else if (strchr(" \t\r\n", b) == NULL || b == 0) {
			return false;
		}
		if (!cursor_skip(c, 1))
			return false;
	}
	*ret = v;
	return any;
}

static int
pixels_pnm(struct pixels_job *j)
{
	struct cursor c = j->c;
	uint32_t width, height, most;
	uint64_t n;
	uint8_t kind, b;
	uint16_t v;
	int r;

	j->im.format = "pnm";
	if (!cursor_skip(&c, 1) || !cursor_u8(&c, &kind) ||
	    !pnm_number(&c, &width) || !pnm_number(&c, &height) ||
	    !pnm_number(&c, &most) || !cursor_skip(&c, 1))
		return pixels_no(j, "the header of the picture is malformed");
	if (most == 0 || most > 65535)
		return pixels_no(j, "the picture's largest value is malformed");
	/* Compared first: the file must hold what it promises. */
	n = (uint64_t)width * height * (kind == '6' ? 3 : 1);
	if (cursor_left(&c) / (most > 255 ? 2 : 1) < n)
		return pixels_no(j, "the pixels of the picture are cut");
	if ((r = pixels_room(j, width, height, kind == '6' ? 3 : 1)) != 0)
		return r;
	j->im.cut = most > 255;
	for (uint64_t i = 0; i < n; i++) {
		if (most > 255) {
			if (!cursor_u16be(&c, &v))
				return pixels_no(j, "the picture is cut");
		} else {
			if (!cursor_u8(&c, &b))
				return pixels_no(j, "the picture is cut");
			v = b;
		}
		/* Of 16 bits the high 8, as of a PNG. */
		j->out[i] = (uint8_t)(v >= most ? 255 : most == 65535 ?
		    v >> 8 : v * 255u / most);
	}
	return 0;
}

typedef int decoder(struct pixels_job *j);

static decoder *
find(const uint8_t *p, size_t n)
{
	static const struct {
		const char *magic;
		size_t n;
		decoder *decode;
	} kinds[] = {
		{"\x89PNG\r\n\x1a\n", 8, pixels_png},
		{"\xff\xd8\xff", 3, pixels_jpeg},
		{"BM", 2, pixels_bmp},
		{"P5", 2, pixels_pnm},
		{"P6", 2, pixels_pnm},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (n >= kinds[i].n &&
		    memcmp(p, kinds[i].magic, kinds[i].n) == 0)
			return kinds[i].decode;
	return NULL;
}

bool
pixels_bid(const uint8_t *img, size_t n)
{
	return find(img, n) != NULL;
}

int
pixels_decode(const uint8_t *img, size_t n, struct buf *space,
    struct pixels *ret, const char **why, struct err *e)
{
	struct pixels_job j = {.space = space, .e = e};
	decoder *d = find(img, n);
	int r;

	buf_clear(space);
	if (d == NULL) {
		*why = "not a PNG, JPEG, BMP, PGM or PPM image";
		return 1;
	}
	cursor_init(&j.c, img, n, 0);
	r = d(&j);
	if (r == 1)
		*why = j.why;
	if (r != 0)
		return r;
	j.im.p = j.out;
	*ret = j.im;
	return 0;
}
