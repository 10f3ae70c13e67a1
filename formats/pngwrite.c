#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/bug.h"
#include "formats/codec.h"
#include "formats/pngwrite.h"

#define STORED_MAX 65535
#define ADLER 65521u

static void
u32be(struct buf *b, uint32_t v)
{
	const uint8_t p[4] = {(uint8_t)(v >> 24), (uint8_t)(v >> 16),
	    (uint8_t)(v >> 8), (uint8_t)v};

	buf_put(b, p, 4);
}

/* A chunk: the length is put in afterwards, the check value covers the rest. */
static size_t
chunk_begin(struct buf *b, const char *type)
{
	size_t at = b->len;

	u32be(b, 0);
	buf_put(b, type, 4);
	return at;
}

static void
chunk_end(struct buf *b, size_t at)
{
	size_t n;

	if (buf_failed(b) != 0)
		return;
	n = b->len - at - 8;
	for (unsigned i = 0; i < 4; i++)
		b->p[at + i] = (uint8_t)(n >> (24 - 8 * i));
	u32be(b, codec_crc_mem(b->p + at + 4, n + 4));
}

/* The stream of rows: stored blocks, Adler-32 on the way (RFC 1950). */
struct stream {
	struct buf *b;
	uint64_t left;		/* of the whole stream */
	uint32_t block;		/* left of the block */
	uint32_t lo, hi;
};

static void
stream_put(struct stream *s, const uint8_t *p, size_t n)
{
	while (n > 0) {
		uint32_t k;

		if (s->block == 0) {
			bool last = s->left <= STORED_MAX;
			uint8_t h[5];

			s->block = last ? (uint32_t)s->left : STORED_MAX;
			h[0] = last;
			h[1] = (uint8_t)s->block;
			h[2] = (uint8_t)(s->block >> 8);
			h[3] = (uint8_t)~h[1];
			h[4] = (uint8_t)~h[2];
			buf_put(s->b, h, sizeof(h));
		}
		k = n < s->block ? (uint32_t)n : s->block;
		buf_put(s->b, p, k);
		for (uint32_t i = 0; i < k; i++) {
			s->lo = (s->lo + p[i]) % ADLER;
			s->hi = (s->hi + s->lo) % ADLER;
		}
		s->block -= k;
		s->left -= k;
		p += k;
		n -= k;
	}
}

void
pngwrite(struct buf *b, const uint8_t *p, uint32_t width, uint32_t height,
    uint32_t channels)
{
	static const uint8_t filter;
	size_t row = (size_t)width * channels, at;
	struct stream s = {.b = b, .lo = 1};
	uint8_t tail[5] = {8, channels == 3 ? 2 : 0, 0, 0, 0};

	if (width == 0 || height == 0 || width > PNGWRITE_SIDE ||
	    height > PNGWRITE_SIDE || (channels != 1 && channels != 3))
		BUG("a picture of this size is not written");
	buf_put(b, "\x89PNG\r\n\x1a\n", 8);
	at = chunk_begin(b, "IHDR");
	u32be(b, width);
	u32be(b, height);
	buf_put(b, tail, sizeof(tail));
	chunk_end(b, at);
	at = chunk_begin(b, "IDAT");
	buf_put(b, "\x78\x01", 2);
	s.left = (row + 1) * height;
	for (uint32_t y = 0; y < height; y++) {
		stream_put(&s, &filter, 1);
		stream_put(&s, p + y * row, row);
	}
	u32be(b, s.hi << 16 | s.lo);
	chunk_end(b, at);
	at = chunk_begin(b, "IEND");
	chunk_end(b, at);
}
