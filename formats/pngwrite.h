#ifndef FORMATS_PNGWRITE_H_
#define FORMATS_PNGWRITE_H_

#include <stdint.h>

struct buf;

/*
 * pngwrite: append a PNG (ISO/IEC 15948) of width * height pixels of
 * ${channels} (1, 3) bytes each to ${b}, whose maximum bounds it; ask
 * buf_failed.  Nothing is compressed: the pixels stand in stored blocks
 * (RFC 1951, 3.2.4), which keeps it small and the same everywhere.  It is
 * for pictures of some KiB, not for photographs.  A size of 0 or over
 * PNGWRITE_SIDE is a bug of the caller.
 */
#define PNGWRITE_SIDE 1024

void pngwrite(struct buf *b, const uint8_t *p, uint32_t width,
    uint32_t height, uint32_t channels);

#endif /* !FORMATS_PNGWRITE_H_ */
