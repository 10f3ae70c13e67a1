#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "base/sandbox_parts.h"

/*
 * The filter.  Architecture first (a 32-bit or x32 call number means
 * something else), then a short list; what is not on it ends the process.
 * mmap and mprotect pass without PROT_EXEC only, write only to the policy's
 * descriptors.  Arguments are compared by their low and high halves, since
 * BPF loads 32 bits.
 */
#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#else
#define ARCH 0	/* no table for it: reported as absent */
#endif

#if ARCH != 0
#define LOW(n) \
	((uint32_t)offsetof(struct seccomp_data, args) + 8U * (n))
#define HIGH(n) (LOW(n) + 4U)
#define STMT(code, k) {(unsigned short)(code), 0, 0, (uint32_t)(k)}
#define JUMP(code, k, jt, jf) \
	{(unsigned short)(code), (unsigned char)(jt), (unsigned char)(jf), \
	    (uint32_t)(k)}
#define LOAD(off) STMT(BPF_LD | BPF_W | BPF_ABS, off)
#define RET(what) STMT(BPF_RET | BPF_K, what)

/*
 * Each falls through to the next rule when the number is another; one that
 * loads an argument over the number returns in every case.
 */
#define ALLOW(nr) \
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), RET(SECCOMP_RET_ALLOW)
#define DENY(nr, err) \
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1), \
	    RET(SECCOMP_RET_ERRNO | (err))
/* Allowed if argument 2 (prot) has no PROT_EXEC. */
#define ALLOW_NOEXEC(nr) \
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4), LOAD(LOW(2)), \
	    JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0), \
	    RET(SECCOMP_RET_ALLOW), RET(SECCOMP_RET_KILL_PROCESS)
/* Allowed if argument 0 is one of two descriptors. */
#define ALLOW_TO(nr, a, b) \
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 5), LOAD(LOW(0)), \
	    JUMP(BPF_JMP | BPF_JEQ | BPF_K, a, 1, 0), \
	    JUMP(BPF_JMP | BPF_JEQ | BPF_K, b, 0, 1), \
	    RET(SECCOMP_RET_ALLOW), RET(SECCOMP_RET_KILL_PROCESS)
#define X32_BIT 0x40000000U

static int
install(struct sock_filter *code, unsigned short n, bool threads,
    struct err *e)
{
	struct sock_fprog prog = {n, code};
	long r;

	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
	    threads ? SECCOMP_FILTER_FLAG_TSYNC : 0, &prog);
	if (r == 0)
		return 1;
	if (r < 0 && (errno == ENOSYS || errno == EINVAL) &&
	    !sandbox_seccomp_probe())
		return 0;
	return err_sys(e, r > 0 ? EBUSY : errno,
	    "cannot install the seccomp filter");
}

/*
 * What reading a folder by paths takes; Landlock says which.  An open that
 * could write is refused, not fatal: libraries try and live without.
 */
#define OPEN_WRITES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)
#define ALLOW_OPEN(nr, flags) \
	JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 4), LOAD(LOW(flags)), \
	    JUMP(BPF_JMP | BPF_JSET | BPF_K, OPEN_WRITES, 1, 0), \
	    RET(SECCOMP_RET_ALLOW), RET(SECCOMP_RET_ERRNO | EACCES)
static const struct sock_filter reading[] = {
    ALLOW_OPEN(SYS_openat, 2),
    ALLOW(SYS_newfstatat),
    ALLOW(SYS_statx),
    ALLOW(SYS_readlinkat),
    ALLOW(SYS_faccessat),
    ALLOW(SYS_faccessat2),
    ALLOW(SYS_getdents64),
    ALLOW(SYS_getcwd),
    ALLOW(SYS_fcntl),
    ALLOW(SYS_fadvise64),
    ALLOW(SYS_getuid),
    ALLOW(SYS_geteuid),
    ALLOW(SYS_getgid),
    ALLOW(SYS_getegid),
    ALLOW(SYS_uname),
#ifdef SYS_open
    ALLOW_OPEN(SYS_open, 1),
    ALLOW(SYS_stat),
    ALLOW(SYS_lstat),
    ALLOW(SYS_access),
    ALLOW(SYS_readlink),
#endif
};
#define READING (sizeof(reading) / sizeof(reading[0]))
#define ALWAYS_MAX 128

