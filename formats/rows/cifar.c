#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/rows/ndset.h"
#include "formats/rows/rows.h"

/*
 * The binary batches of CIFAR (cs.toronto.edu/~kriz/cifar.html): records of
 * one label (10 classes) or of a coarse and a fine one (100 classes), and 3
 * planes of 32 rows of 32 bytes.  There is no header at all; a file is one by
 * its name, its size, and labels that are in range.
 */
#define IMAGE (3 * 32 * 32)

struct cifar {
	struct ndset set;
	struct ndarray array;
	struct ndfield field[3];
};

/* Labels of a record: 1, 2, or 0: it is none. */
static unsigned
labels(const struct rows_file *f)
{
	const uint64_t size = bytesrc_size(f->src);
	uint8_t b[2];
	bool ten = size > 0 && size % (1 + IMAGE) == 0;
	bool hundred = size > 0 && size % (2 + IMAGE) == 0;

	for (uint64_t i = 0; i < 64 && ten && i < size / (1 + IMAGE); i++)
		ten = bytesrc_read(f->src, i * (1 + IMAGE), b, 1, NULL) == 0 &&
		    b[0] < 10;
	for (uint64_t i = 0; i < 64 && hundred && i < size / (2 + IMAGE); i++)
		hundred = bytesrc_read(f->src, i * (2 + IMAGE), b, 2, NULL) ==
		    0 && b[0] < 20 && b[1] < 100;
	return ten ? 1 : hundred ? 2 : 0;
}

static unsigned
cifar_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	(void)head;
	(void)n;
	return rows_named(&p->file[0], ".bin") && labels(&p->file[0]) > 0 ?
	    12 : 0;
}

static void
add(struct ndarray *a, const char *name, size_t n, unsigned rank)
{
	struct ndfield *f = &a->field[a->fields++];

	f->name = name;
	f->name_len = n;
	f->type.kind = 'u';
	f->type.size = 1;
	f->rank = rank;
	f->shape[0] = 3;
	f->shape[1] = f->shape[2] = 32;
	f->count = rank == 0 ? 1 : IMAGE;
	f->off = a->item;
	a->item += f->count;
}

static int
cifar_open(const struct rows_params *p, void **self, struct err *e)
{
	const uint64_t size = bytesrc_size(p->file[0].src);
	struct cifar *c;
	unsigned n = labels(&p->file[0]);
	int r;

	if ((c = arena_alloc(p->arena, sizeof(*c))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	/* A cut batch is of the kind that its name says, or of ten classes. */
	if (n == 0)
		n = rows_named(&p->file[0], "train.bin") ||
		    rows_named(&p->file[0], "test.bin") ? 2 : 1;
	c->array.field = c->field;
	c->array.src = p->file[0].src;
	c->array.len = size;
	if (n == 2) {
		add(&c->array, "coarse_label", 12, 0);
		add(&c->array, "fine_label", 10, 0);
	} else {
		add(&c->array, "label", 5, 0);
	}
	add(&c->array, "image", 5, 3);
	if ((r = ndset_rows(p, &c->array, (size + c->array.item - 1) /
	    c->array.item, e)) < 0)
		return r;
	*self = c;
	ndset_open(&c->set, p, &c->array, 1);
	return 0;
}

static void
cifar_close(void *self)
{
	ndset_close(&((struct cifar *)self)->set);
}

const struct rows_format rows_cifar = {
    .id = "cifar",
    .flags = ROWS_FORWARD,
    .bid = cifar_bid,
    .open = cifar_open,
    .next = ndset_next,
    .field = ndset_field,
    .array = ndset_array,
    .json = ndset_json,
    .seek = ndset_seek,
    .count = ndset_count,
    .raw = ndset_raw,
    .fields = ndset_fields,
    .close = cifar_close,
};
