/* For decoders in memory that the caller gives. */
#define ZSTD_STATIC_LINKING_ONLY
#include <brotli/decode.h>
#include <lz4.h>
#include <snappy-c.h>
#include <string.h>
#include <zstd.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/codec_pages.h"

#define LZ4_MAGIC 0x184d2204U
#define SLOT_LEAST 64

static const char wrong_size[] =
    "a page does not decompress to the size that is stated";

void
codec_pages_init(struct codec_pages *c, struct arena *a)
{
	memset(c, 0, sizeof(*c));
	c->a = a;
}

static int
by_snappy(const uint8_t *src, size_t n, uint8_t *dst, size_t want)
{
	size_t said;

	/* The length comes first: it is compared before anything is written. */
	if (snappy_uncompressed_length((const char *)src, n, &said) !=
	    SNAPPY_OK || said != want)
		return 1;
	return snappy_uncompress((const char *)src, n, (char *)dst, &said) !=
	    SNAPPY_OK;
}

static int
by_gzip(struct codec_pages *c, const uint8_t *src, size_t n, uint8_t *dst,
    size_t want, struct err *e)
{
	size_t in, out, at = 0, done = 0;
	int r;

	if (c->inflate == NULL &&
	    (c->inflate = arena_alloc(c->a, CODEC_INTO_SPACE)) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left to inflate");
	do {
		if ((r = codec_inflate_into(CODEC_GZIP, src + at, n - at,
		    dst + done, want - done, c->inflate, &in, &out, e)) != 0)
			return r;
		at += in;
		done += out;
	} while (at < n);
	return done != want;
}

/* --- brotli: memory that is given back is kept for the next request --- */

static void *
slot_take(void *opaque, size_t n)
{
	struct codec_pages *c = opaque;
	size_t cap = SLOT_LEAST, best = CODEC_PAGES_SLOTS;

	while (cap < n && cap <= SIZE_MAX / 2)
		cap *= 2;
	for (size_t i = 0; i < CODEC_PAGES_SLOTS; i++) {
		if (c->slot[i].taken)
			continue;
		if (c->slot[i].p == NULL) {
			if (best < CODEC_PAGES_SLOTS)
				break;
			if ((c->slot[i].p = arena_alloc(c->a, cap)) == NULL)
				return NULL;
			c->slot[i].cap = cap;
			best = i;
			break;
		}
		if (c->slot[i].cap >= n && (best == CODEC_PAGES_SLOTS ||
		    c->slot[i].cap < c->slot[best].cap))
			best = i;
	}
	if (best == CODEC_PAGES_SLOTS)
		return NULL;
	c->slot[best].taken = 1;
	return c->slot[best].p;
}

static void
slot_give(void *opaque, void *p)
{
	struct codec_pages *c = opaque;

	for (size_t i = 0; p != NULL && i < CODEC_PAGES_SLOTS; i++)
		if (c->slot[i].p == p)
			c->slot[i].taken = 0;
}

static int
by_brotli(struct codec_pages *c, const uint8_t *src, size_t n, uint8_t *dst,
    size_t want, struct err *e)
{
	BrotliDecoderState *s;
	BrotliDecoderResult r;
	BrotliDecoderErrorCode code;
	size_t left = want;

	if ((s = BrotliDecoderCreateInstance(slot_take, slot_give, c)) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left for brotli");
	r = BrotliDecoderDecompressStream(s, &n, &src, &left, &dst, NULL);
	code = BrotliDecoderGetErrorCode(s);
	BrotliDecoderDestroyInstance(s);
	if (r == BROTLI_DECODER_RESULT_ERROR &&
	    code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
	    code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES)
		return err_set(e, ERR_LIMIT, "no memory left for brotli");
	return r != BROTLI_DECODER_RESULT_SUCCESS || n != 0 || left != 0;
}

/* --- lz4 --- */

static int
lz4_block(const uint8_t *src, size_t n, uint8_t *dst, size_t want)
{
	if (n > INT32_MAX || want > INT32_MAX)
		return 1;
	return LZ4_decompress_safe((const char *)src, (char *)dst, (int)n,
	    (int)want) != (int)want;
}

/* Hadoop: (size, size when compressed, block) until the end. */
static int
by_lz4_hadoop(const uint8_t *src, size_t n, uint8_t *dst, size_t want)
{
	uint32_t plain, packed;
	struct cursor c, block;
	size_t done = 0;

	cursor_init(&c, src, n, 0);
	while (!cursor_at_end(&c)) {
		if (!cursor_u32be(&c, &plain) || !cursor_u32be(&c, &packed) ||
		    plain > want - done || !cursor_sub(&c, packed, &block) ||
		    lz4_block(block.buf, block.len, dst + done, plain) != 0)
			return 1;
		done += plain;
	}
	return done != want;
}

/* One block of a frame behind dst[0..done), which it may refer to. */
static int
frame_block(const struct cursor *b, bool plain, uint8_t *dst, size_t done,
    size_t want, size_t *got)
{
	size_t dict = done < 64 * KIB ? done : 64 * KIB;
	int r;

	if (plain) {
		if (b->len > want - done)
			return 1;
		memcpy(dst + done, b->buf, b->len);
		*got = b->len;
		return 0;
	}
	if (b->len > INT32_MAX || want - done > INT32_MAX)
		return 1;
	r = LZ4_decompress_safe_usingDict((const char *)b->buf,
	    (char *)dst + done, (int)b->len, (int)(want - done),
	    (const char *)dst + done - dict, (int)dict);
	if (r < 0)
		return 1;
	*got = (size_t)r;
	return 0;
}

/*
 * LZ4 frame format, version 1.6.2:
 *
 *	magic u32   FLG u8   BD u8   [content size u64]   [dictionary u32]
 *	HC u8   blocks: size u32 (top bit: not compressed), bytes, [check u32]
 *	end 0 u32   [check u32]
 */
static int
by_lz4_frame(const uint8_t *src, size_t n, uint8_t *dst, size_t want)
{
	struct cursor c, block;
	uint32_t magic, size;
	uint8_t flg, bd;
	size_t done = 0, got = 0;

	cursor_init(&c, src, n, 0);
	if (!cursor_u32le(&c, &magic) || magic != LZ4_MAGIC ||
	    !cursor_u8(&c, &flg) || !cursor_u8(&c, &bd) || flg >> 6 != 1 ||
	    (flg & 1) != 0 || !cursor_skip(&c, (flg & 8) != 0 ? 9 : 1))
		return 1;
	for (;;) {
		if (!cursor_u32le(&c, &size))
			return 1;
		if (size == 0)
			break;
		if (!cursor_sub(&c, size & 0x7fffffffU, &block) ||
		    frame_block(&block, size >> 31 != 0, dst, done, want,
		    &got) != 0 ||
		    ((flg & 16) != 0 && !cursor_skip(&c, 4)))
			return 1;
		done += got;
	}
	if ((flg & 4) != 0 && !cursor_skip(&c, 4))
		return 1;
	return done != want || !cursor_at_end(&c);
}

/* --- zstd --- */

/*
 * Frame by frame, so that none is of the formats from before 1.0, whose
 * decoders the library still carries and nobody looks at.
 */
static int
by_zstd(struct codec_pages *c, const uint8_t *src, size_t n, uint8_t *dst,
    size_t want, struct err *e)
{
	size_t at = 0, done = 0, size, got;
	struct cursor head;
	uint32_t magic;
	ZSTD_DCtx *z;

	if (c->zstd == NULL) {
		c->zstd_size = ZSTD_estimateDCtxSize();
		if ((c->zstd = arena_alloc(c->a, c->zstd_size)) == NULL)
			return err_set(e, ERR_LIMIT, "no memory left for zstd");
	}
	if ((z = ZSTD_initStaticDCtx(c->zstd, c->zstd_size)) == NULL)
		return err_set(e, ERR_NOMEM, "cannot start zstd");
	do {
		cursor_init(&head, src + at, n - at, 0);
		if (!cursor_u32le(&head, &magic) ||
		    (magic != ZSTD_MAGICNUMBER &&
		    (magic & ZSTD_MAGIC_SKIPPABLE_MASK) !=
		    ZSTD_MAGIC_SKIPPABLE_START))
			return 1;
		size = ZSTD_findFrameCompressedSize(src + at, n - at);
		if (ZSTD_isError(size) || size == 0 || size > n - at)
			return 1;
		got = ZSTD_decompressDCtx(z, dst + done, want - done, src + at,
		    size);
		if (ZSTD_isError(got))
			return 1;
		at += size;
		done += got;
	} while (at < n);
	return done != want;
}

static int
run(struct codec_pages *c, enum page_codec codec, const uint8_t *src,
    size_t n, uint8_t *dst, size_t want, struct err *e)
{
	switch (codec) {
	case PAGE_PLAIN:
		if (n != want)
			return 1;
		if (n > 0)
			memcpy(dst, src, n);
		return 0;
	case PAGE_SNAPPY:
		return by_snappy(src, n, dst, want);
	case PAGE_GZIP:
		return by_gzip(c, src, n, dst, want, e);
	case PAGE_BROTLI:
		return by_brotli(c, src, n, dst, want, e);
	case PAGE_LZ4:
		return by_lz4_hadoop(src, n, dst, want) != 0 &&
		    lz4_block(src, n, dst, want) != 0;
	case PAGE_LZ4_RAW:
		return lz4_block(src, n, dst, want);
	case PAGE_LZ4_FRAME:
		return by_lz4_frame(src, n, dst, want);
	case PAGE_ZSTD:
		return by_zstd(c, src, n, dst, want, e);
	}
	return 1;
}

int
codec_pages_decode(struct codec_pages *c, enum page_codec codec,
    const uint8_t *src, size_t n, uint8_t *dst, size_t want,
    const char **why, struct err *e)
{
	int r = run(c, codec, src, n, dst, want, e);

	if (r > 0)
		*why = wrong_size;
	return r;
}
