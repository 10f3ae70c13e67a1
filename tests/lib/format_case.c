#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/srcdigest.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "tests/lib/format_case.h"

struct running {
	struct format_case *c;
	uint64_t size;
};

static void
mix(struct format_case *c, const void *p, size_t n)
{
	const uint8_t *s = p;

	for (size_t i = 0; i < n; i++)
		c->hash = (c->hash ^ s[i]) * 1099511628211ULL;
}

static void
mix_u64(struct format_case *c, uint64_t v)
{
	mix(c, &v, sizeof(v));
}

static void
place(struct running *r, uint64_t off, uint64_t len)
{
	mix_u64(r->c, off);
	mix_u64(r->c, len);
	if (off > r->size + 1 || len > r->size + 1)
		r->c->outside = true;
}

static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	struct running *r = ctx;
	struct format_case *c = r->c;

	mix_u64(c, (uint64_t)a->id);
	place(r, a->off, 0);
	for (unsigned i = 0; i < a->nfacts; i++)
		if (a->facts[i].text != NULL)
			mix(c, a->facts[i].text, a->facts[i].len);
		else
			mix_u64(c, a->facts[i].num);
	if (c->anomalies < CASE_EVENTS) {
		c->anomaly[c->anomalies] = a->id;
		c->anomaly_off[c->anomalies] = a->off;
	}
	c->anomalies++;
	return 0;
}

static int
on_call(void *ctx, const struct ev_call *k)
{
	struct running *r = ctx;
	struct format_case *c = r->c;
	struct buf args;

	buf_init(&args, LIMIT_RENDER);
	format_call_args(k, &args);
	mix(c, k->callee, k->callee_len);
	mix(c, k->sig, strlen(k->sig));
	mix(c, args.p, args.len);
	place(r, k->off, 1);
	if (c->calls < CASE_EVENTS)
		(void)snprintf(c->call[c->calls], sizeof(c->call[0]),
		    "%.*s(%.*s)", (int)k->callee_len, k->callee,
		    (int)args.len, args.p != NULL ? (const char *)args.p :
		    "");
	c->calls++;
	buf_release(&args);
	return 0;
}

static int
on_global(void *ctx, const struct ev_global *g)
{
	struct running *r = ctx;

	mix(r->c, g->module, g->module_len);
	mix(r->c, g->name, g->name_len);
	place(r, g->off, 1);
	r->c->globals++;
	return 0;
}

/* Every byte of a member must be readable. */
static void
read_all(struct running *r, const struct bytesrc *src)
{
	uint8_t chunk[4096];
	uint64_t off = 0;
	size_t n;

	do {
		if (bytesrc_read_some(src, off, chunk, sizeof(chunk), &n,
		    NULL) < 0) {
			r->c->outside = true;
			return;
		}
		mix(r->c, chunk, n);
		off += n;
	} while (n > 0);
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	struct running *r = ctx;
	struct format_case *c = r->c;

	mix(c, m->name, m->name_len);
	mix_u64(c, m->size);
	if (bytesrc_size(m->src) != m->size)
		c->outside = true;
	if ((m->flags & MEMBER_STORED) != 0)
		place(r, m->off, m->size);
	read_all(r, m->src);
	if (c->members < CASE_EVENTS) {
		(void)snprintf(c->member[c->members], sizeof(c->member[0]),
		    "%.*s", (int)m->name_len, m->name);
		c->member_size[c->members] = m->size;
		c->member_flags[c->members] = m->flags;
	}
	c->members++;
	return 0;
}

static int
on_tensor(void *ctx, const struct ev_tensor *t)
{
	struct running *r = ctx;

	mix(r->c, t->name, t->name_len);
	if (t->src == NULL)
		place(r, t->off, t->len);
	r->c->tensors++;
	return 0;
}

