#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/adapter.h"
#include "analyzer/diff/adapterpath.h"
#include "analyzer/diff/rename.h"
#include "analyzer/diff/structure.h"
#include "analyzer/diff/tensor.h"
#include "base/err.h"

#define NAME_CAP 512

static int
compare_bytes(const char *a, size_t na, const char *b, size_t nb)
{
	size_t n = na < nb ? na : nb;
	int c = n > 0 ? memcmp(a, b, n) : 0;

	return c != 0 ? c : (na > nb) - (na < nb);
}

static int
by_path(const void *a, const void *b)
{
	const struct adapterpath_key *x = a, *y = b;
	int c = compare_bytes(x->path, x->n, y->path, y->n);

	return c != 0 ? c : compare_bytes(x->tail, x->ntail, y->tail,
	    y->ntail);
}

static const struct adapterpath_key *
find(const struct adapterpath_key *v, size_t n,
    const struct adapterpath_key *want)
{
	return n > 0 ? bsearch(want, v, n, sizeof(*v), by_path) : NULL;
}

bool
adapterpath_of(const struct tensor *t, const char *which,
    struct adapterpath_key *ret)
{
	static const char wrapper[] = "base_model.model.";
	size_t len = strlen(which), at, skip = 0;
	const char *p = memmem(t->name, t->name_len, which, len);

	if (p == NULL)
		return false;
	at = (size_t)(p - t->name);
	if (at > sizeof(wrapper) - 1 && memcmp(t->name, wrapper,
	    sizeof(wrapper) - 1) == 0)
		skip = sizeof(wrapper) - 1;
	*ret = (struct adapterpath_key){.tail = p + len,
	    .ntail = t->name_len - at - len};
	ret->path = rename_bare(t->name + skip, at - skip, &ret->n);
	return ret->n > 0;
}

static bool
key_of_item(const struct structure_item *it, struct adapterpath_key *ret)
{
	static const char tail[] = ".weight";
	size_t n;

	if (it->old == NULL || it->new == NULL || it->sums == NULL)
		return false;
	*ret = (struct adapterpath_key){.tail = "", .ntail = 0};
	ret->path = rename_bare(it->new->name, it->new->name_len, &n);
	if (n < sizeof(tail) || memcmp(ret->path + n - (sizeof(tail) - 1),
	    tail, sizeof(tail) - 1) != 0)
		return false;
	ret->n = n - (sizeof(tail) - 1);
	return true;
}

int
adapterpath_init(struct adapterpath_index *x, const struct structure_model *m,
    const struct adapter_files *files, struct err *e)
{
	struct adapterpath_key k;

	*x = (struct adapterpath_index){0};
	x->items = calloc(m->n + 1, sizeof(*x->items));
	x->factors = calloc(files->n + 1, sizeof(*x->factors));
	if (x->items == NULL || x->factors == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < m->n; i++)
		if (key_of_item(&m->v[i], &k)) {
			k.index = i;
			x->items[x->nitems++] = k;
		}
	for (size_t i = 0; i < files->n; i++)
		if (adapterpath_of(&files->v[i], ".lora_B", &k)) {
			k.index = i;
			x->factors[x->nfactors++] = k;
		}
	qsort(x->items, x->nitems, sizeof(k), by_path);
	qsort(x->factors, x->nfactors, sizeof(k), by_path);
	return 0;
}

void
adapterpath_release(struct adapterpath_index *x)
{
	free(x->items);
	free(x->factors);
}

const struct adapterpath_key *
adapterpath_item(const struct adapterpath_index *x,
    const struct adapterpath_key *path)
{
	static const char tail[] = ".weight";
	struct adapterpath_key want = {path->path, path->n, "", 0, 0};
	const struct adapterpath_key *k = find(x->items, x->nitems, &want);
	char name[NAME_CAP], gguf[NAME_CAP];

	if (k != NULL || path->n + sizeof(tail) > sizeof(name))
		return k;
	memcpy(name, path->path, path->n);
	memcpy(name + path->n, tail, sizeof(tail) - 1);
	want.n = rename_canonical(name, path->n + sizeof(tail) - 1, gguf,
	    sizeof(gguf));
	if (want.n < sizeof(tail))
		return NULL;
	want.path = gguf;
	want.n -= sizeof(tail) - 1;
	return find(x->items, x->nitems, &want);
}

const struct adapterpath_key *
adapterpath_partner(const struct adapterpath_index *x,
    const struct adapterpath_key *a)
{
	return find(x->factors, x->nfactors, a);
}
