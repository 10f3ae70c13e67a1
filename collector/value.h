#ifndef COLLECTOR_VALUE_H_
#define COLLECTOR_VALUE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Values as a person writes them, in options and in plans.
 *
 * value_size: digits, and K, M, G or T for powers of 1024: "4096", "20M".
 *
 * value_time: nanoseconds since 1970 of a time of RFC 3339
 * ("2026-11-24T10:45:00Z", "2026-11-24T11:45:00.5+01:00", a blank may stand
 * for T) or of a date, which is its midnight in UTC.  Years 1970 to 2261.
 * There is no time without a zone and none that depends on now: a plan means
 * the same tomorrow.
 *
 * value_zone: seconds east of UTC: "+05:30", "-08:00", "Z".
 *
 * They are false, and write nothing, when the text is not that.
 */
bool value_size(const char *s, size_t n, uint64_t *ret);
bool value_time(const char *s, size_t n, int64_t *ret);
bool value_zone(const char *s, int32_t *ret);

/* value_number: digits not over ${max}. */
bool value_number(const char *s, size_t n, uint64_t max, uint64_t *ret);

#endif /* !COLLECTOR_VALUE_H_ */