/* A view that has bytes lies in them. */
static int
on_view(void *ctx, const struct ev_view *v)
{
	struct running *r = ctx;
	uint64_t far = v->first;

	mix(r->c, v->name, v->name_len);
	mix(r->c, v->dtype, strlen(v->dtype));
	mix_u64(r->c, v->first);
	mix_u64(r->c, v->storage);
	for (unsigned i = 0; i < v->rank; i++) {
		mix_u64(r->c, v->shape[i]);
		mix_u64(r->c, v->stride[i]);
		far = v->shape[i] == 0 ? 0 : far + (v->shape[i] - 1) *
		    v->stride[i];
	}
	if (v->src == NULL)
		place(r, v->off, v->len);
	if (v->len > 0 && far >= v->len && far > v->first)
		r->c->outside = true;
	r->c->views++;
	return 0;
}

static int
on_meta(void *ctx, const struct ev_meta *m)
{
	struct running *r = ctx;

	mix(r->c, m->key, m->key_len);
	mix(r->c, m->value, m->value_len);
	r->c->metas++;
	return 0;
}

static int
on_name(void *ctx, const char *format)
{
	struct running *r = ctx;

	(void)snprintf(r->c->name, sizeof(r->c->name), "%s", format);
	return 0;
}

static const struct format_case_file *siblings;

void
format_case_siblings(const struct format_case_file *files)
{
	siblings = files;
}

static int
on_sibling(void *ctx, const char *name, size_t n, struct bytesrc **ret)
{
	struct running *r = ctx;

	mix(r->c, name, n);
	if (siblings == NULL)
		return SIBLING_UNKNOWN;
	for (const struct format_case_file *f = siblings; f->name != NULL; f++)
		if (strlen(f->name) == n && memcmp(f->name, name, n) == 0) {
			if (f->refused)
				return SIBLING_REFUSED;
			*ret = bytesrc_mem(f->p, f->n, NULL);
			return *ret != NULL ? SIBLING_OPEN : ERR_NOMEM;
		}
	return SIBLING_NONE;
}

static int
on_cover(void *ctx, uint64_t off, uint64_t len, enum cover kind)
{
	struct running *r = ctx;
	struct format_case *c = r->c;

	place(r, off, len);
	mix_u64(c, (uint64_t)kind);
	if (off > r->size || len > r->size - off)
		c->outside = true;
	if (c->covers < CASE_COVERS) {
		c->cover[c->covers].off = off;
		c->cover[c->covers].len = len;
		c->cover[c->covers].padding = kind == COVER_PADDING;
	}
	c->covers++;
	return 0;
}

uint64_t
format_case_unexplained(const struct format_case *c, size_t n)
{
	uint64_t bare = 0;
	bool held;

	for (uint64_t at = 0; c->covers > 0 && at < n; at++) {
		held = false;
		for (unsigned i = 0; i < c->covers && i < CASE_COVERS &&
		    !held; i++)
			held = at >= c->cover[i].off &&
			    at - c->cover[i].off < c->cover[i].len;
		bare += !held;
	}
	return bare;
}

static int
on_digest(void *ctx, unsigned a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[64])
{
	(void)ctx;
	return srcdigest_any(a, prefix, n, src, out, NULL);
}

void
format_case_run(struct format_case *c, const struct format *f, const void *p,
    size_t n, size_t window)
{
	static const struct events ev = {on_member, on_global, on_call,
	    on_tensor, on_view, on_meta, on_anomaly, on_name, on_cover,
	    on_sibling, on_digest};
	struct running r = {c, n};
	struct err e = ERR_INIT;
	struct parse parse = {.size = n, .ev = &ev, .ctx = &r, .e = &e,
	    .window = window};
	struct bytesrc *src = bytesrc_mem(p, n, NULL);

	memset(c, 0, sizeof(*c));
	c->hash = 14695981039346656037ULL;
	(void)snprintf(c->name, sizeof(c->name), "%s", f->name);
	parse.src = src;
	parse.arena = arena_new(LIMIT_ARENA);
	c->rc = f->parse(&parse);
	mix_u64(c, (uint64_t)c->rc);
	arena_free(parse.arena);
	bytesrc_free(src);
}

