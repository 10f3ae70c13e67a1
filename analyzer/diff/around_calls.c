#include <string.h>

#include "analyzer/diff/around_calls.h"
#include "analyzer/diff/callorder.h"
#include "analyzer/diff/calltable.h"
#include "analyzer/diff/docs.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"

/*
 * Two tables of calls in the same order, walked side by side: what one has
 * alone, and of what both have the arguments that one has alone.  A callee
 * that is called with other kinds of arguments than before is one change, not
 * one removed and one added.
 *
 * Everything is walked once for each severity that a scan would give, the
 * gravest first, so that no flood of harmless rows pushes a call over the
 * limit.
 */
#define ARENA ((size_t)256 * MIB)

struct tell {
	const struct rows *rows;
	struct err *e;
	struct row_text path;
	const struct calltable *side[ROW_SIDES];
	int grave;		/* this pass is for rows as grave as this */
	uint64_t listed, all;
};

#define HARMLESS (-1)

static bool
has_rule(const struct callgroup *g)
{
	return g != NULL && g->rule != FINDING_COUNT;
}

static int
gravity(const struct callgroup *g)
{
	return has_rule(g) ? (int)finding_info(g->rule)->severity : HARMLESS;
}

static struct row_text
args_text(const struct callargs *x)
{
	return x != NULL ? (struct row_text){x->p, x->n} :
	    (struct row_text){NULL, 0};
}

static void
put_more(struct basis *b, const struct callgroup *x,
    const struct callgroup *y)
{
	const struct callgroup *any = y != NULL ? y : x;

	if (any->label_len > 0)
		basis_text(b, "member", any->label, any->label_len);
	if (!any->global) {
		basis_str(b, "signature", any->sig);
		if (x != NULL && y != NULL && strcmp(x->sig, y->sig) != 0)
			basis_str(b, "old_signature", x->sig);
		basis_u64(b, "old_calls", x != NULL ? x->count : 0);
		basis_u64(b, "new_calls", y != NULL ? y->count : 0);
	}
	if (any->dormant)
		basis_bool(b, "dormant", true);
	if (has_rule(y))
		basis_str(b, "rule", finding_info(y->rule)->name);
}

static int
row(struct tell *t, enum change_what what, const struct callgroup *x,
    const struct callgroup *y, struct row_text old, struct row_text new)
{
	const struct callgroup *any = y != NULL ? y : x;
	struct row_change c = {.area = CHANGE_CALLS, .what = what,
	    .path = t->path, .old = old, .new = new};
	struct basis more;
	struct buf key;
	int r;

	if (t->grave != gravity(y))
		return 0;
	t->all++;
	if (t->listed == AROUND_CALLS_ROWS)
		return 0;
	t->listed++;
	buf_init(&key, 64 * KIB);
	buf_puts(&key, any->global ? "global " : "call ");
	buf_put(&key, any->callee, any->callee_len);
	basis_init(&more);
	put_more(&more, x, y);
	c.key = (struct row_text){(const char *)key.p, key.len};
	c.more = &more;
	r = t->rows->change(t->rows->ctx, &c);
	basis_release(&more);
	buf_release(&key);
	return r;
}

/* Is a name called as well?  Then that is what is told. */
static bool
is_called(const struct calltable *t, const struct callgroup *g)
{
	struct callgroup key = *g;
	size_t from = 0, to = t->n, mid;

	key.global = false;
	while (from < to) {
		mid = from + (to - from) / 2;
		if (calltable_compare(t->v[mid], &key) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	/* "a.B" itself, or its methods: "a.B.__setstate__". */
	for (; from < t->n; from++) {
		const struct callgroup *c = t->v[from];

		if (c->global || c->label_len != g->label_len ||
		    memcmp(c->label, g->label, g->label_len) != 0 ||
		    c->callee_len < g->callee_len ||
		    memcmp(c->callee, g->callee, g->callee_len) != 0)
			return false;
		if (c->callee_len == g->callee_len ||
		    c->callee[g->callee_len] == '.')
			return true;
	}
	return false;
}

static int
alone(struct tell *t, enum row_side side, const struct callgroup *g)
{
	const struct row_text none = {NULL, 0};
	struct row_text text = args_text(g->args);
	bool old = side == ROW_OLD;

	if (g->global && is_called(t->side[side], g))
		return 0;
	return row(t, old ? CHANGE_REMOVED : CHANGE_ADDED, old ? g : NULL,
	    old ? NULL : g, old ? text : none, old ? none : text);
}

/* The first arguments of ${x} that ${y} does not have as often. */
static const struct callargs *
missing(const struct callgroup *x, const struct callgroup *y)
{
	for (const struct callargs *a = x->args; a != NULL; a = a->next) {
		const struct callargs *b = y->args;

		while (b != NULL && (b->n != a->n ||
		    memcmp(b->p, a->p, a->n) != 0))
			b = b->next;
		if (b == NULL || b->count < a->count)
			return a;
	}
	return NULL;
}

static int
both(struct tell *t, const struct callgroup *x, const struct callgroup *y)
{
	if (strcmp(x->sig, y->sig) != 0)
		return row(t, CHANGE_CHANGED, x, y, args_text(x->args),
		    args_text(y->args));
	if (!x->speaking || (x->sum == y->sum && x->count == y->count))
		return 0;
	return row(t, CHANGE_CHANGED, x, y, args_text(missing(x, y)),
	    args_text(missing(y, x)));
}

/* Has the run of one callee the signature of ${g}? */
static bool
has_sig(struct callgroup *const *v, size_t n, const struct callgroup *g)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(v[i]->sig, g->sig) == 0)
			return true;
	return false;
}

