#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/progress.h"

#define SECOND 1000000000LL

void
progress_init(struct progress *p, bool quiet)
{
	p->on = !quiet && isatty(STDERR_FILENO) == 1;
	p->shown = false;
	p->began = clock_mono_ns();
	p->last = 0;
	p->objects = 0;
}

void
progress_show(struct progress *p, uint64_t done, uint64_t total,
    const char *what)
{
	double seconds, rate;
	int64_t now;

	if (!p->on)
		return;
	now = clock_mono_ns();
	if (now - p->last < SECOND / 10)
		return;
	p->last = now;
	p->shown = true;
	seconds = (double)(now - p->began) / 1e9;
	rate = seconds > 0 ? (double)done / seconds : 0;
	(void)fprintf(stderr, "\r\033[K%.1f MiB, %.0f MiB/s",
	    (double)done / 1048576, rate / 1048576);
	if (p->objects > 0)
		(void)fprintf(stderr, ", %llu objects",
		    (unsigned long long)p->objects);
	if (total > done && rate > 0)
		(void)fprintf(stderr, ", %.0f s left",
		    (double)(total - done) / rate);
	(void)fprintf(stderr, "  %.60s", what);
	(void)fflush(stderr);
}

void
progress_end(struct progress *p)
{
	if (p->shown)
		(void)fprintf(stderr, "\r\033[K");
	p->shown = false;
}
