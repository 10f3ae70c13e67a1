#include <errno.h>
#include <linux/ioprio.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/json_write.h"
#include "collector/throttle.h"

#define SECOND 1000000000LL
/* What may be asked for at once without the product below overflowing. */
#define STEP ((uint64_t)1 << 30)

int64_t
throttle_due(struct throttle *t, uint64_t n, int64_t now)
{
	if (t->rate == 0)
		return 0;
	if (t->paid_ns < now - THROTTLE_BURST_NS)
		t->paid_ns = now - THROTTLE_BURST_NS;
	for (uint64_t step; n > 0; n -= step) {
		step = n < STEP ? n : STEP;
		t->paid_ns += (int64_t)(step * (uint64_t)SECOND / t->rate);
	}
	return t->paid_ns > now ? t->paid_ns - now : 0;
}

void
throttle_wait(struct throttle *t, uint64_t n)
{
	int64_t due;
	struct timespec ts;

	if (t->rate == 0 ||
	    (due = throttle_due(t, n, clock_mono_ns())) == 0)
		return;
	ts = (struct timespec){.tv_sec = due / SECOND,
	    .tv_nsec = due % SECOND};
	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

int
throttle_nice(int nice, struct err *e)
{
	unsigned long prio = nice == THROTTLE_NICE_MAX ?
	    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0UL) :
	    IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE,
	    (unsigned long)(nice + 20) / 5);

	if (setpriority(PRIO_PROCESS, 0, nice) < 0)
		return err_sys(e, errno, "cannot set the priority");
	(void)syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, prio);
	return 0;
}

static const char *
class_name(long prio)
{
	switch (IOPRIO_PRIO_CLASS(prio)) {
	case IOPRIO_CLASS_RT:
		return "real time";
	case IOPRIO_CLASS_BE:
		return "best effort";
	case IOPRIO_CLASS_IDLE:
		return "idle";
	default:
		return "as nice";	/* none was set */
	}
}

void
throttle_put_priority(struct json_write *w)
{
	long prio = syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
	char text[40];
	int nice;

	errno = 0;
	nice = getpriority(PRIO_PROCESS, 0);
	if (errno == 0)
		json_ki64(w, "nice", nice);
	else
		json_knull(w, "nice");
	if (prio < 0) {
		json_knull(w, "io_priority");
		return;
	}
	(void)snprintf(text, sizeof(text), "%s %ld", class_name(prio),
	    prio & 7);
	json_kstr(w, "io_priority", text);
}
