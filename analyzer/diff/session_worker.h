#ifndef ANALYZER_DIFF_SESSION_WORKER_H_
#define ANALYZER_DIFF_SESSION_WORKER_H_

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/job.h"
#include "analyzer/finding.h"
#include "base/buf.h"
#include "base/proc.h"

struct err;
struct wire_carve;

/*
 * One worker that sends the frames of diff_wire.h: its process, and what it
 * says, checked.  The order of frames is checked here, fields by diff_wire.h.
 */
struct session_events {
	struct rows rows;	/* a ctx of their own */
	int (*skip)(void *ctx, const char *what, const char *why);
	int (*carve)(void *ctx, const struct wire_carve *w);
	void (*progress)(void *ctx, uint64_t done, uint64_t total);
	/* NULL: this worker asks for nothing. */
	int (*ask)(void *ctx, uint32_t number);
	void *ctx;
};

struct session_worker {
	struct proc proc;
	const struct session_events *ev;
	struct buf in;		/* bytes of frames not yet whole */
	struct diff_wire_in gate;
	uint64_t received, limit;
	uint64_t bytes;		/* that it read, by its own word */
	int failure;		/* what a function of ${ev} returned */
	bool has_status, done, misbehaved;
};

/* What is run: ${arg} and ${fds} are the worker's, nothing else is. */
struct session_task {
	int (*main)(void *arg, int out_fd);
	void *arg;
	const int *fds;
	unsigned nfds;
	unsigned seconds;	/* until it is ended; 0: never */
	uint64_t limit;		/* bytes of frames that it may send */
};

/*
 * session_worker_start: ${t}->arg and ${ev} must outlive the worker, ${t}
 * need not.  session_worker_compare: the same for a comparison, which has as
 * many seconds as its CPU time lasts on all of its threads.
 * session_worker_read: wait for bytes and take the whole frames among them;
 * 1: go on, 0: the worker has ended or was ended.  Negative: a function of
 * ${ev} failed and the worker was ended; ERR_FORMAT from one means that the
 * worker broke a rule, and gives 0.
 */
int session_worker_start(struct session_worker *w,
    const struct session_task *t, const struct session_events *ev,
    struct err *e);
int session_worker_compare(struct session_worker *w,
    int (*main)(void *, int), struct diff_job *job,
    const struct session_events *ev, struct err *e);
int session_worker_read(struct session_worker *w, struct err *e);

/*
 * session_worker_end: reap.  False: it saw the end of its work.  True: *id
 * says how it ended otherwise and ${text} (at least 64 bytes) by what;
 * *ours is set when our side failed, not the evidence.
 */
bool session_worker_end(struct session_worker *w, enum finding_id *id,
    char *text, size_t cap, bool *ours);
/* session_worker_drop: end and forget; a zeroed worker may be dropped. */
void session_worker_drop(struct session_worker *w);

#endif /* !ANALYZER_DIFF_SESSION_WORKER_H_ */
