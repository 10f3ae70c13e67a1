#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "base/sandbox_parts.h"

/*
 * A ruleset that handles every right the kernel knows and has no rule, but
 * the one that lets a policy's folder be read: no path can be opened, made, renamed or executed, no TCP port bound or
 * connected, no signal or abstract socket reaches outside.
 *
 * Debian 12's header stops at ABI 2; the kernel's documentation
 * (userspace-api/landlock) names the later bits: file system rights are
 * bits 0 up to a highest one that grows with the ABI, network rights came
 * with ABI 4, scopes with ABI 6.
 */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* How many file system rights each ABI has: index is the ABI. */
static const unsigned fs_bits[] = {0, 13, 14, 15, 15, 16, 16, 16};
#define ABI_KNOWN 7

int
sandbox_landlock_probe(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

/* Reading files and listing folders below the one folder. */
static int
allow_folder(int ruleset, int folder, struct err *e)
{
	const struct landlock_path_beneath_attr below = {
	    .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE |
	    LANDLOCK_ACCESS_FS_READ_DIR, .parent_fd = folder};

	if (syscall(SYS_landlock_add_rule, ruleset,
	    LANDLOCK_RULE_PATH_BENEATH, &below, 0) < 0)
		return err_sys(e, errno, "cannot name the folder");
	return 0;
}

int
sandbox_landlock(const struct sandbox_policy *p, struct err *e)
{
	struct ruleset r = {0};
	int abi = sandbox_landlock_probe(), used, rc;
	size_t size;
	long fd;

	if (abi == 0)
		return !p->folder ? 0 : err_set(e, ERR_UNSUPPORTED,
		    "the kernel has no Landlock");
	used = abi < ABI_KNOWN ? abi : ABI_KNOWN;
	r.fs = (1ULL << fs_bits[used]) - 1;
	if (used >= 4)
		r.net = 3;	/* bind and connect, TCP */
	if (used >= 6)
		r.scoped = 3;	/* abstract sockets, signals */
	size = used >= 6 ? sizeof(r) : used >= 4 ? 2 * sizeof(uint64_t) :
	    sizeof(uint64_t);
	if ((fd = syscall(SYS_landlock_create_ruleset, &r, size, 0)) < 0)
		return err_sys(e, errno, "cannot make a Landlock ruleset");
	if ((rc = p->folder ? allow_folder((int)fd, p->folder_fd, e) : 0) >= 0)
		rc = syscall(SYS_landlock_restrict_self, (int)fd, 0) < 0 ?
		    err_sys(e, errno, "cannot enter Landlock") : abi;
	(void)close((int)fd);
	return rc;
}
