#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/rowset.h"
#include "formats/rows/slice.h"
#include "formats/rows/slice_parts.h"
#include "formats/rows/slicetime.h"
#include "formats/rows/value.h"

int
slice_compare(const void *pa, const void *pb)
{
	const struct slice_text *a = pa, *b = pb;
	int c = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return c != 0 ? c : (a->n > b->n) - (a->n < b->n);
}

/* --- files of ids -------------------------------------------------------- */

static const struct slice_part *
file_part(const struct rows_slice *s, size_t i)
{
	for (size_t k = 0; k < s->parts; k++)
		if (s->part[k].file != NULL && i-- == 0)
			return &s->part[k];
	return NULL;
}

const char *
rows_slice_file(const struct rows_slice *s, size_t i)
{
	const struct slice_part *t = file_part(s, i);

	return t == NULL ? NULL : t->file;
}

int
rows_slice_ids(struct rows_slice *s, size_t i, const char *p, size_t n,
    struct arena *a, struct err *e)
{
	const struct slice_part *found = file_part(s, i);
	struct slice_part *t;
	struct cursor c, line;
	size_t lines = 1;

	if (found == NULL)
		return err_set(e, ERR_ARG, "no such file of ids");
	t = &s->part[found - s->part];
	for (size_t k = 0; k < n; k++)
		lines += p[k] == '\n';
	if (lines > SLICE_IDS)
		return err_set(e, ERR_LIMIT, "too many ids");
	if ((t->id = arena_array(a, lines, sizeof(t->id[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	t->ids = 0;
	cursor_init(&c, (const uint8_t *)p, n, 0);
	while (!cursor_at_end(&c)) {
		if (!cursor_line(&c, '\n', &line) &&
		    !cursor_sub(&c, cursor_left(&c), &line))
			break;
		if (line.len > 0 && line.buf[line.len - 1] == '\r')
			line.len--;
		if (line.len > 0)
			t->id[t->ids++] = (struct slice_text){
			    (const char *)line.buf, line.len};
	}
	qsort(t->id, t->ids, sizeof(t->id[0]), slice_compare);
	return 0;
}

/* --- taking -------------------------------------------------------------- */

uint64_t
rows_slice_first(const struct rows_slice *s)
{
	uint64_t first = 0;

	for (size_t i = 0; i < s->parts; i++)
		if (s->part[i].kind == PART_ROWS && s->part[i].first > first)
			first = s->part[i].first;
	return first;
}

uint64_t
rows_slice_last(const struct rows_slice *s)
{
	uint64_t last = UINT64_MAX;

	for (size_t i = 0; i < s->parts; i++)
		if (s->part[i].kind == PART_ROWS && s->part[i].last < last)
			last = s->part[i].last;
	return last;
}

bool
rows_slice_samples(const struct rows_slice *s)
{
	for (size_t i = 0; i < s->parts; i++)
		if (s->part[i].kind == PART_HASH)
			return true;
	return false;
}

static bool
takes_hash(const struct slice_part *t, const uint8_t key[32],
    void (*sha256)(const void *p, size_t n, uint8_t ret[32]))
{
	uint8_t in[SLICE_SALT + 32], out[32];
	uint64_t draw = 0;

	if (t->text.n > 0)
		memcpy(in, t->text.p, t->text.n);
	memcpy(in + t->text.n, key, 32);
	sha256(in, t->text.n + 32, out);
	for (unsigned i = 0; i < 8; i++)
		draw = draw << 8 | out[i];
	return t->all || draw < t->below;
}

static bool
takes_time(const struct slice_part *t, const struct rows_value *v)
{
	int64_t at = v->i;

	if (v->type == ROWS_TEXT ?
	    !slicetime_text((const char *)v->p, v->n, &at) :
	    v->type == ROWS_INT ? !slicetime_integer(v->i, &at) :
	    v->type == ROWS_REAL ? !slicetime_number(v->d, &at) :
	    v->type != ROWS_TIME)
		return false;
	return at >= t->from && (t->open || at < t->to);
}

/* The value as ids and where compare it, in ${b} when it must be made. */
static struct slice_text
text_of(const struct rows_value *v, struct buf *b)
{
	if (v->type == ROWS_TEXT || v->type == ROWS_BYTES ||
	    v->type == ROWS_TREE)
		return (struct slice_text){v->n > 0 ? (const char *)v->p :
		    "", v->n};
	buf_clear(b);
	value_json(b, v);
	return (struct slice_text){buf_str(b), b->len};
}

static bool
takes_value(const struct slice_part *t, const struct rows_value *v,
    struct buf *b)
{
	struct slice_text x;

	if (v->type == ROWS_ABSENT)
		return false;
	if (t->kind == PART_TIME)
		return takes_time(t, v);
	if (t->kind == PART_MATCH)
		return (v->type == ROWS_TEXT || v->type == ROWS_BYTES) &&
		    v->n > 0 && memmem(v->p, v->n, t->text.p, t->text.n) !=
		    NULL;
	x = text_of(v, b);
	if (t->kind == PART_WHERE)
		return slice_compare(&x, &t->text) == 0;
	return t->ids > 0 && bsearch(&x, t->id, t->ids, sizeof(t->id[0]),
	    slice_compare) != NULL;
}

static int
takes(const struct slice_part *t, struct rowset *r,
    const struct rows_record *rec, struct buf *b, struct err *e)
{
	struct rows_value v;
	int rc;

	if (t->kind == PART_ROWS)
		return rec->index >= t->first && rec->index < t->last ?
		    ROWS_TAKEN : ROWS_LEFT;
	if (rec->damaged)
		return ROWS_UNDECIDED;
	if ((rc = rowset_field(r, t->field, &v, e)) < 0)
		return rc;
	return takes_value(t, &v, b) ? ROWS_TAKEN : ROWS_LEFT;
}

int
rows_slice_takes(const struct rows_slice *s, struct rowset *r,
    const struct rows_record *rec, const uint8_t key[32],
    void (*sha256)(const void *p, size_t n, uint8_t ret[32]), struct err *e)
{
	int rc, all = ROWS_TAKEN;
	struct buf b;

	buf_init(&b, 3 * LIMIT_LINE);
	/* A part that leaves it decides, whatever others cannot say. */
	for (size_t i = 0; i < s->parts; i++) {
		const struct slice_part *t = &s->part[i];

		rc = t->kind == PART_HASH ? takes_hash(t, key, sha256) :
		    takes(t, r, rec, &b, e);
		if (rc <= 0) {
			buf_release(&b);
			return rc;
		}
		if (rc == ROWS_UNDECIDED)
			all = rc;
	}
	buf_release(&b);
	return all;
}
