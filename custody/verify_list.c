#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/digest.h"
#include "custody/evidence_read.h"
#include "custody/manifest.h"
#include "custody/verify_parts.h"

/*
 * A list against what it must be.  Both have the order of the members, so
 * the first line whose name differs ends the comparison: what comes behind
 * could be said in many ways.  Digests are compared as long as names agree.
 */
#define SHOWN 120	/* bytes of a name that is in a reason; plain ASCII */

static int
shown(size_t n)
{
	return n < SHOWN ? (int)n : SHOWN;
}

static void
compare_line(struct verify_list *ret, const struct manifest_line *line,
    const struct verify_want *want, size_t len)
{
	if (line->n != want->n || memcmp(line->name, want->name, want->n) != 0)
		(void)snprintf(ret->names, sizeof(ret->names),
		    "a line for '%.*s' where '%.*s' is expected",
		    shown(line->n) / 2, line->name, shown(want->n) / 2,
		    want->name);
	else if (ret->digests[0] == '\0' &&
	    memcmp(line->digest, want->digest, len) != 0)
		(void)snprintf(ret->digests, sizeof(ret->digests),
		    "'%.*s' has another digest", shown(want->n), want->name);
}

static int
compare(struct verify_list *ret, struct manifest_walk *w, verify_next *next,
    void *ctx, struct err *e)
{
	struct err why = ERR_INIT;
	struct manifest_line line;
	struct verify_want want;
	int got, r;

	do {
		got = manifest_walk_next(w, &line, &why);
		if (got == ERR_FORMAT || got == ERR_TRUNC) {
			(void)snprintf(ret->names, sizeof(ret->names),
			    "%.190s", why.msg);
			return 0;
		}
		if (got < 0)
			return err_set(e, (enum err_code)got, "%s", why.msg);
		if ((r = next(ctx, &want, e)) < 0)
			return r;
		if (got > 0 && r > 0)
			compare_line(ret, &line, &want, w->len);
		else if (got > 0)
			(void)snprintf(ret->names, sizeof(ret->names),
			    "'%.*s' is listed and not there", shown(line.n),
			    line.name);
		else if (r > 0)
			(void)snprintf(ret->names, sizeof(ret->names),
			    "'%.*s' is not listed", shown(want.n), want.name);
	} while (got > 0 && r > 0 && ret->names[0] == '\0');
	return 0;
}

int
verify_list(struct verify_list *ret, const struct bytesrc *list, size_t len,
    verify_next *next, void *ctx, struct err *e)
{
	struct manifest_walk *w = NULL;
	struct verify_list out = {0};
	struct arena *a = NULL;
	int r = ERR_NOMEM;

	if ((a = arena_new(MIB)) == NULL ||
	    (w = arena_alloc(a, sizeof(*w))) == NULL)
		(void)err_set(e, ERR_NOMEM, "out of memory");
	else if ((r = manifest_walk_init(w, list, len, a, e)) >= 0 &&
	    (r = compare(&out, w, next, ctx, e)) >= 0)
		*ret = out;
	arena_free(a);
	return r;
}

struct tags {
	const struct bagtext_tag *tag;
	size_t n, next;
	bool sha512;
};

static int
next_tag(void *ctx, struct verify_want *ret, struct err *e)
{
	struct tags *t = ctx;
	const struct bagtext_tag *k;

	(void)e;
	if (t->next == t->n)
		return 0;
	k = &t->tag[t->next++];
	ret->name = k->name;
	ret->n = strlen(k->name);
	ret->digest = t->sha512 ? k->digests.sha512 : k->digests.sha256;
	return 1;
}

int
verify_list_tags(struct verify_list *ret, const struct verify_pass *p,
    enum verify_text list, size_t len, size_t n, struct err *e)
{
	struct tags t = {p->tag, n, 0, len == 64};
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_mem(p->text[list].p, p->text[list].len,
	    e)) == NULL)
		return ERR_NOMEM;
	r = verify_list(ret, src, len, next_tag, &t, e);
	bytesrc_free(src);
	return r;
}

/* The payload members once more, with their digests. */
struct again {
	struct verify_pass *p;
	struct evidence_walk *w;
	struct evidence_member m;
	struct digests digests;
	unsigned i;
};

static int
digest_again(struct again *g, struct err *e)
{
	struct digest *d = g->p->v->member[g->i];
	uint64_t off = 0;
	size_t n;
	int r;

	if ((r = digest_reset(d, e)) < 0)
		return r;
	while (off < g->m.size) {
		n = g->m.size - off < LIMIT_COPY_CHUNK ?
		    (size_t)(g->m.size - off) : LIMIT_COPY_CHUNK;
		if ((r = bytesrc_read(g->p->src, g->m.data_offset + off,
		    g->p->v->chunk, n, e)) < 0 ||
		    (r = digest_put(d, g->p->v->chunk, n, e)) < 0)
			return r;
		off += n;
	}
	return digest_now(d, &g->digests, e);
}

static int
next_payload(void *ctx, struct verify_want *ret, struct err *e)
{
	struct again *g = ctx;
	int r;

	do {
		if ((r = evidence_walk_next(g->w, &g->m, e)) <= 0)
			return r;
		if (strcmp(g->m.name, BAG_MANIFEST256) == 0)
			return 0;	/* payload members are over */
	} while (strncmp(g->m.name, BAG_DATA, strlen(BAG_DATA)) != 0);
	if ((r = digest_again(g, e)) < 0)
		return r;
	ret->name = g->m.name;
	ret->n = g->m.name_len;
	ret->digest = g->i == 0 ? g->digests.sha256 : g->digests.sha512;
	return 1;
}

int
verify_list_payload(struct verify_list *ret, struct verify_pass *p,
    unsigned i, struct err *e)
{
	struct again g = {.p = p, .i = i};
	struct bytesrc *src = NULL;
	struct arena *a = NULL;
	int r = ERR_NOMEM;

	if ((a = arena_new(GIB)) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if ((src = bytesrc_range(p->src, p->manifest[i].off,
	    p->manifest[i].size, e)) == NULL ||
	    (r = evidence_walk_new(p->src, a, &g.w, e)) < 0)
		goto out;
	r = verify_list(ret, src, i == 0 ? 32 : 64, next_payload, &g, e);
out:
	bytesrc_free(src);
	arena_free(a);
	return r;
}
