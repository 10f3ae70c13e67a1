#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/rows/ndset.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"

/* Arrays with the same number of rows side by side, groups in order. */
static void
regroup(struct ndset *s)
{
	for (size_t i = 0; i < s->arrays; i++) {
		size_t to = i + 1;

		for (size_t k = i + 1; k < s->arrays; k++) {
			struct ndarray a = s->array[k];

			if (a.rows != s->array[i].rows)
				continue;
			memmove(&s->array[to + 1], &s->array[to],
			    (k - to) * sizeof(a));
			s->array[to++] = a;
		}
		i = to - 1;
	}
}

/* The group that begins with array ${first}. */
static void
enter(struct ndset *s, size_t first)
{
	s->first = s->last = first;
	s->row = 0;
	while (s->last < s->arrays &&
	    s->array[s->last].rows == s->array[first].rows)
		s->last++;
}

void
ndset_open(struct ndset *s, const struct rows_params *p,
    struct ndarray *array, size_t arrays)
{
	memset(s, 0, sizeof(*s));
	s->p = p;
	s->array = array;
	s->arrays = arrays;
	regroup(s);
	for (size_t i = 0; i < arrays; i++)
		buf_init(&array[i].row, LIMIT_LINE);
	buf_init(&s->scratch, 3 * LIMIT_LINE);
	enter(s, 0);
}

void
ndset_close(struct ndset *s)
{
	for (size_t i = 0; i < s->arrays; i++)
		buf_release(&s->array[i].row);
	buf_release(&s->scratch);
}

bool
ndset_size(struct ndfield *f, uint64_t *ret)
{
	f->count = 1;
	for (unsigned i = 0; i < f->rank; i++)
		if (!ckd_mul64(&f->count, f->count, f->shape[i]))
			return false;
	return ckd_mul64(ret, f->count, f->type.size);
}

int
ndset_rows(const struct rows_params *p, struct ndarray *a, uint64_t stated,
    struct err *e)
{
	uint64_t size = bytesrc_size(a->src), there;

	if (a->item == 0)
		return rows_bad(p, a->file, a->off, "rows without bytes", e);
	there = a->data < size ? (size - a->data) / a->item : 0;
	a->rows = stated < there ? stated : there;
	a->cut = stated > there;
	/* Axis 0 varies fastest: what is missing is missing of every row. */
	if (a->cut && a->fortran)
		a->rows = 0;
	if (a->cut)
		rows_tell(p, a->file, a->off,
		    "an array states more rows than there are");
	else if (a->data < size && size - a->data > stated * a->item)
		rows_tell(p, a->file, a->off,
		    "something follows the last row of an array");
	return 0;
}

static void
place(const struct ndset *s, struct rows_record *ret)
{
	const struct ndarray *a = &s->array[s->first];

	ret->file = a->file;
	ret->off = a->off;
	ret->len = a->len;
	if (a->packed || a->fortran)
		return;
	ret->off += (s->row - 1) * a->item;
	ret->len = a->item;
	ret->verbatim = s->last == s->first + 1;
}

int
ndset_next(void *self, struct rows_record *ret, struct err *e)
{
	struct ndset *s = self;

	(void)e;
	s->started = false;
	while (s->first < s->arrays && s->row == s->array[s->first].rows)
		enter(s, s->last);
	if (s->first == s->arrays)
		return 0;
	s->row++;
	s->started = true;
	for (size_t i = s->first; i < s->last; i++) {
		s->array[i].loaded = false;
		if (s->array[i].item <= LIMIT_LINE)
			continue;
		if (!ret->damaged)
			rows_tell(s->p, s->array[i].file, s->array[i].off,
			    "a record is too long to be parsed");
		ret->damaged = true;
	}
	place(s, ret);
	return 1;
}

/* The elements of a row of an array whose axis 0 varies fastest. */
static int
gather(struct ndarray *a, uint64_t row, uint64_t rows, struct err *e)
{
	const struct ndfield *f = &a->field[0];
	const uint64_t size = f->type.size;
	uint64_t at[NDTYPE_RANK] = {0}, n, stride;
	uint8_t *dst = a->row.p;
	int r;

	for (uint64_t k = 0; k < f->count; k++) {
		n = row;
		stride = rows;
		for (unsigned i = 0; i < f->rank; i++) {
			n += at[i] * stride;
			stride *= f->shape[i];
		}
		if ((r = bytesrc_read(a->src, a->data + n * size,
		    dst + k * size, (size_t)size, e)) < 0)
			return r;
		for (unsigned i = f->rank; i > 0 &&
		    ++at[i - 1] == f->shape[i - 1]; i--)
			at[i - 1] = 0;
	}
	return 0;
}

static int
load(struct ndset *s, struct ndarray *a, struct err *e)
{
	static const uint8_t zeros[4096];
	int r;

	if (a->loaded)
		return 0;
	buf_clear(&a->row);
	while (a->row.len < a->item && !buf_failed(&a->row))
		buf_put(&a->row, zeros, a->item - a->row.len <
		    sizeof(zeros) ? (size_t)a->item - a->row.len :
		    sizeof(zeros));
	if (buf_failed(&a->row))
		return err_set(e, ERR_NOMEM, "out of memory");
	r = a->fortran ? gather(a, s->row - 1, a->rows, e) :
	    bytesrc_read(a->src, a->data + (s->row - 1) * a->item, a->row.p,
	    (size_t)a->item, e);
	a->loaded = r == 0;
	return r;
}

