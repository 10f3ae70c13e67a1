#ifndef FORMATS_CODEC_PAGES_H_
#define FORMATS_CODEC_PAGES_H_

#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

/*
 * Compressed pages of columnar files, whose size when decompressed is known
 * beforehand: the one file that includes snappy-c.h, zstd.h, lz4.h and
 * brotli/decode.h.  Every decoder writes into the caller's dst[0..want) and
 * nowhere else, and has read a page only when it gives ${want} bytes, no
 * more and no fewer, and the input ends there too.
 *
 * What a decoder needs besides comes from the arena once and is used again
 * for the next page, so thousands of pages take what one takes.
 *
 * PAGE_LZ4 is the deprecated codec of Parquet: blocks behind two big-endian
 * lengths (Hadoop's framing), or, from some writers, a bare block.
 * PAGE_LZ4_FRAME is that of Arrow; its checksums (xxHash) are not compared.
 * PAGE_GZIP is one member or several behind each other; their checksums are.
 */
enum page_codec {
	PAGE_PLAIN,
	PAGE_SNAPPY,
	PAGE_GZIP,
	PAGE_BROTLI,
	PAGE_LZ4,
	PAGE_LZ4_RAW,
	PAGE_LZ4_FRAME,
	PAGE_ZSTD,
};

#define CODEC_PAGES_SLOTS 64

struct codec_pages {
	struct arena *a;
	void *zstd;		/* its workspace, once it was needed */
	size_t zstd_size;
	void *inflate;		/* likewise, of inflate */
	/* What brotli asks for and gives back. */
	struct {
		void *p;
		size_t cap;
		int taken;
	} slot[CODEC_PAGES_SLOTS];
};

void codec_pages_init(struct codec_pages *c, struct arena *a);

/*
 * codec_pages_decode: 0 when src[0..n) is exactly dst[0..want); 1 when it is
 * not (*why: our own words; dst may have been written to); negative when our
 * side failed.
 */
int codec_pages_decode(struct codec_pages *c, enum page_codec codec,
    const uint8_t *src, size_t n, uint8_t *dst, size_t want,
    const char **why, struct err *e);

#endif /* !FORMATS_CODEC_PAGES_H_ */
