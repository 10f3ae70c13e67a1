#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/gather.h"
#include "analyzer/diff/table.h"
#include "analyzer/rules.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/registry.h"

struct load {
	struct table *t;
	struct leaf *leaf;
	bool begun;		/* it is an input of the table */
	bool reversed;		/* shapes come fastest dimension first */
	bool incomplete;
	bool views;
	size_t from;		/* its first tensor */
	struct err *e;
};

/* The arrays of an .npz have no names of their own: their file has. */
static const char *
own_name(const struct leaf *leaf, size_t *n)
{
	const char *p = leaf->inner;

	*n = leaf->inner_len;
	for (size_t i = leaf->inner_len; i > 0; i--)
		if (p[i - 1] == '/') {
			p += i;
			*n -= i;
			break;
		}
	if (*n > 4 && memcmp(p + *n - 4, ".npy", 4) == 0)
		*n -= 4;
	return p;
}

static int
begin(struct load *l)
{
	int r;

	if (l->begun)
		return 0;
	l->begun = true;
	l->from = l->t->n;
	if ((r = table_begin(l->t, l->leaf, l->e)) < 0)
		return r;
	return 0;
}

static int
full(struct load *l, int r)
{
	if (r > 0) {
		l->t->cut = true;
		l->incomplete = true;
		return ERR_STOP;
	}
	return r;
}

static int
on_tensor(void *ctx, const struct ev_tensor *ev)
{
	struct load *l = ctx;
	struct ev_tensor copy = *ev;
	uint64_t shape[TENSOR_RANK_MAX];
	int r;

	if ((r = begin(l)) < 0)
		return r;
	if (ev->name_len == 0)
		copy.name = own_name(l->leaf, &copy.name_len);
	if (l->reversed && ev->rank <= TENSOR_RANK_MAX) {
		for (unsigned i = 0; i < ev->rank; i++)
			shape[i] = ev->shape[ev->rank - 1 - i];
		copy.shape = shape;
	}
	return full(l, table_add(l->t, &copy, l->e));
}

static int
on_view(void *ctx, const struct ev_view *ev)
{
	struct load *l = ctx;
	int r;

	if ((r = begin(l)) < 0)
		return r;
	l->views = true;
	return full(l, table_add_view(l->t, ev, l->e));
}

static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	struct load *l = ctx;

	if (finding_info(finding_of_anomaly(a->id))->verdict ==
	    VERDICT_INCOMPLETE)
		l->incomplete = true;
	return 0;
}

static int
on_name(void *ctx, const char *format)
{
	struct load *l = ctx;

	l->leaf->format = format;
	return 0;
}

static int
on_sibling(void *ctx, const char *name, size_t n, struct bytesrc **ret)
{
	struct load *l = ctx;
	const struct leaf *x = leaves_beside(&l->t->leaves, l->leaf, name, n);

	if (x == NULL)
		return SIBLING_NONE;
	*ret = bytesrc_fd(x->fd, x->off, x->size, l->e);
	return *ret != NULL ? SIBLING_OPEN : ERR_NOMEM;
}

static const struct events events = {.tensor = on_tensor, .view = on_view,
    .anomaly = on_anomaly, .name = on_name, .sibling = on_sibling};

static int
say_unread(const struct load *l)
{
	struct finding f = {.id = FINDING_DIFF_UNREAD,
	    .severity = finding_info(FINDING_DIFF_UNREAD)->severity,
	    .confidence = CONFIDENCE_CERTAIN};
	const struct rows *rows = l->t->leaves.rows;

	rule_detail_text(&f, "format", l->leaf->format,
	    strlen(l->leaf->format));
	if (l->t->cut)
		rule_detail_text(&f, "limit", "tensors", 7);
	return rows->finding(rows->ctx, l->t->leaves.side,
	    (struct row_text){l->leaf->path, l->leaf->path_len}, &f);
}

/* Which formats carry tensors; a zip is a model when torch wrote it. */
static const struct format *
model_format(const struct leaf *leaf)
{
	const struct format *f = registry_find(leaf->format);

	if (f == NULL || (leaf->flags & PART_BESIDE) != 0)
		return NULL;
	return f->kind == FORMAT_MODEL || strcmp(f->name, "zip") == 0 ? f :
	    NULL;
}