/* Is ${path} this field, or below it?  *rest is behind the name. */
static bool
below(const struct ndfield *f, const char *path, const char **rest)
{
	size_t n = f->name_len;

	if (strncmp(path, f->name, n) != 0 ||
	    (path[n] != '\0' && path[n] != '.'))
		return false;
	*rest = path[n] == '.' ? path + n + 1 : path + n;
	return true;
}

/* Elements by number: how far into the field, and what is left of it. */
static bool
index_path(const struct ndfield *f, const char *path, uint64_t *first,
    unsigned *axes)
{
	uint64_t k, each = f->count;
	size_t n;

	*first = 0;
	*axes = 0;
	while (*path != '\0') {
		n = strcspn(path, ".");
		if (*axes == f->rank ||
		    !text_u64(path, n, 10, UINT64_MAX, &k) ||
		    k >= f->shape[*axes])
			return false;
		each /= f->shape[*axes];
		*first += k * each;
		++*axes;
		path += path[n] == '.' ? n + 1 : n;
	}
	return true;
}

static int
get(struct ndset *s, struct ndarray *a, const struct ndfield *f,
    const char *path, struct rows_value *ret, struct err *e)
{
	const uint8_t *p;
	uint64_t first;
	unsigned axes;
	int r;

	if (!index_path(f, path, &first, &axes))
		return 0;
	if ((r = load(s, a, e)) < 0)
		return r;
	p = a->row.p + f->off + first * f->type.size;
	if (axes == f->rank) {
		ndtype_element(&f->type, p, ret, &s->scratch);
		return 0;
	}
	buf_clear(&s->scratch);
	ndtype_json(&s->scratch, &f->type, f->shape + axes, f->rank - axes,
	    p);
	if (buf_failed(&s->scratch))
		return err_set(e, ERR_LIMIT, "a value is too long");
	ret->type = ROWS_TREE;
	ret->p = s->scratch.p;
	ret->n = s->scratch.len;
	return 0;
}

int
ndset_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct ndset *s = self;
	struct ndarray *array = NULL;
	const struct ndfield *best = NULL;
	const char *rest, *left = NULL;

	for (size_t i = s->first; i < s->last; i++)
		for (unsigned k = 0; k < s->array[i].fields; k++) {
			const struct ndfield *f = &s->array[i].field[k];

			if (!below(f, path, &rest) || (best != NULL &&
			    best->name_len > f->name_len))
				continue;
			array = &s->array[i];
			best = f;
			left = rest;
		}
	return best == NULL ? 0 : get(s, array, best, left, ret, e);
}

int
ndset_array(void *self, const char *name, struct rows_array *ret,
    struct err *e)
{
	struct ndset *s = self;
	const size_t n = strlen(name);
	int r;

	for (size_t i = s->first; i < s->last; i++)
		for (unsigned k = 0; k < s->array[i].fields; k++) {
			struct ndarray *a = &s->array[i];
			const struct ndfield *f = &a->field[k];

			if (f->name_len != n || memcmp(f->name, name, n) != 0)
				continue;
			if (strchr("biuf", f->type.kind) == NULL ||
			    f->type.size > 8)
				return 0;
			if ((r = load(s, a, e)) < 0)
				return r;
			*ret = (struct rows_array){.kind = f->type.kind,
			    .big = f->type.big, .size = (unsigned)f->type.size,
			    .rank = f->rank, .shape = f->shape,
			    .count = f->count, .p = a->row.p + f->off};
			return 1;
		}
	return 0;
}

int
ndset_json(void *self, struct buf *b, struct err *e)
{
	struct ndset *s = self;
	bool comma = false;
	int r;

	buf_putc(b, '{');
	for (size_t i = s->first; i < s->last; i++) {
		struct ndarray *a = &s->array[i];

		if ((r = load(s, a, e)) < 0)
			return r;
		for (unsigned k = 0; k < a->fields; k++) {
			const struct ndfield *f = &a->field[k];

			buf_puts(b, comma ? "," : "");
			value_key(b, (const uint8_t *)f->name, f->name_len);
			ndtype_json(b, &f->type, f->shape, f->rank,
			    a->row.p + f->off);
			comma = true;
		}
	}
	buf_putc(b, '}');
	return 0;
}

int
ndset_seek(void *self, uint64_t index, struct err *e)
{
	struct ndset *s = self;

	(void)e;
	s->started = false;
	enter(s, 0);
	while (s->first < s->arrays && index >= s->array[s->first].rows) {
		index -= s->array[s->first].rows;
		enter(s, s->last);
	}
	s->row = index;
	return 0;
}

int
ndset_count(void *self, uint64_t *ret, struct err *e)
{
	const struct ndset *s = self;

	(void)e;
	*ret = 0;
	for (size_t i = 0; i < s->arrays; i++)
		if (i == 0 || s->array[i].rows != s->array[i - 1].rows)
			*ret += s->array[i].rows;
	return 0;
}

const uint8_t *
ndset_raw(void *self)
{
	struct ndset *s = self;
	struct ndarray *a = &s->array[s->first];

	return !s->started || s->last != s->first + 1 || a->packed ||
	    a->fortran || load(s, a, NULL) < 0 ? NULL : a->row.p;
}

int
ndset_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	const struct ndset *s = self;
	char name[256], type[64];

	(void)e;
	for (size_t i = 0; i < s->arrays; i++)
		for (unsigned k = 0; k < s->array[i].fields; k++) {
			const struct ndfield *f = &s->array[i].field[k];

			(void)snprintf(type, sizeof(type), "%s%c%" PRIu64 "%s",
			    f->type.big ? ">" : "<", f->type.kind,
			    f->type.size, f->rank > 0 ? "[]" : "");
			each(ctx, text_z(name, sizeof(name), f->name,
			    f->name_len), type);
		}
	return 0;
}
