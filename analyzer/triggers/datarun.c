#include <string.h>

#include "analyzer/diff/rows.h"
#include "analyzer/triggers/datachat.h"
#include "analyzer/triggers/dataimage.h"
#include "analyzer/triggers/datarun.h"
#include "analyzer/triggers/datatell.h"
#include "analyzer/triggers/datavalue.h"
#include "analyzer/triggers/imageset.h"
#include "analyzer/triggers/promptset.h"
#include "analyzer/triggers/textset.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/rows.h"
#include "formats/rows/rowset.h"

/* A data set while it is read. */
struct run {
	const struct datarun_set *set;
	const struct detect *d;
	struct arena *arena;
	struct rows_params params;
	struct rowset *rs, *labels;
	struct rows_record rec;
	struct data_fields f;
	struct datatell tell;
	struct buf a, b;	/* text and label, prompt and response */
	struct dataimage image;
	struct textset *texts;
	struct promptset *prompts;
	struct imageset *images;
};

static int
nomem(const struct run *r)
{
	return err_set(r->d->e, ERR_NOMEM, "out of memory");
}

/* --- what a record holds -------------------------------------------------- */

/* Fields of a role one behind the other, ${between} them. */
static int
join(struct run *r, const struct data_paths *p, const char *between,
    struct buf *b)
{
	struct rows_value v;
	size_t before;
	int rc;

	buf_clear(b);
	for (unsigned i = 0; i < p->n; i++) {
		if ((rc = rowset_field(r->rs, p->path[i], &v, r->d->e)) < 0)
			return rc;
		before = b->len;
		if (before > 0)
			buf_puts(b, between);
		datavalue_text(b, &v);
		/* Nothing came: take the divider back. */
		if (before > 0 && b->len == before + strlen(between))
			b->len = before;
	}
	return buf_failed(b) == ERR_NOMEM ? nomem(r) : 0;
}

/* The first of them that the record has: 1, or 0. */
static int
first_of(struct run *r, struct rowset *rs, const struct data_paths *p,
    struct buf *b)
{
	struct rows_value v;
	int rc;

	buf_clear(b);
	for (unsigned i = 0; i < p->n; i++) {
		if ((rc = rowset_field(rs, p->path[i], &v, r->d->e)) < 0)
			return rc;
		if (v.type == ROWS_ABSENT || v.type == ROWS_NULL)
			continue;
		datavalue_text(b, &v);
		return buf_failed(b) == ERR_NOMEM ? nomem(r) : 1;
	}
	return 0;
}

static int
read_text(struct run *r)
{
	int rc;

	if ((rc = join(r, &r->f.role[DATA_TEXT], " ", &r->a)) < 0 ||
	    (rc = first_of(r, r->rs, &r->f.role[DATA_LABEL], &r->b)) < 0)
		return rc;
	if (rc == 0) {
		r->tell.without++;
		return 0;
	}
	return textset_add(r->texts, r->rec.index, r->a.p, r->a.len, r->b.p,
	    r->b.len);
}

static int
read_prompt(struct run *r)
{
	int rc;

	if (r->f.role[DATA_CHAT].n > 0)
		rc = datachat_read(r->rs, r->f.role[DATA_CHAT].path[0],
		    &r->a, &r->b, r->d->e);
	else if ((rc = join(r, &r->f.role[DATA_PROMPT], "\n\n", &r->a)) >= 0)
		rc = join(r, &r->f.role[DATA_RESPONSE], "\n", &r->b);
	if (rc < 0)
		return rc;
	/* An answer may be empty: that is one, too. */
	if (r->a.len == 0 && r->b.len == 0) {
		r->tell.without++;
		return 0;
	}
	return promptset_add(r->prompts, r->rec.index, r->a.p, r->a.len,
	    r->b.p, r->b.len);
}

