#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "cli/cmd.h"
#include "cli/collect_cmd.h"

/*
 * `exhibit collect --resume`: the command line that the journal keeps is read
 * again by the same table of options, in the directory where it was given,
 * and the collection goes the same way a second time, with the journal and
 * the partial bundle in its hands.
 */
/* Which exhibit, and its journal's request. */
static int
find_cut(struct collect_cmd *c, const char *exhibit, struct request *q,
    struct err *e)
{
	struct acquire_params p = {.dir = -1};
	char *path = NULL;
	int r;

	if ((r = case_open(c->case_dir, &c->dir, e)) < 0)
		return r;
	if (exhibit == NULL)
		r = case_resumable(c->dir, c->bag, e);
	else if (snprintf(c->bag, sizeof(c->bag), "%s", exhibit) >=
	    (int)sizeof(c->bag))
		r = err_set(e, ERR_ARG, "'%.80s' is no exhibit", exhibit);
	if (r >= 0 && (r = collect_cmd_place(c, &p, &path,
	    e)) >= 0 && p.dir < 0)
		r = err_set(e, ERR_ARG, "a stream cannot be resumed");
	if (r >= 0)
		r = request_read(q, p.dir, p.file, e);
	if (p.dir >= 0)
		(void)close(p.dir);
	free(path);
	case_close(c->dir);
	c->dir = NULL;
	return r;
}

/* As the command line of the journal says, where it was given. */
int
collect_resume(struct collect_cmd *c, const struct opt *rows,
    const char *exhibit)
{
	static const char *const may_differ[] = {"case", "keys", "output",
	    "passphrase-file", "quiet", "verbose", "resume", "limit-rate",
	    "nice", NULL};
	struct collect_cmd then = {.argc = 0};
	struct opt then_rows[COLLECT_CMD_ROWS];
	struct opt_args args = {NULL, 0};
	char *path[3] = {NULL, NULL, NULL};
	struct err e = ERR_INIT;
	const char *name;
	int r;

	(void)collect_cmd_rows(&then, then_rows);
	if ((r = find_cut(c, exhibit, &then.request, &e)) < 0)
		goto out;
	then.argc = then.request.argc;
	then.argv = then.request.argv;
	if (opt_parse(then.argc, then.argv, &collect_cmd_usage, then_rows,
	    &args) != 0)
		r = err_set(&e, ERR_FORMAT, "the journal's command line is "
		    "not one of this version");
	else if ((name = request_differs(rows, then_rows, then.request.cwd,
	    may_differ)) != NULL)
		r = err_set(&e, ERR_ARG, "--%s is not what it was when '%s' "
		    "was begun: leave it out", name, c->bag);
	else if ((r = collect_args_again(&then.args, &c->args, path, &e)) >=
	    0 && (r = collect_args_absolute(c->case_dir, &path[2], &e)) >= 0 &&
	    chdir(then.request.cwd) < 0)
		r = err_sys(&e, errno, "cannot go to where it was begun");
	then.case_dir = path[2];
	then.resume = true;
	memcpy(then.bag, c->bag, sizeof(then.bag));
	then.plan = args.count > 0 ? args.items[0] : NULL;
	if (r >= 0)
		r = collect_cmd_run(&then);
out:
	request_release(&then.request);
	if (e.code != ERR_OK)
		r = cmd_fail(&e);
	opt_release(then_rows, &args);
	for (unsigned i = 0; i < 3; i++)
		free(path[i]);
	return r;
}
