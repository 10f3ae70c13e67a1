#include "base/date.h"
#include "base/text.h"
#include "formats/reg/regtime.h"

static bool
number(const char *s, size_t n, uint64_t max, int64_t *ret)
{
	uint64_t v;

	if (!text_u64(s, n, 10, max, &v))
		return false;
	*ret = (int64_t)v;
	return true;
}

/* "+01:00", "-0530" or "Z", as seconds. */
static bool
zone(const char *s, size_t n, int64_t *ret)
{
	int64_t h, m;

	*ret = 0;
	if (n == 1 && (s[0] == 'Z' || s[0] == 'z'))
		return true;
	if ((n != 6 && n != 5) || (s[0] != '+' && s[0] != '-') ||
	    (n == 6 && s[3] != ':') || !number(s + 1, 2, 23, &h) ||
	    !number(s + n - 2, 2, 59, &m))
		return false;
	*ret = (h * 60 + m) * (s[0] == '-' ? -60 : 60);
	return true;
}

bool
regtime_rfc3339(const char *s, size_t n, int64_t *ret)
{
	int64_t y, mo, d, h, mi, sec, off, ns = 0, unit = 100000000;
	size_t i = 19;

	if (n < 20 || s[4] != '-' || s[7] != '-' || s[13] != ':' ||
	    s[16] != ':' || (s[10] != 'T' && s[10] != 't' && s[10] != ' ') ||
	    !number(s, 4, 9999, &y) || !number(s + 5, 2, 12, &mo) ||
	    !number(s + 8, 2, 31, &d) || !number(s + 11, 2, 23, &h) ||
	    !number(s + 14, 2, 59, &mi) || !number(s + 17, 2, 60, &sec) ||
	    y < 1700 || y > 2200 || !date_valid(y, mo, d))
		return false;
	if (s[i] == '.')
		for (i++; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
			ns += (s[i] - '0') * unit;
			unit /= 10;
		}
	if (!zone(s + i, n - i, &off))
		return false;
	*ret = ((date_days(y, mo, d) * 24 + h) * 3600 + mi * 60 + sec - off) *
	    1000000000 + ns;
	return true;
}

void
regtime_set(struct field *f, const char *s, size_t n)
{
	int64_t ns;

	if (s != NULL && regtime_rfc3339(s, n, &ns))
		fields_i64(f, ns);
}
