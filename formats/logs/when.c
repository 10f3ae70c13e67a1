#include <string.h>

#include "base/date.h"
#include "formats/logs/when.h"

#define NS_PER_SEC INT64_C(1000000000)

static bool
number(const uint8_t *p, size_t n, unsigned *ret)
{
	unsigned v = 0;

	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9')
			return false;
		v = v * 10 + (unsigned)(p[i] - '0');
	}
	*ret = v;
	return true;
}

static bool
in_range(const struct when *w)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31,
	    30, 31};

	return w->month >= 1 && w->month <= 12 && w->day >= 1 &&
	    w->day <= days[w->month - 1] && w->hour < 24 && w->minute < 60 &&
	    w->second <= 60 && (!w->has_year || (w->year >= 1970 &&
	    w->year <= 2261));
}

/* HH:MM:SS and a fraction of any length, of which nine digits count. */
static bool
clock_part(const uint8_t *p, size_t n, struct when *w, size_t *used)
{
	uint32_t unit = 100000000;
	size_t i = 8;

	if (n < 8 || p[2] != ':' || p[5] != ':' || !number(p, 2, &w->hour) ||
	    !number(p + 3, 2, &w->minute) || !number(p + 6, 2, &w->second))
		return false;
	w->ns = 0;
	if (i + 1 < n && (p[i] == '.' || p[i] == ',') && p[i + 1] >= '0' &&
	    p[i + 1] <= '9')
		for (i++; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
			w->ns += (uint32_t)(p[i] - '0') * unit;
			unit /= 10;
		}
	*used = i;
	return true;
}

/* Z, +HH:MM, +HHMM, +HH, each also behind a blank; " UTC". */
static size_t
zone_part(const uint8_t *p, size_t n, struct when *w)
{
	size_t i = n > 0 && p[0] == ' ' ? 1 : 0, k;
	unsigned h, m = 0;

	if (n - i >= 3 && (memcmp(p + i, "UTC", 3) == 0 ||
	    memcmp(p + i, "GMT", 3) == 0)) {
		w->has_zone = true;
		return i + 3;
	}
	if (i == 0 && n > 0 && (p[0] == 'Z' || p[0] == 'z')) {
		w->has_zone = true;
		return 1;
	}
	if (n - i < 3 || (p[i] != '+' && p[i] != '-') ||
	    !number(p + i + 1, 2, &h))
		return 0;
	k = i + 3;
	if (n - k >= 3 && p[k] == ':' && number(p + k + 1, 2, &m))
		k += 3;
	else if (n - k >= 2 && number(p + k, 2, &m))
		k += 2;
	else if (i > 0)
		return 0;	/* " -5 ..." is no zone */
	if (h > 15 || m > 59)
		return 0;
	w->zone_min = (int)(h * 60 + m) * (p[i] == '-' ? -1 : 1);
	w->has_zone = true;
	return k;
}

bool
when_parse(const uint8_t *p, size_t n, struct when *ret, size_t *used)
{
	struct when w = {.has_year = true};
	size_t k;

	if (n < 19 || (p[4] != '-' && p[4] != '/') || p[7] != p[4] ||
	    (p[10] != 'T' && p[10] != ' ' && p[10] != 't') ||
	    !number(p, 4, &w.year) || !number(p + 5, 2, &w.month) ||
	    !number(p + 8, 2, &w.day) ||
	    !clock_part(p + 11, n - 11, &w, &k) || !in_range(&w))
		return false;
	k += 11;
	k += zone_part(p + k, n - k, &w);
	*ret = w;
	*used = k;
	return true;
}

bool
when_common(const uint8_t *p, size_t n, struct when *ret, size_t *used)
{
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct when w = {.has_year = true};
	size_t k;

	if (n < 20 || p[2] != '/' || p[6] != '/' || p[11] != ':' ||
	    !number(p, 2, &w.day) || !number(p + 7, 4, &w.year) ||
	    !clock_part(p + 12, n - 12, &w, &k))
		return false;
	for (unsigned m = 0; m < 12; m++)
		if (memcmp(p + 3, months + (size_t)m * 3, 3) == 0)
			w.month = m + 1;
	if (!in_range(&w))
		return false;
	k += 12;
	k += zone_part(p + k, n - k, &w);
	*ret = w;
	*used = k;
	return true;
}

bool
when_month_day(const uint8_t *p, size_t n, char sep, struct when *ret,
    size_t *used)
{
	const size_t d = sep != 0 ? 3 : 2;
	struct when w = {0};
	size_t k;

	if (n < d + 3 || (sep != 0 && p[2] != (uint8_t)sep) ||
	    p[d + 2] != ' ' || !number(p, 2, &w.month) ||
	    !number(p + d, 2, &w.day) ||
	    !clock_part(p + d + 3, n - d - 3, &w, &k) || !in_range(&w))
		return false;
	*ret = w;
	*used = k + d + 3;
	return true;
}

bool
when_number(const uint8_t *p, size_t n, struct when *ret)
{
	uint64_t v = 0, unit, fraction = 0;
	size_t i = 0;

	while (i < n && p[i] >= '0' && p[i] <= '9' && i < 19)
		v = v * 10 + (uint64_t)(p[i++] - '0');
	if (i == 0 || v > INT64_MAX)
		return false;
	unit = v < UINT64_C(100000000000) ? 1000000000 :
	    v < UINT64_C(100000000000000) ? 1000000 :
	    v < UINT64_C(100000000000000000) ? 1000 : 1;
	if (v > (uint64_t)INT64_MAX / unit)
		return false;
	if (i < n && p[i] == '.') {
		uint64_t place = unit / 10;

		for (i++; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
			fraction += (uint64_t)(p[i] - '0') * place;
			place /= 10;
		}
	}
	if (i != n || v * unit > INT64_MAX - fraction)
		return false;
	*ret = (struct when){.epoch = true,
	    .epoch_ns = (int64_t)(v * unit + fraction)};
	return true;
}

bool
when_all(const uint8_t *p, size_t n, struct when *ret)
{
	size_t used;

	return ((when_parse(p, n, ret, &used) ||
	    when_common(p, n, ret, &used)) && used == n) ||
	    when_number(p, n, ret);
}

bool
when_ns(const struct when *w, unsigned year, int zone_min, int64_t *ret)
{
	const unsigned y = w->has_year ? w->year : year;
	int64_t s;

	if (w->epoch) {
		*ret = w->epoch_ns;
		return true;
	}
	if (y < 1970 || y > 2261)
		return false;
	s = date_days(y, w->month, w->day) * 86400 + w->hour * 3600 +
	    w->minute * 60 + w->second -
	    (int64_t)(w->has_zone ? w->zone_min : zone_min) * 60;
	*ret = s * NS_PER_SEC + w->ns;
	return true;
}

unsigned
when_year(int64_t ns)
{
	const int64_t days = ns / NS_PER_SEC / 86400;
	unsigned y = (unsigned)(1970 + days / 366);

	while (date_days((int64_t)y + 1, 1, 1) <= days)
		y++;
	return y;
}
