#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/sandbox.h"
#include "base/sandbox_parts.h"

static int
limit(__rlimit_resource_t what, uint64_t soft, uint64_t hard, struct err *e)
{
	struct rlimit old, new = {soft, hard};

	if (getrlimit(what, &old) < 0)
		return err_sys(e, errno, "cannot read a limit");
	if (old.rlim_max < hard)
		new.rlim_max = old.rlim_max;
	if (new.rlim_cur > new.rlim_max)
		new.rlim_cur = new.rlim_max;
	if (setrlimit(what, &new) < 0)
		return err_sys(e, errno, "cannot set a limit");
	return 0;
}

static int
set_limits(const struct sandbox_policy *p, struct err *e)
{
	int r;

	if ((r = limit(RLIMIT_CORE, 0, 0, e)) < 0 ||
	    (r = limit(RLIMIT_NPROC, 0, 0, e)) < 0 ||
	    (r = limit(RLIMIT_MEMLOCK, 0, 0, e)) < 0 ||
	    (!p->write_files && (r = limit(RLIMIT_FSIZE, 0, 0, e)) < 0) ||
	    (p->max_as != 0 &&
	    (r = limit(RLIMIT_AS, p->max_as, p->max_as, e)) < 0) ||
	    (p->max_data != 0 &&
	    (r = limit(RLIMIT_DATA, p->max_data, p->max_data, e)) < 0))
		return r;
	/*
	 * SIGXCPU at the soft limit says what happened; at the hard one the
	 * kernel sends SIGKILL, in case that the first is blocked.
	 */
	if (p->max_cpu != 0 &&
	    (r = limit(RLIMIT_CPU, p->max_cpu, p->max_cpu + 1, e)) < 0)
		return r;
	/*
	 * Last: no descriptor can be opened from here on, and none received
	 * but those that the policy counts; the filter denies all that opens.
	 */
	return limit(RLIMIT_NOFILE, p->descriptors, p->descriptors, e);
}

int
sandbox_enter(const struct sandbox_policy *p, struct sandbox_status *st,
    struct err *e)
{
	struct sandbox_status got = {0};
	int r;

	/* Whoever asks for local time later would open /etc/localtime. */
	if (setenv("TZ", "UTC0", 1) < 0)
		return err_set(e, ERR_NOMEM, "out of memory");
	tzset();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return err_sys(e, errno, "cannot give up privileges");
	if ((r = sandbox_landlock(p, e)) < 0)
		return r;
	got.landlock_abi = r;
	if ((r = set_limits(p, e)) < 0)
		return r;
	got.rlimits = true;
	if ((r = sandbox_seccomp(p, e)) < 0)
		return r;
	got.seccomp = r == 1;
	*st = got;
	return 0;
}

void
sandbox_threads(void)
{
	(void)mallopt(M_ARENA_MAX, 1);
}

void
sandbox_probe(struct sandbox_status *st)
{
	st->landlock_abi = sandbox_landlock_probe();
	st->rlimits = true;
	st->seccomp = sandbox_seccomp_probe();
}
