#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jpeglib.h>
#include <png.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/pixels.h"
#include "formats/pngwrite.h"

#define W 13
#define H 7

static struct buf space, file;
static struct pixels im;
static const char *why;

static int
set_up(void **state)
{
	(void)state;
	pixels_init(&space);
	buf_init(&file, 4 * MIB);
	why = NULL;
	memset(&im, 0, sizeof(im));
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_release(&space);
	buf_release(&file);
	return 0;
}

static int
decode(void)
{
	struct err e = ERR_INIT;

	return pixels_decode(file.p, file.len, &space, &im, &why, &e);
}

static void
sink(png_structp png, png_bytep p, size_t n)
{
	buf_put(png_get_io_ptr(png), p, n);
}

static void
flush(png_structp png)
{
	(void)png;
}

/* A picture whose bytes are 0, 7, 14, ...; of any depth and colour. */
static void
write_png(int depth, int type, int interlace, bool trns)
{
	static const png_color palette[4] = {{1, 2, 3}, {50, 60, 70},
	    {255, 0, 128}, {9, 9, 9}};
	static const png_byte alpha[4] = {0, 255, 128, 7};
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL,
	    NULL, NULL);
	png_infop info = png_create_info_struct(png);
	png_byte rows[H][W * 8];
	png_bytep at[H];

	png_set_write_fn(png, &file, sink, flush);
	png_set_IHDR(png, info, W, H, depth, type, interlace,
	    PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_PLTE(png, info, palette, 4);
	if (trns)
		png_set_tRNS(png, info, alpha, 4, NULL);
	for (size_t y = 0; y < H; y++) {
		at[y] = rows[y];
		for (size_t x = 0; x < sizeof(rows[y]); x++)
			rows[y][x] = type == PNG_COLOR_TYPE_PALETTE ?
			    (png_byte)((x + y) % 4) :
			    (png_byte)(7 * (y * sizeof(rows[y]) + x));
	}
	png_write_info(png, info);
	png_write_image(png, at);
	png_write_end(png, NULL);
	png_destroy_write_struct(&png, &info);
}

static void
write_jpeg(int channels, bool progressive, unsigned side)
{
	struct jpeg_compress_struct c;
	struct jpeg_error_mgr err;
	unsigned char *mem = NULL;
	unsigned long n = 0;
	JSAMPLE row[4 * 64];
	JSAMPROW rows[1] = {row};

	assert_true(side <= 64);
	c.err = jpeg_std_error(&err);
	jpeg_create_compress(&c);
	jpeg_mem_dest(&c, &mem, &n);
	c.image_width = c.image_height = side;
	c.input_components = channels;
	c.in_color_space = channels == 1 ? JCS_GRAYSCALE :
	    channels == 3 ? JCS_RGB : JCS_CMYK;
	jpeg_set_defaults(&c);
	jpeg_set_quality(&c, 95, TRUE);
	if (progressive)
		jpeg_simple_progression(&c);
	jpeg_start_compress(&c, TRUE);
	for (unsigned y = 0; y < side; y++) {
		memset(row, channels == 4 ? 0 : 100, sizeof(row));
		(void)jpeg_write_scanlines(&c, rows, 1);
	}
	jpeg_finish_compress(&c);
	jpeg_destroy_compress(&c);
	buf_put(&file, mem, n);
	free(mem);
}

