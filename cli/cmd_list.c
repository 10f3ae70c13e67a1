#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/bundle_open.h"
#include "cli/cmd.h"
#include "cli/fenced.h"
#include "cli/opt.h"
#include "cli/rows.h"
#include "custody/evidence_read.h"

struct list_cmd {
	const char *format, *output, *path;
	bool quiet, verbose;
	struct rows rows;
	int fd;		/* results go here */
	struct buf b;	/* of them, not yet written */
};

static const struct opt_usage usage = {"exhibit list", "[OPTION...] BUNDLE",
    "The members of a sealed bundle, in order, with size, time and stated "
    "digest.\nNames leave out the bag's name and keep their escapes."};

static void
put_text(const struct list_cmd *c, struct buf *b,
    const struct evidence_member *m, const uint8_t *sha256)
{
	char when[CLOCK_TEXT];

	if (!c->quiet)
		buf_printf(b, "%12llu  %s  ", (unsigned long long)m->size,
		    clock_rfc3339(when, (int64_t)m->mtime * 1000000000, 0));
	if (c->verbose) {
		if (sha256 != NULL)
			buf_hex(b, sha256, 32);
		else
			buf_printf(b, "%-64s", "-");
		buf_puts(b, "  ");
	}
	text_put(b, m->name, m->name_len, TEXT_PLAIN);
	buf_putc(b, '\n');
}

static void
put_json(struct list_cmd *c, struct buf *b, const struct evidence_member *m,
    const uint8_t *sha256)
{
	char when[CLOCK_TEXT];
	struct json_write w;

	rows_open(&c->rows, b);
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "member");
	json_ktext(&w, "path", m->name, m->name_len);
	json_ku64(&w, "size", m->size);
	json_kstr(&w, "mtime", clock_rfc3339(when,
	    (int64_t)m->mtime * 1000000000, 0));
	if (sha256 != NULL)
		json_khex(&w, "sha256", sha256, 32);
	else
		json_knull(&w, "sha256");
	json_ku64(&w, "header_offset", m->header_offset);
	json_ku64(&w, "data_offset", m->data_offset);
	json_end_object(&w);
	rows_close(&c->rows, b);
}

static int
flush(const struct list_cmd *c, struct buf *b, struct err *e)
{
	int r;

	if ((r = buf_failed(b)) < 0)
		return err_set(e, (enum err_code)r, "cannot write the list");
	r = fsio_write_all(c->fd, b->p, b->len, e);
	buf_clear(b);
	return r;
}

static int
put_member(struct list_cmd *c, const struct evidence_member *m,
    const uint8_t *sha256, struct err *e)
{
	if (c->rows.json)
		put_json(c, &c->b, m, sha256);
	else
		put_text(c, &c->b, m, sha256);
	return c->b.len > 64 * KIB ? flush(c, &c->b, e) : 0;
}

/* Sizes and names stand in the headers: one walk has them. */
static int
on_member(void *ctx, const struct evidence_member *m, struct err *e)
{
	return put_member(ctx, m, NULL, e);
}

/* Digests stand in the manifests, at the bundle's end: another walk. */
static int
list_digests(struct list_cmd *c, struct bundle_open *bo, struct err *e)
{
	struct err why = ERR_INIT;
	struct evidence_walk *w;
	struct evidence_member m;
	int r = 0;

	if (evidence_walk_new(bo->src, bo->arena, &w, &why) < 0)
		return 0;	/* the index has said so */
	while (r >= 0 && evidence_walk_next(w, &m, &why) > 0)
		r = put_member(c, &m, bundle_index_find(&bo->index, m.name,
		    m.name_len), e);
	return r;
}

static int
list(struct list_cmd *c, struct bundle_open *bo, struct err *e)
{
	const struct bundle_seen seen = {on_member, c};
	bool digests = c->rows.json || c->verbose;
	int r;

	if ((r = bundle_open(bo, c->path, c->fd, digests ? NULL : &seen,
	    e)) >= 0 && digests)
		r = list_digests(c, bo, e);
	if (r < 0)
		return r;
	rows_end(&c->rows, &c->b);
	return flush(c, &c->b, e);
}

static int
list_main(void *arg, int out_fd)
{
	struct list_cmd *c = arg;
	struct bundle_open bo;
	struct err e = ERR_INIT;
	int code = EXIT_CLEAN;

	c->fd = out_fd;
	buf_init(&c->b, MIB);
	if (list(c, &bo, &e) < 0) {
		code = cmd_fail(&e);
	} else if (bo.index.problem != NULL) {
		(void)fprintf(stderr, "exhibit: high BAG-STRUCTURE at offset "
		    "%llu: %s\n", (unsigned long long)bo.index.problem_off,
		    bo.index.problem);
		code = EXIT_FOUND;
	}
	buf_release(&c->b);
	bundle_open_release(&bo);
	return code;
}

int
cmd_list(int argc, char **argv)
{
	struct list_cmd c = {0};
	const struct opt rows[] = {
	    {OPT_STRING, 0, "format", &c.format, "FORMAT",
		"text, jsonl or json"},
	    {OPT_STRING, 'o', "output", &c.output, "FILE",
		"write the list to FILE"},
	    {OPT_FLAG, 'q', "quiet", &c.quiet, NULL, "names alone"},
	    {OPT_FLAG, 'v', "verbose", &c.verbose, NULL,
		"with the stated digests"},
	    OPT_ROWS_END};
	struct opt_args args;
	int r;

	if ((r = opt_parse(argc, argv, &usage, rows, &args)) != 0) {
		r = OPT_DONE(r);
	} else if (args.count != 1) {
		r = opt_usage_error(&usage, "one bundle, please");
	} else if (!rows_choose(&c.rows, c.format)) {
		r = opt_usage_error(&usage, "no such format");
	} else {
		c.path = args.items[0];
		r = fenced_run(list_main, &c, c.output);
	}
	opt_release(rows, &args);
	return r;
}
