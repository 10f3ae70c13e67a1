#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/alarm.h"
#include "analyzer/diff/diff_wire.h"
#include "analyzer/diff/pool.h"
#include "analyzer/intake/lazyfiles.h"
#include "analyzer/triggers/databag.h"
#include "analyzer/triggers/datafields.h"
#include "analyzer/triggers/datafind.h"
#include "analyzer/triggers/datajob.h"
#include "analyzer/triggers/datarun.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/limits.h"
#include "base/sandbox.h"
#include "base/text.h"
#include "custody/digest.h"
#include "formats/rows/rows.h"

/* Exit codes of the worker; the parent says what they mean. */
enum { WORKER_OK = 0, WORKER_FAILED = 1, WORKER_NO_FENCE = 2 };

/* Standard ones, pipe, socket and spare: numbers below are in use. */
#define OTHER_FILES 16

struct work {
	const struct datajob *job;
	struct diff_wire wire;
	struct rowtap alarm;
	const struct rows *rows;
	struct pool *pool;
	struct arena *arena;
	struct lazyfiles *lazy;
	struct rows_file *file;
	size_t files;
	struct databag bag;
	bool bundle;
	struct data_fields fields;
	struct buf path;
	uint64_t done;		/* bytes of data sets before this one */
	struct err e;
};

static int
enter(const struct work *w, int out_fd, struct sandbox_status *st)
{
	struct sandbox_policy p = {.out_fd = {out_fd, -1},
	    .max_data = LIMIT_DIFF_DATA, .max_cpu = w->job->seconds,
	    .threads = true, .descriptors = LAZYFILES_OPEN + OTHER_FILES};

	memset(st, 0, sizeof(*st));
	return w->job->fence ? sandbox_enter(&p, st, NULL) : 0;
}

/* A file is asked for by number, and comes over the socket. */
static int
ask(void *ctx, uint32_t file, int *fd, struct err *e)
{
	struct work *w = ctx;
	struct datajob_answer a;
	unsigned got;
	int r;

	if ((r = diff_wire_ask(&w->wire, file)) < 0 ||
	    (r = fdpass_recv(w->job->sock, &a, sizeof(a), fd, 1, &got,
	    e)) < 0)
		return r;
	if (a.file != file)
		return err_set(e, ERR_CHILD, "another file came");
	/* The parent said so: a fact about this file, not about us. */
	return got == 1 ? 0 : err_set(e, ERR_FORMAT, "a file of the data set "
	    "cannot be opened");
}

static int
load_files(struct work *w)
{
	const struct datajob *j = w->job;

	if ((w->lazy = lazyfiles_new(w->arena, ask, w)) == NULL ||
	    (w->file = arena_array(w->arena, j->files + 1,
	    sizeof(*w->file))) == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	for (; w->files < j->files; w->files++) {
		const struct datajob_file *f = &j->file[w->files];
		struct bytesrc *src = lazyfiles_src(w->lazy,
		    (uint32_t)w->files, f->size, &w->e);

		if (src == NULL)
			return ERR_NOMEM;
		w->file[w->files] = (struct rows_file){f->name,
		    strlen(f->name), src};
	}
	if (j->files != 1 || j->folder || !databag_is(w->file[0].src, &w->e))
		return w->e.code != 0 ? (int)w->e.code : 0;
	w->bundle = true;
	return databag_load(&w->bag, w->file[0].src, w->arena, w->rows,
	    &w->e);
}

static int
on_progress(void *ctx, uint64_t done, uint64_t total)
{
	struct work *w = ctx;

	(void)total;
	return diff_wire_progress(&w->wire, w->done + done, w->job->bytes);
}

/* As results show it: below what was given, '!' before members. */
static const char *
path_of(struct work *w, const struct datafind_set *s)
{
	size_t n = s->name_len;

	buf_clear(&w->path);
	buf_puts(&w->path, w->job->given);
	while (n > 0 && s->name[n - 1] == '/')
		n--;
	if ((w->job->folder || w->bundle) && n > 0) {
		buf_putc(&w->path, w->bundle ? '!' : '/');
		if (w->bundle)
			buf_puts(&w->path, "data/training/");
		text_put(&w->path, s->name, n, TEXT_PATH);
	}
	return buf_str(&w->path);
}

static int
one_set(struct work *w, const struct datafind_set *s)
{
	const struct detect d = {.rows = w->rows, .pool = w->pool,
	    .progress = on_progress, .ctx = w, .e = &w->e};
	struct datarun_set set = {.file = s->file, .files = s->files,
	    .labels = s->labels, .path = path_of(w, s), .format = s->format,
	    .asked = !w->job->folder && !w->bundle};
	int r;

	if (buf_failed(&w->path) != 0)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->files; i++)
		set.bytes += bytesrc_size(s->file[i].src);
	r = datarun(&set, &w->fields, &d);
	w->done += set.bytes;
	return r < 0 ? r : 0;
}

static int
run(struct work *w)
{
	const struct rows_file *file;
	struct datafind_set *s;
	size_t n;
	int r;

	if ((w->arena = arena_new(LIMIT_DATA_FILES_ARENA)) == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	if ((r = datafields_parse(w->job->fields, w->arena, &w->fields,
	    &w->e)) < 0 || (r = load_files(w)) < 0)
		return r;
	file = w->bundle ? w->bag.file : w->file;
	n = w->bundle ? w->bag.n : w->files;
	if ((s = datafind(file, n, w->arena, &n)) == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		if ((r = one_set(w, &s[i])) < 0)
			return r;
	return diff_wire_done(&w->wire, w->done);
}

static void
release(struct work *w)
{
	databag_close(&w->bag);
	for (size_t i = 0; i < w->files; i++)
		bytesrc_free((struct bytesrc *)(uintptr_t)w->file[i].src);
	lazyfiles_close(w->lazy);
	buf_release(&w->path);
	pool_free(w->pool);
	arena_free(w->arena);
	diff_wire_release(&w->wire);
}

int
data_worker_main(void *arg, int out_fd)
{
	static struct work w;
	struct sandbox_status st;
	struct rows rows;
	int r;

	w.job = arg;
	w.e = (struct err)ERR_INIT;
	buf_init(&w.path, 16 * LIMIT_PATH);
	/* Threads and what digests need, before there is no way back. */
	if (digest_start(&w.e) < 0 ||
	    (w.pool = pool_new(w.job->threads, &w.e)) == NULL ||
	    enter(&w, out_fd, &st) < 0)
		return WORKER_NO_FENCE;
	diff_wire_init(&w.wire, out_fd, &w.e);
	rows = diff_wire_rows(&w.wire);
	alarm_init(&w.alarm, &rows);
	w.rows = &w.alarm.rows;
	if ((r = diff_wire_status(&w.wire, &st)) >= 0 && (r = run(&w)) < 0) {
		/* What was found before stands. */
		(void)diff_wire_skip(&w.wire, "what comes behind", w.e.msg);
		(void)diff_wire_flush(&w.wire);
	}
	release(&w);
	return r >= 0 ? WORKER_OK : WORKER_FAILED;
}
