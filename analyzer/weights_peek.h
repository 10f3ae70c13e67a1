#ifndef ANALYZER_WEIGHTS_PEEK_H_
#define ANALYZER_WEIGHTS_PEEK_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The first look at what may be a file: do the fields at p[0..n) have values
 * that they may have?  Never a byte beyond n; the magic has been compared.
 */
uint32_t weights_peek_u32(const uint8_t *p);
/* How many bytes of printable ASCII and white space come first. */
size_t weights_peek_text(const uint8_t *p, size_t n);
bool weights_peek_zip(const uint8_t *p, size_t n);
bool weights_peek_gzip(const uint8_t *p, size_t n);
bool weights_peek_zstd(const uint8_t *p, size_t n);
/* A pickle of protocol 2 and later, one that begins with a name. */
bool weights_peek_pickle(const uint8_t *p, size_t n, uint64_t left);
bool weights_peek_global(const uint8_t *p, size_t n);
/* Five letters in a row: a name, perhaps. */
bool weights_peek_name(const uint8_t *p, size_t n);

#endif /* !ANALYZER_WEIGHTS_PEEK_H_ */
