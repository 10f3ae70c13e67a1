#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/rowset.h"
#include "tests/lib/rows_case.h"

#define FILES_MAX ROWS_CASE_FILES
#define ARENA (64 * MIB)
/* Records that the laws look at again one by one. */
#define AGAIN 40
/* And at all: a few bytes can be records without end. */
#define LOOKED_AT 100000

struct opened {
	struct rows_file file[FILES_MAX];
	struct bytesrc *src[FILES_MAX];
	uint8_t *copy[FILES_MAX];	/* exact, so that ASan sees past it */
	struct rows_params p;
	struct rowset *r;
	struct buf out;
	struct err e;
	int rc;
};

static void
tell(void *ctx, uint32_t file, uint64_t off, const char *what)
{
	buf_printf(ctx, "! %u %" PRIu64 " %s\n", (unsigned)file, off, what);
}

static void
start(struct opened *o, const char *format, const struct rows_case_file *f,
    size_t files, size_t window)
{
	memset(o, 0, sizeof(*o));
	buf_init(&o->out, 64 * MIB);
	for (size_t i = 0; i < files && i < FILES_MAX; i++) {
		if ((o->copy[i] = malloc(f[i].n + 1)) == NULL)
			abort();
		o->copy[i] = realloc(o->copy[i], f[i].n > 0 ? f[i].n : 1);
		if (f[i].n > 0)
			memcpy(o->copy[i], f[i].p, f[i].n);
		o->src[i] = bytesrc_mem(o->copy[i], f[i].n, NULL);
		o->file[i].name = f[i].name;
		o->file[i].name_len = strlen(f[i].name);
		o->file[i].src = o->src[i];
	}
	o->p.file = o->file;
	o->p.files = files;
	o->p.format = format;
	o->p.arena = arena_new(ARENA);
	o->p.window = window;
	o->p.tell = tell;
	o->p.ctx = &o->out;
	o->rc = rowset_open(&o->p, &o->r, &o->e);
}

static void
stop(struct opened *o)
{
	rowset_close(o->r);
	arena_free(o->p.arena);
	for (size_t i = 0; i < FILES_MAX; i++) {
		bytesrc_free(o->src[i]);
		free(o->copy[i]);
	}
	buf_release(&o->out);
}

static void
put_record(struct opened *o, const struct rows_record *rec)
{
	struct buf json;
	struct err e = ERR_INIT;

	buf_init(&json, 16 * MIB);
	if (!rec->damaged && rowset_json(o->r, &json, &e) < 0)
		buf_printf(&json, "(%s)", e.msg);
	buf_printf(&o->out, "%" PRIu64 " %u %" PRIu64 " %" PRIu64 " %s%s%s%s ",
	    rec->index, (unsigned)rec->file, rec->off, rec->len,
	    rec->verbatim ? "v" : "", rec->damaged ? "d" : "",
	    rec->unpacked ? "u" : "", rec->verbatim || rec->damaged ||
	    rec->unpacked ? "" : "-");
	buf_puts(&o->out, rec->damaged ? "-" : buf_str(&json));
	buf_putc(&o->out, '\n');
	buf_release(&json);
}

char *
rows_case_text(const char *format, const struct rows_case_file *f,
    size_t files, size_t window)
{
	struct rows_record rec;
	struct opened o;
	char *ret;
	int rc;

	start(&o, format, f, files, window);
	while ((rc = o.rc) == 0) {
		while ((rc = rowset_next(o.r, &rec, &o.e)) == 1 &&
		    rec.index < LOOKED_AT)
			put_record(&o, &rec);
		if (rc != ERR_FORMAT)
			break;
		err_reset(&o.e);
		buf_printf(&o.out, "= %d\n", rc);
	}
	buf_printf(&o.out, "= %d\n", rc);
	ret = strdup(buf_str(&o.out));
	stop(&o);
	return ret;
}

static bool
same_value(const struct rows_record *a, const struct rows_record *b)
{
	return a->index == b->index && a->file == b->file &&
	    a->off == b->off && a->len == b->len &&
	    a->verbatim == b->verbatim && a->damaged == b->damaged &&
	    a->unpacked == b->unpacked;
}

static bool
fails(int rc)
{
	return rc < 0 && rc != ERR_FORMAT;
}

/* One record against its source, and as JSON. */
static const char *
check_record(struct opened *o, const struct rows_record *rec,
    struct buf *json)
{
	const struct bytesrc *src = rowset_source(o->r);
	const uint8_t *raw = rowset_raw(o->r);
	const char *why = NULL;
	struct rows_value v;
	uint8_t *bytes;
	int rc;

