#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/proc.h"

#define SECOND 1000000000LL

static void
start(struct proc *p, int (*fn)(void *, int), void *arg, unsigned seconds)
{
	assert_int_equal(proc_spawn(p, fn, arg, NULL, 0, seconds, NULL), 0);
	assert_true(p->pid > 0);
	assert_true(p->fd >= 0);
}

/* All that a worker says, up to cap - 1 bytes, as a string. */
static void
hear(struct proc *p, char *dst, size_t cap)
{
	size_t n = 0, got;

	do {
		assert_int_equal(proc_read(p, dst + n, cap - 1 - n, &got,
		    NULL), 0);
		n += got;
	} while (got > 0 && n < cap - 1);
	dst[n] = '\0';
}

static int
say(void *arg, int out)
{
	const char *text = arg;

	for (; *text != '\0'; text++)
		if (write(out, text, 1) != 1)
			return 1;
	return 42;
}

static void
what_the_worker_says_arrives_and_then_the_end(void **state)
{
	char text[] = "hello from behind", got[100];
	struct proc p;
	int status = -1;

	(void)state;
	start(&p, say, text, 10);
	hear(&p, got, sizeof(got));
	assert_string_equal(got, text);
	assert_int_equal(proc_wait(&p, &status), PROC_EXITED);
	assert_int_equal(status, 42);
	assert_int_equal(p.fd, -1);
}

/* Which descriptors are open, as text. */
static int
list_descriptors(void *arg, int out)
{
	char line[600];
	size_t n = 0;

	(void)arg;
	for (int fd = 0; fd < 1024 && n < sizeof(line) - 8; fd++)
		if (fd != out && fcntl(fd, F_GETFD) >= 0)
			n += (size_t)snprintf(line + n, sizeof(line) - n,
			    "%d ", fd);
	return write(out, line, n) == (ssize_t)n ? 0 : 1;
}

static void
worker_holds_only_what_was_kept(void **state)
{
	char got[600], want[64];
	struct proc p;
	int fds[40], keep[4], status;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		assert_true((fds[i] = dup(0)) >= 0);
	/* Out of order, twice, one that is nothing. */
	keep[0] = fds[30];
	keep[1] = fds[7];
	keep[2] = fds[30];
	keep[3] = -1;
	assert_int_equal(proc_spawn(&p, list_descriptors, NULL, keep, 4, 10,
	    NULL), 0);
	hear(&p, got, sizeof(got));
	assert_int_equal(proc_wait(&p, &status), PROC_EXITED);
	(void)snprintf(want, sizeof(want), "0 1 2 %d %d ", fds[7], fds[30]);
	assert_string_equal(got, want);

	assert_int_equal(proc_spawn(&p, list_descriptors, NULL, NULL, 0, 10,
	    NULL), 0);
	hear(&p, got, sizeof(got));
	assert_int_equal(proc_wait(&p, &status), PROC_EXITED);
	assert_string_equal(got, "0 1 2 ");
	for (size_t i = 0; i < 40; i++)
		(void)close(fds[i]);
}

static void
too_many_descriptors_are_refused(void **state)
{
	static int keep[4 * LIMIT_DIFF_PARTS + 1];
	struct err e = ERR_INIT;
	struct proc p = {.pid = -7, .fd = -7};

	(void)state;
	assert_int_equal(proc_spawn(&p, say, NULL, keep,
	    sizeof(keep) / sizeof(keep[0]), 1, &e),
	    ERR_LIMIT);
	assert_int_equal(e.code, ERR_LIMIT);
	assert_int_equal(p.pid, -7);
}

/* 'y' for each thing that is as the header says. */
static int
look_around(void *arg, int out)
{
	char seen[3], c;

	seen[0] = read(STDIN_FILENO, &c, 1) == 0 ? 'y' : 'n';
	seen[1] = getpgid(0) == getpid() ? 'y' : 'n';
	seen[2] = getpgid(0) != *(const pid_t *)arg ? 'y' : 'n';
	return write(out, seen, 3) == 3 ? 0 : 1;
}

static void
stdin_is_empty_and_the_process_group_its_own(void **state)
{
	pid_t group = getpgid(0);
	int fds[2], old = dup(STDIN_FILENO), status;
	struct proc p;
	char got[10];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "secret", 6), 6);
	assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
	start(&p, look_around, &group, 10);
	hear(&p, got, sizeof(got));
	assert_int_equal(proc_wait(&p, &status), PROC_EXITED);
	(void)dup2(old, STDIN_FILENO);
	(void)close(old);
	(void)close(fds[0]);
	(void)close(fds[1]);
	assert_string_equal(got, "yyy");
}

