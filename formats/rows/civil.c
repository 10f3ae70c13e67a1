#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/date.h"
#include "formats/rows/civil.h"

#define DAY_NS INT64_C(86400000000000)
#define SECOND_NS INT64_C(1000000000)
/* Whole days that fit in nanoseconds of 64 bits. */
#define DAYS_FIT (INT64_MAX / DAY_NS - 1)
#define DECIMAL_BYTES 32
#define SCALE_MAX 76

static void
put_text(struct rows_value *ret, const char *text, int n)
{
	memset(ret, 0, sizeof(*ret));
	ret->type = ROWS_TEXT;
	ret->p = (const uint8_t *)text;
	ret->n = n < 0 ? 0 : (size_t)n;
}

/* Floor division; *rest is never negative. */
static int64_t
floor_div(int64_t a, int64_t b, int64_t *rest)
{
	int64_t q = a / b, r = a % b;

	if (r < 0) {
		r += b;
		q--;
	}
	*rest = r;
	return q;
}

void
civil_stamp(struct rows_value *ret, int64_t days, int64_t ns,
    char text[CIVIL_TEXT])
{
	int64_t more, rest, year, sec;
	int month, day, n;

	more = floor_div(ns, DAY_NS, &rest);
	/* Far more than any calendar: days of 64 bits cannot be added to. */
	if (days > INT64_MAX / 4 || days < INT64_MIN / 4) {
		put_text(ret, text, snprintf(text, CIVIL_TEXT,
		    "day %" PRId64, days));
		return;
	}
	days += more;
	if (days >= -DAYS_FIT && days <= DAYS_FIT) {
		memset(ret, 0, sizeof(*ret));
		ret->type = ROWS_TIME;
		ret->i = days * DAY_NS + rest;
		return;
	}
	date_of(days, &year, &month, &day);
	sec = rest / SECOND_NS;
	n = snprintf(text, CIVIL_TEXT, "%s%04" PRId64 "-%02d-%02dT%02d:%02d:"
	    "%02d.%09" PRId64 "Z", year > 9999 ? "+" : "", year, month, day,
	    (int)(sec / 3600), (int)(sec / 60 % 60), (int)(sec % 60),
	    rest % SECOND_NS);
	put_text(ret, text, n);
}

void
civil_units(struct rows_value *ret, int64_t v, uint32_t unit,
    char text[CIVIL_TEXT])
{
	int64_t rest, days;

	if (unit == 0)
		unit = 1;
	days = floor_div(v, (int64_t)unit * 86400, &rest);
	civil_stamp(ret, days, rest * (SECOND_NS / unit), text);
}

void
civil_clock(struct rows_value *ret, int64_t v, uint32_t unit,
    char text[CIVIL_TEXT])
{
	int64_t sec, rest, day;
	int n;

	if (unit == 0)
		unit = 1;
	sec = floor_div(v, unit, &rest);
	day = floor_div(sec, 86400, &sec);
	if (day != 0) {
		memset(ret, 0, sizeof(*ret));
		ret->type = ROWS_INT;	/* no time of a day */
		ret->i = v;
		return;
	}
	n = snprintf(text, CIVIL_TEXT, "%02d:%02d:%02d", (int)(sec / 3600),
	    (int)(sec / 60 % 60), (int)(sec % 60));
	if (unit > 1)
		n += snprintf(text + n, CIVIL_TEXT - (size_t)n, ".%0*" PRId64,
		    unit == 1000 ? 3 : unit == 1000000 ? 6 : 9, rest);
	put_text(ret, text, n);
}

/* Divide the number in m[0..n) by ten; the remainder. */
static unsigned
div_ten(uint8_t *m, size_t n)
{
	unsigned rest = 0;

	for (size_t i = 0; i < n; i++) {
		rest = rest << 8 | m[i];
		m[i] = (uint8_t)(rest / 10);
		rest %= 10;
	}
	return rest;
}

static bool
is_zero(const uint8_t *m, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (m[i] != 0)
			return false;
	return true;
}

/* The magnitude of two's complement. */
static bool
magnitude(uint8_t *m, const uint8_t *p, size_t n)
{
	bool negative = n > 0 && p[0] >> 7 != 0;
	unsigned carry = 1;

	memcpy(m, p, n);
	for (size_t i = n; negative && i-- > 0;) {
		carry += (uint8_t)~m[i];
		m[i] = (uint8_t)carry;
		carry >>= 8;
	}
	return negative;
}

void
civil_decimal(struct rows_value *ret, const uint8_t *p, size_t n,
    uint32_t scale, char text[CIVIL_TEXT])
{
	uint8_t m[DECIMAL_BYTES];
	size_t at = CIVIL_TEXT;
	uint32_t digits = 0;
	bool negative;

	if (n == 0 || n > DECIMAL_BYTES || scale > SCALE_MAX) {
		memset(ret, 0, sizeof(*ret));
		ret->type = ROWS_BYTES;
		ret->p = p;
		ret->n = n;
		return;
	}
	negative = magnitude(m, p, n);
	/* From the last digit; at most 78 digits, a point and a sign. */
	while (!is_zero(m, n) || digits <= scale) {
		if (digits == scale && scale > 0)
			text[--at] = '.';
		text[--at] = (char)('0' + div_ten(m, n));
		digits++;
	}
	if (negative)
		text[--at] = '-';
	put_text(ret, text + at, (int)(CIVIL_TEXT - at));
}

void
civil_decimal64(struct rows_value *ret, int64_t v, uint32_t scale,
    char text[CIVIL_TEXT])
{
	uint8_t be[8];

	for (unsigned i = 0; i < 8; i++)
		be[i] = (uint8_t)((uint64_t)v >> (56 - 8 * i));
	if (scale > SCALE_MAX) {
		memset(ret, 0, sizeof(*ret));
		ret->type = ROWS_INT;
		ret->i = v;
		return;
	}
	civil_decimal(ret, be, sizeof(be), scale, text);
}

double
civil_half(uint16_t bits)
{
	int exponent = bits >> 10 & 31;
	double v, fraction = bits & 1023;

	if (exponent == 0)
		v = ldexp(fraction, -24);
	else if (exponent == 31)
		v = fraction > 0 ? (double)NAN : (double)INFINITY;
	else
		v = ldexp(1024 + fraction, exponent - 25);
	return bits >> 15 != 0 ? -v : v;
}
