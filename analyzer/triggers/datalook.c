#include <stdlib.h>
#include <string.h>

#include "analyzer/triggers/datalook.h"
#include "analyzer/triggers/datavalue.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "formats/rows/rows.h"
#include "formats/rows/rowset.h"

/* Paths below a field that a picture may stand under. */
static const char *const below[] = {"image.bytes", "img.bytes"};

static uint64_t
hash_of(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3ULL;
	return h;
}

static void
add_field(void *ctx, const char *name, const char *type)
{
	struct datalook *l = ctx;
	struct datalook_field *f = &l->field[l->n];

	(void)type;
	if (l->n == DATALOOK_FIELDS || l->full)
		return;
	f->name = arena_dup(l->arena, name, strlen(name));
	f->hash = arena_array(l->arena, DATALOOK_RECORDS, sizeof(f->hash[0]));
	l->full = f->name == NULL || f->hash == NULL;
	l->n += !l->full;
}

static bool
is_number(const uint8_t *p, size_t n)
{
	char text[32], *end;

	if (n == 0 || n >= sizeof(text))
		return false;
	memcpy(text, p, n);
	text[n] = '\0';
	(void)strtod(text, &end);
	return *end == '\0';
}

static unsigned
holds(const struct rows_value *v)
{
	switch (v->type) {
	case ROWS_TEXT:
		return DATALOOK_TEXT;
	case ROWS_BOOL:
	case ROWS_INT:
	case ROWS_UINT:
	case ROWS_REAL:
		return DATALOOK_NUMBER;
	case ROWS_TREE:
		return DATALOOK_TREE;
	case ROWS_BYTES:
		return datavalue_is_image(v->p, v->n) ? DATALOOK_IMAGE :
		    DATALOOK_OTHER;
	case ROWS_ABSENT:
	case ROWS_NULL:
	case ROWS_TIME:
		break;
	}
	return v->type == ROWS_TIME ? DATALOOK_OTHER : 0;
}

static void
count(struct datalook_field *f, const uint8_t *p, size_t n)
{
	uint64_t h = hash_of(p, n);

	f->seen++;
	f->bytes += n;
	f->numeric += is_number(p, n);
	for (uint64_t i = 0; i < f->distinct; i++)
		if (f->hash[i] == h)
			return;
	f->hash[f->distinct++] = h;
}

static int
look(struct datalook *l, struct datalook_field *f, struct buf *b,
    struct err *e)
{
	struct rows_array array;
	struct rows_value v;
	int r;

	if ((r = rowset_array(l->rs, f->name, &array, e)) < 0)
		return r;
	if (r > 0 && array.rank > 0) {
		f->holds |= DATALOOK_IMAGE;
		return 0;
	}
	if ((r = rowset_field(l->rs, f->name, &v, e)) < 0)
		return r;
	f->holds |= holds(&v);
	buf_clear(b);
	datavalue_text(b, &v);
	if (buf_failed(b) == 0 && v.type != ROWS_ABSENT &&
	    v.type != ROWS_NULL)
		count(f, b->p, b->len);
	return 0;
}

static int
record(struct datalook *l, struct buf *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->n && r >= 0; i++)
		r = look(l, &l->field[i], b, e);
	/* What cannot be read of a record is told when it is read for good. */
	if (r == ERR_FORMAT || r == ERR_TRUNC) {
		err_reset(e);
		r = 0;
	}
	l->records++;
	return r;
}

/* Paths that name no field of the first level. */
static void
add_below(struct datalook *l)
{
	struct rows_value v;
	struct err why = ERR_INIT;

	for (size_t i = 0; i < sizeof(below) / sizeof(below[0]); i++)
		if (rowset_field(l->rs, below[i], &v, &why) >= 0 &&
		    v.type == ROWS_BYTES)
			add_field(l, below[i], "bytes");
}

int
datalook_init(struct datalook *l, struct rowset *rs, struct arena *a,
    struct err *e)
{
	struct rows_record rec;
	struct buf b;
	int r;

	memset(l, 0, sizeof(*l));
	l->rs = rs;
	l->arena = a;
	r = rowset_fields(rs, add_field, l, e);
	buf_init(&b, DATAVALUE_MAX);
	while (r >= 0 && !l->full && l->records < DATALOOK_RECORDS &&
	    (r = rowset_next(rs, &rec, e)) > 0) {
		if (l->records == 0)
			add_below(l);
		if (!rec.damaged)
			r = record(l, &b, e);
	}
	buf_release(&b);
	if (l->full)
		return err_set(e, ERR_NOMEM, "out of memory");
	if (r == ERR_FORMAT || r == ERR_TRUNC) {
		err_reset(e);
		r = 0;
	}
	return r < 0 ? r : 0;
}

const struct datalook_field *
datalook_field(const struct datalook *l, const char *name)
{
	for (size_t i = 0; i < l->n; i++)
		if (strcmp(l->field[i].name, name) == 0)
			return &l->field[i];
	return NULL;
}

unsigned
datalook_holds(const struct datalook *l, const char *path)
{
	const struct datalook_field *f = datalook_field(l, path);

	return f != NULL ? f->holds : 0;
}

bool
datalook_few(const struct datalook_field *f)
{
	return f->seen >= 20 && f->distinct >= 2 &&
	    f->distinct * 5 <= f->seen && f->bytes / f->seen <= 40 &&
	    (f->holds & ~(unsigned)(DATALOOK_TEXT | DATALOOK_NUMBER)) == 0;
}

bool
datalook_value(const struct datalook_field *f, const char *text)
{
	uint64_t h = hash_of((const uint8_t *)text, strlen(text));

	for (uint64_t i = 0; i < f->distinct; i++)
		if (f->hash[i] == h)
			return true;
	return false;
}
