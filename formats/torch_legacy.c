#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/reader.h"
#include "formats/pickle_vm.h"
#include "formats/torch_storage.h"
#include "formats/torch_views.h"

/*
 * torch.save before 1.6 (torch/serialization.py, _legacy_save): five pickles
 * in a row - magic number, protocol 1001, system information, the object,
 * the keys of its storages - then for each key u64le count and raw data.
 * Any of the five may run what it likes.
 */
static const uint8_t magic[] = {0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9,
    0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
#define STREAMS 5
#define OBJECT 3		/* which of them is the object */

static unsigned
legacy_bid(struct cursor head, uint64_t size)
{
	uint8_t proto, version;

	(void)size;
	if (!cursor_u8(&head, &proto) || proto != 0x80 ||
	    !cursor_u8(&head, &version))
		return 0;
	return cursor_match(&head, magic, sizeof(magic)) ? 96 : 0;
}

static int
truncated(struct parse *p, uint64_t off)
{
	int r = format_anomaly(p, ANOMALY_TRUNCATED, off, 0, NULL, 0);

	return r < 0 ? r : 1;
}

static const struct torch_storage *
find(const struct torch_storages *all, const struct pv *key)
{
	return key->kind != PV_STR || key->u.p == NULL ? NULL :
	    torch_storages_find(all, key->u.p, key->n);
}

/* One storage: u64le number of elements, then the data. */
static int
read_storage(struct parse *p, struct reader *rd,
    const struct torch_storage *s, const struct pv *key,
    struct torch_views *w)
{
	struct ev_tensor t = {.dtype = s != NULL ? s->dtype : ""};
	struct fact facts[2];
	uint64_t count, size;
	int r;

	if (key->kind == PV_STR && key->u.p != NULL) {
		t.name = key->u.p;
		t.name_len = key->n;
	} else {
		t.name = "";
	}
	facts[0] = (struct fact)FACT_TEXT("storage", t.name, t.name_len);
	if (s == NULL || s->bytes >= UINT64_MAX - 1)
		return (r = format_anomaly(p, ANOMALY_UNSUPPORTED,
		    reader_tell(rd), 0, facts, 1)) < 0 ? r : 1;
	if ((r = reader_u64le(rd, &count, p->e)) < 0)
		return r;
	size = s->bytes;
	t.off = reader_tell(rd);
	t.len = size;
	t.shape = &count;
	t.rank = 1;
	if (count == 0 ? size != 0 : size % count != 0 || size / count > 16) {
		facts[1] = (struct fact)FACT_NUM("elements", count);
		if ((r = format_anomaly(p, ANOMALY_TORCH_STORAGE_SIZE,
		    t.off - 8, 8, facts, 2)) < 0)
			return r;
	}
	if ((r = reader_skip(rd, size, p->e)) < 0 ||
	    (r = format_tensor(p, &t)) < 0)
		return r;
	return torch_views_tell(w, s, &t);
}

static int
read_storages(struct parse *p, struct reader *rd,
    const struct pv *keys, struct torch_views *w)
{
	int r;

	if (keys->kind != PV_LIST || keys->more > 0)
		return (r = format_anomaly(p, keys->kind == PV_LIST ?
		    ANOMALY_LIMIT : ANOMALY_MALFORMED, reader_tell(rd), 0,
		    NULL, 0)) < 0 ? r : 1;
	for (size_t i = 0; i < keys->n; i++) {
		const struct pv *key = keys->u.item[i];

		r = read_storage(p, rd, find(w->all, key), key, w);
		if (r == ERR_TRUNC) {
			err_reset(p->e);
			return truncated(p, reader_tell(rd));
		}
		if (r != 0)
			return r;
	}
	if (reader_left(rd) > 0)
		return format_anomaly(p, ANOMALY_TRAILING, reader_tell(rd),
		    reader_left(rd), NULL, 0);
	return 0;
}

/* The five pickles; *keys is what the last one gives. */
static int
read_pickles(struct parse *p, struct reader *rd,
    const struct pickle_hooks *hooks, struct torch_views *w,
    const struct pv **keys)
{
	struct pickle_vm *vm = pickle_vm_new(p, rd, hooks);
	const struct pv *result = NULL, *object = NULL;
	int r;

	if (vm == NULL)
		return ERR_NOMEM;
	for (unsigned i = 0; i < STREAMS; i++) {
		if (reader_left(rd) == 0)
			return truncated(p, reader_tell(rd));
		r = pickle_run_one(vm, i, &result);
		if (r == 1) {
			r = pickle_carve(vm, vm->broke);
			return r < 0 ? r : 1;
		}
		if (r < 0)
			return r;
		if (i == OBJECT)
			object = result;
	}
	*keys = result;
	if (p->ev->view != NULL &&
	    (r = torch_views_take(w, object, "", 0)) < 0)
		return r;
	return 0;
}

static int
legacy_parse(struct parse *p)
{
	struct torch_storages all = {.p = p};
	struct pickle_hooks hooks = {.persid = torch_storage_note,
	    .ctx = &all};
	const struct pv *keys = NULL;
	struct torch_views w;
	struct reader rd;
	int r, rest;

	torch_views_init(&w, p, &all, 0);
	if (p->ev->view != NULL)
		hooks = torch_views_hooks(&w);
	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) <
	    0 || (r = read_pickles(p, &rd, &hooks, &w, &keys)) != 0 ||
	    (r = torch_storages_sort(&all)) < 0 ||
	    (r = torch_views_sort(&w)) < 0 ||
	    (r = read_storages(p, &rd, keys, &w)) < 0)
		return r;
	rest = torch_views_rest(&w);
	return rest < 0 ? rest : r;
}

const struct format format_torch_legacy = {
    .name = "torch_legacy",
    .kind = FORMAT_MODEL,
    .bid = legacy_bid,
    .parse = legacy_parse,
    .over = "pickle",
};
