#ifndef TESTS_LIB_MAKE_H_
#define TESTS_LIB_MAKE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * Encoders for columnar files that tests write.
 */
void make_varint(struct buf *b, uint64_t v);
void make_zigzag(struct buf *b, int64_t v);
void make_u32(struct buf *b, uint32_t v);
void make_u64(struct buf *b, uint64_t v);
/* make_hybrid: groups of 8 bit-packed, or ${runs}: RLE runs. */
void make_hybrid(struct buf *b, const uint32_t *v, size_t n, unsigned width,
    bool runs);
/* make_old_bits: BIT_PACKED, most significant bit first. */
void make_old_bits(struct buf *b, const uint32_t *v, size_t n,
    unsigned width);
void make_delta(struct buf *b, const int64_t *v, size_t n);
void make_strings(struct buf *b, const char *const *v, size_t n);
/* make_packed: p[0..n) compressed by a codec of parquet.thrift. */
void make_packed(struct buf *b, int codec, const void *p, size_t n);

#endif /* !TESTS_LIB_MAKE_H_ */
