#include <stdio.h>

#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/proc.h"
#include "cli/cmd.h"
#include "cli/fenced.h"

int
fenced_run(int (*main)(void *arg, int out_fd), void *arg, const char *output)
{
	static char chunk[64 * KIB];
	struct cmd_output out;
	struct err e = ERR_INIT;
	enum proc_end end;
	struct proc p;
	size_t got;
	int r, status;

	if (cmd_output_open(&out, output, &e) < 0)
		return cmd_fail(&e);
	if (proc_spawn(&p, main, arg, NULL, 0, 0, &e) < 0) {
		cmd_output_abandon(&out);
		return cmd_fail(&e);
	}
	while ((r = proc_read(&p, chunk, sizeof(chunk), &got, &e)) >= 0 &&
	    got > 0)
		if ((r = fsio_write_all(out.fd, chunk, got, &e)) < 0)
			break;
	if (r < 0)
		proc_kill(&p);
	end = proc_wait(&p, &status);
	if (r >= 0 && end != PROC_EXITED)
		r = err_set(&e, ERR_CHILD,
		    "the reading process was ended by signal %d", status);
	if (r >= 0)
		r = cmd_output_commit(&out, &e);
	if (r < 0) {
		cmd_output_abandon(&out);
		return cmd_fail(&e);
	}
	return status;
}
