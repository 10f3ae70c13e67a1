#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/calltable.h"
#include "analyzer/diff/docs.h"
#include "analyzer/rules.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/registry.h"

/*
 * A file is parsed as scan parses it, and so is what it holds: pickles of an
 * archive, streams that a pickle hands to a loader.  A group is found by a
 * hash of its words; past PROBES it is made again, and the two are put
 * together once all are sorted, so names that collide cost their writer
 * PROBES steps a call and change nothing.
 *
 * The first folder of a torch archive is the name of the file that was saved,
 * so it is left out of labels.
 */
#define PROBES 64
#define SLOTS (4 * CALLTABLE_GROUPS)
#define BIDS 8

struct table {
	struct callgroup **slot;
	size_t n;
	struct arena *a;
	struct err *e;
	struct buf args;
	uint64_t room;
	bool cut;
};

/* An object that is read: the file, or what is in it. */
struct level {
	struct table *t;
	const char *label;
	size_t label_len;
	unsigned depth;
	bool dormant, rooted;	/* rooted: names begin with a folder */
	uint64_t calls;
};

static uint64_t
hash(uint64_t h, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++)
		h = (h ^ s[i]) * 0x100000001b3U;
	return (h ^ n) * 0x9e3779b97f4a7c15U;
}

static bool
same(const struct callgroup *g, const struct callgroup *key)
{
	return g->global == key->global &&
	    g->label_len == key->label_len &&
	    g->callee_len == key->callee_len &&
	    memcmp(g->callee, key->callee, key->callee_len) == 0 &&
	    memcmp(g->label, key->label, key->label_len) == 0 &&
	    strcmp(g->sig, key->sig) == 0;
}

/* The group of ${key}, made when it is new; NULL: no more fit. */
static struct callgroup *
find(struct table *t, const struct callgroup *key)
{
	uint64_t h = hash(hash(hash(key->global, key->callee,
	    key->callee_len), key->sig, strlen(key->sig)), key->label,
	    key->label_len);
	struct callgroup **s = NULL, *g;

	for (unsigned i = 0; i < PROBES; i++) {
		s = &t->slot[((h >> 20) + i) % SLOTS];
		if (*s == NULL)
			break;
		if (same(*s, key))
			return *s;
	}
	if (*s != NULL || t->n == CALLTABLE_GROUPS ||
	    (g = arena_alloc(t->a, sizeof(*g))) == NULL) {
		t->cut = true;
		return NULL;
	}
	*g = *key;
	if ((g->callee = arena_dup(t->a, key->callee,
	    key->callee_len)) == NULL) {
		t->cut = true;
		return NULL;
	}
	g->rule = FINDING_COUNT;
	t->n++;
	return *s = g;
}

/* Kinds of arguments that a person would read: see format.h. */
static bool
is_speaking(const char *sig)
{
	return sig[0] != '\0' && sig[strspn(sig, "nbifsSg/")] == '\0';
}

/*
 * A container or an instance that is filled by its own method: what it gets
 * is data, of whatever kinds.  (A method that the pickle planted is told by
 * its own name.)
 */
static bool
is_filled(const struct ev_call *c)
{
	static const char *const methods[] = {".__setitem__", ".append",
	    ".extend", ".add", ".__setstate__"};
	size_t n;

	for (unsigned i = 0; (c->flags & CALL_IMPLICIT) != 0 && i <
	    sizeof(methods) / sizeof(methods[0]); i++) {
		n = strlen(methods[i]);
		if (c->callee_len > n && memcmp(c->callee + c->callee_len - n,
		    methods[i], n) == 0)
			return true;
	}
	return false;
}

/* Text that protocol 2 puts bytes into: data. */
static bool
is_bytes_as_text(const struct ev_call *c)
{
	static const char name[] = "_codecs.encode";

	return c->callee_len == sizeof(name) - 1 &&
	    memcmp(c->callee, name, c->callee_len) == 0;
}

static void
keep_args(struct table *t, struct callgroup *g, uint64_t digest)
{
	/* A buffer that is full holds what came before. */
	const char *p = t->args.len > 0 ? (const char *)t->args.p : "";
	uint32_t n = (uint32_t)t->args.len;
	struct callargs *x;

	g->sum += hash(digest, p, n);
	for (x = g->args; x != NULL; x = x->next)
		if (x->n == n && memcmp(x->p, p, n) == 0) {
			x->count++;
			return;
		}
	if (g->nargs == CALLTABLE_ARGS)
		return;
	if ((x = arena_alloc(t->a, sizeof(*x))) == NULL ||
	    (x->p = arena_dup(t->a, p, n)) == NULL) {
		t->cut = true;
		return;
	}
	x->n = n;
	x->count = 1;
	if (g->last != NULL)
		g->last->next = x;
	else
		g->args = x;
	g->last = x;
	g->nargs++;
}

