#include <math.h>

#include "base/cursor.h"
#include "base/date.h"
#include "base/text.h"
#include "formats/rows/slicetime.h"

#define NS INT64_C(1000000000)

/* Exactly ${n} digits, from ${min} to ${max}. */
static bool
digits(struct cursor *c, size_t n, unsigned min, unsigned max, int64_t *ret)
{
	struct cursor d;
	uint64_t v;

	if (!cursor_sub(c, n, &d) ||
	    !text_u64((const char *)d.buf, n, 10, max, &v) || v < min)
		return false;
	*ret = (int64_t)v;
	return true;
}

static bool
take(struct cursor *c, char want)
{
	uint8_t b;

	return cursor_peek(c, 0, &b) && b == (uint8_t)want &&
	    cursor_skip(c, 1);
}

static bool
date(struct cursor *c, int64_t *ret)
{
	int64_t y, m, d;

	if (!digits(c, 4, 1678, 2261, &y) || !take(c, '-') ||
	    !digits(c, 2, 1, 12, &m) || !take(c, '-') ||
	    !digits(c, 2, 1, 31, &d) || !date_valid(y, m, d))
		return false;
	*ret = date_days(y, m, d) * 86400 * NS;
	return true;
}

/* "10:45", "10:45:00", "10:45:00.25": digits past the ninth are dropped. */
static bool
clock_time(struct cursor *c, int64_t *ret)
{
	int64_t h, m, s = 0, unit = NS / 10;
	uint8_t b;

	if (!digits(c, 2, 0, 23, &h) || !take(c, ':') ||
	    !digits(c, 2, 0, 59, &m) ||
	    (take(c, ':') && !digits(c, 2, 0, 60, &s)))
		return false;
	*ret = ((h * 60 + m) * 60 + s) * NS;
	if (!take(c, '.') && !take(c, ','))
		return true;
	if (!cursor_peek(c, 0, &b) || b < '0' || b > '9')
		return false;
	while (cursor_peek(c, 0, &b) && b >= '0' && b <= '9') {
		*ret += (b - '0') * unit;
		unit /= 10;
		if (!cursor_skip(c, 1))
			return false;
	}
	return true;
}

/* Z, +01:00, -0130, or nothing. */
static bool
zone(struct cursor *c, int64_t *ret)
{
	int64_t h, m = 0, sign;

	*ret = 0;
	if (cursor_at_end(c) || take(c, 'Z') || take(c, 'z'))
		return true;
	sign = take(c, '-') ? -1 : 1;
	if (sign > 0 && !take(c, '+'))
		return false;
	if (!digits(c, 2, 0, 23, &h))
		return false;
	if (!cursor_at_end(c) && ((void)take(c, ':'),
	    !digits(c, 2, 0, 59, &m)))
		return false;
	*ret = sign * (h * 60 + m) * 60 * NS;
	return true;
}

bool
slicetime_text(const char *p, size_t n, int64_t *ret)
{
	int64_t day, time = 0, off = 0;
	struct cursor c;

	cursor_init(&c, (const uint8_t *)p, n, 0);
	if (!date(&c, &day))
		return false;
	if (!cursor_at_end(&c) && ((!take(&c, 'T') && !take(&c, 't') &&
	    !take(&c, ' ')) || !clock_time(&c, &time) || !zone(&c, &off)))
		return false;
	if (!cursor_at_end(&c))
		return false;
	*ret = day + time - off;
	return true;
}

static int64_t
scale(double size)
{
	return size < 1e11 ? NS : size < 1e14 ? NS / 1000 :
	    size < 1e17 ? 1000 : 1;
}

bool
slicetime_integer(int64_t v, int64_t *ret)
{
	int64_t k = scale(fabs((double)v));

	if (v > INT64_MAX / k || v < INT64_MIN / k)
		return false;
	*ret = v * k;
	return true;
}

bool
slicetime_number(double v, int64_t *ret)
{
	double ns = v * (double)scale(fabs(v));

	if (!(ns > -9.2e18 && ns < 9.2e18))
		return false;
	*ret = (int64_t)ns;
	return true;
}