static void
png_of_every_kind_decodes_to_one_or_three_channels(void **state)
{
	static const struct {
		int depth, type;
		unsigned channels;
	} kinds[] = {
		{1, PNG_COLOR_TYPE_GRAY, 1}, {2, PNG_COLOR_TYPE_GRAY, 1},
		{4, PNG_COLOR_TYPE_GRAY, 1}, {8, PNG_COLOR_TYPE_GRAY, 1},
		{16, PNG_COLOR_TYPE_GRAY, 1}, {8, PNG_COLOR_TYPE_GRAY_ALPHA, 1},
		{16, PNG_COLOR_TYPE_GRAY_ALPHA, 1}, {8, PNG_COLOR_TYPE_RGB, 3},
		{16, PNG_COLOR_TYPE_RGB, 3}, {8, PNG_COLOR_TYPE_RGB_ALPHA, 3},
		{16, PNG_COLOR_TYPE_RGB_ALPHA, 3},
		{8, PNG_COLOR_TYPE_PALETTE, 3}, {2, PNG_COLOR_TYPE_PALETTE, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		for (int lace = 0; lace < 2; lace++) {
			bool trns = kinds[i].type == PNG_COLOR_TYPE_PALETTE &&
			    lace != 0;

			if (kinds[i].type == PNG_COLOR_TYPE_PALETTE &&
			    kinds[i].depth < 8)
				continue;
			buf_clear(&file);
			write_png(kinds[i].depth, kinds[i].type, lace, trns);
			assert_int_equal(decode(), 0);
			assert_int_equal(im.width, W);
			assert_int_equal(im.height, H);
			assert_int_equal(im.channels, kinds[i].channels);
			assert_int_equal(im.cut, kinds[i].depth == 16 ||
			    (kinds[i].type & PNG_COLOR_MASK_ALPHA) != 0 ||
			    trns);
			assert_false(im.lossy);
			assert_int_equal(space.len, W * H * im.channels);
		}
	}
}

static void
pixels_of_a_png_are_those_that_were_written(void **state)
{
	(void)state;
	write_png(8, PNG_COLOR_TYPE_RGB, 1, false);
	assert_int_equal(decode(), 0);
	for (size_t y = 0; y < H; y++)
		for (size_t x = 0; x < (size_t)W * 3; x++)
			assert_int_equal(im.p[y * W * 3 + x],
			    (uint8_t)(7 * (y * W * 8 + x)));
	buf_clear(&file);
	write_png(16, PNG_COLOR_TYPE_GRAY, 0, false);
	assert_int_equal(decode(), 0);
	assert_int_equal(im.p[1], (uint8_t)(7 * 2));
	buf_clear(&file);
	write_png(8, PNG_COLOR_TYPE_PALETTE, 0, false);
	assert_int_equal(decode(), 0);
	assert_memory_equal(im.p + 3, "\x32\x3c\x46", 3);
}

static void
a_png_of_ours_comes_back(void **state)
{
	static uint8_t p[200 * 130 * 3];

	(void)state;
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)(i * i >> 3);
	pngwrite(&file, p, 200, 130, 3);
	assert_int_equal(decode(), 0);
	assert_int_equal(im.width, 200);
	assert_int_equal(im.channels, 3);
	assert_memory_equal(im.p, p, sizeof(p));
	buf_clear(&file);
	pngwrite(&file, p, 1, 1, 1);
	assert_int_equal(decode(), 0);
	assert_int_equal(im.channels, 1);
}

static void
jpeg_of_every_kind_decodes(void **state)
{
	(void)state;
	for (int channels = 1; channels <= 4; channels++) {
		if (channels == 2)
			continue;
		for (int prog = 0; prog < 2; prog++) {
			buf_clear(&file);
			write_jpeg(channels, prog != 0, 33);
			assert_int_equal(decode(), 0);
			assert_int_equal(im.width, 33);
			assert_int_equal(im.channels, channels == 1 ? 1 : 3);
			assert_true(im.lossy);
			assert_false(im.damaged);
			/* All ink of four is black, however it is written. */
			assert_in_range(im.p[40], channels == 4 ? 0 : 98,
			    channels == 4 ? 2 : 102);
		}
	}
}

static void
a_cut_image_is_told_at_every_length(void **state)
{
	(void)state;
	for (int kind = 0; kind < 3; kind++) {
		struct buf whole;

		buf_clear(&file);
		if (kind == 0)
			write_png(8, PNG_COLOR_TYPE_RGB, 1, false);
		else
			write_jpeg(3, kind == 2, 24);
		whole = file;
		for (size_t n = 0; n < whole.len; n++) {
			uint8_t *exact = malloc(n + 1);

			assert_non_null(exact);
			memcpy(exact, whole.p, n);
			why = NULL;
			assert_int_equal(pixels_decode(exact, n, &space, &im,
			    &why, NULL), 1);
			assert_non_null(why);
			free(exact);
		}
	}
}

