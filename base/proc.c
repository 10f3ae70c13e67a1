#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/proc.h"

#define NS 1000000000LL
/* Both sides of a comparison, and some. */
#define KEEP_MAX (4 * LIMIT_DIFF_PARTS)

static int
compare_fds(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static void
close_between(unsigned first, unsigned last)
{
	if (first > last)
		return;
	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
	/* Before Linux 5.9: one by one, up to what can be open. */
	if (last > 65535)
		last = 65535;
	for (unsigned fd = first; fd <= last; fd++)
		(void)close((int)fd);
}

/* Close everything but 0-2 and what is to be kept. */
static void
close_others(const int *keep, unsigned nkeep, int out_fd)
{
	int sorted[KEEP_MAX + 1];
	unsigned n = 0, from = 3;

	for (unsigned i = 0; i < nkeep; i++)
		sorted[n++] = keep[i];
	sorted[n++] = out_fd;
	qsort(sorted, n, sizeof(sorted[0]), compare_fds);
	for (unsigned i = 0; i < n; i++) {
		if (sorted[i] < (int)from)
			continue;
		close_between(from, (unsigned)sorted[i] - 1);
		from = (unsigned)sorted[i] + 1;
	}
	close_between(from, ~0U);
}

/*
 * A handler of the parent must not run here: the way in which a worker dies
 * is what the parent learns from.
 */
static void
default_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig <= SIGRTMAX; sig++)
		(void)signal(sig, SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static _Noreturn void
child(int (*main)(void *, int), void *arg, const int *keep, unsigned nkeep,
    int out_fd, pid_t parent)
{
	int null;

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(2);	/* the parent died before prctl */
	default_signals();
	if ((null = open("/dev/null", O_RDONLY)) < 0) {
		(void)close(STDIN_FILENO);
	} else if (null > 0) {
		(void)dup2(null, STDIN_FILENO);
		if (null > 2)
			(void)close(null);
	}
	close_others(keep, nkeep, out_fd);
	_exit(main(arg, out_fd));
}

int
proc_spawn(struct proc *p, int (*main)(void *arg, int out_fd), void *arg,
    const int *keep, unsigned nkeep, unsigned seconds, struct err *e)
{
	pid_t parent = getpid(), pid;
	int fds[2];

	if (nkeep > KEEP_MAX)
		return err_set(e, ERR_LIMIT, "too many descriptors to keep");
	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	if ((pid = fork()) < 0) {
		int errnum = errno;

		(void)close(fds[0]);
		(void)close(fds[1]);
		return err_sys(e, errnum, "cannot start a worker");
	}
	if (pid == 0) {
		(void)close(fds[0]);
		child(main, arg, keep, nkeep, fds[1], parent);
	}
	(void)close(fds[1]);
	p->pid = pid;
	p->fd = fds[0];
	p->killed = false;
	p->deadline = seconds == 0 ? 0 :
	    clock_mono_ns() + (int64_t)seconds * NS;
	return 0;
}

/* Once reaped, the number may be another process's: it is forgotten. */
static void
end_now(const struct proc *p)
{
	if (p->pid > 0)
		(void)kill(p->pid, SIGKILL);
}

/* Wait for input: 1 ready, 0 the deadline has passed. */
static int
wait_ready(const struct proc *p, struct err *e)
{
	struct pollfd pfd = {.fd = p->fd, .events = POLLIN};
	int64_t left;
	int r;

	for (;;) {
		left = p->deadline - clock_mono_ns();
		if (p->deadline != 0 && left <= 0)
			return 0;
		r = poll(&pfd, 1, p->deadline == 0 ? -1 :
		    left / 1000000 > 3600000 ? 3600000 :
		    (int)(left / 1000000) + 1);
		if (r > 0)
			return 1;
		if (r < 0 && errno != EINTR)
			return err_sys(e, errno, "cannot wait for a worker");
	}
}

int
proc_read(struct proc *p, void *dst, size_t n, size_t *got, struct err *e)
{
	ssize_t r;
	int rc;

	*got = 0;
	do {
		if ((rc = wait_ready(p, e)) <= 0) {
			if (rc == 0)
				end_now(p);
			return rc;
		}
		r = read(p->fd, dst, n);
	} while (r < 0 && errno == EINTR);
	if (r < 0)
		return err_sys(e, errno, "cannot read from a worker");
	*got = (size_t)r;
	return 0;
}

/* Exactly n bytes: 1, or 0 when the stream ends before the first. */
static int
read_exact(struct proc *p, uint8_t *dst, size_t n, struct err *e)
{
	size_t done = 0, got;
	int r;

	while (done < n) {
		if ((r = proc_read(p, dst + done, n - done, &got, e)) < 0)
			return r;
		if (got == 0)
			return done == 0 ? 0 : err_set(e, ERR_TRUNC,
			    "a worker ended within a frame");
		done += got;
	}
	return 1;
}

int
proc_frame(struct proc *p, uint8_t *type, uint8_t *body, size_t cap,
    size_t *n, struct err *e)
{
	uint8_t head[FRAME_HEADER];
	uint32_t size;
	bool ok;
	int r;

	if ((r = read_exact(p, head, sizeof(head), e)) <= 0)
		return r;
	size = frame_size(head, &ok);
	if (!ok || size > cap)
		return err_set(e, ERR_FORMAT, "a worker sent no frame");
	if (size > 0 && (r = read_exact(p, body, size, e)) <= 0)
		return r < 0 ? r : err_set(e, ERR_TRUNC,
		    "a worker ended within a frame");
	*type = head[4];
	*n = size;
	return 1;
}

void
proc_kill(struct proc *p)
{
	p->killed = true;
	end_now(p);
}

/*
 * The worker may have closed its pipe and go on: it is not trusted to end.
 * When its end is lost (SIGCHLD was ignored when we were started, so that
 * the kernel reaped it) it counts as killed: not known is not well.
 */
static int
reap(struct proc *p)
{
	struct timespec nap = {0, 200000};
	int status;
	pid_t r;

	if (p->pid <= 0)
		return SIGKILL;
	for (;;) {
		r = waitpid(p->pid, &status, p->deadline == 0 ? 0 : WNOHANG);
		if (r == p->pid)
			return status;
		if (r < 0 && errno != EINTR)
			return SIGKILL;
		if (p->deadline != 0 && clock_mono_ns() >= p->deadline)
			end_now(p);
		if (r == 0)
			(void)nanosleep(&nap, NULL);
	}
}

enum proc_end
proc_wait(struct proc *p, int *status)
{
	bool late;
	int st;

	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
	st = reap(p);
	p->pid = 0;
	late = p->deadline != 0 && clock_mono_ns() >= p->deadline;
	if (WIFEXITED(st)) {
		*status = WEXITSTATUS(st);
		return PROC_EXITED;
	}
	*status = WTERMSIG(st);
	if (*status != SIGKILL)
		return PROC_SIGNALED;
	return p->killed ? PROC_KILLED : late ? PROC_DEADLINE : PROC_SIGNALED;
}
