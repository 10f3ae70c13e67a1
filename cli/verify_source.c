#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "analyzer/intake/slice_worker.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fdpass.h"
#include "base/frame.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/text.h"
#include "cli/rows.h"
#include "cli/verify_source.h"
#include "collector/dataset.h"
#include "custody/slicewire.h"

struct source_check {
	const char *bundle, *path;
	struct dataset d;
	struct proc proc;
	int sock;
	struct rows *rows;
	int quiet;
	struct buf *b;
	unsigned compared, failed;
	struct err *e;
};

static int
told(void *ctx, const char *path, const char *what, int errnum)
{
	struct source_check *c = ctx;
	char shown[160];

	/* What is no part of the data set was none when it was taken. */
	if (errnum == 0)
		return 0;
	return err_sys(c->e, errnum, "'%s': %s", text_z(shown, sizeof(shown),
	    path, strlen(path)), what);
}

static void
statement(struct source_check *c, const char *result, const char *slice,
    size_t slice_n, const char *reason, size_t reason_n)
{
	struct json_write w;

	if (!c->rows->json) {
		if (c->quiet)
			return;
		buf_printf(c->b, "%-11s  %-11s  ", result, "source");
		text_put(c->b, slice, slice_n, TEXT_PLAIN);
		buf_puts(c->b, slice_n > 0 ? ": " : "");
		text_put(c->b, reason, reason_n, TEXT_PLAIN);
		buf_putc(c->b, '\n');
		return;
	}
	rows_open(c->rows, c->b);
	json_init(&w, c->b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "statement");
	json_kstr(&w, "name", "source");
	json_kstr(&w, "result", result);
	json_ktext(&w, "reason", reason, reason_n);
	json_key(&w, "path");
	json_text(&w, c->bundle, strlen(c->bundle), TEXT_PATH);
	if (slice_n > 0)
		json_ktext(&w, "slice", slice, slice_n);
	json_key(&w, "source");
	json_text(&w, c->path, strlen(c->path), TEXT_PATH);
	json_end_object(&w);
	rows_close(c->rows, c->b);
}

static void
failure(struct source_check *c, const char *reason)
{
	c->failed++;
	statement(c, "fails", "", 0, reason, strlen(reason));
}

static int
checked(struct source_check *c, const struct field *v)
{
	const struct field *s = &v[SLICE_K_SLICE], *why = &v[SLICE_K_REASON];
	bool holds = v[SLICE_K_HOLDS].u != 0;

	if (!s->set || !why->set || s->n == 0 || s->n > SLICE_TEXT ||
	    why->n > SLICE_TEXT)
		return ERR_FORMAT;
	c->compared++;
	c->failed += !holds;
	statement(c, holds ? "holds" : "fails", s->p, s->n, why->p, why->n);
	return buf_failed(c->b) < 0 ? ERR_FORMAT : 0;
}

static int
dispatch(struct source_check *c, const struct frame *f)
{
	struct field v[FRAME_TAGS];
	int errnum;

	if (f->type == SLICE_ASK && fields_get(f, slicewire_ask,
	    SLICE_A_COLUMNS, v, NULL, 0))
		return dataset_answer(&c->d, c->sock, v[SLICE_A_FILE].u,
		    &errnum) < 0 ? ERR_FORMAT : 0;
	if (f->type == SLICE_CHECKED && fields_get(f, slicewire_checked,
	    SLICE_K_COLUMNS, v, NULL, 0))
		return checked(c, v);
	return ERR_FORMAT;
}

static void
read_frames(struct source_check *c)
{
	static uint8_t body[LIMIT_FRAME];
	struct err why = ERR_INIT;
	enum proc_end end;
	struct frame f;
	uint8_t type;
	bool lied = false;
	int r, status = 0;
	size_t n;

	while ((r = proc_frame(&c->proc, &type, body, sizeof(body), &n,
	    &why)) > 0) {
		lied = !frame_parse(&f, type, body, n) || dispatch(c, &f) < 0;
		if (lied)
			break;
	}
	if (r < 0 || lied)
		proc_kill(&c->proc);
	end = proc_wait(&c->proc, &status);
	if (lied)
		failure(c, "the process that compares sent what it may not");
	else if (end == PROC_DEADLINE)
		failure(c, "the process that compares passed its deadline");
	else if (end == PROC_SIGNALED)
		failure(c, "the process that compares was ended by a signal");
	else if (end != PROC_EXITED)
		failure(c, "the process that compares sent what it may not");
	else if (status != 0)
		failure(c, "the process that compares failed");
}

static int
compare(struct source_check *c, int bundle_fd, const char *name)
{
	const struct dataset_words words = {.spec = name};
	int fd[2], r;

	if ((r = fdpass_pair(fd, c->e)) < 0)
		return r;
	c->sock = fd[0];
	r = proc_spawn(&c->proc, slice_worker_main, &fd[1], &fd[1], 1, 0,
	    c->e);
	(void)close(fd[1]);
	if (r >= 0 && (r = dataset_give(&c->d, &words, &c->proc, c->sock,
	    bundle_fd, c->e)) >= 0)
		read_frames(c);
	else if (r < 0 && c->proc.pid > 0) {
		proc_kill(&c->proc);
		(void)proc_wait(&c->proc, &(int){0});
	}
	(void)close(c->sock);
	return r;
}

static int
conclude(struct source_check *c)
{
	static const char none[] = "the bundle holds no slice of a source of "
	    "this name";
	int code = c->failed > 0 ? 3 : c->compared == 0 ? 2 : 0;

	if (c->compared == 0 && c->failed == 0)
		statement(c, "not-checked", "", 0, none, sizeof(none) - 1);
	if (c->rows->json)
		return code;
	text_put(c->b, c->path, strlen(c->path), TEXT_PATH);
	buf_puts(c->b, code == 0 ? ": SOURCE VERIFIED: the slices of it are "
	    "what they say\n" : code == 3 ? ": SOURCE NOT VERIFIED: a slice "
	    "does not agree with it\n" : ": SOURCE NOT COMPARED\n");
	return code;
}

int
verify_source(const char *bundle, int bundle_fd, const char *path,
    struct rows *rows, int quiet, struct buf *b, struct err *e)
{
	struct source_check c = {.bundle = bundle, .path = path,
	    .d = {.dir = -1, .tell = told}, .sock = -1, .rows = rows,
	    .quiet = quiet, .b = b, .e = e};
	char *real = realpath(path, NULL), *slash;
	int r;

	if (real == NULL)
		return err_sys(e, errno, "cannot read the source");
	c.d.ctx = &c;
	slash = strrchr(real, '/');
	*slash = '\0';
	if ((r = dataset_open(&c.d, *real != '\0' ? real : "/", slash + 1,
	    e)) > 0 && (r = compare(&c, bundle_fd, slash + 1)) >= 0)
		r = conclude(&c);
	else if (r == 0)
		r = err_set(e, ERR_NOTFOUND, "the source has no files");
	dataset_release(&c.d);
	free(real);
	return r;
}
