#ifndef FORMATS_CODEC_H_
#define FORMATS_CODEC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct bytesrc;
struct err;

/*
 * Inflate (RFC 1951) with its zlib (RFC 1950) and gzip (RFC 1952) wrappers:
 * the one file that includes zlib.h.  Output goes into the arena, bounded by
 * ${max} bytes and, past LIMIT_INFLATE_RATIO_FROM, by LIMIT_INFLATE_RATIO
 * times the input.  A stream that breaks gives what came before: a loader
 * that reads piece by piece has run it by then.
 */
enum codec_kind { CODEC_RAW, CODEC_ZLIB, CODEC_GZIP, CODEC_XZ };

struct codec_result {
	const uint8_t *p;	/* what was decompressed */
	size_t n;
	uint64_t used;		/* bytes of input that the stream took */
	uint32_t crc;		/* CRC-32 of p[0..n) */
	bool ended;		/* the stream came to its end, checks held */
	bool cut;		/* over a limit */
	bool broken;		/* malformed, or a wrong check value */
	bool short_input;	/* the input ended first */
};

/*
 * codec_inflate: ${hint} is the expected size (0: unknown).  Negative only
 * when our side failed (ERR_NOMEM, ERR_IO).
 */
int codec_inflate(enum codec_kind kind, const struct bytesrc *src,
    uint64_t off, uint64_t len, uint64_t hint, size_t max, struct arena *a,
    struct codec_result *ret, struct err *e);

/*
 * codec_xz: the same for one stream of .xz, or of lzma alone, by liblzma (the
 * file codec_xz.c includes lzma.h).  codec_inflate calls it for CODEC_XZ.
 * libarchive gives nothing of a block that breaks; a loader that reads piece
 * by piece has run what came before.  ret->crc is not set.
 */
int codec_xz(const struct bytesrc *src, uint64_t off, uint64_t len,
    size_t max, struct arena *a, struct codec_result *ret, struct err *e);

/*
 * codec_inflate_into: one stream of src[0..n) into dst[0..cap), with ${space},
 * CODEC_INTO_SPACE bytes that are free again afterwards.  0, *in and *out when
 * it came to its end and its checks held; 1 when it did not, or is longer than
 * ${cap}; negative when our side failed.  Not for CODEC_XZ.
 */
#define CODEC_INTO_SPACE ((size_t)64 * 1024)
int codec_inflate_into(enum codec_kind kind, const uint8_t *src, size_t n,
    uint8_t *dst, size_t cap, void *space, size_t *in, size_t *out,
    struct err *e);

/* codec_crc_mem: CRC-32 of p[0..n). */
uint32_t codec_crc_mem(const uint8_t *p, size_t n);

/* codec_crc: CRC-32 of a range of a source. */
int codec_crc(const struct bytesrc *src, uint64_t off, uint64_t len,
    uint32_t *ret, struct err *e);

/* codec_probe_zlib: do the first bytes inflate as a zlib stream? */
bool codec_probe_zlib(const uint8_t *p, size_t n);

#endif /* !FORMATS_CODEC_H_ */
