#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "analyzer/diff/mapping.h"
#include "analyzer/diff/pool.h"
#include "base/limits.h"
#include "tests/release/fence_fixture.h"

/*
 * What the worker of a comparison relies on: threads that were started
 * before the fence serve behind it, files are mapped there, more memory than
 * allowed is not, and the fence holds in every thread.
 */
#define THREADS 3
#define TASKS 1000

enum attempt { NOTHING, OPEN, EXEC, NEW_THREAD, WRITE };

struct job {
	struct mapping m;
	uint64_t sum[TASKS];
	enum attempt attempt;
};

static void
attempt(enum attempt what)
{
	static char *const none[] = {NULL};

	if (what == OPEN)
		(void)syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
	else if (what == EXEC)
		(void)syscall(SYS_execve, "/bin/true", none, none);
	else if (what == NEW_THREAD)
		(void)syscall(SYS_clone, 0, 0, 0, 0, 0);
	else if (what == WRITE)
		(void)write_one(pipe_fds[1]);
}

/* Each task sums its part of the file, and allocates in its own thread. */
static void
sum_part(void *ctx, size_t i, unsigned thread)
{
	struct job *j = ctx;
	uint64_t part = j->m.n / TASKS;
	uint8_t *copy = malloc((size_t)part);

	if (copy == NULL)
		leave(20);
	memcpy(copy, j->m.p + i * part, (size_t)part);
	for (uint64_t k = 0; k < part; k++)
		j->sum[i] += copy[k];
	free(copy);
	/* Late, so that a thread that only starts now dies as well. */
	if (i == TASKS - 1 || thread > 0)
		attempt(j->attempt);
}

static int
work(int fd, enum attempt what)
{
	static struct job j;
	struct sandbox_policy p = {.out_fd = {-1, -1}, .threads = true,
	    .max_data = 96 * MIB, .max_cpu = 20};
	struct sandbox_status st;
	struct pool *pool;
	uint64_t sum = 0;

	if ((pool = pool_new(THREADS, NULL)) == NULL ||
	    pool_threads(pool) != THREADS)
		return 10;
	if (sandbox_enter(&p, &st, NULL) < 0 || !st.seccomp)
		return NOT_ENTERED;
	j.attempt = what;
	if (mapping_init(&j.m, fd, 200 * MIB, NULL) < 0)
		return 11;
	/* Twice: threads wait again after their first round. */
	for (unsigned round = 0; round < 2; round++)
		pool_run(pool, sum_part, &j, TASKS);
	for (unsigned i = 0; i < TASKS; i++)
		sum += j.sum[i];
	mapping_release(&j.m);
	pool_free(pool);
	return sum == 2 * 7 ? 0 : 12;
}

/* Much in pieces, and all of it given back. */
static void
fill_and_free(void *ctx, size_t i, unsigned thread)
{
	void *p[64];

	(void)ctx;
	(void)i;
	(void)thread;
	for (unsigned k = 0; k < 64; k++)
		if ((p[k] = malloc(100 * KIB)) == NULL)
			leave(20);
		else
			memset(p[k], 1, 100 * KIB);
	for (unsigned k = 64; k-- > 0;)
		free(p[k]);
}

static int
work_and_free(void)
{
	struct sandbox_policy p = {.out_fd = {-1, -1}, .threads = true,
	    .max_data = 256 * MIB, .max_cpu = 20};
	struct sandbox_status st;
	struct pool *pool;

	if ((pool = pool_new(THREADS, NULL)) == NULL)
		return 10;
	if (sandbox_enter(&p, &st, NULL) < 0 || !st.seccomp)
		return NOT_ENTERED;
	pool_run(pool, fill_and_free, NULL, TASKS);
	pool_free(pool);
	return 0;
}

static void
threads_give_memory_back_behind_the_fence(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	need_seccomp();
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		leave(work_and_free());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(ended_with(status, 0));
}

static int
worked(enum attempt what)
{
	int status;
	pid_t pid;

	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		leave(work(file_fd, what));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
threads_serve_behind_the_fence(void **state)
{
	(void)state;
	need_seccomp();
	for (unsigned i = 0; i < 20; i++)
		assert_true(ended_with(worked(NOTHING), 0));
}

static void
fence_holds_in_every_thread(void **state)
{
	(void)state;
	need_seccomp();
	assert_true(ended_by(worked(OPEN), SIGSYS));
	assert_true(ended_by(worked(EXEC), SIGSYS));
	assert_true(ended_by(worked(NEW_THREAD), SIGSYS));
	assert_true(ended_by(worked(WRITE), SIGSYS));
}

/* A pool of one, or none, works under a policy that knows no threads. */
static int
work_alone(long pool)
{
	static struct job j;

	if (mapping_init(&j.m, file_fd, 200 * MIB, NULL) < 0)
		return 1;
	pool_run((struct pool *)pool, sum_part, &j, TASKS);
	pool_free((struct pool *)pool);
	return j.sum[TASKS / 2] == 7 ? 0 : 2;
}

static void
work_goes_on_without_threads(void **state)
{
	struct pool *pool = pool_new(1, NULL);

	(void)state;
	need_seccomp();
	assert_int_equal(pool_threads(pool), 1);
	assert_true(ended_with(fenced(&closed, work_alone, (long)pool), 0));
	assert_true(ended_with(fenced(&closed, work_alone, 0), 0));
	pool_free(pool);
}

static int
read_what_shrinks(int ready)
{
	struct sandbox_policy p = {.out_fd = {ready, -1}};
	struct sandbox_status st;
	struct mapping m = MAPPING_INIT;

	/* The test runner's handler would write. */
	if (signal(SIGBUS, SIG_DFL) == SIG_ERR ||
	    sandbox_enter(&p, &st, NULL) < 0 || !st.seccomp)
		return NOT_ENTERED;
	if (mapping_init(&m, file_fd, 200 * MIB, NULL) < 0 ||
	    write(ready, "m", 1) != 1 || read(pipe_fds[0], page, 1) != 1)
		return 1;
	return m.p[m.n - 1] == 0 ? 3 : 4;
}

static void
file_that_shrinks_ends_the_worker_by_sigbus(void **state)
{
	int status, ready[2];
	char byte;
	pid_t pid;

	(void)state;
	need_seccomp();
	assert_int_equal(pipe(ready), 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		leave(read_what_shrinks(ready[1]));
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(ftruncate(file_fd, 4096), 0);
	assert_int_equal(write(pipe_fds[1], "x", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(ended_by(status, SIGBUS));
	(void)close(ready[0]);
	(void)close(ready[1]);
}

static int
prepare(void **state)
{
	if (setup(state) < 0 || ftruncate(file_fd, 200 * (off_t)MIB) < 0)
		return -1;
	return pwrite(file_fd, "\3\4", 2, 100 * (off_t)MIB) == 2 ? 0 : -1;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(threads_serve_behind_the_fence),
	    cmocka_unit_test(threads_give_memory_back_behind_the_fence),
	    cmocka_unit_test(fence_holds_in_every_thread),
	    cmocka_unit_test(work_goes_on_without_threads),
	    cmocka_unit_test(file_that_shrinks_ends_the_worker_by_sigbus),
	};

	return cmocka_run_group_tests(tests, prepare, teardown);
}
