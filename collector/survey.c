#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "collector/run.h"
#include "collector/survey.h"

static int
tell(struct collect *c, struct survey_row *row)
{
	row->source = c->source;
	return c->survey->row(c->survey->ctx, row);
}

int
survey_file(struct collect *c, const struct object *o)
{
	int r;

	if ((r = record_object(c, o, NULL, NULL, NULL, 0, NULL)) < 0)
		return r;
	if (faccessat(o->dir, o->name, R_OK, AT_EACCESS |
	    AT_SYMLINK_NOFOLLOW) < 0)
		return record_error(c, o->path, "cannot open", errno);
	c->totals.stored++;
	c->totals.bytes += o->st.stx_size;
	return 0;
}

int
survey_error(struct collect *c, const char *path, const char *what,
    int errnum)
{
	struct survey_row row = {.kind = SURVEY_ERROR, .path = path,
	    .what = what, .errnum = errnum};

	return tell(c, &row);
}

int
survey_mount(struct collect *c, const char *path, bool entered)
{
	struct survey_row row = {.kind = SURVEY_MOUNT, .path = path,
	    .entered = entered};

	return tell(c, &row);
}

/* What came since ${was}. */
static void
count(struct collect *c, struct survey_row *row, const struct survey *was,
    const struct collect_totals *t)
{
	row->objects = c->totals.objects - t->objects;
	row->files = c->totals.stored - t->stored;
	row->bytes = c->totals.bytes - t->bytes;
	row->errors = c->totals.errors - t->errors;
	row->excluded = c->coverage.excluded - was->excluded;
	row->mounts_skipped = c->coverage.skipped - was->skipped;
}

static int
one(struct collect *c, const struct collect_source *s)
{
	struct survey was = {.excluded = c->coverage.excluded,
	    .skipped = c->coverage.skipped};
	struct survey_row row = {.kind = SURVEY_SOURCE};
	struct collect_totals t = c->totals;
	int r;

	if ((r = collect_source(c, s)) < 0)
		return r;
	count(c, &row, &was, &t);
	row.source = s;
	return c->survey->row(c->survey->ctx, &row);
}

int
survey_run(const struct collect_options *o, struct survey *s, struct err *e)
{
	struct collect c = {.o = o, .survey = s, .e = e};
	struct survey_row row = {.kind = SURVEY_SUMMARY};
	const struct survey none = {0};
	const struct collect_totals zero = {0};
	int r = 0;

	c.processes.fd = -1;
	scope_open(&c);
	for (size_t i = 0; i < o->nsources && r >= 0; i++)
		r = one(&c, &o->sources[i]);
	scope_close(&c);
	process_release(&c);
	if (r < 0)
		return r;
	count(&c, &row, &none, &zero);
	s->files = row.files;
	s->bytes = row.bytes;
	s->excluded = row.excluded;
	s->skipped = row.mounts_skipped;
	return s->row(s->ctx, &row);
}
