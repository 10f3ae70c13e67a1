#include <stdio.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>

#include "base/bug.h"
#include "base/clock.h"
#include "base/date.h"

#define NS_PER_S INT64_C(1000000000)
#define S_PER_DAY INT64_C(86400)

/* Set by a test before threads start, 0 in service. */
static int64_t pinned;

static int64_t
read_ns(clockid_t id)
{
	struct timespec ts;

	if (clock_gettime(id, &ts) != 0)
		BUG("clock %d cannot be read", (int)id);
	return (int64_t)ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t
clock_real_ns(void)
{
	return pinned != 0 ? pinned : read_ns(CLOCK_REALTIME);
}

int64_t
clock_mono_ns(void)
{
	return read_ns(CLOCK_MONOTONIC);
}

void
clock_evidence(struct clock_evidence *ret)
{
	struct timex tx;

	memset(ret, 0, sizeof(*ret));
	ret->real_ns = clock_real_ns();
	if (pinned != 0)
		return; /* the same bytes in every run */
	ret->mono_ns = read_ns(CLOCK_MONOTONIC);
	ret->boot_ns = read_ns(CLOCK_BOOTTIME);
	memset(&tx, 0, sizeof(tx));
	/* A container may refuse even the reading: not synchronized then. */
	if ((ret->state = adjtimex(&tx)) < 0) {
		ret->state = TIME_ERROR;
		ret->status = STA_UNSYNC;
		return;
	}
	ret->status = (uint64_t)tx.status;
	ret->offset_ns = tx.offset * ((tx.status & STA_NANO) ? 1 : 1000);
	ret->maxerror_us = tx.maxerror;
	ret->esterror_us = tx.esterror;
	ret->tai = tx.tai;
}

void
clock_pin(int64_t real_ns)
{
	pinned = real_ns;
}

const char *
clock_rfc3339(char dst[CLOCK_TEXT], int64_t ns, unsigned digits)
{
	char frac[16];
	int64_t s, part, days, year;
	int month, day, n;

	/* 64 bits of nanoseconds are the years 1677 to 2262. */
	BUG_ON(digits > 9);
	s = ns / NS_PER_S;
	part = ns % NS_PER_S;
	if (part < 0) {
		part += NS_PER_S;
		s -= 1;
	}
	days = s / S_PER_DAY;
	s %= S_PER_DAY;
	if (s < 0) {
		s += S_PER_DAY;
		days -= 1;
	}
	date_of(days, &year, &month, &day);
	snprintf(frac, sizeof(frac), "%09d", (int)part);
	n = snprintf(dst, CLOCK_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d%s%.*sZ",
	    (int)year, month, day, (int)(s / 3600), (int)(s / 60 % 60),
	    (int)(s % 60), digits > 0 ? "." : "", (int)digits, frac);
	BUG_ON(n < 0 || n >= CLOCK_TEXT);
	return dst;
}
