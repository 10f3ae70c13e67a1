#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/gather.h"
#include "analyzer/diff/mapping.h"
#include "analyzer/diff/spill.h"
#include "analyzer/diff/strided.h"
#include "analyzer/diff/table.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"

struct table_map {
	int fd;
	bool open;
	struct mapping m;
};

/* A name longer than this is no name that a framework would write. */
#define NAME_MAX_LEN 4096
#define DTYPE_MAX_LEN 16

struct table *
table_new(enum row_side side, struct spill *spill, const struct rows *rows,
    struct err *e)
{
	struct table *t;

	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (t->arena = arena_new(LIMIT_DIFF_ARENA)) == NULL) {
		table_free(t);
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	t->spill = spill;
	t->leaves.side = side;
	t->leaves.arena = t->arena;
	t->leaves.spill = spill;
	t->leaves.rows = rows;
	return t;
}

void
table_free(struct table *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < t->nmaps; i++)
		mapping_release(&t->maps[i].m);
	free(t->maps);
	leaves_release(&t->leaves);
	free(t->v);
	free(t->inputs);
	arena_free(t->arena);
	free(t);
}

int
table_load(struct table *t, const struct job_side *job, struct err *e)
{
	int r;

	t->job = job;
	if ((r = leaves_find(&t->leaves, job, e)) < 0 ||
	    (r = gather_tensors(t, e)) < 0)
		return r;
	return table_settle(t, e);
}

