#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/intake/tar_worker.h"
#include "base/err.h"
#include "base/proc.h"
#include "cli/tar_in.h"
#include "collector/transport.h"

struct tar_in {
	struct proc pump, worker;
	struct transport t;
	struct foreign foreign;
};

static void
end_proc(struct proc *p)
{
	int status;

	if (p->pid == 0)
		return;
	proc_kill(p);
	(void)proc_wait(p, &status);
}

static int
start(struct tar_in *t, int in, struct err *e)
{
	int feed[2], r;

	if (pipe2(feed, O_CLOEXEC) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	if ((r = pump_start(&t->pump, in, feed[1], e)) >= 0)
		r = proc_spawn(&t->worker, tar_worker, &feed[0], &feed[0], 1,
		    0, e);
	(void)close(feed[0]);
	(void)close(feed[1]);
	return r;
}

int
tar_in_start(const char *path, struct tar_in **ret, struct err *e)
{
	struct tar_in *t;
	int in, r;

	/* A copy of standard input: a worker's own is /dev/null. */
	in = strcmp(path, "-") == 0 ?
	    fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) :
	    open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (in < 0)
		return err_sys(e, errno, "cannot open '%.128s'", path);
	if ((t = calloc(1, sizeof(*t))) == NULL) {
		(void)close(in);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	t->pump.fd = t->worker.fd = -1;
	t->t = (struct transport){.kind = "tar", .from = path};
	t->foreign = (struct foreign){&t->worker, &t->pump, &t->t};
	r = start(t, in, e);
	(void)close(in);
	if (r < 0) {
		tar_in_free(t);
		return r;
	}
	*ret = t;
	return 0;
}

struct foreign *
tar_in_foreign(struct tar_in *t)
{
	return &t->foreign;
}

void
tar_in_free(struct tar_in *t)
{
	if (t == NULL)
		return;
	end_proc(&t->worker);
	end_proc(&t->pump);
	free(t);
}
