#ifndef BASE_CLOCK_H_
#define BASE_CLOCK_H_

#include <stddef.h>
#include <stdint.h>

/*
 * The only reader of time.  Everything that is written down as a time comes
 * from here, so a test can pin it (clock_pin) and two runs give the same
 * bytes.
 */
struct clock_evidence {
	int64_t real_ns;	/* CLOCK_REALTIME, since 1970 UTC */
	int64_t mono_ns;	/* CLOCK_MONOTONIC */
	int64_t boot_ns;	/* CLOCK_BOOTTIME */
	int state;		/* adjtimex return: TIME_OK 0 ... TIME_ERROR 5 */
	uint64_t status;	/* STA_* bits; STA_UNSYNC is 0x40 */
	int64_t offset_ns;
	int64_t maxerror_us;
	int64_t esterror_us;
	int tai;
};

int64_t clock_real_ns(void);
int64_t clock_mono_ns(void);
void clock_evidence(struct clock_evidence *ret);

/* clock_pin(real_ns): for tests; 0 unpins. */
void clock_pin(int64_t real_ns);

/* "2026-11-24T10:45:00Z" with ${digits} 0..9 of fraction; years 0..9999. */
#define CLOCK_TEXT 40
const char *clock_rfc3339(char dst[CLOCK_TEXT], int64_t ns, unsigned digits);

#endif /* !BASE_CLOCK_H_ */
