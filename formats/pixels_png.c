#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pixels_parts.h"

/*
 * PNG through libpng: the one file that includes png.h.
 *
 * Whatever is not needed for pixels is never inflated or kept: profiles and
 * texts are skipped as they stand, which leaves an attacker the chunks IHDR,
 * PLTE, tRNS and IDAT.  Memory of the library goes through an account with a
 * ceiling.  libpng reports failure by longjmp; all that is alive then is in
 * struct job, which the frame that calls setjmp was given.
 */
struct job {
	struct pixels_job *j;
	png_structp png;
	png_infop info;
	size_t held;		/* by libpng */
	bool nomem;
	bool warned;
};

/* A block of memory, its size before it. */
union block {
	size_t n;
	max_align_t align;
};

static png_voidp
take(png_structp png, png_alloc_size_t n)
{
	struct job *g = png_get_mem_ptr(png);
	union block *b;

	if (n > LIMIT_PIXELS_HEAP - g->held)
		return NULL;
	if ((b = malloc(sizeof(*b) + n)) == NULL) {
		g->nomem = true;
		return NULL;
	}
	b->n = n;
	g->held += n;
	return b + 1;
}

static void
give(png_structp png, png_voidp p)
{
	struct job *g = png_get_mem_ptr(png);
	union block *b = p;

	if (b == NULL)
		return;
	b--;
	g->held -= b->n;
	free(b);
}

static void
fail(png_structp png, png_const_charp msg)
{
	(void)msg;
	png_longjmp(png, 1);
}

static void
warn(png_structp png, png_const_charp msg)
{
	struct job *g = png_get_error_ptr(png);

	(void)msg;
	g->warned = true;
}

static void
fetch(png_structp png, png_bytep dst, size_t n)
{
	struct job *g = png_get_io_ptr(png);

	if (!cursor_copy(&g->j->c, dst, n))
		png_error(png, "cut");
}

/* Limits first, then what is not to be looked at. */
static void
restrain(struct job *g)
{
	static const uint8_t skipped[] =
	    "iCCP\0zTXt\0iTXt\0tEXt\0eXIf\0sPLT\0hIST\0pCAL\0sCAL";

	png_set_user_limits(g->png, LIMIT_PIXELS_SIDE, LIMIT_PIXELS_SIDE);
	png_set_chunk_cache_max(g->png, 16);
	png_set_chunk_malloc_max(g->png, 64 * KIB);
	png_set_keep_unknown_chunks(g->png, PNG_HANDLE_CHUNK_NEVER, NULL, 0);
	png_set_keep_unknown_chunks(g->png, PNG_HANDLE_CHUNK_NEVER, skipped,
	    sizeof(skipped) / 5);
}

static int
decode(struct job *g)
{
	png_uint_32 width, height;
	int depth, type, passes, r;
	unsigned channels;
	size_t stride;

	png_read_info(g->png, g->info);
	(void)png_get_IHDR(g->png, g->info, &width, &height, &depth, &type,
	    NULL, NULL, NULL);
	channels = (type & PNG_COLOR_MASK_COLOR) != 0 ? 3 : 1;
	g->j->im.cut = depth == 16 || (type & PNG_COLOR_MASK_ALPHA) != 0 ||
	    png_get_valid(g->png, g->info, PNG_INFO_tRNS) != 0;
	if (depth == 16)
		png_set_strip_16(g->png);
	if (type == PNG_COLOR_TYPE_PALETTE)
		png_set_palette_to_rgb(g->png);
	else if (depth < 8)
		png_set_expand_gray_1_2_4_to_8(g->png);
	/* A palette with tRNS would expand to four channels as well. */
	png_set_strip_alpha(g->png);
	passes = png_set_interlace_handling(g->png);
	png_read_update_info(g->png, g->info);
	stride = (size_t)width * channels;
	if (png_get_rowbytes(g->png, g->info) != stride)
		png_error(g->png, "unexpected size of a row");
	if ((r = pixels_room(g->j, width, height, channels)) != 0)
		return r;
	for (int k = 0; k < passes; k++)
		for (png_uint_32 y = 0; y < height; y++)
			png_read_row(g->png, g->j->out + y * stride, NULL);
	png_read_end(g->png, NULL);
	return 0;
}

static int
guarded(struct job *g)
{
	if (setjmp(png_jmpbuf(g->png)) != 0) {
		if (g->nomem)
			return err_set(g->j->e, ERR_NOMEM, "out of memory");
		return pixels_no(g->j, cursor_at_end(&g->j->c) ?
		    "the PNG is cut" : "the PNG is malformed");
	}
	png_set_read_fn(g->png, g, fetch);
	restrain(g);
	return decode(g);
}

int
pixels_png(struct pixels_job *j)
{
	struct job g = {.j = j};
	int r;

	j->im.format = "png";
	g.png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, &g, fail, warn,
	    &g, take, give);
	if (g.png == NULL)
		return err_set(j->e, ERR_NOMEM, "out of memory");
	if ((g.info = png_create_info_struct(g.png)) == NULL)
		r = err_set(j->e, ERR_NOMEM, "out of memory");
	else
		r = guarded(&g);
	png_destroy_read_struct(&g.png, &g.info, NULL);
	j->im.damaged = g.warned;
	return r;
}
