#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "tests/release/fence_fixture.h"

static const char path[] = "/etc/passwd";

/* What parsers do; the number of the first thing that did not work. */
static int
honest_work(long fd)
{
	struct iovec v = {page, 16};
	struct timespec t = {0, 1000};
	char *p, *q;

	if (pread(file_fd, page, 16, 0) != 16)
		return 1;
	if (lseek(file_fd, 0, SEEK_SET) != 0 || read(file_fd, page, 4) != 4)
		return 2;
	if (readv(file_fd, &v, 1) != 12 || preadv(file_fd, &v, 1, 0) != 16)
		return 3;
	if ((p = malloc(8 * MIB)) == NULL)
		return 4;
	memset(p, 1, 8 * MIB);
	if ((q = realloc(p, 64 * MIB)) == NULL || q[8 * MIB - 1] != 1)
		return 5;
	free(q);
	for (size_t n = 1; n < MIB; n *= 2) {
		if ((p = malloc(n)) == NULL)
			return 6;
		free(p);
	}
	if (clock_gettime(CLOCK_MONOTONIC, &t) < 0)
		return 7;
	t.tv_sec = 0;
	t.tv_nsec = 1000;
	if (nanosleep(&t, NULL) < 0)
		return 8;
	if (syscall(SYS_getrandom, page, 8, 0) != 8)
		return 9;
	if (close(file_fd) < 0)
		return 10;
	return write((int)fd, "done", 4) == 4 ? 0 : 11;
}

static void
honest_work_goes_on(void **state)
{
	struct sandbox_policy p = {.out_fd = {pipe_fds[1], -1},
	    .max_as = 512 * MIB, .max_cpu = 10};
	char got[8];

	(void)state;
	need_seccomp();
	assert_int_equal(pwrite(file_fd, "0123456789abcdef", 16, 0), 16);
	assert_int_equal(ftruncate(file_fd, 16), 0);
	assert_int_equal(fenced(&p, honest_work, pipe_fds[1]), 0);
	assert_int_equal(read(pipe_fds[0], got, sizeof(got)), 4);
	assert_memory_equal(got, "done", 4);
}

static int
allocate(long mib)
{
	void *volatile p = malloc((size_t)mib * MIB);

	return p != NULL ? 0 : errno == ENOMEM ? 3 : 4;
}

static void
memory_over_the_limit_is_not_given(void **state)
{
	struct sandbox_policy p = {.out_fd = {-1, -1}, .max_as = 256 * MIB};

	(void)state;
	need_seccomp();
	assert_true(ended_with(fenced(&p, allocate, 300), 3));
	assert_true(ended_with(fenced(&p, allocate, 16), 0));
	assert_true(ended_with(fenced(&closed, allocate, 300), 0));
}

/* A file larger than the limit is mapped to be read, and no more written. */
static int
map_beside(long mib)
{
	size_t n = (size_t)mib * MIB;
	void *p;

	p = mmap(NULL, n, PROT_READ, MAP_SHARED, file_fd, 0);
	if (p == MAP_FAILED || ((const char *)p)[n - 1] != 0)
		return 5;
	p = mmap(NULL, n, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p != MAP_FAILED || errno != ENOMEM)
		return 6;
	return mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE, file_fd,
	    0) == MAP_FAILED ? allocate(16) : 7;
}

static void
data_over_the_limit_is_not_given_but_files_are_mapped(void **state)
{
	struct sandbox_policy p = {.out_fd = {-1, -1}, .max_data = 256 * MIB};

	(void)state;
	need_seccomp();
	assert_int_equal(ftruncate(file_fd, 300 * (off_t)MIB), 0);
	assert_true(ended_with(fenced(&p, allocate, 300), 3));
	assert_true(ended_with(fenced(&p, map_beside, 300), 0));
	assert_int_equal(ftruncate(file_fd, 16), 0);
}

static int
spin(long arg)
{
	volatile long n = arg;

	while (n == arg)
		n = arg;
	return 0;
}

static void
time_over_the_limit_ends_the_process(void **state)
{
	struct sandbox_policy p = {.out_fd = {-1, -1}, .max_cpu = 1};

	(void)state;
	need_seccomp();
	assert_true(ended_by(fenced(&p, spin, 0), SIGXCPU));
}

static void
regular_file_is_written_only_when_allowed(void **state)
{
	struct sandbox_policy p = {.out_fd = {file_fd, -1}};

	(void)state;
	need_seccomp();
	assert_true(ended_by(fenced(&p, write_one, file_fd), SIGXFSZ));
	p.write_files = true;
	assert_true(ended_with(fenced(&p, write_one, file_fd), 0));
}

static int
ask(long arg)
{
	(void)arg;
	if (syscall(SYS_ioctl, 1, 0x5401, page) != -1 || errno != ENOTTY)
		return 1;
	return syscall(SYS_getpid) == -1 && errno == EPERM ? 0 : 2;
}

static void
questions_of_libraries_get_no_answer(void **state)
{
	(void)state;
	need_seccomp();
	assert_true(ended_with(fenced(&closed, ask, 0), 0));
}

/* The descriptor lies in the socket before the fence is entered. */
static int
receive(long fd)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec v = {page, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control)};

	if (recvmsg((int)fd, &m, 0) != 1 || page[0] != 'x')
		return 1;
	return CMSG_FIRSTHDR(&m) == NULL && (m.msg_flags & MSG_CTRUNC) != 0 ?
	    0 : 2;
}

