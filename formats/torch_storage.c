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
    {"torch.QInt32Storage", "I32", 4}};

static void
describe(struct torch_storage *s, const struct pv *cls, const struct pv *numel)
{
	s->dtype = "";
	s->bytes = UINT64_MAX;
	if (cls == NULL || cls->kind != PV_GLOBAL || numel == NULL ||
	    numel->kind != PV_INT || numel->u.num < 0)
		return;
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == cls->n &&
		    memcmp(classes[i].name, cls->u.p, cls->n) == 0) {
			s->dtype = classes[i].dtype;
			if (!ckd_mul64(&s->bytes, (uint64_t)numel->u.num,
			    classes[i].size))
				s->bytes = UINT64_MAX - 1;
		}
}

static struct torch_storage *
find(const struct torch_storages *all, const char *key, size_t n)
{
	struct torch_storage *s = all->first;

	while (s != NULL && (s->key_len != n || memcmp(s->key, key, n) != 0))
		s = s->next;
	return s;
}

int
torch_storage_note(void *ctx, const struct pv *id, uint64_t off)
{
	struct torch_storages *all = ctx;
	const struct pv *key = pv_item(id, 2);
	struct torch_storage *s;

	if (id->kind != PV_TUPLE || !pv_is_text(pv_item(id, 0), "storage") ||
	    key == NULL || key->kind != PV_STR || key->u.p == NULL)
		return format_anomaly(all->p, ANOMALY_PICKLE_PERSID, off, 1,
		    NULL, 0);
	if (find(all, key->u.p, key->n) != NULL)
		return 0;
	if ((s = arena_alloc(all->p->arena, sizeof(*s))) == NULL)
		return err_set(all->p->e, ERR_NOMEM, "out of memory");
	s->key = key->u.p;
	s->key_len = key->n;
	s->off = off;
	describe(s, pv_item(id, 1), pv_item(id, 4));
	if (all->last != NULL)
		all->last->next = s;
	else
		all->first = s;
	all->last = s;
	return 0;
}
