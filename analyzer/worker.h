#ifndef ANALYZER_WORKER_H_
#define ANALYZER_WORKER_H_

#include <stdbool.h>
#include <stdint.h>

struct format;
struct magic;
struct yara;

/*
 * The process that reads one object.  It enters the sandbox before the first
 * byte, asks every format for a bid, parses with every plausible one, turns
 * events into findings by the rules, goes into what the object contains, and
 * tells its parent by frames (wire.h).
 */
struct worker_job {
	int fd;			/* read only */
	uint64_t off, len;	/* the object is this range of it */
	unsigned depth;		/* of the object in its path */
	const char *format;	/* it must be this, or NULL: bid */
	bool registry;		/* it may ask for LIMIT_REG_ASKS siblings */
	int ask_fd;		/* for siblings (sibling.h), or -1 */
	bool hash;		/* digest what is nested inside */
	bool carve;		/* send what is carved to the parent */
	bool delegate;		/* members of a tar get workers of their own */
	bool deep;		/* look into weights (weights.h) */
	bool fence;		/* false under --no-sandbox */
	unsigned seconds;	/* CPU time */
	unsigned program;	/* enum program_mode */
	struct magic *magic;	/* loaded before the fork; NULL: no labels */
	struct yara *yara;	/* --rules, compiled before the fork; or NULL */
	const struct format *extra; /* tests: a format beside the registry */
};

/* worker_main: for proc_spawn; ${arg} is a struct worker_job. */
int worker_main(void *arg, int out_fd);

/*
 * worker_hash_main: for proc_spawn; the digest of the job's range, alone in a
 * sandboxed process of its own so that no parser can lie about it.  Writes
 * 32 bytes, or nothing when the range cannot be read.
 */
int worker_hash_main(void *arg, int out_fd);

/* worker_seconds: the deadline for an object of ${len} bytes. */
unsigned worker_seconds(uint64_t len);

#endif /* !ANALYZER_WORKER_H_ */
