#ifndef BASE_BUF_H_
#define BASE_BUF_H_

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/*
 * A growable run of bytes with a maximum that is given at creation.
 *
 * Appending beyond the maximum or out of memory sets ${failed}; from then on
 * nothing is appended, so a caller may write many pieces and ask once:
 * buf_failed() must be asked before the bytes are used.  buf_str() always
 * gives a NUL-terminated string (the NUL is not counted in len).
 */
struct buf {
	uint8_t *p;	/* NULL until the first byte */
	size_t len;
	size_t cap;
	size_t max;
	int failed;	/* 0, ERR_NOMEM or ERR_LIMIT */
};

void buf_init(struct buf *b, size_t max);
void buf_release(struct buf *b);	/* frees; the struct may be reused */
/* empties, forgets a failure, keeps the memory */
void buf_clear(struct buf *b);
int buf_failed(const struct buf *b);	/* 0 or a negative err_code */

void buf_put(struct buf *b, const void *p, size_t n);
void buf_putc(struct buf *b, char c);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
    __attribute__((format(printf, 2, 0)));
void buf_hex(struct buf *b, const void *p, size_t n);	/* lower case */
void buf_base64(struct buf *b, const void *p, size_t n);/* RFC 4648, padded */
const char *buf_str(struct buf *b);	/* "" when empty or failed */

#endif /* !BASE_BUF_H_ */