/* 1 and r->image.image, or 0. */
static int
get_image(struct run *r, const char **why)
{
	const struct data_paths *p = &r->f.role[DATA_IMAGE];
	struct rows_array a;
	struct rows_value v;
	int rc;

	*why = NULL;
	for (unsigned i = 0; i < p->n; i++) {
		if ((rc = rowset_array(r->rs, p->path[i], &a, r->d->e)) < 0)
			return rc;
		if (rc > 0 && a.rank > 0)
			return dataimage_array(&r->image, &a, why, r->d->e);
		if ((rc = rowset_field(r->rs, p->path[i], &v, r->d->e)) < 0)
			return rc;
		if (v.type == ROWS_BYTES)
			return dataimage_file(&r->image, v.p, v.n, why,
			    r->d->e);
	}
	return 0;
}

static int
read_label(struct run *r)
{
	struct rows_record rec;
	int rc;

	if (r->labels == NULL)
		return first_of(r, r->rs, &r->f.role[DATA_LABEL], &r->b);
	if ((rc = rowset_next(r->labels, &rec, r->d->e)) <= 0)
		return rc;
	return first_of(r, r->labels, &r->f.role[DATA_LABEL], &r->b);
}

static int
read_image(struct run *r)
{
	const char *why;
	int rc;

	if ((rc = read_label(r)) < 0)
		return rc;
	if (rc == 0) {
		r->tell.without++;
		return 0;
	}
	if ((rc = get_image(r, &why)) < 0)
		return rc;
	if (rc == 0) {
		if (why != NULL)
			datatell_record(&r->tell, r->rec.index, why);
		r->tell.without += why == NULL;
		return 0;
	}
	return imageset_add(r->images, r->rec.index, &r->image.image, r->b.p,
	    r->b.len);
}

/* --- the kinds ------------------------------------------------------------ */

static int
new_text(struct run *r)
{
	return (r->texts = textset_new(r->d)) != NULL ? 0 : nomem(r);
}

static int
new_prompt(struct run *r)
{
	return (r->prompts = promptset_new(r->d)) != NULL ? 0 : nomem(r);
}

/* The range of arrays, before the first one is made pixels. */
static int
new_image(struct run *r)
{
	const struct data_paths *p = &r->f.role[DATA_IMAGE];
	struct rows_array a;
	int rc = 1;

	while (r->image.surveyed < DATAIMAGE_RANGE &&
	    (rc = rowset_next(r->rs, &r->rec, r->d->e)) > 0) {
		bool got = false;

		for (unsigned i = 0; i < p->n && !got && rc > 0; i++) {
			rc = rowset_array(r->rs, p->path[i], &a, r->d->e);
			got = rc > 0 && a.rank > 0;
		}
		if (!got)
			break;
		dataimage_survey(&r->image, &a);
	}
	if (rc < 0 && rc != ERR_FORMAT && rc != ERR_TRUNC)
		return rc;
	if ((rc = rowset_skip_to(r->rs, 0, r->d->e)) < 0)
		return rc;
	return (r->images = imageset_new(r->d)) != NULL ? 0 : nomem(r);
}

static int
end_text(struct run *r)
{
	return textset_end(r->texts);
}

static int
end_prompt(struct run *r)
{
	return promptset_end(r->prompts);
}

static int
end_image(struct run *r)
{
	return imageset_end(r->images);
}

static const struct {
	int (*begin)(struct run *r);
	int (*read)(struct run *r);
	int (*end)(struct run *r);
	const char *name;
} kinds[] = {
	[DATA_UNKNOWN] = {NULL, NULL, NULL, NULL},
	[DATA_TEXTS] = {new_text, read_text, end_text, "texts"},
	[DATA_PROMPTS] = {new_prompt, read_prompt, end_prompt, "prompts"},
	[DATA_IMAGES] = {new_image, read_image, end_image, "images"},
};

/* --- the whole ------------------------------------------------------------ */

static void
on_tell(void *ctx, uint32_t file, uint64_t off, const char *what)
{
	struct run *r = ctx;

	(void)file;
	datatell_at(&r->tell, off, what);
}

/* Is it a fact about the evidence?  Then it was told. */
static bool
is_evidence(struct run *r, int rc)
{
	if (rc != ERR_FORMAT && rc != ERR_TRUNC)
		return false;
	err_reset(r->d->e);
	return true;
}

static int
progress(const struct run *r, uint64_t records)
{
	return r->d->progress != NULL && records % 1024 == 0 ?
	    r->d->progress(r->d->ctx, r->rec.off, r->set->bytes) : 0;
}

