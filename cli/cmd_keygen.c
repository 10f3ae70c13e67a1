#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "cli/cmd.h"
#include "cli/opt.h"
#include "cli/passphrase.h"
#include "custody/keygen.h"

static const struct opt_usage usage = {"exhibit keygen", "[OPTION...] DIR",
    "Make an examiner's signing key and a local time stamp authority in DIR.\n"
    "An existing file is never replaced."};

static int
make(const char *dir, struct keygen_options *o, const char *passphrase_file)
{
	struct err e = ERR_INIT;
	char *passphrase;
	int r;

	if ((r = passphrase_read(passphrase_file, &passphrase, &e)) >= 0) {
		o->passphrase = passphrase;
		r = keygen(dir, o, &e);
		passphrase_free(passphrase);
	}
	if (r < 0)
		return cmd_fail(&e);
	(void)fprintf(stderr, "examiner.key, %s, tsa.key and tsa.pem are in "
	    "'%s'; keep them away from the case\n",
	    o->request ? "examiner.csr" : "examiner.pem", dir);
	return EXIT_CLEAN;
}

int
cmd_keygen(int argc, char **argv)
{
	struct keygen_options o = {0};
	const char *passphrase_file = NULL, *reason = NULL;
	const struct opt rows[] = {
	    {OPT_STRING, 0, "algorithm", &o.algorithm, "NAME",
		"p256, p384 (default), p521, rsa3072, rsa4096, rsa-pss"},
	    {OPT_STRING, 0, "name", &o.name, "NAME",
		"common name in the certificates"},
	    {OPT_FLAG, 0, "request", &o.request, NULL,
		"examiner.csr for a CA instead of examiner.pem"},
	    {OPT_STRING, 0, "passphrase-file", &passphrase_file, "FILE",
		"encrypt the keys; - reads standard input"},
	    OPT_ROWS_END};
	struct opt_args args;
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &args)) != 0) {
		r = OPT_DONE(r);
	} else if (args.count != 1) {
		r = opt_usage_error(&usage, "one directory, please");
	} else {
		if (o.algorithm == NULL)
			o.algorithm = "p384";
		if (!keygen_algorithm_ok(o.algorithm, &reason))
			r = opt_usage_error(&usage, "%s", reason);
		else
			r = make(args.items[0], &o, passphrase_file);
	}
	opt_release(rows, &args);
	return r;
}
