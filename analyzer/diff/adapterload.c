#include <stdlib.h>

#include "analyzer/diff/adapterload.h"
#include "analyzer/diff/leafjson.h"
#include "analyzer/diff/table.h"
#include "base/text.h"
#include "formats/flatjson.h"

static double
number(const struct flat_list *l, const char *key)
{
	const struct flat *f = flatjson_find(l->v, l->n, key);

	/* A leaf has a NUL behind it, and is a JSON number by now. */
	return f != NULL && f->type == FLAT_NUMBER ? strtod(f->p, NULL) : 0;
}

int
adapterload(const struct table *t, struct arena *arena,
    struct adapter_files *ret, struct err *e)
{
	const struct leaf *leaf = leafjson_find(&t->leaves,
	    "adapter_config.json");
	const struct flat *f;
	struct flat_list l;
	double r;
	int rc;

	*ret = (struct adapter_files){.v = t->v, .n = t->n};
	if (leaf == NULL)
		return 0;
	if ((rc = leafjson_read(leaf, arena, &l, e)) != 0)
		return rc < 0 ? rc : 0;
	ret->config.known = true;
	ret->config.alpha = number(&l, "lora_alpha");
	r = number(&l, "r");
	ret->config.r = r >= 1 && r <= 65536 ? (unsigned)r : 0;
	f = flatjson_find(l.v, l.n, "use_rslora");
	ret->config.rslora = f != NULL && f->type == FLAT_TRUE;
	return 0;
}