/* All groups of one callee, x[0..n) and y[0..m), each by signature. */
static int
one_callee(struct tell *t, struct callgroup *const *x, size_t n,
    struct callgroup *const *y, size_t m)
{
	size_t i = 0, k = 0;
	int r = 0;

	for (size_t j = 0; j < n && r >= 0; j++)
		for (size_t l = 0; l < m && r >= 0; l++)
			if (strcmp(x[j]->sig, y[l]->sig) == 0)
				r = both(t, x[j], y[l]);
	/* What is left on both sides, in pairs; then the rest. */
	while (r >= 0) {
		while (i < n && has_sig(y, m, x[i]))
			i++;
		while (k < m && has_sig(x, n, y[k]))
			k++;
		if (i == n && k == m)
			break;
		if (i < n && k < m)
			r = both(t, x[i++], y[k++]);
		else if (i < n)
			r = alone(t, ROW_OLD, x[i++]);
		else
			r = alone(t, ROW_NEW, y[k++]);
	}
	return r;
}

static size_t
run_of(const struct calltable *t, size_t i)
{
	size_t k = i;

	while (k < t->n && calltable_compare(t->v[k], t->v[i]) == 0)
		k++;
	return k - i;
}

static int
walk(struct tell *t)
{
	const struct calltable *x = t->side[ROW_OLD], *y = t->side[ROW_NEW];
	size_t i = 0, k = 0, n, m;
	int r = 0, c;

	while (r >= 0 && (i < x->n || k < y->n)) {
		c = i == x->n ? 1 : k == y->n ? -1 :
		    calltable_compare(x->v[i], y->v[k]);
		n = c <= 0 ? run_of(x, i) : 0;
		m = c >= 0 ? run_of(y, k) : 0;
		r = one_callee(t, x->v + i, n, y->v + k, m);
		i += n;
		k += m;
	}
	return r;
}

static int
tell_moved(struct tell *t, const struct callmoved *v, size_t n)
{
	char from[24], to[24];
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		struct buf b;

		buf_init(&b, sizeof(from) - 1);
		buf_printf(&b, "%u", v[i].from);
		memcpy(from, buf_str(&b), b.len + 1);
		buf_clear(&b);
		buf_printf(&b, "%u", v[i].to);
		memcpy(to, buf_str(&b), b.len + 1);
		buf_release(&b);
		r = row(t, CHANGE_MOVED, v[i].old, v[i].new,
		    (struct row_text){from, strlen(from)},
		    (struct row_text){to, strlen(to)});
	}
	return r;
}

/* A row about the comparison itself. */
static int
note(struct tell *t, const char *key, const char *old, const char *new)
{
	struct row_change c = {.area = CHANGE_CALLS, .what = CHANGE_CHANGED,
	    .path = t->path, .key = {key, strlen(key)},
	    .old = {old, old != NULL ? strlen(old) : 0},
	    .new = {new, strlen(new)}};
	struct basis more;
	int r;

	basis_init(&more);
	c.more = &more;
	if (t->all > t->listed) {
		basis_u64(&more, "listed", t->listed);
		basis_u64(&more, "in_all", t->all);
	}
	r = t->rows->change(t->rows->ctx, &c);
	basis_release(&more);
	return r;
}

static int
tell_rest(struct tell *t)
{
	struct buf b;
	int r;

	if (t->all == t->listed)
		return 0;
	buf_init(&b, 64);
	buf_printf(&b, "%llu", (unsigned long long)(t->all - t->listed));
	r = note(t, "calls not listed", NULL, buf_str(&b));
	buf_release(&b);
	return r;
}

static int
compare(struct tell *t, struct arena *a)
{
	static const char *const whole[] = {"whole", "in part"};
	const struct calltable *x = t->side[ROW_OLD], *y = t->side[ROW_NEW];
	struct callmoved *moved;
	size_t n;
	int r;

	if ((r = callorder(x, y, a, &moved, &n, t->e)) < 0)
		return r;
	if ((x->cut || y->cut) && (r = note(t, "calls not read to their end",
	    whole[x->cut], whole[y->cut])) < 0)
		return r;
	for (t->grave = SEVERITY_CRITICAL; t->grave >= HARMLESS; t->grave--)
		if ((r = walk(t)) < 0 || (r = tell_moved(t, moved, n)) < 0)
			return r;
	return tell_rest(t);
}

int
around_calls(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct err *e)
{
	const struct doc *any = new != NULL ? new : old;
	struct calltable x, y;
	struct tell t = {.rows = rows, .e = e, .side = {&x, &y},
	    .path = {any->path, any->path_len}};
	struct arena *a = arena_new(ARENA);
	int r;

	if (a == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = calltable_read(&x, old, a, e)) == 0 &&
	    (r = calltable_read(&y, new, a, e)) == 0)
		r = compare(&t, a);
	arena_free(a);
	return r;
}