static void
a_size_over_a_limit_is_told_before_anything_is_allocated(void **state)
{
	(void)state;
	write_png(8, PNG_COLOR_TYPE_GRAY, 0, false);
	/* Width 20000, height 20000, and the check value of IHDR. */
	memcpy(file.p + 16, "\0\0\x4e\x20\0\0\x4e\x20", 8);
	{
		uint32_t crc = codec_crc_mem(file.p + 12, 17);

		for (unsigned i = 0; i < 4; i++)
			file.p[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
	}
	assert_int_equal(decode(), 1);
	assert_string_equal(why, "the image is larger than the limit");
	assert_int_equal(space.len, 0);
	buf_clear(&file);
	buf_puts(&file, "P5 99999999 99999999 255\n");
	assert_int_equal(decode(), 1);
	buf_clear(&file);
	buf_puts(&file, "P5 0 5 255\n");
	assert_int_equal(decode(), 1);
}

/* The last scan of a progressive file, over and over. */
static void
a_jpeg_of_many_scans_is_refused(void **state)
{
	size_t at, end;
	uint8_t *scan;

	(void)state;
	write_jpeg(1, true, 64);
	end = file.len - 2;
	for (at = end; at > 0; at--)
		if (file.p[at] == 0xff && file.p[at + 1] == 0xda)
			break;
	assert_true(at > 0);
	scan = malloc(end - at);
	assert_non_null(scan);
	memcpy(scan, file.p + at, end - at);
	file.len = end;
	for (unsigned i = 0; i < 3 * LIMIT_PIXELS_SCANS; i++)
		buf_put(&file, scan, end - at);
	buf_put(&file, "\xff\xd9", 2);
	free(scan);
	assert_int_equal(decode(), 1);
	assert_string_equal(why, "the JPEG has more scans than the limit");
}

static void
bitmaps_of_8_24_and_32_bits_decode(void **state)
{
	uint8_t h[54] = {'B', 'M', [10] = 54, [14] = 40, [18] = 3, [22] = 2,
	    [26] = 1, [28] = 24};

	(void)state;
	buf_put(&file, h, 54);
	/* Rows from below: blue, green, red, and three bytes that fill. */
	buf_put(&file, "\1\2\3\4\5\6\7\10\11\0\0\0", 12);
	buf_put(&file, "\21\22\23\24\25\26\27\30\31", 9);
	assert_int_equal(decode(), 0);
	assert_int_equal(im.channels, 3);
	assert_memory_equal(im.p, "\23\22\21", 3);
	assert_memory_equal(im.p + 9, "\3\2\1", 3);
	file.len--;
	assert_int_equal(decode(), 1);
	h[28] = 32;
	h[18] = h[22] = 1;
	buf_clear(&file);
	buf_put(&file, h, 54);
	buf_put(&file, "\1\2\3\377", 4);
	assert_int_equal(decode(), 0);
	assert_memory_equal(im.p, "\3\2\1", 3);
	assert_true(im.cut);
	/* From the top, with a palette of greys. */
	h[28] = 8;
	h[46] = 2;
	h[10] = 62;
	memcpy(h + 22, "\xfe\xff\xff\xff", 4);
	buf_clear(&file);
	buf_put(&file, h, 54);
	buf_put(&file, "\5\5\5\0\11\11\11\0", 8);
	buf_put(&file, "\1\0\0\0\0\0\0\0", 8);
	assert_int_equal(decode(), 0);
	assert_int_equal(im.channels, 1);
	assert_memory_equal(im.p, "\11\5", 2);
	h[30] = 1;
	buf_clear(&file);
	buf_put(&file, h, 54);
	assert_int_equal(decode(), 1);
	assert_string_equal(why, "the bitmap is compressed");
}

static void
a_portable_map_decodes(void **state)
{
	(void)state;
	buf_puts(&file, "P6 # of two\n2 1\n255\nabcdef");
	assert_int_equal(decode(), 0);
	assert_int_equal(im.channels, 3);
	assert_memory_equal(im.p, "abcdef", 6);
	buf_clear(&file);
	buf_put(&file, "P5\n1 2\n65535\n\x12\x34\xff\xff", 17);
	assert_int_equal(decode(), 0);
	assert_memory_equal(im.p, "\x12\xff", 2);
	assert_true(im.cut);
	buf_clear(&file);
	buf_puts(&file, "P5\n2 2\n255\nabc");
	assert_int_equal(decode(), 1);
	buf_clear(&file);
	buf_puts(&file, "P4\n2 2\nabc");
	assert_int_equal(decode(), 1);
	assert_false(pixels_bid(file.p, file.len));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		T(png_of_every_kind_decodes_to_one_or_three_channels),
		T(pixels_of_a_png_are_those_that_were_written),
		T(a_png_of_ours_comes_back),
		T(jpeg_of_every_kind_decodes),
		T(a_cut_image_is_told_at_every_length),
		T(a_size_over_a_limit_is_told_before_anything_is_allocated),
		T(a_jpeg_of_many_scans_is_refused),
		T(bitmaps_of_8_24_and_32_bits_decode),
		T(a_portable_map_decodes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