static void
no_new_descriptor_can_be_received(void **state)
{
	union {
		char space[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	char byte = 'x';
	struct iovec v = {&byte, 1};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1,
	    .msg_control = &control, .msg_controllen = sizeof(control)};
	struct cmsghdr *c;
	int fds[2];

	(void)state;
	need_seccomp();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	c = CMSG_FIRSTHDR(&m);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &file_fd, sizeof(int));
	assert_int_equal(sendmsg(fds[0], &m, 0), 1);
	assert_true(ended_with(fenced(&closed, receive, fds[1]), 0));
	(void)close(fds[0]);
	(void)close(fds[1]);
}

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *
thread_opens(void *arg)
{
	(void)pthread_mutex_lock(&gate);
	if (arg != NULL)
		(void)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY);
	free(malloc(100000));
	(void)pthread_mutex_unlock(&gate);
	return NULL;
}

/* A thread that waits while the fence goes up, then does its work. */
static int
with_a_thread(void *arg)
{
	struct sandbox_policy p = {.out_fd = {-1, -1}, .threads = true};
	struct sandbox_status st;
	pthread_t t;
	int status;
	pid_t pid;

	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		(void)pthread_mutex_lock(&gate);
		if (pthread_create(&t, NULL, thread_opens, arg) != 0 ||
		    sandbox_enter(&p, &st, NULL) < 0 || !st.seccomp)
			leave(NOT_ENTERED);
		(void)pthread_mutex_unlock(&gate);
		leave(pthread_join(t, NULL));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static void
fence_holds_for_threads_that_run_already(void **state)
{
	(void)state;
	need_seccomp();
	assert_true(ended_with(with_a_thread(NULL), 0));
	assert_true(ended_by(with_a_thread(page), SIGSYS));
}

/* Wait behind the fence until the parent has looked. */
static int
be_looked_at(long fd)
{
	return read((int)fd, page, 1) == 1 ? 0 : 1;
}

static void
is_limited(pid_t pid, __rlimit_resource_t what, rlim_t soft, rlim_t hard)
{
	struct rlimit r;

	assert_int_equal(prlimit(pid, what, NULL, &r), 0);
	assert_int_equal(r.rlim_cur, soft);
	assert_int_equal(r.rlim_max, hard);
}

static void
limits_and_status_are_seen_from_outside(void **state)
{
	struct sandbox_policy p = {.out_fd = {pipe_fds[1], -1},
	    .max_as = 256 * MIB, .max_data = 128 * MIB, .max_cpu = 20};
	struct sandbox_status st = {0};
	char name[64], text[4096];
	int go[2], status, fd;
	ssize_t n;
	pid_t pid;

	(void)state;
	need_seccomp();
	assert_int_equal(pipe(go), 0);
	assert_true((pid = fork()) >= 0);
	if (pid == 0) {
		(void)close(go[1]); /* ends when the parent does */
		if (sandbox_enter(&p, &st, NULL) < 0 ||
		    write(pipe_fds[1], &st, sizeof(st)) < 0)
			leave(NOT_ENTERED);
		leave(be_looked_at(go[0]));
	}
	assert_int_equal(read(pipe_fds[0], &st, sizeof(st)), sizeof(st));
	is_limited(pid, RLIMIT_CORE, 0, 0);
	is_limited(pid, RLIMIT_NPROC, 0, 0);
	is_limited(pid, RLIMIT_NOFILE, 0, 0);
	is_limited(pid, RLIMIT_FSIZE, 0, 0);
	is_limited(pid, RLIMIT_AS, 256 * MIB, 256 * MIB);
	is_limited(pid, RLIMIT_DATA, 128 * MIB, 128 * MIB);
	is_limited(pid, RLIMIT_CPU, 20, 21);
	(void)snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
	assert_true((fd = open(name, O_RDONLY)) >= 0);
	assert_true((n = read(fd, text, sizeof(text) - 1)) > 0);
	text[n] = '\0';
	(void)close(fd);
	assert_non_null(strstr(text, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(text, "Seccomp:\t2\n"));
	assert_int_equal(write(go[1], "g", 1), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(ended_with(status, 0));
	(void)close(go[0]);
	(void)close(go[1]);
	/* What was foretold has come. */
	assert_true(st.seccomp && st.rlimits && here.rlimits);
	assert_int_equal(st.landlock_abi, here.landlock_abi);
}

static void
probe_enters_nothing(void **state)
{
	struct sandbox_status st;
	int fd;

	(void)state;
	sandbox_probe(&st);
	assert_true((fd = open(path, O_RDONLY)) >= 0);
	(void)close(fd);
	assert_int_equal(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_GET_SECCOMP, 0, 0, 0, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(honest_work_goes_on),
	    cmocka_unit_test(memory_over_the_limit_is_not_given),
	    cmocka_unit_test(
	        data_over_the_limit_is_not_given_but_files_are_mapped),
	    cmocka_unit_test(time_over_the_limit_ends_the_process),
	    cmocka_unit_test(regular_file_is_written_only_when_allowed),
	    cmocka_unit_test(questions_of_libraries_get_no_answer),
	    cmocka_unit_test(no_new_descriptor_can_be_received),
	    cmocka_unit_test(fence_holds_for_threads_that_run_already),
	    cmocka_unit_test(limits_and_status_are_seen_from_outside),
	    cmocka_unit_test(probe_enters_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
