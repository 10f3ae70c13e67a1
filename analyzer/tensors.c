#include <stdlib.h>
#include <string.h>

#include "analyzer/rules.h"
#include "analyzer/tensors.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"

/*
 * Overlapping ranges are refused work: a header of a megabyte could name one
 * gigabyte ten thousand times.  Each byte is examined once, by the tensor
 * that begins first (of two that begin together the longer one).
 */
struct note {
	const char *name, *dtype;
	size_t name_len;
	uint64_t off, len, row;
};

/* In order of their coming: chunks, so that nothing is ever moved. */
#define CHUNK 1024
struct chunk {
	struct chunk *next;
	struct note note[CHUNK];
};

struct tensors {
	const struct weights_events *ev;
	void *ctx;
	struct arena *arena;
	struct chunk *first, *last;
	size_t n;
	uint64_t examined;
	bool cut;
	uint64_t outside;	/* bytes of other files that may be read */
	struct weights *weights;
};

struct tensors *
tensors_new(const struct weights_events *ev, void *ctx, struct err *e)
{
	struct tensors *t;

	if ((t = calloc(1, sizeof(*t))) == NULL ||
	    (t->arena = arena_new(LIMIT_TENSORS_BYTES)) == NULL ||
	    (t->weights = weights_new(ev, ctx,
	    WEIGHTS_ALL, e)) == NULL) {
		tensors_free(t);
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	t->ev = ev;
	t->ctx = ctx;
	t->outside = LIMIT_TENSORS_OUTSIDE;
	return t;
}

void
tensors_free(struct tensors *t)
{
	if (t == NULL)
		return;
	weights_free(t->weights);
	arena_free(t->arena);
	free(t);
}

/* Names come from evidence: what is longer than this is cut in the note. */
#define NAME_SHOWN 256
#define DTYPE_SHOWN 16

/* NULL: no room. */
static struct note *
new_note(struct tensors *t, const struct ev_tensor *ev)
{
	size_t n = ev->name_len < NAME_SHOWN ? ev->name_len : NAME_SHOWN;
	struct note *note;
	struct chunk *c;

	if (t->n % CHUNK == 0) {
		if ((c = arena_alloc(t->arena, sizeof(*c))) == NULL)
			return NULL;
		if (t->last != NULL)
			t->last->next = c;
		else
			t->first = c;
		t->last = c;
	}
	note = &t->last->note[t->n % CHUNK];
	if ((note->name = arena_dup(t->arena, ev->name, n)) == NULL ||
	    (note->dtype = arena_dup(t->arena, ev->dtype,
	    strnlen(ev->dtype, DTYPE_SHOWN))) == NULL)
		return NULL;
	note->name_len = n;
	note->off = ev->off;
	note->len = ev->len;
	note->row = ev->shape != NULL && ev->rank > 1 ? 1 : 0;
	for (unsigned i = 1; i < ev->rank && ev->shape != NULL; i++)
		if (!ckd_mul64(&note->row, note->row, ev->shape[i]))
			note->row = 0;
	return note;
}

static int
examine(struct tensors *t, const struct note *n, const struct bytesrc *src,
    struct err *e)
{
	const struct weights_tensor w = {n->name, n->name_len, n->dtype, src,
	    n->off, n->len, n->row};

	t->examined++;
	return weights_tensor(t->weights, &w, e);
}

uint64_t
tensors_count(const struct tensors *t)
{
	return t != NULL ? t->examined : 0;
}

int
tensors_add(struct tensors *t, const struct ev_tensor *ev, struct err *e)
{
	struct note *note;

	if (ev->len == 0 || t->cut)
		return 0;
	if (t->n == LIMIT_TENSORS || (note = new_note(t, ev)) == NULL) {
		t->cut = true;
		return 0;
	}
	if (ev->src == NULL) {
		t->n++;
		return 0;
	}
	if (note->len > t->outside) {
		t->cut = true;
		return 0;
	}
	t->outside -= note->len;
	return examine(t, note, ev->src, e);
}

static int
compare(const void *a, const void *b)
{
	const struct note *x = *(const struct note *const *)a;
	const struct note *y = *(const struct note *const *)b;

	if (x->off != y->off)
		return x->off < y->off ? -1 : 1;
	return (x->len < y->len) - (x->len > y->len);
}

static int
examine_sorted(struct tensors *t, const struct note **v,
    const struct bytesrc *src, struct err *e)
{
	uint64_t size = bytesrc_size(src), at = 0, skip;
	size_t i = 0;
	int r = 0;

	for (struct chunk *c = t->first; c != NULL; c = c->next)
		for (size_t k = 0; k < CHUNK && i < t->n; k++)
			v[i++] = &c->note[k];
	qsort(v, t->n, sizeof(*v), compare);
	for (i = 0; i < t->n && r >= 0; i++) {
		struct note n = *v[i];

		/* What was examined already; whole elements of any type. */
		skip = n.off < at ? (at - n.off + 7) / 8 * 8 : 0;
		if (n.off >= size || skip >= n.len)
			continue;
		n.off += skip;
		n.len -= skip;
		if (n.off >= size)
			continue;
		r = examine(t, &n, src, e);
		at = n.len < size - n.off ? n.off + n.len : size;
	}
	return r;
}

static int
say_cut(struct tensors *t)
{
	struct finding f = {.id = FINDING_LIMIT,
	    .severity = finding_info(FINDING_LIMIT)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_text(&f, "limit", "tensors", 7);
	rule_detail_num(&f, "examined", t->n);
	return t->ev->finding(t->ctx, &f);
}

int
tensors_examine(struct tensors *t, const struct bytesrc *src, struct err *e)
{
	const struct note **v;
	int r = 0;

	if (t->n > 0) {
		if ((v = calloc(t->n, sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		r = examine_sorted(t, v, src, e);
		free(v);
	}
	if (r >= 0 && t->cut)
		r = say_cut(t);
	return r < 0 ? r : weights_end(t->weights, e);
}
