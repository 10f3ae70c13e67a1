#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/pickle_vm.h"
#include "formats/torch_views.h"
#include "formats/torch_walk.h"

/*
 * A walk from the top of what a pickle built, depth first, on a stack of its
 * own.  An instance pushes several frames: what its state holds, what it was
 * filled with (an OrderedDict), what its class was called with (a named
 * tuple), in this order of names.
 *
 * The graph may have cycles (a module that knows its parent) and may share:
 * a container that is being walked is not entered again; one that lies in
 * two places is told twice, unless the way there is a plain attribute.  A
 * chain of shared pairs has 2^n paths: LIMIT_TORCH_STEPS ends those.
 */
#define FRAMES 512	/* an instance takes up to seven */
#define UNWRAP 8	/* calls around one tensor: two in real files */

enum frame_kind { FRAME_EDGES, FRAME_ITEMS, FRAME_PAIRS };

struct frame {
	enum frame_kind kind;
	const struct pv *v;
	const struct pickle_edge *edge;	/* the next one */
	size_t i;		/* the next item */
	size_t name;		/* length of the name here */
	bool state;		/* keys are attributes of an instance */
	bool weak;		/* the way here has a plain attribute */
	struct pickle_owner *close;	/* no longer open when it is left */
};

struct walk {
	struct torch_views *w;
	struct parse *p;
	char name[LIMIT_TORCH_NAME];
	size_t n;
	struct frame frame[FRAMES];
	unsigned depth;
	uint64_t steps, told;
	bool weak, cut, full;
};

static int
complain(struct walk *k, enum anomaly id, const struct torch_tensor *t)
{
	struct fact facts[4] = {FACT_TEXT("tensor", k->name, k->n)};
	unsigned n = 1;

	if (++k->told > LIMIT_TORCH_VIEWS) {
		k->cut = true;
		return 0;
	}
	if (t != NULL && t->key != NULL) {
		facts[1] = (struct fact)FACT_TEXT("storage", t->key,
		    t->key_len);
		facts[2] = (struct fact)FACT_NUM("elements", t->stated /
		    t->item);
		facts[3] = (struct fact)FACT_NUM("first", t->first);
		n = 4;
	}
	return format_anomaly(k->p, id, 0, 0, facts, n);
}

/* Does the view lie in what its storage is said to have? */
static bool
fits(const struct torch_tensor *t)
{
	uint64_t end;

	return t->span == 0 || (ckd_add64(&end, t->first, t->span) &&
	    ckd_mul64(&end, end, t->item) && end <= t->stated);
}

static int
record(struct walk *k, const struct torch_tensor *t)
{
	struct torch_views *w = k->w;
	struct torch_view *v;

	if (t->key != NULL && !fits(t))
		return complain(k, ANOMALY_TORCH_VIEW_BOUNDS, t);
	if (w->n >= LIMIT_TORCH_VIEWS) {
		k->cut = true;
		return 0;
	}
	if ((v = arena_alloc(k->p->arena, sizeof(*v))) == NULL ||
	    (v->name = arena_dup(k->p->arena, k->name, k->n)) == NULL) {
		k->full = true;
		return 0;
	}
	v->name_len = k->n;
	v->t = *t;
	v->seq = w->n++;
	if (w->last != NULL)
		w->last->next = v;
	else
		w->first = v;
	w->last = v;
	return 0;
}

static struct frame *
push(struct walk *k, enum frame_kind kind, const struct pv *v)
{
	struct pickle_owner *o = pickle_tree_owner(&k->w->tree, v, false);
	struct frame *f;

	if (k->depth == FRAMES) {
		k->cut = true;
		return NULL;
	}
	f = &k->frame[k->depth++];
	memset(f, 0, sizeof(*f));
	f->kind = kind;
	f->v = v;
	f->name = k->n;
	f->edge = o != NULL ? o->first : NULL;
	f->weak = k->weak;
	return f;
}

/* A tuple has its items, and edges when it has more of them. */
static struct frame *
push_tuple(struct walk *k, const struct pv *v)
{
	return push(k, v->more > 0 ? FRAME_EDGES : FRAME_ITEMS, v);
}

/* What BUILD gave: attributes, or two dictionaries of them, or anything. */
static void
push_state(struct walk *k, const struct pv *state)
{
	struct frame *f;

	if (state->kind == PV_TUPLE && state->n == 2 &&
	    state->u.item[1]->kind == PV_DICT) {
		push_state(k, state->u.item[1]);
		state = state->u.item[0];
	}
	if (state->kind == PV_DICT) {
		if ((f = push(k, FRAME_EDGES, state)) != NULL)
			f->state = true;
	} else if (state->kind == PV_TUPLE) {
		(void)push_tuple(k, state);
	} else if (state->kind == PV_LIST) {
		(void)push(k, FRAME_EDGES, state);
	}
}

/* The topmost frame is walked first. */
static void
push_instance(struct walk *k, const struct pv *v, struct pickle_owner *o,
    const struct pv *pairs)
{
	const struct pv *args = pv_item(v, 1);
	struct frame *f = pairs != NULL ? push(k, pairs->kind == PV_DICT ?
	    FRAME_EDGES : FRAME_PAIRS, pairs) :
	    args != NULL && args->kind == PV_TUPLE ? push_tuple(k, args) :
	    push(k, FRAME_EDGES, v);

	if (f == NULL)
		return;
	o->open = true;
	f->close = o;
	(void)push(k, FRAME_EDGES, v);
	for (size_t i = v->n; (v->flags & PV_STATE) != 0 && i > 2; i--)
		push_state(k, v->u.item[i - 1]);
}

