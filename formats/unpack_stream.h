#ifndef FORMATS_UNPACK_STREAM_H_
#define FORMATS_UNPACK_STREAM_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;

/*
 * A file that is compressed as a whole, read from its beginning to its end in
 * pieces: gzip by zlib, so that its check values are checked, and bzip2, xz,
 * zstd and lz4 by libarchive, which does so itself (frames of the last two need
 * not have any check value).  Several streams in a row are one.
 *
 * (codec.h gives one stream as a whole in memory, for members of archives.)
 */
struct unpack_stream;

/* unpack_stream_is: do these first bytes begin such a stream? */
bool unpack_stream_is(const uint8_t *head, size_t n);

/* unpack_stream_open: ${src} must outlive it. */
int unpack_stream_open(const struct bytesrc *src, struct unpack_stream **ret,
    struct err *e);
void unpack_stream_close(struct unpack_stream *s);	/* NULL does nothing */

/*
 * unpack_stream_read: up to ${n} bytes; *got is 0 at the end alone.  What
 * came before a failure has been given: ERR_FORMAT: the stream breaks, or a
 * check does not hold; ERR_TRUNC: the file ends within it; ERR_NOMEM, ERR_IO.
 */
int unpack_stream_read(struct unpack_stream *s, void *dst, size_t n,
    size_t *got, struct err *e);

/* unpack_stream_used: bytes of the source that were read so far. */
uint64_t unpack_stream_used(const struct unpack_stream *s);

/* unpack_stream_rest: behind the last stream, bytes that are no stream. */
bool unpack_stream_rest(const struct unpack_stream *s);

#endif /* !FORMATS_UNPACK_STREAM_H_ */
