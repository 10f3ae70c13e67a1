#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <jpeglib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pixels_parts.h"

/*
 * JPEG through libjpeg-turbo: the one file that includes jpeglib.h.
 *
 * A progressive file keeps all its coefficients and goes through them with
 * every scan, and a scan of nothing takes a dozen bytes: memory and the
 * number of scans are bounded.  The library reports failure through
 * error_exit, which must not return; all that is alive then is in struct job,
 * which the frame that calls setjmp was given.  A file that ends early is
 * filled up with grey by the library; here it is refused.
 */
struct job {
	struct jpeg_decompress_struct d;
	struct jpeg_error_mgr err;
	struct jpeg_progress_mgr progress;
	struct jpeg_source_mgr src;
	jmp_buf out;
	bool nomem;
	struct pixels_job *j;
	uint8_t *row;		/* of four channels */
};

_Noreturn static void
fail(struct job *g, const char *why)
{
	g->j->why = why;
	longjmp(g->out, 1);
}

_Noreturn static void
on_error(j_common_ptr d)
{
	const char *m = d->err->msg_code > 0 && d->err->msg_code <=
	    d->err->last_jpeg_message ?
	    d->err->jpeg_message_table[d->err->msg_code] : "";
	struct job *g = d->client_data;

	/* jerror.h, which has the codes, cannot be included: its macros. */
	g->nomem = strncmp(m, "Insufficient memory", 19) == 0;
	fail(g, strncmp(m, "Backing store", 13) == 0 ?
	    "the JPEG needs more memory than the limit" :
	    "the JPEG is malformed");
}

static void
on_message(j_common_ptr d, int level)
{
	if (level < 0)
		d->err->num_warnings++;
}

static void
on_output(j_common_ptr d)
{
	(void)d;
}

static void
on_progress(j_common_ptr d)
{
	struct job *g = d->client_data;

	if (g->d.input_scan_number > LIMIT_PIXELS_SCANS)
		fail(g, "the JPEG has more scans than the limit");
}

static void
src_start(j_decompress_ptr d)
{
	(void)d;
}

/* All bytes are there from the start: a request for more is the end. */
static boolean
src_more(j_decompress_ptr d)
{
	struct job *g = d->client_data;

	fail(g, "the JPEG is cut");
}

static void
src_skip(j_decompress_ptr d, long n)
{
	struct job *g = d->client_data;

	if (n < 0 || (unsigned long)n > d->src->bytes_in_buffer)
		fail(g, "the JPEG is cut");
	d->src->next_input_byte += n;
	d->src->bytes_in_buffer -= (size_t)n;
}

static void
open_job(struct job *g)
{
	g->d.err = jpeg_std_error(&g->err);
	g->err.error_exit = on_error;
	g->err.emit_message = on_message;
	g->err.output_message = on_output;
	g->d.client_data = g;
}

static void
set_up(struct job *g)
{
	g->src.init_source = src_start;
	g->src.fill_input_buffer = src_more;
	g->src.skip_input_data = src_skip;
	g->src.resync_to_restart = jpeg_resync_to_restart;
	g->src.term_source = src_start;
	g->src.next_input_byte = g->j->c.buf;
	g->src.bytes_in_buffer = g->j->c.len;
	g->d.src = &g->src;
	g->progress.progress_monitor = on_progress;
	g->d.progress = &g->progress;
	g->d.mem->max_memory_to_use = (long)LIMIT_PIXELS_COEFFICIENTS;
}

/* CMYK as Adobe writes it is inverted: 255 is no ink. */
static void
from_cmyk(const uint8_t *s, bool inverted, uint32_t width, uint8_t *dst)
{
	for (uint32_t x = 0; x < width; x++, s += 4) {
		unsigned k = inverted ? s[3] : 255u - s[3];

		for (unsigned i = 0; i < 3; i++) {
			unsigned v = inverted ? s[i] : 255u - s[i];

			*dst++ = (uint8_t)((v * k + 127) / 255);
		}
	}
}

static int
decode(struct job *g)
{
	struct jpeg_decompress_struct *d = &g->d;
	unsigned channels;
	size_t stride;
	JSAMPROW row;
	int r;

	(void)jpeg_read_header(d, TRUE);
	if (d->num_components != 1 && d->num_components != 3 &&
	    d->num_components != 4)
		return pixels_no(g->j, "the JPEG has not 1, 3 or 4 channels");
	channels = d->num_components == 1 ? 1 : 3;
	if ((r = pixels_room(g->j, d->image_width, d->image_height,
	    channels)) != 0)
		return r;
	d->out_color_space = d->num_components == 1 ? JCS_GRAYSCALE :
	    d->num_components == 3 ? JCS_RGB : JCS_CMYK;
	if (d->num_components == 4)
		g->row = d->mem->alloc_large((j_common_ptr)d, JPOOL_IMAGE,
		    (size_t)d->image_width * 4);
	(void)jpeg_start_decompress(d);
	stride = (size_t)d->image_width * channels;
	while (d->output_scanline < d->output_height) {
		uint8_t *dst = g->j->out + d->output_scanline * stride;

		row = g->row != NULL ? g->row : dst;
		if (jpeg_read_scanlines(d, &row, 1) != 1)
			fail(g, "the JPEG is cut");
		if (g->row != NULL)
			from_cmyk(g->row, d->saw_Adobe_marker != 0,
			    d->image_width, dst);
	}
	(void)jpeg_finish_decompress(d);
	return 0;
}

static int
guarded(struct job *g)
{
	if (setjmp(g->out) != 0)
		return g->nomem ? err_set(g->j->e, ERR_NOMEM,
		    "out of memory") : 1;
	jpeg_create_decompress(&g->d);
	set_up(g);
	return decode(g);
}

int
pixels_jpeg(struct pixels_job *j)
{
	struct job g = {.j = j};
	int r;

	j->im.format = "jpeg";
	j->im.lossy = true;
	open_job(&g);
	r = guarded(&g);
	jpeg_destroy_decompress(&g.d);
	j->im.damaged = g.err.num_warnings > 0;
	return r;
}
