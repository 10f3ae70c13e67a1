#ifndef TESTS_RELEASE_FENCE_FIXTURE_H_
#define TESTS_RELEASE_FENCE_FIXTURE_H_

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sandbox.h"

/*
 * Each attempt runs in a child of its own that enters the fence first, and
 * is judged by how that child ends.  The attempts are raw system calls, so
 * that no library stands between them and the kernel.
 */
#define NOT_ENTERED 100

static struct sandbox_status here;
static const struct sandbox_policy closed = {.out_fd = {-1, -1}};

/* A pipe and a file that every child inherits. */
static int pipe_fds[2], file_fd;

static inline void
leave(int code)
{
	(void)syscall(SYS_exit_group, code);
}

/* How a child that entered the fence and called fn(arg) has ended. */
static inline int
fenced(const struct sandbox_policy *p, int (*fn)(long arg), long arg)
{
	struct sandbox_status st;
	int status;
	pid_t pid;

	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		if (sandbox_enter(p, &st, NULL) < 0 || !st.seccomp)
			_exit(NOT_ENTERED);
		leave(fn(arg));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static inline bool
ended_by(int status, int sig)
{
	return WIFSIGNALED(status) && WTERMSIG(status) == sig;
}

static inline bool
ended_with(int status, int code)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

static inline void
need_seccomp(void)
{
	if (here.seccomp)
		return;
	(void)printf("SKIP: no seccomp here\n");
	skip();
}

/* Room that attempts point to; a page of its own. */
static char page[8192] __attribute__((aligned(4096), unused));

static inline int
write_one(long fd)
{
	return syscall(SYS_write, fd, "x", 1) == 1 ? 0 : 1;
}

static inline int
setup(void **state)
{
	static char name[] = "/tmp/exhibit-sandbox-XXXXXX";

	(void)state;
	sandbox_probe(&here);
	if (pipe(pipe_fds) < 0 || (file_fd = mkstemp(name)) < 0)
		return -1;
	return unlink(name);
}

static inline int
teardown(void **state)
{
	(void)state;
	(void)close(pipe_fds[0]);
	(void)close(pipe_fds[1]);
	return close(file_fd);
}

#endif /* !TESTS_RELEASE_FENCE_FIXTURE_H_ */