/* What a scan would say of it; the first that it says stays. */
static void
judge(struct table *t, struct callgroup *g, const struct ev_call *c)
{
	struct finding f;

	if (g->rule != FINDING_COUNT || (!g->speaking &&
	    g->count > CALLTABLE_ARGS))
		return;
	buf_clear(&t->args);
	if (rule_call(c, &t->args, &f))
		g->rule = f.id;
}

static int
on_call(void *ctx, const struct ev_call *c)
{
	struct level *l = ctx;
	struct table *t = l->t;
	struct callgroup key = {.label = l->label,
	    .label_len = (uint32_t)l->label_len, .callee = c->callee,
	    .callee_len = (uint32_t)c->callee_len, .first = l->calls++,
	    .dormant = l->dormant};
	struct callgroup *g;

	if (!is_filled(c))
		memcpy(key.sig, c->sig, strnlen(c->sig, CALL_SIG + 1));
	key.speaking = is_speaking(key.sig) && !is_bytes_as_text(c);
	if ((g = find(t, &key)) == NULL)
		return 0;
	g->count++;
	judge(t, g, c);
	if (g->speaking || g->nargs == 0) {
		buf_clear(&t->args);
		format_call_args(c, &t->args);
		keep_args(t, g, format_call_digest(c));
	}
	return 0;
}

static int
on_global(void *ctx, const struct ev_global *ev)
{
	struct level *l = ctx;
	struct callgroup key = {.label = l->label,
	    .label_len = (uint32_t)l->label_len, .global = true,
	    .dormant = l->dormant}, *g;
	struct buf *dotted = &l->t->args;
	struct finding f;

	if (!ev->resolved)
		return 0;
	if (ev->module_len + 1 + ev->name_len > LIMIT_RENDER) {
		l->t->cut = true;
		return 0;
	}
	buf_clear(dotted);
	buf_put(dotted, ev->module, ev->module_len);
	buf_put(dotted, ".", 1);
	buf_put(dotted, ev->name, ev->name_len);
	key.callee = buf_str(dotted);
	key.callee_len = (uint32_t)dotted->len;
	if ((g = find(l->t, &key)) == NULL)
		return 0;
	g->count++;
	if (g->rule == FINDING_COUNT && rule_global(ev, key.callee,
	    key.callee_len, &f))
		g->rule = f.id;
	return 0;
}

static int
on_name(void *ctx, const char *format)
{
	struct level *l = ctx;

	l->rooted = strncmp(format, "torch_", 6) == 0;
	return 0;
}

static int on_member(void *ctx, const struct ev_member *m);

