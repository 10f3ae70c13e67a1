#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "tests/release/fence_fixture.h"

static const char path[] = "/etc/passwd";
static char *const no_args[] = {NULL};

static const struct {
	const char *name;
	long nr;
	long a[6];
} forbidden[] = {
#define P(x) (long)(uintptr_t)(x)
#ifdef SYS_open
    {"open", SYS_open, {P(path), O_RDONLY}},
    {"creat", SYS_creat, {P("/tmp/exhibit-escaped"), 0600}},
    {"unlink", SYS_unlink, {P("/tmp/exhibit-escaped")}},
    {"fork", SYS_fork, {0}},
    {"vfork", SYS_vfork, {0}},
    {"dup2", SYS_dup2, {0, 90}},
#endif
    {"openat", SYS_openat, {AT_FDCWD, P(path), O_RDONLY}},
    {"openat2", 437, {AT_FDCWD, P(path), P(page), 24}},
    {"open_by_handle_at", SYS_open_by_handle_at, {AT_FDCWD, P(page), 0}},
    {"unlinkat", SYS_unlinkat, {AT_FDCWD, P("/tmp/exhibit-escaped"), 0}},
    {"renameat2", SYS_renameat2, {AT_FDCWD, P(path), AT_FDCWD, P(path), 0}},
    {"mkdirat", SYS_mkdirat, {AT_FDCWD, P("/tmp/exhibit-escaped"), 0700}},
    {"newfstatat", SYS_newfstatat, {AT_FDCWD, P(path), P(page), 0}},
    {"chdir", SYS_chdir, {P("/")}},
    {"mount", SYS_mount, {P("a"), P("/tmp"), P("tmpfs"), 0, 0}},
    {"memfd_create", SYS_memfd_create, {P("m"), 0}},
    {"dup", SYS_dup, {0}},
    {"dup3", SYS_dup3, {0, 90, 0}},
    {"pipe2", SYS_pipe2, {P(page), 0}},
    {"fcntl", SYS_fcntl, {0, F_DUPFD, 50}},
    {"socket", SYS_socket, {AF_INET, SOCK_STREAM, 0}},
    {"socketpair", SYS_socketpair, {AF_UNIX, SOCK_STREAM, 0, P(page)}},
    {"connect", SYS_connect, {0, P(page), 16}},
    {"sendto", SYS_sendto, {1, P(page), 1, 0, 0, 0}},
    {"sendmsg", SYS_sendmsg, {1, P(page), 0}},
    {"clone", SYS_clone, {SIGCHLD, 0, 0, 0, 0}},
    {"clone3", 435, {P(page), 88}},
    {"execve", SYS_execve, {P("/bin/true"), P(no_args), P(no_args)}},
    {"execveat", SYS_execveat, {AT_FDCWD, P("/bin/true"), P(no_args),
	P(no_args), 0}},
    {"mmap exec", SYS_mmap, {0, 4096, PROT_READ | PROT_EXEC,
	MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mmap write exec", SYS_mmap, {0, 4096, PROT_READ | PROT_WRITE |
	PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0}},
    {"mprotect exec", SYS_mprotect, {P(page), 4096, PROT_READ | PROT_EXEC}},
    {"mprotect only exec", SYS_mprotect, {P(page), 4096, PROT_EXEC}},
    {"pkey_mprotect", SYS_pkey_mprotect, {P(page), 4096, PROT_EXEC, -1}},
    {"ptrace", SYS_ptrace, {PTRACE_ATTACH, 1, 0, 0}},
    {"process_vm_readv", SYS_process_vm_readv, {1, P(page), 1, P(page), 1}},
    {"kill", SYS_kill, {1, 0}},
    {"tkill", SYS_tkill, {1, 0}},
    {"tgkill", SYS_tgkill, {1, 1, 0}},
    {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, {1, 0, P(page)}},
    {"rt_sigaction", SYS_rt_sigaction, {SIGXCPU, 0, 0, 8}},
    {"setuid", SYS_setuid, {0}},
    {"setrlimit", SYS_setrlimit, {RLIMIT_NOFILE, P(page)}},
    {"prlimit64", SYS_prlimit64, {0, RLIMIT_NOFILE, 0, P(page)}},
    {"prctl", SYS_prctl, {PR_SET_DUMPABLE, 1}},
    {"seccomp", SYS_seccomp, {0, 0, 0}},
    {"personality", SYS_personality, {0}},
    {"unshare", SYS_unshare, {0}},
    {"bpf", SYS_bpf, {0, P(page), 0}},
    {"io_uring_setup", SYS_io_uring_setup, {1, P(page)}},
    {"userfaultfd", SYS_userfaultfd, {0}},
    {"perf_event_open", SYS_perf_event_open, {P(page), 0, -1, -1, 0}},
    {"shmget", SYS_shmget, {0, 4096, 0600}},
    {"sendfile", SYS_sendfile, {1, 0, 0, 1}},
    {"splice", SYS_splice, {0, 0, 1, 0, 1, 0}},
    {"copy_file_range", SYS_copy_file_range, {0, 0, 1, 0, 1, 0}},
    {"pwrite64", SYS_pwrite64, {1, P(page), 1, 0}},
    {"pwritev", SYS_pwritev, {1, P(page), 1, 0, 0}},
    {"ftruncate", SYS_ftruncate, {1, 0}},
    {"fchmod", SYS_fchmod, {1, 0777}},
    {"an unknown call", 5000, {0}},
#ifdef __x86_64__
    {"x32 read", 0x40000000L | SYS_read, {0, P(page), 0}},
    {"x32 open", 0x40000000L | SYS_open, {P(path), O_RDONLY}},
#endif
#undef P
};