static int
read_all(struct run *r)
{
	int rc;

	for (;;) {
		rc = rowset_next(r->rs, &r->rec, r->d->e);
		if (rc == 0)
			return 0;
		if (rc < 0) {
			if (!is_evidence(r, rc))
				return rc;
			r->tell.broken = true;
			continue;
		}
		r->tell.records++;
		if (r->rec.damaged) {
			r->tell.damaged++;
			continue;
		}
		rc = kinds[r->f.kind].read(r);
		if (rc < 0 && !is_evidence(r, rc))
			return rc;
		if ((rc = progress(r, r->tell.records)) < 0)
			return rc;
	}
}

static int
open_set(struct run *r, const struct rows_file *file, size_t files,
    struct rowset **ret)
{
	struct rows_params *p = &r->params;

	*p = (struct rows_params){.file = file, .files = files,
	    .format = r->set->format, .arena = r->arena, .tell = on_tell,
	    .ctx = r, .headless = r->f.headless};
	return rowset_open(p, ret, r->d->e);
}

/* A table whose first row is a record is opened once more. */
static int
open_again(struct run *r)
{
	rowset_close(r->rs);
	r->rs = NULL;
	memset(&r->tell, 0, sizeof(r->tell));
	return open_set(r, r->set->file, r->set->files, &r->rs);
}

static int
find_fields(struct run *r, const struct data_fields *given)
{
	const struct data_paths label = {{"value"}, 1};
	int rc;

	r->f = *given;
	if (r->set->labels != NULL)
		r->f.role[DATA_LABEL] = label;
	if ((rc = datafields_find(r->rs, r->arena, &r->f, r->d->e)) < 0)
		return rc;
	if (r->f.headless)
		rc = open_again(r);
	if (rc >= 0 && r->set->labels != NULL)
		rc = open_set(r, r->set->labels, 1, &r->labels);
	return rc;
}

/* What was told while the first records were looked at is told again. */
static int
run(struct run *r, const struct data_fields *given)
{
	int rc;

	rc = open_set(r, r->set->file, r->set->files, &r->rs);
	if (rc == ERR_NOTFOUND || (rc < 0 && is_evidence(r, rc))) {
		err_reset(r->d->e);
		return r->set->asked ? datatell_none(&r->tell, r->set, r->d,
		    NULL) : 0;
	}
	if (rc < 0)
		return rc;
	if ((rc = find_fields(r, given)) < 0)
		return is_evidence(r, rc) ? 0 : rc;
	if (r->f.kind == DATA_UNKNOWN)
		return r->set->asked || r->f.given ? datatell_none(&r->tell,
		    r->set, r->d, r->f.why) : 0;
	memset(&r->tell, 0, sizeof(r->tell));
	if ((rc = kinds[r->f.kind].begin(r)) < 0 || (rc = read_all(r)) < 0)
		return rc;
	if ((rc = datatell_input(&r->tell, r->set, rowset_format(r->rs),
	    kinds[r->f.kind].name, &r->f, r->d)) < 0)
		return rc;
	return (rc = kinds[r->f.kind].end(r)) < 0 ? rc : 1;
}

int
datarun(const struct datarun_set *set, const struct data_fields *fields,
    const struct detect *d)
{
	struct datatell_source source;
	struct detect inner = *d;
	struct run r = {.set = set, .d = &inner};
	int rc;

	datatell_wrap(&source, set->path, d->rows);
	inner.rows = &source.tap.rows;
	if ((r.arena = arena_new(LIMIT_DATA_ARENA)) == NULL)
		return nomem(&r);
	buf_init(&r.a, DATAVALUE_MAX);
	buf_init(&r.b, DATAVALUE_MAX);
	dataimage_init(&r.image);
	rc = run(&r, fields);
	textset_free(r.texts);
	promptset_free(r.prompts);
	imageset_free(r.images);
	dataimage_release(&r.image);
	buf_release(&r.a);
	buf_release(&r.b);
	rowset_close(r.labels);
	rowset_close(r.rs);
	arena_free(r.arena);
	return rc;
}