static int
sleep_long(void *arg, int out)
{
	if (arg != NULL)
		(void)close(out);
	while (pause() == -1)
		continue;
	return 0;
}

/* ${quiet} non-NULL: the worker closes its pipe first. */
static void
ends_at_its_deadline(void *quiet)
{
	int64_t from = clock_mono_ns(), took;
	struct proc p;
	int status;
	size_t got = 99;
	char c;

	start(&p, sleep_long, quiet, 1);
	assert_int_equal(proc_read(&p, &c, 1, &got, NULL), 0);
	assert_int_equal(got, 0);
	assert_int_equal(proc_wait(&p, &status), PROC_DEADLINE);
	assert_int_equal(status, SIGKILL);
	took = clock_mono_ns() - from;
	assert_true(took >= SECOND - SECOND / 50 && took < 5 * SECOND);
}

static void
silent_worker_ends_at_its_deadline(void **state)
{
	(void)state;
	ends_at_its_deadline(NULL);
}

static void
closing_the_pipe_is_no_way_around_the_deadline(void **state)
{
	char quiet = 1;

	(void)state;
	ends_at_its_deadline(&quiet);
}

static int
say_and_sleep(void *arg, int out)
{
	return write(out, "r", 1) == 1 ? sleep_long(arg, out) : 1;
}

/* A worker that has come as far as its main. */
static void
start_and_hear(struct proc *p, unsigned seconds)
{
	size_t got = 0;
	char c;

	start(p, say_and_sleep, NULL, seconds);
	assert_int_equal(proc_read(p, &c, 1, &got, NULL), 0);
	assert_int_equal(got, 1);
}

/* The handlers of the test's own library must not be the worker's either. */
static void
killed_worker_is_told_from_one_that_died(void **state)
{
	struct proc p;
	int status;

	(void)state;
	start_and_hear(&p, 0);
	proc_kill(&p);
	assert_int_equal(proc_wait(&p, &status), PROC_KILLED);
	assert_int_equal(status, SIGKILL);
	start_and_hear(&p, 100);
	assert_int_equal(kill(p.pid, SIGKILL), 0);
	assert_int_equal(proc_wait(&p, &status), PROC_SIGNALED);
	assert_int_equal(status, SIGKILL);
	start_and_hear(&p, 0);
	assert_int_equal(kill(p.pid, SIGSYS), 0);
	assert_int_equal(proc_wait(&p, &status), PROC_SIGNALED);
	assert_int_equal(status, SIGSYS);
}

/*
 * Where SIGCHLD is ignored the kernel reaps by itself and the end of the
 * worker is lost: that is not an end that went well.
 */
static void
lost_end_is_not_a_good_end(void **state)
{
	char text[] = "x", got[8];
	enum proc_end end;
	struct proc p;
	int status = -1;

	(void)state;
	assert_true(signal(SIGCHLD, SIG_IGN) != SIG_ERR);
	start(&p, say, text, 10);
	hear(&p, got, sizeof(got));
	end = proc_wait(&p, &status);
	(void)signal(SIGCHLD, SIG_DFL);
	assert_int_equal(end, PROC_SIGNALED);
	assert_int_equal(status, SIGKILL);
}

/* A pid that was reaped may be another's by now. */
static void
nothing_is_killed_after_the_wait(void **state)
{
	char text[] = "x", got[8];
	pid_t bystander;
	struct proc p;
	int status;

	(void)state;
	start(&p, say, text, 10);
	hear(&p, got, sizeof(got));
	assert_int_equal(proc_wait(&p, &status), PROC_EXITED);
	assert_int_equal(p.pid, 0);
	assert_true((bystander = fork()) >= 0);
	if (bystander == 0) {
		(void)usleep(50000);
		_exit(5);
	}
	proc_kill(&p);
	assert_int_not_equal(proc_wait(&p, &status), PROC_EXITED);
	assert_int_equal(waitpid(bystander, &status, 0), bystander);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 5);
}

