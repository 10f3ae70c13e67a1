#include <stdio.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/bundle_open.h"
#include "cli/cmd.h"
#include "cli/fenced.h"
#include "cli/opt.h"
#include "custody/digest.h"
#include "custody/evidence_read.h"

struct cat_cmd {
	const char *path, *name, *output;
	int fd;		/* the content goes here */
};

static const struct opt_usage usage = {"exhibit cat",
    "[OPTION...] BUNDLE MEMBER",
    "One member of a sealed bundle to standard output, checked against the\n"
    "digest that the bundle's manifest states while it is written."};

static int
copy(const struct cat_cmd *c, const struct bundle_open *bo,
    const struct evidence_member *m, uint8_t sha256[32], struct err *e)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	struct digests out;
	struct digest *d;
	uint64_t done = 0;
	int r = 0;
	size_t n;

	if ((d = digest_new(DIGEST_SHA256, e)) == NULL)
		return ERR_CRYPTO;
	while (done < m->size && r >= 0) {
		n = m->size - done < sizeof(chunk) ?
		    (size_t)(m->size - done) : sizeof(chunk);
		if ((r = bytesrc_read(bo->src, m->data_offset + done, chunk,
		    n, e)) >= 0 && (r = digest_put(d, chunk, n, e)) >= 0)
			r = fsio_write_all(c->fd, chunk, n, e);
		done += n;
	}
	if (r >= 0 && (r = digest_now(d, &out, e)) >= 0)
		memcpy(sha256, out.sha256, 32);
	digest_free(d);
	return r;
}

static int
complain(const char *rule, const char *what)
{
	(void)fprintf(stderr, "exhibit: high %s: %s\n", rule, what);
	return EXIT_FOUND;
}

static int
cat_main(void *arg, int out_fd)
{
	struct cat_cmd *c = arg;
	struct evidence_member m;
	struct bundle_open bo;
	struct err e = ERR_INIT, why = ERR_INIT;
	uint8_t sha256[32];
	const uint8_t *stated;
	char shown[256];
	int code = EXIT_CLEAN;

	c->fd = out_fd;
	if (bundle_open(&bo, c->path, out_fd, NULL, &e) < 0) {
		code = cmd_fail(&e);
		goto out;
	}
	if (bo.index.problem != NULL)
		code = complain("BAG-STRUCTURE", bo.index.problem);
	if (evidence_find(bo.src, bo.arena, c->name, &m, &why) <= 0) {
		(void)err_set(&e, ERR_NOTFOUND, "no member '%s'",
		    text_z(shown, sizeof(shown), c->name, strlen(c->name)));
		code = cmd_worse(code, cmd_fail(&e));
		goto out;
	}
	if (copy(c, &bo, &m, sha256, &e) < 0) {
		code = cmd_worse(code, cmd_fail(&e));
		goto out;
	}
	stated = bundle_index_find(&bo.index, m.name, m.name_len);
	if (stated != NULL && memcmp(stated, sha256, 32) != 0)
		code = complain("BAG-DIGEST",
		    "the member does not have the stated digest");
	else if (stated == NULL && !bundle_index_unlisted(m.name))
		code = complain("BAG-UNLISTED", "no manifest lists the member");
out:
	bundle_open_release(&bo);
	return code;
}

int
cmd_cat(int argc, char **argv)
{
	struct cat_cmd c = {0};
	const struct opt rows[] = {
	    {OPT_STRING, 'o', "output", &c.output, "FILE",
		"write the content to FILE"},
	    OPT_ROWS_END};
	struct opt_args args;
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &args)) != 0) {
		r = OPT_DONE(r);
	} else if (args.count != 2) {
		r = opt_usage_error(&usage, "a bundle and a member, please");
	} else {
		c.path = args.items[0];
		c.name = args.items[1];
		r = fenced_run(cat_main, &c, c.output);
	}
	opt_release(rows, &args);
	return r;
}
