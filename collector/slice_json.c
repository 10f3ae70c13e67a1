#include <stdio.h>
#include <string.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "collector/slice_parts.h"
#include "custody/digest.h"

/* Lines and the file that describe a slice (docs/RECORDS.md). */
static const char *const places[SLICE_HOWS] = {[SLICE_VERBATIM] = "records",
    [SLICE_UNPACKED] = "unpacked", [SLICE_ROW] = "rows.jsonl"};

void
slice_put_record(struct buf *b, const struct slice_entry *en)
{
	struct json_write w;

	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_ku64(&w, "index", en->index);
	json_ku64(&w, "file", en->file);
	json_ku64(&w, "offset", en->off);
	json_ku64(&w, "length", en->len);
	if (en->how == SLICE_NOTHING)
		json_knull(&w, "sha256");
	else
		json_khex(&w, "sha256", en->sha256, 32);
	json_kbool(&w, "damaged", en->damaged != 0);
	json_kstr(&w, "in", places[en->how]);
	json_ku64(&w, "at", en->at);
	json_ku64(&w, "stored", en->stored);
	if (en->zeros > 0)
		json_ku64(&w, "zeros", en->zeros);
	json_end_object(&w);
	buf_putc(b, '\n');
}

static void
put_time(struct json_write *w, const char *key,
    const struct statx_timestamp *t)
{
	char text[48];

	(void)snprintf(text, sizeof(text), "%lld.%09u", (long long)t->tv_sec,
	    t->tv_nsec);
	json_kstr(w, key, text);
}

void
slice_put_source(struct buf *b, const struct slice *s, size_t i)
{
	const struct dataset_file *f = &s->d.v[i];
	struct json_write w;
	char text[48];

	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_ku64(&w, "file", i);
	json_ktext(&w, "name", f->name, strlen(f->name));
	json_khex(&w, "name_hex", f->name, strlen(f->name));
	json_ku64(&w, "size", f->size);
	if (f->has_sha256)
		json_khex(&w, "sha256", f->sha256, 32);
	else
		json_knull(&w, "sha256");
	(void)snprintf(text, sizeof(text), "%u:%u", f->major, f->minor);
	json_kstr(&w, "dev", text);
	json_ku64(&w, "ino", f->ino);
	(void)snprintf(text, sizeof(text), "%06o", f->mode);
	json_kstr(&w, "mode", text);
	put_time(&w, "mtime", &f->mtime);
	put_time(&w, "ctime", &f->ctime);
	json_kbool(&w, "changed_while_reading", dataset_changed(&s->d, i));
	json_kbool(&w, "atime_may_have_changed", !f->noatime);
	json_end_object(&w);
	buf_putc(b, '\n');
}

/* "rows=0..3&hash=0.5": what each part is, as it was written. */
static void
put_parts(struct json_write *w, const char *spec)
{
	json_key(w, "parts");
	json_begin_array(w);
	for (;;) {
		size_t n = strcspn(spec, "&"), k = strcspn(spec, "=&");

		json_begin_object(w);
		json_ktext(w, "kind", spec, k);
		json_ktext(w, "text", spec + k + (k < n), n - k - (k < n));
		json_end_object(w);
		if (spec[n] == '\0')
			break;
		spec += n + 1;
	}
	json_end_array(w);
}

static void
put_ids(struct json_write *w, const struct slice *s)
{
	struct digests d;
	char leaf[32];

	json_key(w, "ids");
	json_begin_array(w);
	for (size_t i = 0; i < s->one->nids; i++) {
		const struct dataset_ids *x = &s->one->ids[i];

		json_begin_object(w);
		json_ktext(w, "name", x->name, strlen(x->name));
		(void)snprintf(leaf, sizeof(leaf), "ids-%zu", i + 1);
		json_kstr(w, "in", leaf);
		json_ku64(w, "size", x->n);
		if (digest_mem(x->p, x->n, DIGEST_SHA256, &d, NULL) == 0)
			json_khex(w, "sha256", d.sha256, 32);
		else
			json_knull(w, "sha256");
		json_end_object(w);
	}
	json_end_array(w);
}

static void
put_list(struct json_write *w, const char *key, const struct buf *list,
    uint64_t count)
{
	char more[64];
	struct buf b;

	buf_init(&b, 2 * MIB);
	buf_putc(&b, '[');
	buf_put(&b, list->p, list->len);
	buf_putc(&b, ']');
	json_key(w, key);
	json_raw(w, buf_str(&b));
	buf_release(&b);
	(void)snprintf(more, sizeof(more), "%s_count", key);
	json_ku64(w, more, count);
}

static void
put_source(struct json_write *w, const struct slice *s)
{
	const struct dataset *d = &s->d;

	json_key(w, "source");
	json_begin_object(w);
	json_ktext(w, "path", d->path, strlen(d->path));
	json_khex(w, "path_hex", d->path, strlen(d->path));
	json_kbool(w, "folder", d->folder);
	json_ku64(w, "files", d->n);
	json_ku64(w, "size", d->bytes);
	if (!d->folder && d->v[0].has_sha256)
		json_khex(w, "sha256", d->v[0].sha256, 32);
	else
		json_knull(w, "sha256");
	json_kbool(w, "changed_while_reading", s->changed);
	if (s->doubled)
		json_kbool(w, "double_read_equal", s->double_equal);
	json_end_object(w);
}

static void
put_records(struct json_write *w, const struct slice *s)
{
	json_key(w, "records");
	json_begin_object(w);
	json_ku64(w, "taken", s->count);
	for (unsigned i = 0; i < SLICE_E_COLUMNS; i++) {
		if (i == SLICE_E_TAKEN)
			continue;
		if (!s->ended)
			json_knull(w, slicewire_end[i].key);
		else if (slicewire_end[i].type == FIELD_BOOL)
			json_kbool(w, slicewire_end[i].key, s->end[i] != 0);
		else
			json_ku64(w, slicewire_end[i].key, s->end[i]);
	}
	json_end_object(w);
}

void
slice_put_json(struct buf *b, const struct slice *s)
{
	struct json_write w;

	json_init(&w, b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", "slice");
	json_ku64(&w, "number", s->number);
	json_ktext(&w, "spec", s->s->slice, strlen(s->s->slice));
	json_khex(&w, "spec_hex", s->s->slice, strlen(s->s->slice));
	put_parts(&w, s->s->slice);
	put_ids(&w, s);
	put_source(&w, s);
	json_kstr(&w, "format", s->has_format ? s->format : NULL);
	put_list(&w, "fields", &s->fields, s->nfields);
	put_records(&w, s);
	put_list(&w, "undecided", &s->undecided, s->nundecided);
	put_list(&w, "told", &s->told, s->ntold);
	json_kstr(&w, "end", s->why == NULL ? "read to the end" :
	    "incomplete");
	json_kstr(&w, "why", s->why);
	json_end_object(&w);
	buf_putc(b, '\n');
}
