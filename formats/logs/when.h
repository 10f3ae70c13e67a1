#ifndef FORMATS_LOGS_WHEN_H_
#define FORMATS_LOGS_WHEN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Times as logs write them.
 *
 *	2026-08-01T10:24:30.112Z		RFC 3339; blank or T, comma or
 *	2026-08-01 10:24:30,944			point, offset, " UTC", or none
 *	01/Aug/2026:10:24:30 +0000		common log format
 *	1785579870, 1785579870.944, 1785579870944	seconds, by size also
 *						milli-, micro-, nanoseconds
 *	08-01 10:24:30				vLLM: no year, no zone
 *	0801 10:24:29.001123			glog: no year, no zone
 *
 * A time is broken into what was said; when_ns makes a point in time of it
 * with what is assumed.  Years 1970 to 2261; a leap second is the one after.
 */
struct when {
	bool has_year, has_zone;
	unsigned year, month, day, hour, minute, second;
	uint32_t ns;
	int zone_min;		/* east of UTC */
	bool epoch;		/* epoch_ns is it, and nothing else is set */
	int64_t epoch_ns;
};

/*
 * when_parse: the time at the beginning of p[0..n); *used is its length.
 * when_all: p[0..n) is a time and nothing else.
 */
bool when_parse(const uint8_t *p, size_t n, struct when *ret, size_t *used);
bool when_all(const uint8_t *p, size_t n, struct when *ret);
/* when_month_day: "08-01 10:24:30" with '-', glog's "0801 ..." with 0. */
bool when_month_day(const uint8_t *p, size_t n, char sep, struct when *ret,
    size_t *used);
bool when_common(const uint8_t *p, size_t n, struct when *ret, size_t *used);
/*
 * when_number: seconds since 1970 with a fraction, or milliseconds and
 * smaller where the number is too large for seconds (10^11, 10^14, 10^17).
 */
bool when_number(const uint8_t *p, size_t n, struct when *ret);

/* when_ns: with ${year} and ${zone_min} where it has none itself. */
bool when_ns(const struct when *w, unsigned year, int zone_min, int64_t *ret);
unsigned when_year(int64_t ns);	/* the year of a point in time, UTC */

#endif /* !FORMATS_LOGS_WHEN_H_ */