static int
say_slowly(void *arg, int out)
{
	(void)arg;
	for (unsigned i = 0; i < 10; i++) {
		(void)usleep(20000);
		if (write(out, "s", 1) != 1)
			return 1;
	}
	return 0;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

static void
interruptions_are_nothing(void **state)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
	const struct sigaction sa = {.sa_handler = on_alarm};
	struct proc p;
	char got[32];
	int status;

	(void)state;
	start(&p, say_slowly, NULL, 20);
	assert_int_equal(sigaction(SIGALRM, &sa, NULL), 0);
	assert_int_equal(setitimer(ITIMER_REAL, &often, NULL), 0);
	hear(&p, got, sizeof(got));
	assert_int_equal(proc_wait(&p, &status), PROC_EXITED);
	assert_int_equal(setitimer(ITIMER_REAL, &never, NULL), 0);
	assert_string_equal(got, "ssssssssss");
}

/* A parent that starts a worker with the write end of a pipe, and dies. */
static _Noreturn void
die_with_a_worker(int witness)
{
	struct proc p;

	if (proc_spawn(&p, sleep_long, NULL, &witness, 1, 0, NULL) < 0)
		_exit(1);
	(void)usleep(100000);
	_exit(0);
}

static void
worker_dies_with_its_parent(void **state)
{
	struct pollfd pfd = {.events = POLLIN};
	int fds[2], status;
	pid_t pid;
	char c;

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		die_with_a_worker(fds[1]);
	(void)close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	pfd.fd = fds[0];
	/* The pipe ends when nobody holds its other end any more. */
	assert_int_equal(poll(&pfd, 1, 5000), 1);
	assert_int_equal(read(fds[0], &c, 1), 0);
	(void)close(fds[0]);
}

struct bytes {
	const char *p;
	size_t n;
};

static int
send_bytes(void *arg, int out)
{
	const struct bytes *b = arg;

	/* In two pieces, so that the parent must put them together. */
	if (write(out, b->p, b->n / 2) != (ssize_t)(b->n / 2))
		return 1;
	(void)usleep(5000);
	return write(out, b->p + b->n / 2, b->n - b->n / 2) ==
	    (ssize_t)(b->n - b->n / 2) ? 0 : 1;
}

static void
frames_arrive_whole_or_not_at_all(void **state)
{
	static const struct {
		struct bytes sent;
		int first, second;
	} rows[] = {
	    {{"\x03\0\0\0\x05" "abc", 8}, 1, 0},
	    {{"\0\0\0\0\x05\x08\0\0\0\x06" "abcdefgh", 18}, 1, 1},
	    {{"", 0}, 0, 0},
	    {{"\x03\0\0", 3}, ERR_TRUNC, 0},
	    {{"\x03\0\0\0\x05" "ab", 7}, ERR_TRUNC, 0},
	    {{"\x03\0\0\0\x05", 5}, ERR_TRUNC, 0},
	    {{"\x03\0\0\0\x05" "abc\x01", 9}, 1, ERR_TRUNC},
	    {{"\x09\0\0\0\x05" "abcdefghi", 14}, ERR_FORMAT, 0},
	    {{"\xff\xff\xff\xff\x05", 5}, ERR_FORMAT, 0},
	};
	struct proc p;
	struct bytes b;
	uint8_t body[8], type;
	size_t n;
	int status;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		b = rows[i].sent;
		type = 0;
		n = 99;
		start(&p, send_bytes, &b, 10);
		assert_int_equal(proc_frame(&p, &type, body, sizeof(body), &n,
		    NULL), rows[i].first);
		assert_int_equal(type, rows[i].first == 1 ? 5 : 0);
		assert_int_equal(n, rows[i].first != 1 ? 99 :
		    (uint8_t)b.p[0]);
		if (rows[i].first == 1) {
			assert_memory_equal(body, b.p + FRAME_HEADER, n);
			assert_int_equal(proc_frame(&p, &type, body,
			    sizeof(body), &n, NULL), rows[i].second);
		}
		(void)proc_wait(&p, &status);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_the_worker_says_arrives_and_then_the_end),
	    cmocka_unit_test(worker_holds_only_what_was_kept),
	    cmocka_unit_test(too_many_descriptors_are_refused),
	    cmocka_unit_test(stdin_is_empty_and_the_process_group_its_own),
	    cmocka_unit_test(silent_worker_ends_at_its_deadline),
	    cmocka_unit_test(closing_the_pipe_is_no_way_around_the_deadline),
	    cmocka_unit_test(killed_worker_is_told_from_one_that_died),
	    cmocka_unit_test(lost_end_is_not_a_good_end),
	    cmocka_unit_test(nothing_is_killed_after_the_wait),
	    cmocka_unit_test(interruptions_are_nothing),
	    cmocka_unit_test(worker_dies_with_its_parent),
	    cmocka_unit_test(frames_arrive_whole_or_not_at_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