int
table_begin(struct table *t, struct leaf *leaf, struct err *e)
{
	struct table_input *v;
	size_t cap;

	if (t->ninputs == t->inputs_cap) {
		cap = t->inputs_cap == 0 ? 16 : 2 * t->inputs_cap;
		if ((v = reallocarray(t->inputs, cap, sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		t->inputs = v;
		t->inputs_cap = cap;
	}
	t->inputs[t->ninputs++] = (struct table_input){.leaf = leaf,
	    .complete = true};
	return 0;
}

/* Room for one more; NULL when there is none. */
static struct tensor *
new_tensor(struct table *t, const char *name, size_t n, const char *dtype)
{
	struct tensor *v;
	size_t cap;

	if (t->n == LIMIT_DIFF_TENSORS)
		return NULL;
	if (t->n == t->cap) {
		cap = t->cap == 0 ? 256 : 2 * t->cap;
		if ((v = reallocarray(t->v, cap, sizeof(*v))) == NULL)
			return NULL;
		t->v = v;
		t->cap = cap;
	}
	v = &t->v[t->n];
	memset(v, 0, sizeof(*v));
	n = n < NAME_MAX_LEN ? n : NAME_MAX_LEN;
	if ((v->name = arena_dup(t->arena, name, n)) == NULL ||
	    (v->dtype = arena_dup(t->arena, dtype,
	    strnlen(dtype, DTYPE_MAX_LEN))) == NULL)
		return NULL;
	v->name_len = (uint32_t)n;
	v->elem = elem_find(v->dtype);
	v->input = (uint32_t)t->ninputs - 1;
	t->n++;
	return v;
}

/* Shape and what follows from it; false: the arena is full. */
static bool
set_shape(struct table *t, struct tensor *v, const uint64_t *shape,
    unsigned rank)
{
	uint64_t n = 1, *copy;
	bool zero = false;

	v->rank = rank < TENSOR_RANK_MAX ? rank : TENSOR_RANK_MAX;
	if ((copy = arena_array(t->arena, v->rank + 1, sizeof(*copy))) ==
	    NULL)
		return false;
	for (unsigned i = 0; i < rank; i++) {
		if (i < TENSOR_RANK_MAX)
			copy[i] = shape[i];
		zero = zero || shape[i] == 0;
		if (!ckd_mul64(&n, n, shape[i]))
			n = UINT64_MAX;
	}
	v->shape = copy;
	v->n = zero ? 0 : n;
	v->rows = v->n > 0 && rank >= 2 ? copy[0] : 1;
	v->cols = v->n / v->rows;
	return true;
}

/* The elements that bytes without a shape hold. */
static uint64_t
count_of(const struct tensor *v, uint64_t len)
{
	const struct elem_info *x = elem_info(v->elem);

	return len / x->bytes * x->block;
}

static bool
fits(const struct tensor *v)
{
	const struct elem_info *x = elem_info(v->elem);
	uint64_t bytes;

	return v->n % x->block == 0 &&
	    ckd_mul64(&bytes, v->n / x->block, x->bytes) && bytes == v->len;
}

/* Which mapped file a descriptor is. */
static int
map_slot(struct table *t, int fd, uint32_t *ret, struct err *e)
{
	struct table_map *v;
	size_t i, cap;

	for (i = t->nmaps; i > 0; i--)
		if (t->maps[i - 1].fd == fd) {
			*ret = (uint32_t)(i - 1);
			return 0;
		}
	if (t->nmaps == t->maps_cap) {
		cap = t->maps_cap == 0 ? 16 : 2 * t->maps_cap;
		if ((v = reallocarray(t->maps, cap, sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		t->maps = v;
		t->maps_cap = cap;
	}
	t->maps[t->nmaps] = (struct table_map){.fd = fd};
	*ret = (uint32_t)t->nmaps++;
	return 0;
}

/* Where the bytes are: a range of a file, after unpacking if need be. */
static int
set_place(struct table *t, struct tensor *v, const struct bytesrc *src,
    uint64_t off, uint64_t len, struct err *e)
{
	struct bytesrc *range;
	int fd = bytesrc_file(src), r;

	if (len == 0 || off > bytesrc_size(src) ||
	    len > bytesrc_size(src) - off)
		return 0;
	if (fd >= 0) {
		(void)bytesrc_origin(src, off, &v->off);
	} else {
		if ((range = bytesrc_range(src, off, len, e)) == NULL)
			return ERR_NOMEM;
		r = spill_copy(t->spill, range, &v->off, e);
		bytesrc_free(range);
		if (r != 0)
			return r < 0 ? r : 0;
		fd = spill_file(t->spill);
	}
	v->len = len;
	return map_slot(t, fd, &v->map, e);
}

int
table_add(struct table *t, const struct ev_tensor *ev, struct err *e)
{
	const struct leaf *leaf = t->inputs[t->ninputs - 1].leaf;
	uint64_t flat;
	struct tensor *v;

	if ((v = new_tensor(t, ev->name, ev->name_len, ev->dtype)) == NULL)
		return 1;
	flat = count_of(v, ev->len);
	if (!set_shape(t, v, ev->shape != NULL ? ev->shape : &flat,
	    ev->shape != NULL ? ev->rank : 1)) {
		t->n--;
		return 1;
	}
	return set_place(t, v, ev->src != NULL ? ev->src : leaf->src,
	    ev->off, ev->len, e);
}

int
table_add_view(struct table *t, const struct ev_view *ev, struct err *e)
{
	const struct leaf *leaf = t->inputs[t->ninputs - 1].leaf;
	const struct bytesrc *src = ev->src != NULL ? ev->src : leaf->src;
	const struct elem_info *x;
	struct tensor *v;
	uint64_t first, len;
	int r;

	if ((v = new_tensor(t, ev->name, ev->name_len, ev->dtype)) == NULL)
		return 1;
	if (!set_shape(t, v, ev->shape, ev->rank)) {
		t->n--;
		return 1;
	}
	/* Its own number, above those of other inputs. */
	v->storage = (uint64_t)(v->input + 1) << 40 |
	    (ev->storage & UINT64_C(0xffffffffff));
	x = elem_info(v->elem);
	if (v->n == 0 || x->block != 1 || ev->len == 0)
		return 0;
	if (strided_is_dense(ev, ev->rank)) {
		if (!ckd_mul64(&first, ev->first, x->bytes) ||
		    !ckd_mul64(&len, v->n, x->bytes) || first > ev->len ||
		    len > ev->len - first)
			return 0;
		return set_place(t, v, src, ev->off + first, len, e);
	}
	r = strided_copy(t->spill, src, ev, v, e);
	return r != 0 ? (r < 0 ? r : 0) :
	    map_slot(t, spill_file(t->spill), &v->map, e);
}

void
table_drop(struct table *t, size_t from)
{
	size_t to = from;

	for (size_t i = from; i < t->n; i++)
		if (t->v[i].storage != 0)
			t->v[to++] = t->v[i];
	t->n = to;
}

static uint64_t
size_of(const struct table *t, int fd)
{
	if (fd == spill_file(t->spill))
		return spill_size(t->spill);
	for (size_t i = 0; i < t->job->n; i++)
		if (t->job->v[i].fd == fd)
			return t->job->v[i].size;
	return 0;
}

static int
open_map(struct table *t, struct table_map *m, struct err *e)
{
	int r;

	if (m->open)
		return 0;
	if ((r = mapping_init(&m->m, m->fd, size_of(t, m->fd), e)) < 0)
		return r;
	m->open = true;
	return 0;
}

/* Map what a tensor lies in, once its file has come to its size. */
static int
resolve(struct table *t, struct tensor *v, struct err *e)
{
	static const uint8_t nothing[1];
	struct table_map *m;
	int r;

	v->p = NULL;
	if (v->n == 0) {
		v->p = v->len == 0 ? nothing : NULL;
		return 0;
	}
	if (v->len == 0 || !fits(v))
		return 0;
	m = &t->maps[v->map];
	if ((r = open_map(t, m, e)) < 0)
		return r;
	if (v->off > m->m.n || v->len > m->m.n - v->off)
		return 0;
	v->p = m->m.p + v->off;
	t->bytes += v->len;
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const struct tensor *x = a;
	const struct tensor *y = b;
	uint32_t n = x->name_len < y->name_len ? x->name_len : y->name_len;
	int c;

	if (x->unit != y->unit)
		return x->unit < y->unit ? -1 : 1;
	if ((c = memcmp(x->name, y->name, n)) != 0)
		return c;
	if (x->name_len != y->name_len)
		return x->name_len < y->name_len ? -1 : 1;
	if (x->input != y->input)
		return x->input < y->input ? -1 : 1;
	return (x->off > y->off) - (x->off < y->off);
}

int
table_settle(struct table *t, struct err *e)
{
	int r = 0;

	if ((r = gather_units(t, e)) < 0)
		return r;
	for (size_t i = 0; i < t->n && r >= 0; i++) {
		t->v[i].unit = t->inputs[t->v[i].input].unit;
		t->inputs[t->v[i].input].tensors++;
		r = resolve(t, &t->v[i], e);
	}
	if (t->n > 0)
		qsort(t->v, t->n, sizeof(*t->v), compare);
	for (size_t i = 0; i < t->n; i++) {
		struct unit *u = &t->units[t->v[i].unit];

		if (u->n++ == 0)
			u->v = &t->v[i];
	}
	return r;
}

void
table_note_digest(struct table *t, const struct tensor *x, uint64_t digest)
{
	uintptr_t at = (uintptr_t)x - (uintptr_t)t->v;
	struct tensor *v;

	if ((uintptr_t)x < (uintptr_t)t->v || at / sizeof(*v) >= t->n)
		return;
	v = &t->v[at / sizeof(*v)];
	v->digest = digest;
	v->digested = true;
}

const struct table_input *
table_input_of(const struct table *t, const struct tensor *x)
{
	return &t->inputs[x->input];
}

/*
 * The spill grows while it is mapped: what was mapped of it stays, and the
 * new part is mapped anew.
 */
static const uint8_t *
map_again(struct table *t, uint64_t off, struct err *e)
{
	struct table_map *m;
	uint32_t slot;

	for (size_t i = 0; i < t->nmaps; i++)
		if (t->maps[i].fd == spill_file(t->spill))
			t->maps[i].fd = -1;
	if (map_slot(t, spill_file(t->spill), &slot, e) < 0)
		return NULL;
	m = &t->maps[slot];
	return open_map(t, m, e) < 0 ? NULL : m->m.p + off;
}

const struct tensor *
table_transposed(struct table *t, const struct tensor *x, struct err *e)
{
	struct tensor *v;
	uint64_t *shape;

	if ((v = arena_alloc(t->arena, sizeof(*v))) == NULL ||
	    (shape = arena_array(t->arena, 2, sizeof(*shape))) == NULL)
		return NULL;
	*v = *x;
	shape[0] = v->rows = x->cols;
	shape[1] = v->cols = x->rows;
	v->shape = shape;
	v->rank = 2;
	if (strided_transpose(t->spill, x, &v->off, e) != 0)
		return NULL;
	v->p = map_again(t, v->off, e);
	v->digested = false;
	return v->p != NULL ? v : NULL;
}

const struct tensor *
table_reordered(struct table *t, const struct tensor *x,
    const uint32_t *from, struct err *e)
{
	struct tensor *v;

	if ((v = arena_alloc(t->arena, sizeof(*v))) == NULL)
		return NULL;
	*v = *x;
	if (strided_rows(t->spill, x, from, &v->off, e) != 0)
		return NULL;
	v->p = map_again(t, v->off, e);
	v->digested = false;
	return v->p != NULL ? v : NULL;
}