static int
load(struct table *t, struct leaf *leaf, const struct format *f,
    struct err *e)
{
	struct load l = {.t = t, .leaf = leaf, .e = e,
	    .reversed = strcmp(f->name, "gguf") == 0 ||
	    strcmp(f->name, "ggml_legacy") == 0};
	struct err why = ERR_INIT;
	struct parse p = {.src = leaf->src, .size = leaf->size,
	    .ev = &events, .ctx = &l, .e = &why};
	int r;

	if ((p.arena = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	r = f->parse(&p);
	arena_free(p.arena);
	/* What was read has shrunk: told below.  Else our side failed. */
	if (e->code == ERR_TRUNC)
		err_reset(e);
	if (e->code != ERR_OK)
		return (int)e->code;
	if (l.begun && l.views)
		table_drop(t, l.from);
	if (l.begun)
		t->inputs[t->ninputs - 1].complete = r == 0 && !l.incomplete;
	return r != 0 || l.incomplete ? say_unread(&l) : 0;
}

int
gather_tensors(struct table *t, struct err *e)
{
	const struct format *f;
	int r = 0;

	for (size_t i = 0; i < t->leaves.n && r >= 0; i++)
		if ((f = model_format(&t->leaves.v[i])) != NULL)
			r = load(t, &t->leaves.v[i], f, e);
	return r;
}

static bool
digits(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)p[i]))
			return false;
	return true;
}

/*
 * The path without "-00001-of-00003"; of an array in an archive, the
 * archive's.
 */
static int
set_key(struct table *t, struct table_input *in, struct err *e)
{
	const struct leaf *leaf = in->leaf;
	size_t n = leaf->path_len, cut = 15;
	char *key;

	if (leaf->box != NULL && strcmp(leaf->format, "npy") == 0) {
		in->key = leaf->box;
		in->key_len = leaf->box_len;
		return 0;
	}
	if ((key = arena_dup(t->arena, leaf->path, n)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i + cut <= n; i++)
		if (key[i] == '-' && digits(key + i + 1, 5) &&
		    memcmp(key + i + 6, "-of-", 4) == 0 &&
		    digits(key + i + 10, 5)) {
			memmove(key + i, key + i + cut, n - i - cut);
			n -= cut;
			break;
		}
	in->key = key;
	in->key_len = n;
	return 0;
}

static int
compare_keys(const struct table_input *x, const struct table_input *y)
{
	size_t n = x->key_len < y->key_len ? x->key_len : y->key_len;
	int c = memcmp(x->key, y->key, n);

	return c != 0 ? c : (x->key_len > y->key_len) -
	    (x->key_len < y->key_len);
}

static int
compare(const void *a, const void *b)
{
	const struct table_input *const *x = a;
	const struct table_input *const *y = b;
	int c = compare_keys(*x, *y);

	return c != 0 ? c : (*x > *y) - (*x < *y);
}

int
gather_units(struct table *t, struct err *e)
{
	struct table_input **v;
	int r = 0;

	if (t->ninputs == 0)
		return 0;
	for (size_t i = 0; i < t->ninputs && r >= 0; i++)
		r = set_key(t, &t->inputs[i], e);
	if (r < 0)
		return r;
	if ((v = calloc(t->ninputs, sizeof(struct table_input *))) == NULL ||
	    (t->units = arena_array(t->arena, t->ninputs,
	    sizeof(*t->units))) == NULL) {
		free(v);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	for (size_t i = 0; i < t->ninputs; i++)
		v[i] = &t->inputs[i];
	qsort(v, t->ninputs, sizeof(struct table_input *), compare);
	for (size_t i = 0; i < t->ninputs; i++) {
		if (i == 0 || compare_keys(v[i - 1], v[i]) != 0)
			t->units[t->nunits++] = (struct unit){
			    .path = v[i]->key, .path_len = v[i]->key_len,
			    .format = v[i]->leaf->format};
		v[i]->unit = (uint32_t)(t->nunits - 1);
	}
	free(v);
	return 0;
}
