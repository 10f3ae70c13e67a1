#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/json_write.h"
#include "base/text.h"
#include "collector/hostfile.h"
#include "collector/run.h"

/* The clocks, at the beginning and at the end; and what stands behind them. */
void
facts_clock(struct json_write *w, const char *key)
{
	struct clock_evidence c;
	char text[CLOCK_TEXT], number[32];

	clock_evidence(&c);
	json_key(w, key);
	json_begin_object(w);
	json_kstr(w, "utc", clock_rfc3339(text, c.real_ns, 9));
	(void)snprintf(number, sizeof(number), "%lld", (long long)c.mono_ns);
	json_kstr(w, "monotonic_ns", number);
	(void)snprintf(number, sizeof(number), "%lld", (long long)c.boot_ns);
	json_kstr(w, "boottime_ns", number);
	json_ki64(w, "adjtimex_state", c.state);
	json_ku64(w, "adjtimex_status", c.status);
	json_kbool(w, "synchronised", (c.status & 0x40) == 0);
	json_ki64(w, "offset_ns", c.offset_ns);
	json_ki64(w, "maxerror_us", c.maxerror_us);
	json_ki64(w, "esterror_us", c.esterror_us);
	json_ki64(w, "tai_offset", c.tai);
	/* The hardware's own idea, a second's worth. */
	hostfile_put(w, "rtc_since_epoch", "/sys/class/rtc/rtc0/since_epoch");
	json_end_object(w);
}

/* What the examiner's own watch said, and how far this clock is from it. */
static void
put_reference(struct json_write *w, const struct collect *c)
{
	char text[CLOCK_TEXT], number[32];

	json_key(w, "reference");
	if (c->o->reference_ns == 0) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_kstr(w, "utc", clock_rfc3339(text, c->o->reference_ns, 3));
	(void)snprintf(number, sizeof(number), "%lld",
	    (long long)(c->began_real_ns - c->o->reference_ns));
	json_kstr(w, "clock_minus_reference_ns", number);
	json_end_object(w);
}

void
facts_zone(struct json_write *w, const struct collect *c)
{
	static const struct {
		const char *name, *sign;
	} daemons[] = {
	    {"systemd-timesyncd", "/run/systemd/timesync/synchronized"},
	    {"chronyd", "/run/chrony/chronyd.pid"}, {"ntpd", "/run/ntpd.pid"},
	    {"ptp4l", "/run/ptp4l"}};

	json_key(w, "time_zone");
	json_begin_object(w);
	hostfile_put(w, "name", "/etc/timezone");
	hostfile_link(w, "localtime", "/etc/localtime");
	hostfile_digest(w, "localtime_sha256", "/etc/localtime");
	json_end_object(w);
	json_key(w, "time_sources");
	json_begin_array(w);
	for (size_t i = 0; i < sizeof(daemons) / sizeof(daemons[0]); i++)
		if (access(daemons[i].sign, F_OK) == 0)
			json_str(w, daemons[i].name);
	json_end_array(w);
	put_reference(w, c);
}
