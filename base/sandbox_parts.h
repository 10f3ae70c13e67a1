#ifndef BASE_SANDBOX_PARTS_H_
#define BASE_SANDBOX_PARTS_H_

#include <stdbool.h>

struct err;
struct sandbox_policy;

/*
 * The two kernel mechanisms of sandbox.h, a file each.  Both are without
 * way back for the process.
 */

/* sandbox_seccomp: 1 in force, 0 the kernel or architecture has none. */
int sandbox_seccomp(const struct sandbox_policy *p, struct err *e);
bool sandbox_seccomp_probe(void);

/*
 * sandbox_landlock: the ABI in force, 0: none, negative: an error (a folder
 * that is to be read, and no Landlock).
 */
int sandbox_landlock(const struct sandbox_policy *p, struct err *e);
int sandbox_landlock_probe(void);

#endif /* !BASE_SANDBOX_PARTS_H_ */
