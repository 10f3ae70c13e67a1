#ifndef FORMATS_REG_REGTIME_H_
#define FORMATS_REG_REGTIME_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fields.h"

/*
 * Times as registries write them.  regtime_rfc3339: "2026-07-01T00:00:00Z",
 * a space for the T, a fraction (beyond nanoseconds it is cut), "+01:00" or
 * "+0100"; years 1700 to 2200.  A time without a zone is none.
 */
bool regtime_rfc3339(const char *s, size_t n, int64_t *ret);
/* regtime_set: a column of type FIELD_TIME; left alone when it is no time. */
void regtime_set(struct field *f, const char *s, size_t n);

#endif /* !FORMATS_REG_REGTIME_H_ */
