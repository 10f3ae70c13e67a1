#include "analyzer/diff/around.h"
#include "analyzer/diff/around_config.h"
#include "base/err.h"
#include "formats/flatjson.h"
#include "formats/registry.h"

/* What a model file says of itself beside its tensors, by its own parser. */
struct gather {
	struct flatjson f;
	struct err *e;
};

static int
on_meta(void *ctx, const struct ev_meta *m)
{
	struct gather *g = ctx;

	return flatjson_put(&g->f, flatjson_leaf(m->key, m->key_len,
	    FLAT_STRING, m->value, m->value_len), g->e);
}

static int
gather(const struct doc *d, struct arena *arena, struct flat_list *ret,
    struct err *e)
{
	static const struct events events = {.meta = on_meta};
	const struct format *f = registry_find(d->format);
	struct gather g = {.f = {.a = arena}, .e = e};
	struct err why = ERR_INIT;
	struct parse p = {.src = d->src, .size = d->size, .arena = arena,
	    .ev = &events, .ctx = &g, .e = &why};

	/* What ends it early was told when its tensors were read. */
	if (f != NULL)
		(void)f->parse(&p);
	return e->code != ERR_OK ? (int)e->code :
	    flatjson_done(&g.f, ret, e);
}

int
around_metadata(const struct doc *old, const struct doc *new,
    const struct rows *rows, struct arena *arena, struct err *e)
{
	struct flat_list a, b;
	int r;

	if ((r = gather(old, arena, &a, e)) < 0 ||
	    (r = gather(new, arena, &b, e)) < 0)
		return r;
	return around_flat(&a, &b, CHANGE_METADATA,
	    (struct row_text){new->path, new->path_len}, rows, e);
}
