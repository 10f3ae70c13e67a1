#ifndef FORMATS_ROWS_CRC32C_H_
#define FORMATS_ROWS_CRC32C_H_

#include <stddef.h>
#include <stdint.h>

/* CRC-32C (Castagnoli, RFC 3720 B.4): go on from ${sum}, 0 at the start. */
uint32_t crc32c(uint32_t sum, const uint8_t *p, size_t n);

/* crc32c_mask: as TFRecord and LevelDB write it. */
uint32_t crc32c_mask(uint32_t sum);

#endif /* !FORMATS_ROWS_CRC32C_H_ */
