#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "formats/npydict.h"
#include "formats/rows/ndset.h"
#include "formats/rows/npyhead.h"
#include "formats/rows/rows.h"

/*
 * An array of NumPy: record i is row i of axis 0, its field "value", or the
 * fields of a structured type.
 */
struct npy {
	struct ndset set;
	struct ndarray array;
};

static unsigned
npy_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	struct cursor c;

	(void)p;
	cursor_init(&c, head, n, 0);
	return npydict_magic(&c) ? 48 : 0;
}

static int
npy_open(const struct rows_params *p, void **self, struct err *e)
{
	struct npy *a;
	int r;

	if ((a = arena_alloc(p->arena, sizeof(*a))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	a->array.src = p->file[0].src;
	a->array.len = bytesrc_size(p->file[0].src);
	if ((r = npyhead_read(p, "", 0, &a->array, e)) < 0)
		return r;
	if (r > 0)
		return err_set(e, ERR_FORMAT, "the array has no records");
	if (a->array.field[0].name_len == 0) {
		a->array.field[0].name = "value";
		a->array.field[0].name_len = 5;
	}
	*self = a;
	ndset_open(&a->set, p, &a->array, 1);
	return 0;
}

static void
npy_close(void *self)
{
	ndset_close(&((struct npy *)self)->set);
}

const struct rows_format rows_npy = {
    .id = "npy",
    .flags = ROWS_FORWARD,
    .bid = npy_bid,
    .open = npy_open,
    .next = ndset_next,
    .field = ndset_field,
    .array = ndset_array,
    .json = ndset_json,
    .seek = ndset_seek,
    .count = ndset_count,
    .raw = ndset_raw,
    .fields = ndset_fields,
    .close = npy_close,
};
