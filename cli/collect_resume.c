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

/* What may be said anew, and must still lead to where it led. */
static int
carry_over(struct collect_cmd *to, struct collect_cmd *from, char *path[3],
    struct err *e)
{
	const char *const given[3] = {from->case_dir, from->args.keys,
	    from->args.output};
	char cwd[LIMIT_PATH];

	if (getcwd(cwd, sizeof(cwd)) == NULL)
		return err_sys(e, errno, "cannot tell where this is");
	for (unsigned i = 0; i < 3; i++)
		if (given[i] != NULL && asprintf(&path[i], "%s%s%s",
		    *given[i] == '/' ? "" : cwd, *given[i] == '/' ? "" : "/",
		    given[i]) < 0)
			return err_set(e, ERR_NOMEM, "out of memory");
	to->case_dir = path[0];
	if (path[1] != NULL)
		to->args.keys = path[1];
	to->args.output = path[2];
	if (from->args.passphrase_file != NULL)
		to->args.passphrase_file = from->args.passphrase_file;
	if (from->args.limit_rate != NULL)
		to->args.limit_rate = from->args.limit_rate;
	if (from->args.nice != NULL)
		to->args.nice = from->args.nice;
	to->args.quiet = from->args.quiet;
	to->args.verbose = from->args.verbose;
	to->resume = true;
	memcpy(to->bag, from->bag, sizeof(to->bag));
	return 0;
}

/* As the command line of the journal says, where it was given. */
int
collect_resume(struct collect_cmd *c, const struct opt *rows, const char *exhibit)
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
	if (opt_parse(then.argc, then.argv, &collect_cmd_usage, then_rows, &args) != 0)
		r = err_set(&e, ERR_FORMAT, "the journal's command line is "
		    "not one of this version");
	else if ((name = request_differs(rows, then_rows, then.request.cwd,
	    may_differ)) != NULL)
		r = err_set(&e, ERR_ARG, "--%s is not what it was when '%s' "
		    "was begun: leave it out", name, c->bag);
	else if ((r = carry_over(&then, c, path, &e)) >= 0 &&
	    chdir(then.request.cwd) < 0)
		r = err_sys(&e, errno, "cannot go to where it was begun");
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