	if (rec->file >= o->p.files || src == NULL ||
	    rec->off > bytesrc_size(src) ||
	    rec->len > bytesrc_size(src) - rec->off)
		return "a record lies outside its file";
	if (raw != NULL && rec->len > 0) {
		if ((bytes = malloc(rec->len)) == NULL)
			abort();
		if (bytesrc_read(src, rec->off, bytes, rec->len, NULL) < 0 ||
		    memcmp(bytes, raw, rec->len) != 0)
			why = "raw bytes are not the record's";
		free(bytes);
	}
	buf_clear(json);
	if ((rc = rowset_json(o->r, json, NULL)) < 0 && rc != ERR_FORMAT &&
	    rc != ERR_LIMIT)
		why = "a record fails on our side";
	if (!rec->damaged && rc == 0 && (json->len < 2 || json->p[0] != '{' ||
	    memchr(json->p, '\n', json->len) != NULL))
		why = "a record's JSON is no object of one line";
	if (fails(rowset_field(o->r, "a.0.b", &v, NULL)) ||
	    fails(rowset_field(o->r, "", &v, NULL)))
		why = "a field fails on our side";
	return why;
}

static const char *
check_all(struct opened *o, struct rows_record *first, size_t *count,
    struct buf *json)
{
	struct rows_record rec, last = {0};
	const char *why;
	bool any = false;
	int rc;

	*count = 0;
	for (size_t n = 0; n < LOOKED_AT; n++) {
		if ((rc = rowset_next(o->r, &rec, NULL)) == ERR_FORMAT)
			continue;
		if (rc <= 0)
			return rc == 0 || rc == ERR_LIMIT ? NULL :
			    "our side fails";
		if (any && rec.index != last.index + 1)
			return "numbers do not follow";
		if (any && rec.verbatim && last.verbatim &&
		    rec.file == last.file && rec.off < last.off + last.len &&
		    rec.off + rec.len > last.off)
			return "records overlap";
		if ((why = check_record(o, &rec, json)) != NULL)
			return why;
		last = rec;
		any = true;
		if (*count < AGAIN)
			first[(*count)++] = rec;
	}
	return NULL;
}

static const char *
check_skips(struct opened *o, const struct rows_record *first, size_t count)
{
	struct rows_record rec;
	int rc;

	for (size_t k = 0; k < count; k++) {
		size_t i = k % 2 == 0 ? k / 2 : count - 1 - k / 2;

		while ((rc = rowset_skip_to(o->r, first[i].index, NULL)) ==
		    ERR_FORMAT)
			;
		while (rc == 0 &&
		    (rc = rowset_next(o->r, &rec, NULL)) == ERR_FORMAT)
			rc = 0;
		if (rc != 1 || !same_value(&rec, &first[i]))
			return "a record that was skipped to is another";
	}
	return NULL;
}

bool
rows_case_laws(const char *format, const struct rows_case_file *f,
    size_t files, size_t window, const char **why)
{
	struct rows_record first[AGAIN];
	struct opened o;
	struct buf json;
	size_t count;

	*why = NULL;
	buf_init(&json, 16 * MIB);
	start(&o, format, f, files, window);
	if (o.rc < 0 && o.rc != ERR_FORMAT && o.rc != ERR_NOTFOUND &&
	    o.rc != ERR_LIMIT && o.rc != ERR_UNSUPPORTED)
		*why = "opening fails on our side";
	if (o.rc == ERR_FORMAT && o.out.len == 0)
		*why = "nothing is told";
	if (o.rc == 0)
		*why = check_all(&o, first, &count, &json);
	if (o.rc == 0 && *why == NULL)
		*why = check_skips(&o, first, count);
	stop(&o);
	buf_release(&json);
	return *why == NULL;
}

char *
rows_case_field(const char *format, const struct rows_case_file *f,
    size_t files, uint64_t index, const char *path)
{
	static const char *const types[] = {"absent", "null", "bool", "int",
	    "uint", "real", "text", "bytes", "time", "tree"};
	struct rows_record rec;
	struct rows_value v;
	struct opened o;
	char *ret;
	int rc;

	start(&o, format, f, files, 0);
	if (o.rc < 0 || rowset_skip_to(o.r, index, &o.e) < 0 ||
	    rowset_next(o.r, &rec, &o.e) != 1 || rec.index != index)
		abort();
	buf_clear(&o.out);
	if (fails(rc = rowset_field(o.r, path, &v, &o.e)))
		abort();
	buf_puts(&o.out, rc < 0 ? "unreadable" : types[v.type]);
	if (v.type >= ROWS_BOOL)
		buf_putc(&o.out, ':');
	if (v.type == ROWS_TEXT || v.type == ROWS_BYTES ||
	    v.type == ROWS_TREE)
		buf_put(&o.out, v.p, v.n);
	else if (v.type == ROWS_REAL)
		buf_printf(&o.out, "%.17g", v.d);
	else if (v.type == ROWS_UINT)
		buf_printf(&o.out, "%" PRIu64, v.u);
	else if (v.type >= ROWS_BOOL)
		buf_printf(&o.out, "%" PRId64, v.i);
	ret = strdup(buf_str(&o.out));
	stop(&o);
	return ret;
}

const char *
rows_case_bid(const struct rows_case_file *f, size_t files)
{
	const char *ret = NULL;
	struct opened o;

	start(&o, NULL, f, files, 0);
	if (o.rc == 0)
		ret = rowset_format(o.r);
	stop(&o);
	return ret;
}
