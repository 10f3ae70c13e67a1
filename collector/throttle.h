#ifndef COLLECTOR_THROTTLE_H_
#define COLLECTOR_THROTTLE_H_

#include <stdbool.h>
#include <stdint.h>

struct err;
struct json_write;

/*
 * The machine that is examined is in production.
 *
 * throttle_wait(t, n): behind a read of n bytes, sleep until so many may have
 * been read: a bucket of THROTTLE_BURST_NS that fills at ${rate} bytes a
 * second.  Rate 0 never sleeps.  throttle_due is its arithmetic: how long, at
 * the moment ${now}.
 */
#define THROTTLE_BURST_NS 100000000LL

struct throttle {
	uint64_t rate;
	int64_t paid_ns;	/* until when what was read is paid for */
};

int64_t throttle_due(struct throttle *t, uint64_t n, int64_t now);
void throttle_wait(struct throttle *t, uint64_t n);

/*
 * throttle_nice(nice, e): of this process and the threads that it starts from
 * now on, processor (setpriority) and disk (ioprio_set: the idle class at 19,
 * else best effort at the level that belongs to ${nice}); 0..19.  A kernel
 * that knows no priorities of disks is no error: throttle_put_priority writes
 * what holds, as the members "nice" and "io_priority".
 */
#define THROTTLE_NICE_MAX 19
int throttle_nice(int nice, struct err *e);
void throttle_put_priority(struct json_write *w);

#endif /* !COLLECTOR_THROTTLE_H_ */
