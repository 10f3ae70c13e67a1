#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/format.h"

int
format_anomaly(struct parse *p, enum anomaly id, uint64_t off, uint64_t len,
    const struct fact *facts, unsigned nfacts)
{
	const struct ev_anomaly a = {id, off, len, facts, nfacts};

	return p->ev->anomaly != NULL ? p->ev->anomaly(p->ctx, &a) : 0;
}

int
format_member(struct parse *p, const struct ev_member *m)
{
	return p->ev->member != NULL ? p->ev->member(p->ctx, m) : 0;
}

int
format_global(struct parse *p, const struct ev_global *g)
{
	return p->ev->global != NULL ? p->ev->global(p->ctx, g) : 0;
}

int
format_call(struct parse *p, const struct ev_call *c)
{
	return p->ev->call != NULL ? p->ev->call(p->ctx, c) : 0;
}

int
format_tensor(struct parse *p, const struct ev_tensor *t)
{
	return p->ev->tensor != NULL ? p->ev->tensor(p->ctx, t) : 0;
}

int
format_view(struct parse *p, const struct ev_view *v)
{
	return p->ev->view != NULL ? p->ev->view(p->ctx, v) : 0;
}

int
format_meta(struct parse *p, const char *key, size_t key_len,
    const char *value, size_t value_len, uint64_t off)
{
	const struct ev_meta m = {key, key_len, value, value_len, off};

	return p->ev->meta != NULL ? p->ev->meta(p->ctx, &m) : 0;
}

int
format_member_range(struct parse *p, const struct ev_member *m)
{
	struct ev_member member = *m;
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_range(p->src, m->off, m->size, p->e)) == NULL)
		return ERR_NOMEM;
	member.src = src;
	r = format_member(p, &member);
	bytesrc_free(src);
	return r;
}

int
format_trailing(struct parse *p, uint64_t off)
{
	enum anomaly id = ANOMALY_TRAILING_ZERO;
	uint8_t chunk[4096];
	size_t n = 1;
	int r;

	for (uint64_t at = off; n > 0 && id == ANOMALY_TRAILING_ZERO;
	    at += n) {
		if ((r = bytesrc_read_some(p->src, at, chunk, sizeof(chunk),
		    &n, p->e)) < 0)
			return r;
		for (size_t i = 0; i < n; i++)
			if (chunk[i] != 0)
				id = ANOMALY_TRAILING;
	}
	return format_anomaly(p, id, off, p->size - off, NULL, 0);
}

int
format_head(struct parse *p, uint8_t *buf, size_t cap, struct cursor *ret)
{
	size_t n;
	int r;

	if ((r = bytesrc_read_some(p->src, 0, buf, cap, &n, p->e)) >= 0)
		cursor_init(ret, buf, n, 0);
	return r;
}

int
format_name(struct parse *p, const char *format)
{
	return p->ev->name != NULL ? p->ev->name(p->ctx, format) : 0;
}

int
format_cover(struct parse *p, uint64_t off, uint64_t len)
{
	return p->ev->cover != NULL && len > 0 ?
	    p->ev->cover(p->ctx, off, len, COVER_EXPLAINED) : 0;
}

int
format_padding(struct parse *p, uint64_t off, uint64_t len)
{
	return p->ev->cover != NULL && len > 0 ?
	    p->ev->cover(p->ctx, off, len, COVER_PADDING) : 0;
}

size_t
format_room(const struct parse *p, size_t max)
{
	return p->room != NULL && *p->room < max ? (size_t)*p->room : max;
}

int
format_sibling(struct parse *p, const char *name, size_t n,
    struct bytesrc **ret)
{
	*ret = NULL;
	return p->ev->sibling != NULL ?
	    p->ev->sibling(p->ctx, name, n, ret) : SIBLING_UNKNOWN;
}

void
format_call_args(const struct ev_call *c, struct buf *b)
{
	c->render(c->args, b);
}

uint64_t
format_call_digest(const struct ev_call *c)
{
	return c->digest != NULL ? c->digest(c->args) : 0;
}
