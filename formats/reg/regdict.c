#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/reg/regdict.h"

static bool
copy(struct arena *a, struct mlflow_text *to, struct mlflow_text from)
{
	*to = from;
	if (from.p != NULL)
		to->p = arena_dup(a, from.p, from.n);
	return from.p == NULL || to->p != NULL;
}

int
regdict_put(struct regdict *d, struct arena *a, struct mlflow_text key,
    struct mlflow_text value, struct mlflow_text more, struct err *e)
{
	size_t cap = d->cap == 0 ? 64 : d->cap * 2;
	struct regdict_pair *v;

	if (d->n == d->cap) {
		if ((v = arena_array(a, cap, sizeof(*v))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		if (d->n > 0)
			memcpy(v, d->v, d->n * sizeof(*v));
		d->v = v;
		d->cap = cap;
	}
	v = &d->v[d->n];
	memset(v, 0, sizeof(*v));
	if (!copy(a, &v->key, key) || !copy(a, &v->value, value) ||
	    !copy(a, &v->more, more))
		return err_set(e, ERR_NOMEM, "out of memory");
	d->n++;
	return 0;
}

static int
by_key(const void *x, const void *y)
{
	const struct regdict_pair *a = x, *b = y;
	size_t n = a->key.n < b->key.n ? a->key.n : b->key.n;
	int r = n > 0 ? memcmp(a->key.p, b->key.p, n) : 0;

	return r != 0 ? r : (a->key.n > b->key.n) - (a->key.n < b->key.n);
}

void
regdict_sort(struct regdict *d)
{
	if (d->n > 0)
		qsort(d->v, d->n, sizeof(*d->v), by_key);
}

struct regdict_pair *
regdict_get(const struct regdict *d, struct mlflow_text key)
{
	const struct regdict_pair want = {.key = key};

	return d->n == 0 ? NULL :
	    bsearch(&want, d->v, d->n, sizeof(*d->v), by_key);
}
