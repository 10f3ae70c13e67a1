#include <string.h>

#include "base/cursor.h"
#include "base/date.h"
#include "base/text.h"
#include "collector/value.h"

#define SECOND 1000000000LL

bool
value_number(const char *s, size_t n, uint64_t max, uint64_t *ret)
{
	return text_u64(s, n, 10, max, ret);
}

bool
value_size(const char *s, size_t n, uint64_t *ret)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned shift = 0;
	uint64_t v;

	if (n > 1 && s[n - 1] != '\0' &&
	    (unit = strchr(units, s[n - 1])) != NULL) {
		shift = 10 * (unsigned)(unit - units + 1);
		n--;
	}
	if (!text_u64(s, n, 10, UINT64_MAX >> shift, &v))
		return false;
	*ret = v << shift;
	return true;
}

/* Exactly ${n} digits, not over ${max}. */
static bool
digits(struct cursor *c, unsigned n, unsigned max, unsigned *ret)
{
	unsigned v = 0;
	uint8_t d;

	while (n-- > 0) {
		if (!cursor_u8(c, &d) || d < '0' || d > '9')
			return false;
		v = 10 * v + (d - '0');
	}
	*ret = v;
	return v <= max;
}

static bool
byte(struct cursor *c, char want)
{
	uint8_t b;

	return cursor_u8(c, &b) && b == (uint8_t)want;
}

static bool
date(struct cursor *c, int64_t *ret)
{
	unsigned y, m, d;

	if (!digits(c, 4, 2261, &y) || !byte(c, '-') ||
	    !digits(c, 2, 12, &m) || !byte(c, '-') || !digits(c, 2, 31, &d) ||
	    y < 1970 || !date_valid(y, m, d))
		return false;
	*ret = date_days(y, m, d) * 86400;
	return true;
}

static bool
fraction(struct cursor *c, int64_t *ns)
{
	int64_t unit = SECOND / 10;
	uint8_t b;

	*ns = 0;
	if (!cursor_peek(c, 0, &b) || b != '.')
		return true;
	if (!cursor_skip(c, 1) || !cursor_peek(c, 0, &b) || b < '0' ||
	    b > '9')
		return false;
	for (; cursor_peek(c, 0, &b) && b >= '0' && b <= '9'; unit /= 10) {
		*ns += (b - '0') * unit;
		if (!cursor_skip(c, 1))
			return false;
	}
	return true;
}

/* "Z" or "+01:00": seconds east. */
static bool
zone(struct cursor *c, int64_t *east)
{
	unsigned h, m;
	uint8_t b;

	if (!cursor_u8(c, &b))
		return false;
	*east = 0;
	if (b == 'Z' || b == 'z')
		return true;
	if ((b != '+' && b != '-') || !digits(c, 2, 23, &h) ||
	    !byte(c, ':') || !digits(c, 2, 59, &m))
		return false;
	*east = (b == '+' ? 1 : -1) * (int64_t)(h * 3600 + m * 60);
	return true;
}

bool
value_time(const char *s, size_t n, int64_t *ret)
{
	unsigned hour, minute, second;
	int64_t t, ns, east;
	struct cursor c;
	uint8_t b;

	cursor_init(&c, (const uint8_t *)s, n, 0);
	if (!date(&c, &t))
		return false;
	if (cursor_at_end(&c)) {
		*ret = t * SECOND;
		return true;
	}
	if (!cursor_u8(&c, &b) || (b != 'T' && b != 't' && b != ' ') ||
	    !digits(&c, 2, 23, &hour) || !byte(&c, ':') ||
	    !digits(&c, 2, 59, &minute) || !byte(&c, ':') ||
	    !digits(&c, 2, 60, &second) || !fraction(&c, &ns) ||
	    !zone(&c, &east) || !cursor_at_end(&c))
		return false;
	*ret = (t + (int64_t)hour * 3600 + (int64_t)minute * 60 + second -
	    east) * SECOND + ns;
	return true;
}

bool
value_zone(const char *s, int32_t *ret)
{
	uint64_t h, m;

	if (strcmp(s, "Z") == 0) {
		*ret = 0;
		return true;
	}
	if (strlen(s) != 6 || (*s != '+' && *s != '-') || s[3] != ':' ||
	    !value_number(s + 1, 2, 14, &h) || !value_number(s + 4, 2, 59, &m))
		return false;
	*ret = (int32_t)(3600 * h + 60 * m) * (*s == '-' ? -1 : 1);
	return true;
}
