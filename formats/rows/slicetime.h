#ifndef FORMATS_ROWS_SLICETIME_H_
#define FORMATS_ROWS_SLICETIME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * slicetime_text: "2026-11-24", "2026-11-24T10:45:00", with a fraction, with
 * Z or +01:00, 'T', 't' or a blank in the middle; ns since 1970.  False for
 * anything else, and for years that ns since 1970 do not hold.
 */
bool slicetime_text(const char *p, size_t n, int64_t *ret);

/* slicetime_number: seconds, ms, us or ns by their size (slice.h). */
bool slicetime_number(double v, int64_t *ret);
bool slicetime_integer(int64_t v, int64_t *ret);

#endif /* !FORMATS_ROWS_SLICETIME_H_ */
