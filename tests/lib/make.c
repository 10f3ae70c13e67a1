#include <lz4.h>
#include <snappy-c.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/bug.h"
#include "tests/lib/make.h"

void
make_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

void
make_zigzag(struct buf *b, int64_t v)
{
	make_varint(b, (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0));
}

void
make_u32(struct buf *b, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		buf_putc(b, (char)(v >> 8 * i));
}

void
make_u64(struct buf *b, uint64_t v)
{
	make_u32(b, (uint32_t)v);
	make_u32(b, (uint32_t)(v >> 32));
}

static void
pack(struct buf *b, const uint64_t *v, size_t n, unsigned width)
{
	unsigned char byte = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned k = 0; k < width; k++) {
			byte |= (unsigned char)((v[i] >> k & 1) << have++);
			if (have == 8) {
				buf_putc(b, (char)byte);
				byte = 0;
				have = 0;
			}
		}
	if (have > 0)
		buf_putc(b, (char)byte);
}

void
make_hybrid(struct buf *b, const uint32_t *v, size_t n, unsigned width,
    bool runs)
{
	uint64_t group[8];
	size_t run;

	for (size_t i = 0; runs && i < n; i += run) {
		for (run = 1; i + run < n && v[i + run] == v[i];)
			run++;
		make_varint(b, run << 1);
		for (unsigned k = 0; k < (width + 7) / 8; k++)
			buf_putc(b, (char)(v[i] >> 8 * k));
	}
	if (runs || n == 0)
		return;
	make_varint(b, (n + 7) / 8 << 1 | 1);
	for (size_t i = 0; i < n; i += 8) {
		for (size_t k = 0; k < 8; k++)
			group[k] = i + k < n ? v[i + k] : 0;
		pack(b, group, 8, width);
	}
}

void
make_old_bits(struct buf *b, const uint32_t *v, size_t n, unsigned width)
{
	unsigned char byte = 0;
	unsigned have = 0;

	for (size_t i = 0; i < n; i++)
		for (unsigned k = width; k-- > 0;) {
			byte = (unsigned char)((uint32_t)byte << 1 | (v[i] >> k & 1));
			if (++have == 8) {
				buf_putc(b, (char)byte);
				byte = 0;
				have = 0;
			}
		}
	if (have > 0)
		buf_putc(b, (char)(byte << (8 - have)));
}

void
make_delta(struct buf *b, const int64_t *v, size_t n)
{
	uint64_t delta[32], min;
	unsigned width[4];
	size_t at, have;

	make_varint(b, 128);
	make_varint(b, 4);
	make_varint(b, n);
	make_zigzag(b, n > 0 ? v[0] : 0);
	for (size_t block = 1; block < n; block += 128) {
		min = (uint64_t)v[block] - (uint64_t)v[block - 1];
		for (size_t i = block; i < n && i < block + 128; i++)
			if ((int64_t)((uint64_t)v[i] - (uint64_t)v[i - 1]) <
			    (int64_t)min)
				min = (uint64_t)v[i] - (uint64_t)v[i - 1];
		make_zigzag(b, (int64_t)min);
		memset(width, 0, sizeof(width));
		for (size_t i = block; i < n && i < block + 128; i++)
			while (width[(i - block) / 32] < 64 && ((uint64_t)v[i] -
			    (uint64_t)v[i - 1] - min) >>
			    width[(i - block) / 32] != 0)
				width[(i - block) / 32]++;
		for (unsigned k = 0; k < 4; k++)
			buf_putc(b, (char)width[k]);
		for (unsigned k = 0; k < 4 && block + 32 * k < n; k++) {
			at = block + 32 * k;
			have = n - at < 32 ? n - at : 32;
			memset(delta, 0, sizeof(delta));
			for (size_t i = 0; i < have; i++)
				delta[i] = (uint64_t)v[at + i] -
				    (uint64_t)v[at + i - 1] - min;
			pack(b, delta, 32, width[k]);
		}
	}
}

void
make_strings(struct buf *b, const char *const *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		make_u32(b, (uint32_t)strlen(v[i]));
		buf_puts(b, v[i]);
	}
}

/* --- codecs, by their numbers in parquet.thrift --- */

static void
put_gzip(struct buf *b, const void *p, size_t n, uint8_t *tmp, size_t cap)
{
	z_stream z;

	memset(&z, 0, sizeof(z));
	BUG_ON(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8,
	    Z_DEFAULT_STRATEGY) != Z_OK);
	z.next_in = (Bytef *)(uintptr_t)p;
	z.avail_in = (uInt)n;
	z.next_out = tmp;
	z.avail_out = (uInt)cap;
	BUG_ON(deflate(&z, Z_FINISH) != Z_STREAM_END);
	buf_put(b, tmp, cap - z.avail_out);
	(void)deflateEnd(&z);
}

/* Brotli of one stored metablock (RFC 7932, 9.2), and the empty last one. */
static void
put_brotli(struct buf *b, const uint8_t *p, size_t n)
{
	uint32_t head;

	if (n == 0) {
		buf_putc(b, 6);
		return;
	}
	/* WBITS 16 (0), ISLAST 0, MNIBBLES 0 (4), MLEN - 1, ISUNCOMPRESSED */
	head = (uint32_t)(n - 1) << 4 | 1U << 20;
	BUG_ON(n > 65536);
	for (unsigned i = 0; i < 3; i++)
		buf_putc(b, (char)(head >> 8 * i));
	buf_put(b, p, n);
	buf_putc(b, 3);
}

void
make_packed(struct buf *b, int codec, const void *p, size_t n)
{
	size_t cap = 2 * n + 1024, len = cap;
	uint8_t *tmp = malloc(cap);

	BUG_ON(tmp == NULL);
	switch (codec) {
	case 0:
		buf_put(b, p, n);
		break;
	case 1:
		BUG_ON(snappy_compress(p, n, (char *)tmp, &len) != SNAPPY_OK);
		buf_put(b, tmp, len);
		break;
	case 2:	/* two members */
		put_gzip(b, p, n / 2, tmp, cap);
		put_gzip(b, (const uint8_t *)p + n / 2, n - n / 2, tmp, cap);
		break;
	case 4:
		put_brotli(b, p, n);
		break;
	case 5:	/* in Hadoop's framing */
	case 7:
		len = (size_t)LZ4_compress_default(p, (char *)tmp, (int)n,
		    (int)cap);
		for (unsigned i = 4; codec == 5 && i-- > 0;)
			buf_putc(b, (char)(n >> 8 * i));
		for (unsigned i = 4; codec == 5 && i-- > 0;)
			buf_putc(b, (char)(len >> 8 * i));
		buf_put(b, tmp, len);
		break;
	case 6:
		buf_put(b, tmp, ZSTD_compress(tmp, cap, p, n, 3));
		break;
	default:
		buf_put(b, p, n);
	}
	free(tmp);
}
