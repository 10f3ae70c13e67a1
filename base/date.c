#include "base/date.h"

/*
 * Years start in March, so that the leap day is the last of a year, and eras
 * of 400 years all have 146097 days (Howard Hinnant, "chrono-compatible
 * low-level date algorithms").
 */
#define ERA INT64_C(146097)
#define TO_1970 INT64_C(719468)	/* from 0000-03-01 */

bool
date_valid(int64_t year, int64_t month, int64_t day)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30,
	    31, 30, 31};
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return month >= 1 && month <= 12 && day >= 1 &&
	    day <= days[month - 1] + (month == 2 && leap);
}

int64_t
date_days(int64_t y, int64_t m, int64_t d)
{
	int64_t era, yoe, doy;

	y -= m <= 2;
	era = (y >= 0 ? y : y - 399) / 400;
	yoe = y - era * 400;
	doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
	return era * ERA + yoe * 365 + yoe / 4 - yoe / 100 + doy - TO_1970;
}

void
date_of(int64_t days, int64_t *year, int *month, int *day)
{
	int64_t era, doe, yoe, doy, mp;

	days += TO_1970;
	era = (days >= 0 ? days : days - (ERA - 1)) / ERA;
	doe = days - era * ERA;
	yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
	doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
	mp = (5 * doy + 2) / 153;
	*day = (int)(doy - (153 * mp + 2) / 5 + 1);
	*month = (int)(mp < 10 ? mp + 3 : mp - 9);
	*year = yoe + era * 400 + (*month <= 2 ? 1 : 0);
}
