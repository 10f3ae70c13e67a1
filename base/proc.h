#ifndef BASE_PROC_H_
#define BASE_PROC_H_

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

/*
 * Worker processes with deadlines.
 *
 * proc_spawn forks.  The child keeps descriptors 0-2 (stdin is /dev/null),
 * those in keep[] and its end of the pipe, and nothing else (close_range);
 * it gets its own process group, default signal handling, and dies with its
 * parent (PDEATHSIG).  It calls main(arg, pipe) and exits with what that
 * returns.  The parent must have no other threads when it forks, and must
 * not ignore SIGCHLD: a worker whose end is lost counts as killed.
 *
 * The parent reads frames or bytes from p->fd; proc_wait reaps.
 */
struct proc {
	pid_t pid;		/* 0 once it was reaped */
	int fd;			/* read end of the child's pipe, or -1 */
	int64_t deadline;	/* clock_mono_ns value; 0: none */
	bool killed;		/* we ended it: deadline or misbehaviour */
};

enum proc_end {
	PROC_EXITED,	/* status: exit code */
	PROC_SIGNALED,	/* status: signal; SIGSYS means the fence */
	PROC_DEADLINE,	/* we killed it at its deadline */
	PROC_KILLED,	/* we killed it for another reason */
};

int proc_spawn(struct proc *p, int (*main)(void *arg, int out_fd), void *arg,
    const int *keep, unsigned nkeep, unsigned seconds, struct err *e);

/*
 * proc_read(p, dst, n, got, e): up to n bytes; *got 0 at the end of the
 * stream.  Past the deadline the child is killed and *got is 0.
 */
int proc_read(struct proc *p, void *dst, size_t n, size_t *got,
    struct err *e);

/*
 * proc_frame(p, head, body, cap, n, e): read one whole frame: 1 and *n body
 * bytes with its type in *type, 0 at a clean end, ERR_FORMAT when the worker
 * sends what is not a frame, ERR_TRUNC when it ends within one.
 */
int proc_frame(struct proc *p, uint8_t *type, uint8_t *body, size_t cap,
    size_t *n, struct err *e);

void proc_kill(struct proc *p);
/*
 * proc_wait: reap (killing at the deadline); closes p->fd.  After it the
 * other functions do nothing to any process.
 */
enum proc_end proc_wait(struct proc *p, int *status);

#endif /* !BASE_PROC_H_ */
