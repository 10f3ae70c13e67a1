#ifndef BASE_SANDBOX_H_
#define BASE_SANDBOX_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * The fence.  A process that is about to see its first hostile byte calls
 * sandbox_enter; there is no way back.  After it the process can read the
 * descriptors it holds, write to those that are named, allocate memory
 * without execute permission, and end.  Open, socket, fork, exec, mmap or
 * mprotect with PROT_EXEC, ptrace, kill: the kernel ends the process
 * (SIGSYS), and its parent makes that a finding.
 *
 * One exception, for a library that reads a folder by its own paths
 * (libgit2): a policy may name one folder, a private copy, below which files
 * can be opened to be read, and folders listed; Landlock holds it to that, so
 * without Landlock there is no such fence.
 *
 * Three layers, each reported, none silently absent:
 *   seccomp   a BPF filter, architecture checked first, kill by default
 *   Landlock  a ruleset without a rule: no path may be opened (ABI N, or 0
 *             where the kernel has none; seccomp denies the same)
 *   rlimits   address space, data, CPU, file size (unless a regular file is
 *             written), no core, no process, no new descriptor
 */
struct sandbox_status {
	bool seccomp;
	int landlock_abi;	/* 0: the kernel offers none */
	bool rlimits;
};

struct sandbox_policy {
	int out_fd[2];		/* may be written to; -1 for none */
	uint64_t max_as;	/* bytes of address space; 0: no limit */
	uint64_t max_data;	/* bytes of private writable memory, stacks of
				 * threads included, files that are mapped to
				 * be read not; 0: no limit */
	uint64_t max_cpu;	/* seconds; 0: no limit */
	bool threads;		/* futex and exit of threads already started */
	unsigned descriptors;	/* the parent may pass so many (SCM_RIGHTS) */
	bool write_files;	/* out_fd may be a regular file (no FSIZE) */
	bool folder;		/* folder_fd's folder may be read */
	int folder_fd;		/* with ${folder}, and ${descriptors} at once */
};

/*
 * sandbox_enter(p, st, e): 0 and *st filled (layers that the kernel lacks
 * are false or 0), or an error when a layer that the kernel has could not be
 * set up.  A missing layer is not an error here, but for ERR_UNSUPPORTED when
 * a folder is to be read without Landlock: the caller decides, from *st.  All
 * threads must have been started before (TSYNC is used).
 */
int sandbox_enter(const struct sandbox_policy *p, struct sandbox_status *st,
    struct err *e);

/*
 * sandbox_threads: before the first thread of a process that may enter a
 * fence is started.  A thread has a heap of its own (glibc, arena.c), and
 * before giving memory of it back the library opens a file below /proc, which
 * no fence allows; so all threads share the first heap.
 */
void sandbox_threads(void);

/* sandbox_probe(st): what sandbox_enter would reach here, entering nothing. */
void sandbox_probe(struct sandbox_status *st);

#endif /* !BASE_SANDBOX_H_ */
