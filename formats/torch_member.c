#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/torch_member.h"
#include "formats/torch_storage.h"
#include "formats/torch_views.h"
#include "formats/zip.h"

#define DEFLATED 8

/* The content of a deflated member; arena_free and bytesrc_free it. */
static int
inflate(struct parse *p, const struct zip_member *m, struct arena **a,
    struct bytesrc **src, size_t *n)
{
	struct codec_result c;
	int r;

	if ((*a = arena_new(2 * LIMIT_INFLATE + MIB)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory to inflate");
	if ((r = codec_inflate(CODEC_RAW, p->src, m->data, m->packed,
	    m->size, format_room(p, LIMIT_INFLATE), *a, &c, p->e)) < 0)
		return r;
	*n = c.n;
	*src = bytesrc_mem(c.p, c.n, p->e);
	return *src == NULL ? ERR_NOMEM : 0;
}

uint64_t
torch_member_stored(const struct zip_member *m)
{
	/* Two sizes may be stated; stored bytes within the file count. */
	return m->method == 0 && m->data != 0 ? m->packed : 0;
}

int
torch_member_tell(struct parse *p, const struct zip_member *m,
    const struct torch_storage *s, bool tensor, struct torch_views *w)
{
	struct ev_tensor t = {.name = s->key, .name_len = s->key_len,
	    .dtype = s->dtype, .off = m->data, .len = torch_member_stored(m)};
	bool deflated = m->method == DEFLATED && m->data != 0;
	struct bytesrc *src = NULL;
	struct arena *a = NULL;
	size_t n = 0;
	int r = 0;

	if (deflated && p->ev->tensor == NULL && p->ev->view == NULL)
		return 0;
	if (deflated) {
		if ((r = inflate(p, m, &a, &src, &n)) < 0)
			goto out;
		t.off = 0;
		t.len = n;
		t.src = src;
	}
	if (tensor)
		r = format_tensor(p, &t);
	if (r >= 0)
		r = torch_views_tell(w, s, &t);
out:
	bytesrc_free(src);
	arena_free(a);
	return r;
}

/* Run ${src}, which is ${n} bytes. */
static int
run(struct parse *p, const struct bytesrc *src, uint64_t n,
    struct torch_storages *all, struct torch_views *w)
{
	static const struct events silent = {0};
	struct pickle_hooks hooks = {.persid = torch_storage_note,
	    .ctx = all};
	struct parse q = *p;
	int r;

	q.src = src;
	q.size = n;
	q.ev = &silent;
	all->p = &q;
	if (p->ev->view != NULL)
		hooks = torch_views_hooks(w);
	r = pickle_parse_with(&q, &hooks);
	all->p = p;
	return r;
}

int
torch_member_collect(struct parse *p, const struct zip_member *m,
    struct torch_storages *all, struct torch_views *w)
{
	struct bytesrc *src = NULL;
	struct arena *a = NULL;
	size_t n = (size_t)m->packed;
	int r;

	/* torch stores it; a deflated one is read for who wants the names. */
	if (m->data == 0 || (m->method != 0 &&
	    (m->method != DEFLATED || p->ev->view == NULL)))
		return 1;
	if (m->method == DEFLATED) {
		if ((r = inflate(p, m, &a, &src, &n)) < 0)
			goto out;
	} else if ((src = bytesrc_range(p->src, m->data, m->packed,
	    p->e)) == NULL) {
		r = ERR_NOMEM;
		goto out;
	}
	r = run(p, src, n, all, w);
out:
	bytesrc_free(src);
	arena_free(a);
	return r;
}