int
sandbox_seccomp(const struct sandbox_policy *p, struct err *e)
{
	uint32_t a = (uint32_t)p->out_fd[0];
	uint32_t b = p->out_fd[1] >= 0 ? (uint32_t)p->out_fd[1] : a;
	const struct sock_filter always[] = {
	    LOAD(offsetof(struct seccomp_data, arch)),
	    JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0),
	    RET(SECCOMP_RET_KILL_PROCESS),
	    LOAD(offsetof(struct seccomp_data, nr)),
	    JUMP(BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1),
	    RET(SECCOMP_RET_KILL_PROCESS),
	    /* reading what is open */
	    ALLOW(SYS_read),
	    ALLOW(SYS_pread64),
	    ALLOW(SYS_readv),
	    ALLOW(SYS_preadv),
	    ALLOW(SYS_lseek),
	    ALLOW(SYS_close),
	    ALLOW(SYS_fstat),
	    ALLOW(SYS_recvmsg),	/* descriptors that the parent passes */
	    /* memory, without execute permission */
	    ALLOW(SYS_brk),
	    ALLOW(SYS_munmap),
	    ALLOW(SYS_mremap),
	    ALLOW(SYS_madvise),
	    ALLOW_NOEXEC(SYS_mmap),
	    ALLOW_NOEXEC(SYS_mprotect),
	    /* results */
	    ALLOW_TO(SYS_write, a, b),
	    ALLOW_TO(SYS_writev, a, b),
	    /* time, randomness of hash tables, locks, the end */
	    ALLOW(SYS_clock_gettime),
	    ALLOW(SYS_gettimeofday),
	    ALLOW(SYS_clock_nanosleep),
	    ALLOW(SYS_getrandom),
	    ALLOW(SYS_futex),
	    ALLOW(SYS_sched_yield),
	    ALLOW(SYS_rt_sigprocmask),
	    /* a thread that was started before may not have begun yet */
	    ALLOW(SYS_rseq),
	    ALLOW(SYS_set_robust_list),
	    ALLOW(SYS_rt_sigreturn),
	    ALLOW(SYS_exit),
	    ALLOW(SYS_exit_group),
	    /* libraries ask these and live well without an answer */
	    DENY(SYS_ioctl, ENOTTY),
	    DENY(SYS_getpid, EPERM),
	    DENY(SYS_gettid, EPERM),
	    DENY(SYS_sysinfo, EPERM),
	    DENY(SYS_sched_getaffinity, EPERM),
	};
	struct sock_filter code[ALWAYS_MAX + READING + 1];
	size_t n = sizeof(always) / sizeof(always[0]);

	_Static_assert(sizeof(always) / sizeof(always[0]) <= ALWAYS_MAX,
	    "room for the filter");
	memcpy(code, always, sizeof(always));
	if (p->folder) {
		memcpy(code + n, reading, sizeof(reading));
		n += READING;
	}
	code[n++] = (struct sock_filter)RET(SECCOMP_RET_KILL_PROCESS);
	return install(code, (unsigned short)n, p->threads, e);
}

bool
sandbox_seccomp_probe(void)
{
	uint32_t action = SECCOMP_RET_KILL_PROCESS;

	return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0,
	    &action) == 0;
}
#else
int
sandbox_seccomp(const struct sandbox_policy *p, struct err *e)
{
	(void)p;
	(void)e;
	return 0;
}

bool
sandbox_seccomp_probe(void)
{
	return false;
}
#endif