/* ${sure}: it is of this format, so what it does not understand is missing. */
static int
parse_as(struct level *l, const struct format *f, const struct bytesrc *src,
    bool sure)
{
	static const struct events events = {.call = on_call,
	    .global = on_global, .member = on_member, .name = on_name};
	struct err why = ERR_INIT;
	struct parse p = {.src = src, .size = bytesrc_size(src),
	    .ev = &events, .ctx = l, .e = &why, .depth = l->depth,
	    .room = &l->t->room};
	int r;

	if ((p.arena = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(l->t->e, ERR_NOMEM, "out of memory");
	r = f->parse(&p);
	arena_free(p.arena);
	l->t->cut |= r != 0 && sure;
	/* A limit is the object's; what our side failed at is ours. */
	return r >= 0 || r == ERR_NOMEM || r == ERR_LIMIT ? 0 :
	    err_set(l->t->e, why.code, "%s", why.msg);
}

/* All formats that claim it, as scan reads them. */
static int
parse_any(struct level *l, const struct bytesrc *src)
{
	static uint8_t end[FORMAT_TAIL];
	uint8_t head[FORMAT_HEAD];
	uint64_t size = bytesrc_size(src);
	uint64_t from = size > sizeof(end) ? size - sizeof(end) : 0;
	struct cursor c, tail;
	struct bid bids[BIDS];
	unsigned count;
	size_t n, m;
	int r;

	if ((r = bytesrc_read_some(src, 0, head, sizeof(head), &n,
	    l->t->e)) < 0 || (r = bytesrc_read_some(src, from, end,
	    sizeof(end), &m, l->t->e)) < 0)
		return r;
	cursor_init(&c, head, n, 0);
	cursor_init(&tail, end, m, from);
	count = registry_bids(c, tail, size, bids, BIDS);
	for (unsigned i = 0; i < count && r == 0; i++)
		if (bids[i].format->kind != FORMAT_DATA)
			r = parse_as(l, bids[i].format, src,
			    bids[i].bits >= BID_STRONG);
	return r;
}

/* "folder/a.pkl" in "b" is "b!folder/a.pkl". */
static bool
label_of(const struct level *l, const struct ev_member *m,
    struct level *inner)
{
	const char *name = m->name, *slash;
	size_t n = m->name_len, up = l->label_len;
	char *p;

	if (l->rooted && (slash = memchr(name, '/', n)) != NULL) {
		n -= (size_t)(slash + 1 - name);
		name = slash + 1;
	}
	if (n > LIMIT_MEMBER_NAME)
		n = LIMIT_MEMBER_NAME;
	if ((p = arena_alloc(l->t->a, up + n + 2)) == NULL)
		return false;
	memcpy(p, l->label, up);
	if (up > 0)
		p[up++] = '!';
	memcpy(p + up, name, n);
	inner->label = p;
	inner->label_len = up + n;
	return true;
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	const struct format *f = m->format != NULL ?
	    registry_find(m->format) : NULL;
	struct level *l = ctx, inner = {.t = l->t, .depth = l->depth + 1,
	    .dormant = l->dormant || (m->flags & MEMBER_DORMANT) != 0};

	if ((m->flags & (MEMBER_STORAGE | MEMBER_TAG)) != 0)
		return 0;
	if (inner.depth > LIMIT_DEPTH || !label_of(l, m, &inner)) {
		l->t->cut = true;
		return 0;
	}
	if ((m->flags & MEMBER_STORED) == 0) {
		if (m->size > l->t->room) {
			l->t->cut = true;
			return 0;
		}
		l->t->room -= m->size;
	}
	return f != NULL ? parse_as(&inner, f, m->src, true) :
	    parse_any(&inner, m->src);
}

static int
compare_text(const char *p, size_t n, const char *q, size_t m)
{
	int c = memcmp(p, q, n < m ? n : m);

	return c != 0 ? c : (n > m) - (n < m);
}

int
calltable_compare(const struct callgroup *x, const struct callgroup *y)
{
	int c = compare_text(x->label, x->label_len, y->label, y->label_len);

	if (c == 0)
		c = (x->global > y->global) - (x->global < y->global);
	return c != 0 ? c : compare_text(x->callee, x->callee_len, y->callee,
	    y->callee_len);
}

static int
in_order(const void *a, const void *b)
{
	const struct callgroup *x = *(struct callgroup *const *)a;
	const struct callgroup *y = *(struct callgroup *const *)b;
	int c = calltable_compare(x, y);

	if (c == 0)
		c = strcmp(x->sig, y->sig);
	return c != 0 ? c : (x->first > y->first) - (x->first < y->first);
}

/* Groups that were made twice become one. */
static void
merge(struct calltable *t)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct callgroup *g = t->v[i], *to = n > 0 ? t->v[n - 1] :
		    NULL;

		if (to == NULL || !same(to, g)) {
			t->v[n++] = g;
			continue;
		}
		to->count += g->count;
		to->sum += g->sum;
		if (to->rule == FINDING_COUNT)
			to->rule = g->rule;
	}
	t->n = n;
}

static int
gather(struct table *t, struct calltable *ret)
{
	if ((ret->v = arena_array(t->a, t->n + 1, sizeof(*ret->v))) == NULL)
		return err_set(t->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < SLOTS; i++)
		if (t->slot[i] != NULL)
			ret->v[ret->n++] = t->slot[i];
	qsort(ret->v, ret->n, sizeof(*ret->v), in_order);
	merge(ret);
	ret->cut = t->cut;
	return 0;
}

int
calltable_read(struct calltable *ret, const struct doc *d, struct arena *a,
    struct err *e)
{
	struct table t = {.a = a, .e = e, .room = LIMIT_NESTED};
	struct level top = {.t = &t, .label = ""};
	const struct format *f;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (d == NULL)
		return 0;
	if ((t.slot = arena_array(a, SLOTS, sizeof(*t.slot))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	buf_init(&t.args, LIMIT_RENDER);
	f = registry_find(d->format);
	r = f != NULL ? parse_as(&top, f, d->src, true) :
	    parse_any(&top, d->src);
	buf_release(&t.args);
	return r < 0 ? r : gather(&t, ret);
}
