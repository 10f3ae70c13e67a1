#ifndef ANALYZER_WEIGHTS_PLANE_H_
#define ANALYZER_WEIGHTS_PLANE_H_

#include <stddef.h>
#include <stdint.h>

/*
 * Bit planes of a block of elements, for the carver's filter.  Each function
 * has a twin without SIMD.
 */

/* weights_plane_low: the lowest byte of each of n elements. */
void weights_plane_low(const uint8_t *p, unsigned width, size_t n,
    uint8_t *low);
void weights_plane_low_scalar(const uint8_t *p, unsigned width, size_t n,
    uint8_t *low);

/*
 * weights_plane_pack: the lowest ${bits} (1, 2, 4) of each byte, the first
 * one lowest: n * bits / 8 bytes, which is returned.
 */
size_t weights_plane_pack(unsigned bits, const uint8_t *low, size_t n,
    uint8_t *dst);
size_t weights_plane_pack_scalar(unsigned bits, const uint8_t *low, size_t n,
    uint8_t *dst);

/*
 * weights_plane_turn: the byte whose elements stand in the other order; to
 * itself twice.
 */
uint8_t weights_plane_turn(unsigned bits, uint8_t b);

/* weights_plane_differ: dst[i] = p[i] ^ p[i + 1], n - 1 of them. */
void weights_plane_differ(const uint8_t *p, size_t n, uint8_t *dst);

#endif /* !ANALYZER_WEIGHTS_PLANE_H_ */
