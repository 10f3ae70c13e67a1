#include <lzma.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"

#define CHUNK (64 * KIB)
/* What a decoder may hold: the largest usual dictionary is 64 MiB. */
#define MEMORY_MAX (256 * MIB)

struct decoder {
	lzma_stream z;
	struct arena *a;
	uint8_t *out;
	size_t n, cap, max;
};

static bool
grow(struct decoder *d)
{
	size_t cap = d->cap < d->max / 2 ? 2 * d->cap : d->max;
	uint8_t *p;

	if (cap <= d->cap || (p = arena_alloc(d->a, cap)) == NULL)
		return false;
	memcpy(p, d->out, d->n);
	d->out = p;
	d->cap = cap;
	return true;
}

/* Feed one chunk; LZMA_BUF_ERROR at a limit. */
static lzma_ret
feed(struct decoder *d, const uint8_t *in, size_t n)
{
	lzma_ret z = LZMA_OK;

	d->z.next_in = in;
	d->z.avail_in = n;
	do {
		if (d->n == d->cap && !grow(d))
			return LZMA_BUF_ERROR;
		d->z.next_out = d->out + d->n;
		d->z.avail_out = d->cap - d->n;
		z = lzma_code(&d->z, LZMA_RUN);
		d->n = (size_t)(d->z.next_out - d->out);
		/* Over the ratio: what is left would only grow. */
		if (d->n > LIMIT_INFLATE_RATIO_FROM &&
		    d->n / LIMIT_INFLATE_RATIO > d->z.total_in)
			return LZMA_BUF_ERROR;
	} while (z == LZMA_OK && (d->z.avail_in > 0 || d->n == d->cap));
	/* It wants more input, which is not a limit. */
	return z == LZMA_BUF_ERROR && d->z.avail_in == 0 ? LZMA_OK : z;
}

static int
run(struct decoder *d, const struct bytesrc *src, uint64_t off, uint64_t len,
    struct codec_result *ret, struct err *e)
{
	lzma_ret z = LZMA_OK;
	uint64_t done = 0;
	uint8_t *in;
	size_t n;
	int r;

	if ((in = arena_alloc(d->a, CHUNK)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory to decode");
	for (; done < len && z == LZMA_OK; done += n) {
		n = len - done < CHUNK ? (size_t)(len - done) : CHUNK;
		if ((r = bytesrc_read(src, off + done, in, n, e)) < 0)
			return r;
		z = feed(d, in, n);
	}
	ret->ended = z == LZMA_STREAM_END;
	ret->cut = z == LZMA_BUF_ERROR || z == LZMA_MEMLIMIT_ERROR;
	ret->short_input = z == LZMA_OK;
	ret->broken = !ret->ended && !ret->cut && !ret->short_input;
	ret->used = d->z.total_in;
	return z == LZMA_MEM_ERROR ?
	    err_set(e, ERR_NOMEM, "out of memory to decode") : 0;
}

int
codec_xz(const struct bytesrc *src, uint64_t off, uint64_t len, size_t max,
    struct arena *a, struct codec_result *ret, struct err *e)
{
	struct decoder d = {.z = LZMA_STREAM_INIT, .a = a, .max = max,
	    .cap = max < CHUNK ? max : CHUNK};
	int r;

	memset(ret, 0, sizeof(*ret));
	if ((d.out = arena_alloc(a, d.cap + 1)) == NULL ||
	    lzma_auto_decoder(&d.z, MEMORY_MAX, 0) != LZMA_OK)
		return err_set(e, ERR_NOMEM, "out of memory to decode");
	r = run(&d, src, off, len, ret, e);
	lzma_end(&d.z);
	ret->p = d.out;
	ret->n = d.n;
	return r;
}
