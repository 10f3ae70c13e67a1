#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/passphrase.h"
#include "custody/case.h"
#include "custody/sign.h"

struct case_cmd {
	const char *name, *examiner, *keys, *passphrase_file;
};

static const struct opt_usage usage = {"exhibit case",
    "new DIR --name ID --examiner NAME --keys KEYDIR",
    "Begin a case: a directory with the custody ledger (case.db) and "
    "bundles/.\nThe keys stay where they are; their certificates are pinned."};

static int
make(const char *dir, const struct case_cmd *c)
{
	struct signer *signer = NULL;
	struct err e = ERR_INIT;
	char *passphrase, *keys;
	int r;

	if ((r = passphrase_read(c->passphrase_file, &passphrase, &e)) < 0)
		return cmd_fail(&e);
	keys = realpath(c->keys, NULL);
	if ((r = signer_load(keys != NULL ? keys : c->keys, passphrase,
	    &signer, &e)) >= 0)
		r = case_new(dir, c->name, c->examiner, keys, signer, &e);
	signer_free(signer);
	passphrase_free(passphrase);
	free(keys);
	return r < 0 ? cmd_fail(&e) : EXIT_CLEAN;
}

int
cmd_case(int argc, char **argv)
{
	struct case_cmd c = {0};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "name", &c.name, "ID",
		"case identifier: A-Z a-z 0-9 . _ -"},
	    {OPT_STRING, 0, "examiner", &c.examiner, "NAME",
		"who examines"},
	    {OPT_STRING, 0, "keys", &c.keys, "KEYDIR",
		"directory that keygen made"},
	    {OPT_STRING, 0, "passphrase-file", &c.passphrase_file, "FILE",
		"passphrase of the keys; - reads standard input"},
	    OPT_ROWS_END};
	struct opt_args args;
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &args)) != 0)
		r = OPT_DONE(r);
	else if (args.count != 2 || strcmp(args.items[0], "new") != 0)
		r = opt_usage_error(&usage, "case new DIR is what there is");
	else if (c.name == NULL || c.examiner == NULL || c.keys == NULL)
		r = opt_usage_error(&usage,
		    "--name, --examiner and --keys are needed");
	else
		r = make(args.items[1], &c);
	opt_release(rows, &args);
	return r;
}