static int
enter(struct walk *k, const struct pv *v, const struct pv *pairs)
{
	struct pickle_owner *o;
	struct frame *f;

	if (v->kind == PV_TUPLE) {
		(void)push_tuple(k, v);
		return 0;
	}
	if ((o = pickle_tree_owner(&k->w->tree, v, true)) == NULL) {
		k->full = true;
		return 0;
	}
	if (o->open || (k->weak && o->seen))
		return 0;
	o->seen = true;
	if (v->kind == PV_CALL) {
		push_instance(k, v, o, pairs);
	} else if ((f = push(k, FRAME_EDGES, v)) != NULL) {
		o->open = true;
		f->close = o;
	}
	return 0;
}

static int
visit(struct walk *k, const struct pv *v, bool attribute)
{
	struct torch_tensor t;
	enum torch_made made;

	k->weak |= attribute;
	for (unsigned i = 0; i < UNWRAP; i++) {
		if (v->kind >= PV_TUPLE && v->kind <= PV_DICT)
			return enter(k, v, NULL);
		if (v->kind != PV_CALL)
			return 0;
		made = torch_tensor_made(v, k->p->arena, &t);
		if (made == TORCH_MADE_TENSOR)
			return record(k, &t);
		if (made == TORCH_MADE_BAD)
			return complain(k, ANOMALY_MALFORMED, NULL);
		if (made == TORCH_MADE_FULL)
			k->full = true;
		if (made == TORCH_MADE_FULL || made == TORCH_MADE_OPAQUE)
			return 0;
		if (made == TORCH_MADE_OTHER || made == TORCH_MADE_PAIRS)
			return enter(k, v, t.inner);
		if (t.state != NULL)
			push_state(k, t.state);
		v = t.inner;
	}
	k->cut = true;
	return 0;
}

/* One more word of the name; false when it does not fit. */
static bool
add_word(struct walk *k, const char *p, size_t n)
{
	if (n >= sizeof(k->name) - k->n) {
		k->cut = true;
		return false;
	}
	if (k->n > 0)
		k->name[k->n++] = '.';
	memcpy(k->name + k->n, p, n);
	k->n += n;
	return true;
}

static bool
add_index(struct walk *k, uint64_t i)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)i);

	return add_word(k, text, (size_t)n);
}

/* Text as it is; other keys as Python writes them. */
static bool
add_key(struct walk *k, const struct pv *key)
{
	struct buf b;
	bool ok;

	if (pv_is_kept_text(key))
		return add_word(k, key->u.p, key->n);
	buf_init(&b, LIMIT_TORCH_NAME);
	pickle_render(&b, key);
	ok = buf_failed(&b) == 0 && add_word(k, buf_str(&b), b.len);
	k->cut |= buf_failed(&b) != 0;
	buf_release(&b);
	return ok;
}

/* torch.nn.Module keeps its parts in these. */
static bool
is_bookkeeping(const struct pv *key)
{
	return pv_is_text(key, "_parameters") || pv_is_text(key, "_buffers") ||
	    pv_is_text(key, "_modules");
}

static int
follow_edge(struct walk *k, const struct frame *f, const struct pickle_edge *e)
{
	if (e->value == NULL)
		return 0;
	if (f->state && e->key != NULL && is_bookkeeping(e->key))
		return visit(k, e->value, false);
	if (!(e->key != NULL ? add_key(k, e->key) : add_index(k, e->index)))
		return 0;
	return visit(k, e->value, f->state);
}

/* ['key', value], as OrderedDict was written before Python 3. */
static int
follow_pair(struct walk *k, const struct pickle_edge *e)
{
	const struct pv *key = pv_item(e->value, 0);
	const struct pv *value = pv_item(e->value, 1);

	if (key == NULL || value == NULL || e->value->kind == PV_CALL ||
	    !add_key(k, key))
		return 0;
	return visit(k, value, false);
}

/* The next thing below the topmost frame. */
static int
step(struct walk *k)
{
	struct frame *f = &k->frame[k->depth - 1];
	const struct pickle_edge *e = f->edge;
	const struct pv *v;

	k->n = f->name;
	k->weak = f->weak;
	if (f->kind != FRAME_ITEMS && e != NULL) {
		f->edge = e->next;
		return f->kind == FRAME_PAIRS && e->value != NULL ?
		    follow_pair(k, e) : follow_edge(k, f, e);
	}
	if (f->kind == FRAME_ITEMS && (v = pv_item(f->v, f->i)) != NULL) {
		f->i++;
		return v->kind < PV_TUPLE || !add_index(k, f->i - 1) ? 0 :
		    visit(k, v, false);
	}
	if (f->close != NULL)
		f->close->open = false;
	k->depth--;
	return 0;
}

int
torch_walk(struct torch_views *w, const struct pv *root, const char *prefix,
    size_t prefix_len)
{
	struct walk *k = arena_alloc(w->p->arena, sizeof(*k));
	int r;

	if (k == NULL)
		return err_set(w->p->e, ERR_NOMEM, "out of memory");
	k->w = w;
	k->p = w->p;
	if (!add_word(k, prefix, prefix_len))
		return format_anomaly(w->p, ANOMALY_LIMIT, 0, 0, NULL, 0);
	r = visit(k, root, false);
	while (r == 0 && k->depth > 0 && !k->full) {
		if (++k->steps > LIMIT_TORCH_STEPS) {
			k->cut = true;
			break;
		}
		r = step(k);
	}
	if (r == 0 && (k->cut || k->full))
		r = format_anomaly(w->p, ANOMALY_LIMIT, 0, 0, NULL, 0);
	return r;
}
