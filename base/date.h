#ifndef BASE_DATE_H_
#define BASE_DATE_H_

#include <stdbool.h>
#include <stdint.h>

/*
 * The proleptic Gregorian calendar, for who reads and writes times.  Which
 * years and which spellings are taken is theirs to say.
 */

/* date_valid: is there such a day?  Months and days count from 1. */
bool date_valid(int64_t year, int64_t month, int64_t day);
/*
 * date_days: days from 1970-01-01 to the date; a month of 1 to 12, years
 * within a million.  A day that the month does not have is one of the next.
 */
int64_t date_days(int64_t year, int64_t month, int64_t day);
/* date_of: the date of a day; |days| up to 2^61. */
void date_of(int64_t days, int64_t *year, int *month, int *day);

#endif /* !BASE_DATE_H_ */