bool
format_case_has(const struct format_case *c, enum anomaly id)
{
	for (unsigned i = 0; i < c->anomalies && i < CASE_EVENTS; i++)
		if (c->anomaly[i] == id)
			return true;
	return false;
}

bool
format_case_called(const struct format_case *c, const char *call)
{
	for (unsigned i = 0; i < c->calls && i < CASE_EVENTS; i++)
		if (strcmp(c->call[i], call) == 0)
			return true;
	return false;
}

bool
format_case_member(const struct format_case *c, const char *name)
{
	for (unsigned i = 0; i < c->members && i < CASE_EVENTS; i++)
		if (strcmp(c->member[i], name) == 0)
			return true;
	return false;
}

unsigned
format_case_bid(const struct format *f, const void *p, size_t n)
{
	struct cursor head;

	cursor_init(&head, p, n < FORMAT_HEAD ? n : FORMAT_HEAD, 0);
	return f->bid(head, n);
}

const char *
format_case_laws(const struct format *f, const void *p, size_t n)
{
	static const size_t windows[] = {0, 1, 2, 3, 7, 4096};
	static struct format_case first, c;

	format_case_run(&first, f, p, n, 0);
	if (first.rc < 0)
		return "the parser failed on our side";
	if (first.outside)
		return "a place lies outside of the object";
	for (unsigned i = 0; i < 6; i++) {
		format_case_run(&c, f, p, n, windows[i]);
		if (c.hash != first.hash)
			return windows[i] == 0 ? "two runs differ" :
			    "the window changes what is told";
	}
	return NULL;
}

const char *
format_case_truncate(const struct format *f, const void *p, size_t n)
{
	static struct format_case c;
	uint8_t *copy;

	for (size_t i = 0; i < n; i++) {
		/* A block of its own, so that ASan sees one byte too far. */
		if ((copy = malloc(i + 1)) == NULL)
			return "out of memory";
		memcpy(copy, p, i);
		format_case_run(&c, f, copy, i, i % 5);
		free(copy);
		if (c.rc < 0)
			return "the parser failed on our side";
		if (c.outside)
			return "a place lies outside of the object";
	}
	return NULL;
}

const char *
format_case_mutate(const struct format *f, const void *p, size_t n,
    unsigned count, uint32_t seed)
{
	static struct format_case c;
	uint8_t *copy = malloc(n + 1);

	if (copy == NULL)
		return "out of memory";
	for (unsigned k = 0; k < count; k++) {
		memcpy(copy, p, n);
		for (unsigned m = 0; m < 1 + k % 4; m++) {
			seed = seed * 1664525 + 1013904223;
			copy[(seed >> 8) % n] ^= (uint8_t)(1 + (seed & 0xfe));
		}
		format_case_run(&c, f, copy, n, 0);
		if (c.rc < 0 || c.outside)
			break;
	}
	free(copy);
	return c.rc < 0 ? "the parser failed on our side" :
	    c.outside ? "a place lies outside of the object" : NULL;
}

uint8_t *
format_case_sample(const char *name, size_t *n)
{
	const char *build = getenv("BUILD");
	char path[512];
	uint8_t *p;
	FILE *f;

	if (strncmp(name, "benign/", 7) == 0)
		(void)snprintf(path, sizeof(path), "samples/%s", name);
	else
		(void)snprintf(path, sizeof(path), "%s/samples/%s",
		    build != NULL ? build : "build", name);
	if ((f = fopen(path, "rb")) == NULL ||
	    (p = malloc(1 << 20)) == NULL) {
		(void)fprintf(stderr, "cannot read %s\n", path);
		exit(1);
	}
	*n = fread(p, 1, 1 << 20, f);
	(void)fclose(f);
	return p;
}

const char *
format_case_sweep(const struct format *f, const char *sample)
{
	const char *broken;
	uint8_t *p;
	size_t n;

	p = format_case_sample(sample, &n);
	if ((broken = format_case_laws(f, p, n)) == NULL &&
	    (broken = format_case_truncate(f, p, n)) == NULL)
		broken = format_case_mutate(f, p, n, 2000, 20261124);
	free(p);
	return broken;
}
