#ifndef FORMATS_ROWS_CIVIL_H_
#define FORMATS_ROWS_CIVIL_H_

#include <stddef.h>
#include <stdint.h>

#include "formats/rows/rows.h"

/*
 * Dates, times and decimals of columnar files as values of rows.h.  A time
 * is ROWS_TIME when it fits (years 1677 to 2262), otherwise a text of the
 * same form; the year then may have a sign and more than four digits.
 */
#define CIVIL_TEXT 128

/* civil_stamp: days since 1970 and nanoseconds, of any sign and number. */
void civil_stamp(struct rows_value *ret, int64_t days, int64_t ns,
    char text[CIVIL_TEXT]);

/* civil_units: ${v} units since 1970, of which a second has ${unit}. */
void civil_units(struct rows_value *ret, int64_t v, uint32_t unit,
    char text[CIVIL_TEXT]);

/* civil_clock: units since midnight as hh:mm:ss and the unit's digits. */
void civil_clock(struct rows_value *ret, int64_t v, uint32_t unit,
    char text[CIVIL_TEXT]);

/*
 * civil_decimal: n bytes of two's complement, big-endian, with ${scale} digits
 * behind the point, as text.  ROWS_BYTES when n > 32 or scale > 76.
 */
void civil_decimal(struct rows_value *ret, const uint8_t *p, size_t n,
    uint32_t scale, char text[CIVIL_TEXT]);
/* civil_decimal64: the same of an integer. */
void civil_decimal64(struct rows_value *ret, int64_t v, uint32_t scale,
    char text[CIVIL_TEXT]);

/* civil_half: a float of 16 bits (IEEE 754 binary16). */
double civil_half(uint16_t bits);

#endif /* !FORMATS_ROWS_CIVIL_H_ */
