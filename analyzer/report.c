#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/jrow.h"
#include "analyzer/report.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "base/proc.h"
#include "base/reader.h"
#include "base/sandbox.h"

#define REPORT_MAX (512 * MIB)

/* Rows are read here and what is kept of them is copied. */
#define SCRATCH (64 * MIB)
#define SCRATCH_FULL (8 * MIB)

static int
keep_row(struct report *r, struct report_source *s, const struct jrow *row)
{
	const char *type = jrow_get(row, "type");
	struct jrow *kept;

	if (strcmp(type, "tensor") == 0)
		return report_heat_take(&s->heat, row, r->arena);
	if ((kept = jrow_copy(row, r->arena)) == NULL)
		return ERR_NOMEM;
	if (strcmp(type, "header") == 0)
		s->header = kept;
	else if (strcmp(type, "summary") == 0)
		s->summary = kept;
	if (s->last != NULL)
		s->last->next = kept;
	else
		s->first = kept;
	s->last = kept;
	return 0;
}

/* Rows until there are no more, or the scratch is full: 1. */
static int
read_some(struct report *r, struct report_source *s, struct reader *rd,
    struct err *why)
{
	struct arena *scratch = arena_new(SCRATCH);
	struct jrow *row;
	int got = scratch != NULL ? 1 : ERR_NOMEM;

	while (got > 0 && arena_used(scratch) < SCRATCH_FULL)
		if ((got = jrow_read(rd, scratch, &row, why)) > 0 &&
		    keep_row(r, s, row) < 0)
			got = err_set(why, ERR_NOMEM,
			    "more rows than a report can hold");
	arena_free(scratch);
	return got;
}

static int
read_rows(struct report *r, struct report_source *s,
    const struct bytesrc *src, struct err *e)
{
	struct err why = ERR_INIT;
	struct reader rd;
	int got;

	if ((got = reader_init(&rd, src, 0, 0, r->arena, e)) < 0)
		return got;
	while ((got = read_some(r, s, &rd, &why)) > 0)
		;
	if (got == ERR_NOMEM || got == ERR_IO)
		return err_set(e, (enum err_code)got, "%s", why.msg);
	if (got < 0 && (s->problem = arena_dup(r->arena, why.msg,
	    strlen(why.msg))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	return 0;
}

static struct report_source *
new_source(struct report *r, const char *name, struct err *e)
{
	struct report_source *s = arena_alloc(r->arena, sizeof(*s));

	if (s != NULL)
		s->name = name;
	else
		(void)err_set(e, ERR_NOMEM, "out of memory");
	return s;
}

static int
load_input(struct report *r, const struct report_input *in,
    struct report_source **tail, struct err *e)
{
	struct report_source *s;
	struct bytesrc *src;
	off_t size;
	int rc;

	if ((s = new_source(r, in->name, e)) == NULL)
		return ERR_NOMEM;
	if ((size = lseek(in->fd, 0, SEEK_END)) < 0)
		return err_set(e, ERR_IO, "cannot read '%s'", in->name);
	if ((src = bytesrc_fd(in->fd, 0, (uint64_t)size, e)) == NULL)
		return ERR_NOMEM;
	s->sha256 = in->sha256;
	rc = read_rows(r, s, src, e);
	bytesrc_free(src);
	if (rc >= 0 && s->problem == NULL && s->header != NULL &&
	    s->summary == NULL)
		s->problem = "the file has no summary: it was cut, or the "
		    "run that wrote it did not finish";
	if (*tail != NULL)
		(*tail)->next = s;
	else
		r->sources = s;
	*tail = s;
	return rc;
}

int
report_load(struct report *r, const struct report_options *o, struct err *e)
{
	struct report_source *tail = NULL;
	struct bytesrc *src;
	int rc = 0;

	r->o = o;
	for (size_t i = 0; i < o->ninputs && rc >= 0; i++)
		rc = load_input(r, &o->inputs[i], &tail, e);
	if (rc < 0 || o->ledger == NULL)
		return rc;
	if ((r->ledger = new_source(r, "ledger", e)) == NULL)
		return ERR_NOMEM;
	if ((src = bytesrc_mem(o->ledger->p, o->ledger->len, e)) == NULL)
		return ERR_NOMEM;
	rc = read_rows(r, r->ledger, src, e);
	bytesrc_free(src);
	return rc;
}

static int
report_main(void *arg, int out_fd)
{
	const struct report_options *o = arg;
	struct sandbox_policy p = {.out_fd = {out_fd, STDERR_FILENO},
	    .max_as = 2 * REPORT_MAX + GIB, .max_cpu = LIMIT_WORKER_SECONDS};
	struct sandbox_status st;
	struct report r = {0};
	struct err e = ERR_INIT;
	struct buf b;
	int rc;

	if (sandbox_enter(&p, &st, &e) < 0)
		return 2;
	buf_init(&b, REPORT_MAX);
	if ((r.arena = arena_new(REPORT_MAX)) == NULL)
		return 2;
	if ((rc = report_load(&r, o, &e)) >= 0) {
		report_write_html(&r, &b);
		if ((rc = buf_failed(&b)) >= 0)
			rc = fsio_write_all(out_fd, b.p, b.len, &e);
	}
	buf_release(&b);
	arena_free(r.arena);
	return rc >= 0 ? 0 : 1;
}

int
report_html(const struct report_options *o, int out_fd, struct err *e)
{
	struct report_options copy = *o;
	int keep[256], status, r, rc = 0;
	uint8_t chunk[64 * KIB];
	enum proc_end end;
	struct proc p;
	size_t got;

	if (o->ninputs > sizeof(keep) / sizeof(keep[0]))
		return err_set(e, ERR_LIMIT, "too many result files");
	for (size_t i = 0; i < o->ninputs; i++)
		keep[i] = o->inputs[i].fd;
	if ((r = proc_spawn(&p, report_main, &copy, keep,
	    (unsigned)o->ninputs, LIMIT_WORKER_SECONDS, e)) < 0)
		return r;
	while (rc >= 0 && (rc = proc_read(&p, chunk, sizeof(chunk), &got,
	    e)) >= 0 && got > 0)
		rc = fsio_write_all(out_fd, chunk, got, e);
	if (rc < 0)
		proc_kill(&p);
	end = proc_wait(&p, &status);
	if (rc >= 0 && (end != PROC_EXITED || status != 0))
		rc = err_set(e, ERR_CHILD,
		    "the report's worker failed (%s %d)",
		    end == PROC_EXITED ? "exit code" : "signal", status);
	return rc;
}
