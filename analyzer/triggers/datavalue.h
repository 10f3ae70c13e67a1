#ifndef ANALYZER_TRIGGERS_DATAVALUE_H_
#define ANALYZER_TRIGGERS_DATAVALUE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

struct buf;
struct rows_value;

/* Values of data sets as texts; what is absent is nothing. */
#define DATAVALUE_MAX (LIMIT_LINE + KIB)

void datavalue_text(struct buf *b, const struct rows_value *v);

/* datavalue_is_image: do the bytes begin as PNG, JPEG, BMP or PNM do? */
bool datavalue_is_image(const uint8_t *p, size_t n);

#endif /* !ANALYZER_TRIGGERS_DATAVALUE_H_ */
