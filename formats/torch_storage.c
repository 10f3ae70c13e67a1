#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/torch_storage.h"

static const struct {
	const char *name, *dtype;
	unsigned size;
} classes[] = {{"torch.FloatStorage", "F32", 4},
    {"torch.DoubleStorage", "F64", 8}, {"torch.HalfStorage", "F16", 2},
    {"torch.BFloat16Storage", "BF16", 2}, {"torch.LongStorage", "I64", 8},
    {"torch.IntStorage", "I32", 4}, {"torch.ShortStorage", "I16", 2},
    {"torch.CharStorage", "I8", 1}, {"torch.ByteStorage", "U8", 1},
    {"torch.BoolStorage", "BOOL", 1},
    {"torch.ComplexFloatStorage", "C64", 8},
    {"torch.ComplexDoubleStorage", "C128", 16},
    {"torch.QInt8Storage", "I8", 1}, {"torch.QUInt8Storage", "U8", 1},
    {"torch.QInt32Storage", "I32", 4},
    /* Bytes; the tensor has the type (since 2.1: float8, uint16, ...). */
    {"torch.storage.UntypedStorage", "", 1}};

bool
torch_storage_class(const struct pv *cls, const char **dtype, unsigned *size)
{
	if (cls == NULL || cls->kind != PV_GLOBAL)
		return false;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == cls->n &&
		    memcmp(classes[i].name, cls->u.p, cls->n) == 0) {
			*dtype = classes[i].dtype;
			*size = classes[i].size;
			return true;
		}
	return false;
}

static void
describe(struct torch_storage *s, const struct pv *cls, const struct pv *numel)
{
	unsigned size;

	s->dtype = "";
	s->bytes = UINT64_MAX;
	if (numel == NULL || numel->kind != PV_INT || numel->u.num < 0 ||
	    !torch_storage_class(cls, &s->dtype, &size))
		return;
	if (!ckd_mul64(&s->bytes, (uint64_t)numel->u.num, size))
		s->bytes = UINT64_MAX - 1;
}

static int
compare_keys(const char *a, size_t n, const char *b, size_t m)
{
	int c = memcmp(a, b, n < m ? n : m);

	return c != 0 ? c : (n > m) - (n < m);
}

static int
compare(const void *a, const void *b)
{
	const struct torch_storage *x = *(struct torch_storage *const *)a;
	const struct torch_storage *y = *(struct torch_storage *const *)b;
	int c = compare_keys(x->key, x->key_len, y->key, y->key_len);

	return c != 0 ? c : (x->off > y->off) - (x->off < y->off);
}

int
torch_storages_sort(struct torch_storages *all)
{
	size_t n = 0;

	all->n = 0;
	if (all->noted == 0)
		return 0;
	if ((all->v = arena_array(all->p->arena, all->noted,
	    sizeof(struct torch_storage *))) == NULL)
		return err_set(all->p->e, ERR_NOMEM, "out of memory");
	for (struct torch_storage *s = all->first; s != NULL; s = s->next)
		all->v[n++] = s;
	qsort(all->v, n, sizeof(struct torch_storage *), compare);
	for (size_t i = 0; i < n; i++)
		if (i == 0 || compare_keys(all->v[i]->key,
		    all->v[i]->key_len, all->v[all->n - 1]->key,
		    all->v[all->n - 1]->key_len) != 0)
			all->v[all->n++] = all->v[i];
	for (size_t i = 0; i < all->n; i++)
		all->v[i]->number = i;
	return 0;
}

struct torch_storage *
torch_storages_find(const struct torch_storages *all, const char *key,
    size_t n)
{
	size_t from = 0, to = all->n, mid;
	int c;

	while (from < to) {
		mid = from + (to - from) / 2;
		c = compare_keys(all->v[mid]->key, all->v[mid]->key_len, key,
		    n);
		if (c == 0)
			return all->v[mid];
		if (c < 0)
			from = mid + 1;
		else
			to = mid;
	}
	return NULL;
}

const char *
torch_storage_key(const struct pv *key, struct arena *a, size_t *n)
{
	char text[24];
	int len;

	if (key == NULL || (key->kind == PV_STR && key->u.p == NULL) ||
	    (key->kind != PV_STR && key->kind != PV_INT))
		return NULL;
	if (key->kind == PV_STR) {
		*n = key->n;
		return key->u.p;
	}
	len = snprintf(text, sizeof(text), "%lld", (long long)key->u.num);
	*n = (size_t)len;
	return arena_dup(a, text, *n);
}

int
torch_storage_note(void *ctx, const struct pv *id, uint64_t off)
{
	struct torch_storages *all = ctx;
	const struct pv *key = pv_item(id, 2);
	struct torch_storage *s;
	const char *name;
	size_t n;

	if (id->kind != PV_TUPLE || !pv_is_text(pv_item(id, 0), "storage") ||
	    (key != NULL && key->kind != PV_STR && !all->numbered) ||
	    (name = torch_storage_key(key, all->p->arena, &n)) == NULL)
		return format_anomaly(all->p, ANOMALY_PICKLE_PERSID, off, 1,
		    NULL, 0);
	/* Tied weights come one after the other. */
	if (all->last != NULL && all->last->key_len == n &&
	    memcmp(all->last->key, name, n) == 0)
		return 0;
	if ((s = arena_alloc(all->p->arena, sizeof(*s))) == NULL)
		return err_set(all->p->e, ERR_NOMEM, "out of memory");
	s->key = name;
	s->key_len = n;
	s->off = off;
	describe(s, pv_item(id, 1), pv_item(id, 4));
	if (all->last != NULL)
		all->last->next = s;
	else
		all->first = s;
	all->last = s;
	all->noted++;
	return 0;
}
