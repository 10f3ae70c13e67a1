#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/collect_args.h"
#include "cli/rows.h"
#include "collector/survey.h"

/*
 * Rows of --dry-run (schemas/plan-survey.schema.json), on standard output.
 */
struct dry {
	struct rows rows;
	struct err *e;
	uint64_t errors;
};

static const char *const kinds[] = {[SURVEY_MOUNT] = "mount",
    [SURVEY_ERROR] = "error", [SURVEY_SOURCE] = "source",
    [SURVEY_SUMMARY] = "summary"};

static const char *
given(const struct survey_row *r)
{
	return r->source->given != NULL ? r->source->given : r->source->path;
}

static void
put_counts(struct json_write *w, const struct survey_row *r)
{
	json_ku64(w, "objects", r->objects);
	json_ku64(w, "files", r->files);
	json_ku64(w, "bytes", r->bytes);
	json_ku64(w, "excluded", r->excluded);
	json_ku64(w, "mounts_skipped", r->mounts_skipped);
	json_ku64(w, "errors", r->errors);
}

static void
put_json(struct dry *d, struct buf *b, const struct survey_row *r)
{
	struct json_write w;

	rows_open(&d->rows, b);
	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", kinds[r->kind]);
	if (r->source != NULL) {
		json_kstr(&w, "class", bag_class_name(r->source->class));
		json_kstr(&w, "kind", source_system_name(r->source->kind));
		json_ktext(&w, "given", given(r), strlen(given(r)));
		if (r->source->slice != NULL)
			json_ktext(&w, "slice", r->source->slice,
			    strlen(r->source->slice));
	}
	switch (r->kind) {
	case SURVEY_MOUNT:
		json_ktext(&w, "path", r->path, strlen(r->path));
		json_kstr(&w, "what", r->entered ? "entered" : "skipped");
		break;
	case SURVEY_ERROR:
		json_ktext(&w, "path", r->path, strlen(r->path));
		json_kstr(&w, "what", r->what);
		json_kstr(&w, "errno", r->errnum != 0 ?
		    strerrorname_np(r->errnum) : NULL);
		break;
	case SURVEY_SOURCE:
	case SURVEY_SUMMARY:
		put_counts(&w, r);
		break;
	}
	json_end_object(&w);
	rows_close(&d->rows, b);
}

static void
put_path(struct buf *b, const char *what, const struct survey_row *r)
{
	buf_puts(b, what);
	text_put(b, r->path, strlen(r->path), TEXT_PLAIN);
}

static void
put_given(struct buf *b, const struct survey_row *r)
{
	const char *slice = r->source->slice;

	if (slice == NULL) {
		text_put(b, given(r), strlen(given(r)), TEXT_PLAIN);
		buf_puts(b, ": ");
		return;
	}
	buf_puts(b, "a slice of ");
	text_put(b, r->source->path, strlen(r->source->path), TEXT_PLAIN);
	buf_puts(b, ": ");
	text_put(b, slice, strlen(slice), TEXT_PLAIN);
	buf_puts(b, ": of ");
}

static void
put_text(struct buf *b, const struct survey_row *r)
{
	switch (r->kind) {
	case SURVEY_MOUNT:
		put_path(b, r->entered ? "  other mount:   " :
		    "  skipped mount: ", r);
		break;
	case SURVEY_ERROR:
		put_path(b, "  cannot take:   ", r);
		buf_printf(b, ": %s%s%s", r->what, r->errnum != 0 ? ": " : "",
		    r->errnum != 0 ? strerrordesc_np(r->errnum) : "");
		break;
	case SURVEY_SOURCE:
	case SURVEY_SUMMARY:
		if (r->source != NULL) {
			buf_printf(b, "%s ", bag_class_name(r->source->class));
			put_given(b, r);
		} else {
			buf_puts(b, "in all: ");
		}
		buf_printf(b, "%llu objects, %llu files, %llu bytes",
		    (unsigned long long)r->objects,
		    (unsigned long long)r->files,
		    (unsigned long long)r->bytes);
		if (r->excluded > 0)
			buf_printf(b, ", %llu excluded",
			    (unsigned long long)r->excluded);
		if (r->mounts_skipped > 0)
			buf_printf(b, ", %llu mounts skipped",
			    (unsigned long long)r->mounts_skipped);
		if (r->errors > 0)
			buf_printf(b, ", %llu cannot be taken",
			    (unsigned long long)r->errors);
		break;
	}
	buf_putc(b, '\n');
}

static int
print(void *ctx, const struct survey_row *r)
{
	struct dry *d = ctx;
	struct buf b;
	int ret;

	buf_init(&b, MIB);
	if (d->rows.json)
		put_json(d, &b, r);
	else
		put_text(&b, r);
	d->errors += r->kind == SURVEY_ERROR;
	if ((ret = buf_failed(&b)) < 0)
		ret = err_set(d->e, (enum err_code)ret, "a row is too long");
	else
		ret = fsio_write_all(STDOUT_FILENO, b.p, b.len, d->e);
	buf_release(&b);
	return ret;
}

int
collect_dry_run(const struct collect_args *a, const struct collect_options *o,
    struct err *e)
{
	struct dry d = {.e = e};
	struct survey s = {.row = print, .ctx = &d};
	int r;

	if (!rows_choose(&d.rows, a->format))
		return err_set(e, ERR_ARG, "--format is text, jsonl or json");
	if ((r = survey_run(o, &s, e)) < 0 ||
	    (r = rows_finish(&d.rows, STDOUT_FILENO, e)) < 0)
		return r;
	return d.errors > 0 ? 2 : 0;
}
