#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/package.h"
#include "formats/rows/ndset.h"
#include "formats/rows/npyhead.h"
#include "formats/rows/rows.h"
#include "formats/vtree.h"
#include "formats/zip.h"

/*
 * Arrays of NumPy in a zip (numpy.savez): each member "name.npy" is the field
 * "name", and members with as many rows are aligned (ndset.h).  Stored
 * members are read in place, deflated ones in memory, within
 * LIMIT_INFLATE for all of them.
 */
#define ARRAYS_MAX 1024

struct npz {
	struct ndset set;
	const struct rows_params *p;
	struct ndarray *array;
	struct bytesrc **src;	/* one for each array */
	size_t arrays;
	size_t inflated;
};

static unsigned
npz_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	const char *end = ".npy";
	uint16_t name;
	struct cursor c;

	if (rows_named(&p->file[0], ".npz"))
		return n >= 4 && memcmp(head, "PK", 2) == 0 ? 48 : 0;
	/* The first local header names an array. */
	cursor_init(&c, head, n, 0);
	return cursor_match(&c, (const uint8_t *)"PK\3\4", 4) &&
	    cursor_skip(&c, 22) && cursor_u16le(&c, &name) && name > 4 &&
	    cursor_skip(&c, 2 + (uint64_t)name - 4) &&
	    cursor_match(&c, (const uint8_t *)end, 4) ? 40 : 0;
}

/* What is odd about the zip itself. */
static int
odd(void *ctx, const struct ev_anomaly *a)
{
	rows_tell(ctx, 0, a->off, "something is odd about the archive");
	return 0;
}

static int
without(struct npz *z, const struct zip_member *m, const char *what)
{
	rows_tell(z->p, 0, m->central, what);
	return 1;
}

/* The member's bytes: 0, or 1: they are not to be had (told). */
static int
member_source(struct npz *z, const struct zip_member *m,
    struct bytesrc **ret, struct err *e)
{
	const struct bytesrc *src = z->p->file[0].src;
	struct codec_result c;
	int r;

	if (m->flags & 1)
		return without(z, m, "a member is encrypted");
	if (m->data == 0 || m->packed > bytesrc_size(src) - m->data)
		return without(z, m, "a member's data are not there");
	if (m->method == 0) {
		*ret = bytesrc_range(src, m->data, m->packed, e);
		return *ret == NULL ? ERR_NOMEM : 0;
	}
	if (m->method != 8)
		return without(z, m, "a member's compression is not read");
	if ((r = codec_inflate(CODEC_RAW, src, m->data, m->packed, m->size <
	    LIMIT_INFLATE ? m->size : 0, LIMIT_INFLATE - z->inflated,
	    z->p->arena, &c, e)) < 0)
		return r == ERR_NOMEM ? err_set(e, ERR_LIMIT,
		    "members are too large") : r;
	z->inflated += c.n;
	if (c.cut)
		return without(z, m, "members are too large to be unpacked");
	if (!c.ended || c.n != m->size || c.crc != m->crc)
		rows_tell(z->p, 0, m->data,
		    "a member breaks, or its check does not hold");
	*ret = bytesrc_mem(c.p, c.n, e);
	return *ret == NULL ? ERR_NOMEM : 0;
}

static int
add(struct npz *z, const struct zip_member *m, struct err *e)
{
	struct ndarray *a = &z->array[z->arrays];
	struct bytesrc *src = NULL;
	size_t n = m->name_len;
	int r;

	if (n < 4 || memcmp(m->name + n - 4, ".npy", 4) != 0)
		return without(z, m, "a member is no array");
	if (z->arrays == ARRAYS_MAX)
		return without(z, m, "there are too many arrays");
	if ((r = member_source(z, m, &src, e)) != 0)
		return r;
	memset(a, 0, sizeof(*a));
	a->src = src;
	a->off = m->data;
	a->len = m->packed;
	a->packed = m->method != 0;
	z->src[z->arrays] = src;
	if ((r = npyhead_read(z->p, m->name, n - 4, a, e)) == 0) {
		z->arrays++;
		return 0;
	}
	bytesrc_free(src);
	z->src[z->arrays] = NULL;
	/* Of several arrays one may break alone. */
	if (r != ERR_FORMAT)
		return r;
	err_reset(e);
	return 1;
}

static int
read_directory(struct npz *z, struct zip_dir *d, struct err *e)
{
	static const struct events ev = {.anomaly = odd};
	struct parse p = {.src = z->p->file[0].src, .arena = z->p->arena,
	    .ev = &ev, .e = e, .window = z->p->window};
	struct rows_params quiet = *z->p;
	int r;

	p.size = bytesrc_size(p.src);
	p.ctx = &quiet;
	if ((d->tree = vtree_new(&p, ANOMALY_ZIP_DUPLICATE)) == NULL ||
	    (d->package = package_new(&p)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = zip_dir_read(&p, d)) < 0 || (r = zip_local_check(&p, d)) < 0)
		return r;
	return d->none || d->count == 0 ? rows_bad(z->p, 0, p.size,
	    "the archive has no directory", e) : 0;
}

static void
free_sources(struct npz *z)
{
	for (size_t i = 0; i < z->arrays; i++)
		bytesrc_free(z->src[i]);
}

static int
npz_open(const struct rows_params *p, void **self, struct err *e)
{
	struct zip_dir d = {0};
	struct npz *z;
	int r;

	if ((z = arena_alloc(p->arena, sizeof(*z))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	z->p = p;
	if ((r = read_directory(z, &d, e)) < 0)
		return r;
	if ((z->array = arena_array(p->arena, ARRAYS_MAX,
	    sizeof(z->array[0]))) == NULL ||
	    (z->src = arena_array(p->arena, ARRAYS_MAX,
	    sizeof(z->src[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < d.count && r >= 0; i++)
		r = add(z, &d.m[i], e);
	if (r >= 0 && z->arrays == 0)
		r = rows_bad(p, 0, 0, "the archive has no arrays", e);
	if (r < 0) {
		free_sources(z);
		return r;
	}
	*self = z;
	ndset_open(&z->set, p, z->array, z->arrays);
	return 0;
}

static void
npz_close(void *self)
{
	ndset_close(self);
	free_sources(self);
}

const struct rows_format rows_npz = {
    .id = "npz",
    .bid = npz_bid,
    .open = npz_open,
    .next = ndset_next,
    .field = ndset_field,
    .array = ndset_array,
    .json = ndset_json,
    .seek = ndset_seek,
    .count = ndset_count,
    .raw = ndset_raw,
    .fields = ndset_fields,
    .close = npz_close,
};
