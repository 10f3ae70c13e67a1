#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/onnx_outline_parts.h"

/*
 * Tables in blocks, and names by an open hash.  The hash is
 * not keyed: past PROBES a name is entered again, so names that collide cost
 * their writer PROBES steps each, and are never taken for one another.
 */
#define PROBES 64
#define FIRST 256
#define CHUNK 4096

/* Room for one more; false: the table or the arena is full. */
static bool
grow(struct arena *a, struct outline_vec *v)
{
	uint8_t **block = &v->block[v->count / OUTLINE_BLOCK];

	if (v->count >= v->max)
		return false;
	if (*block == NULL)
		*block = arena_array(a, OUTLINE_BLOCK, v->size);
	return *block != NULL;
}

static bool
start(struct arena *a, struct outline_vec *v, size_t size, uint32_t max)
{
	memset(v, 0, sizeof(*v));
	v->size = (uint32_t)size;
	v->max = max;
	if (!grow(a, v))
		return false;
	v->count = 1;
	return true;
}

int
onnx_outline_vec(struct onnx_outline *o, struct outline_vec *v, size_t size,
    uint32_t max, struct err *e)
{
	return start(o->a, v, size, max) ? 0 :
	    err_set(e, ERR_NOMEM, "out of memory");
}

uint32_t
onnx_outline_add(struct onnx_outline *o, struct outline_vec *v)
{
	if (grow(o->a, v))
		return v->count++;
	o->cut = true;
	memset(onnx_outline_at(v, 0), 0, v->size);
	return 0;
}

int
onnx_outline_names(struct outline_names *t, struct arena *a, struct err *e)
{
	memset(t, 0, sizeof(*t));
	t->a = a;
	if (!start(a, &t->v, sizeof(struct outline_name),
	    LIMIT_OUTLINE_NAMES))
		return err_set(e, ERR_NOMEM, "out of memory");
	OUTLINE_AT(outline_name, &t->v, 0)->p = "";
	return 0;
}

struct outline_name
onnx_outline_name(const struct outline_names *t, uint32_t i)
{
	return *OUTLINE_AT(outline_name, &t->v, i);
}

static uint32_t
hash(const uint8_t *p, size_t n)
{
	uint64_t h = 0xcbf29ce484222325U;

	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3U;
	return (uint32_t)(h ^ h >> 32);
}

/* The slot of the name, or the first free one; NULL: none in reach. */
static uint32_t *
slot_of(const struct outline_names *t, uint32_t *slot, uint32_t slots,
    const struct outline_name *name)
{
	uint32_t at = hash((const uint8_t *)name->p, name->n);
	const struct outline_name *other;

	for (unsigned i = 0; i < PROBES && slots > 0; i++, at++) {
		uint32_t *s = &slot[at & (slots - 1)];

		other = OUTLINE_AT(outline_name, &t->v, *s);
		if (*s == 0 || (other->n == name->n &&
		    memcmp(other->p, name->p, name->n) == 0))
			return s;
	}
	return NULL;
}

static bool
grow_slots(struct outline_names *t)
{
	uint32_t slots = t->slots == 0 ? FIRST : 2 * t->slots, *v, *s;

	if ((v = arena_array(t->a, slots, sizeof(*v))) == NULL)
		return false;
	for (uint32_t i = 1; i < t->v.count; i++) {
		s = slot_of(t, v, slots, OUTLINE_AT(outline_name, &t->v, i));
		if (s != NULL && *s == 0)
			*s = i;
	}
	t->slot = v;
	t->slots = slots;
	return true;
}

uint32_t
onnx_outline_intern(struct onnx_outline *o, const void *p, size_t n)
{
	struct outline_names *t = o->names;
	struct outline_name name = {p, (uint32_t)n};
	uint32_t *s;

	if (n == 0)
		return 0;
	if (2 * t->v.count >= t->slots && !grow_slots(t)) {
		o->cut = true;
		return 0;
	}
	s = slot_of(t, t->slot, t->slots, &name);
	if (s != NULL && *s != 0)
		return *s;
	if (!grow(t->a, &t->v) ||
	    (name.p = arena_dup(t->a, p, n)) == NULL) {
		o->cut = true;
		return 0;
	}
	*OUTLINE_AT(outline_name, &t->v, t->v.count) = name;
	if (s != NULL)
		*s = t->v.count;
	return t->v.count++;
}

static int
same_bytes(const struct bytesrc *src_a, const struct outline_value *a,
    const struct bytesrc *src_b, const struct outline_value *b,
    struct err *e)
{
	uint8_t p[CHUNK], q[CHUNK];
	uint64_t at = 0;
	size_t n;
	int r;

	while (at < a->size) {
		n = a->size - at < CHUNK ? (size_t)(a->size - at) : CHUNK;
		if ((r = bytesrc_read(src_a, a->off + at, p, n, e)) < 0 ||
		    (r = bytesrc_read(src_b, b->off + at, q, n, e)) < 0)
			return r;
		if (memcmp(p, q, n) != 0)
			return 0;
		at += n;
	}
	return 1;
}

int
onnx_outline_same(const struct bytesrc *src_a,
    const struct outline_value *a, const struct bytesrc *src_b,
    const struct outline_value *b, struct err *e)
{
	if (a->len != b->len || memcmp(a->text, b->text, a->len) != 0 ||
	    a->whole != b->whole)
		return 0;
	if (a->whole)
		return 1;
	return a->size != b->size ? 0 : same_bytes(src_a, a, src_b, b, e);
}