static int
attempt(long i)
{
	const long *a = forbidden[i].a;

	(void)syscall(forbidden[i].nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	return 0;
}

static void
every_forbidden_call_ends_the_process(void **state)
{
	const size_t count = sizeof(forbidden) / sizeof(forbidden[0]);
	int status;

	(void)state;
	need_seccomp();
	for (size_t i = 0; i < count; i++) {
		status = fenced(&closed, attempt, (long)i);
		if (!ended_by(status, SIGSYS))
			fail_msg("'%s' was not stopped (status %x)",
			    forbidden[i].name, (unsigned)status);
	}
}

#ifdef __x86_64__
/* Number 5 is open there and fstat here: the architecture must be looked at. */
static int
call_as_32_bit(long arg)
{
	long r = 5;

	__asm__ volatile("int $0x80" : "+a"(r) : "b"(arg), "c"(0), "d"(0)
	    : "memory");
	return 0;
}

static void
call_of_another_architecture_ends_the_process(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	need_seccomp();
	assert_true((pid = fork()) >= 0);
	if (pid == 0)
		_exit(call_as_32_bit(0));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!ended_with(status, 0)) {
		(void)printf("SKIP: this kernel has no 32-bit calls\n");
		skip();
	}
	assert_true(ended_by(fenced(&closed, call_as_32_bit, 0), SIGSYS));
}
#endif

static int
writev_one(long fd)
{
	struct iovec v = {page, 1};

	return syscall(SYS_writev, fd, &v, 1) == 1 ? 0 : 1;
}

static void
only_named_descriptors_can_be_written(void **state)
{
	struct sandbox_policy p = closed;
	char got[8];

	(void)state;
	need_seccomp();
	for (int fd = 0; fd < 3; fd++) {
		assert_true(ended_by(fenced(&p, write_one, fd), SIGSYS));
		assert_true(ended_by(fenced(&p, writev_one, fd), SIGSYS));
	}
	assert_true(ended_by(fenced(&p, write_one, pipe_fds[1]), SIGSYS));
	for (unsigned i = 0; i < 2; i++) {
		p.out_fd[i] = pipe_fds[1];
		p.out_fd[1 - i] = -1;
		assert_true(ended_with(fenced(&p, write_one, pipe_fds[1]),
		    0));
		assert_true(ended_with(fenced(&p, writev_one, pipe_fds[1]),
		    0));
		assert_true(ended_by(fenced(&p, write_one, 2), SIGSYS));
		assert_true(ended_by(fenced(&p, writev_one, 1), SIGSYS));
	}
	assert_int_equal(read(pipe_fds[0], got, sizeof(got)), 4);
	p.out_fd[0] = pipe_fds[1];
	p.out_fd[1] = file_fd;
	p.write_files = true;
	assert_true(ended_with(fenced(&p, write_one, file_fd), 0));
	assert_true(ended_with(fenced(&p, write_one, pipe_fds[1]), 0));
	assert_true(ended_by(fenced(&p, write_one, 0), SIGSYS));
	assert_int_equal(read(pipe_fds[0], got, sizeof(got)), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_forbidden_call_ends_the_process),
#ifdef __x86_64__
	    cmocka_unit_test(call_of_another_architecture_ends_the_process),
#endif
	    cmocka_unit_test(only_named_descriptors_can_be_written),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
