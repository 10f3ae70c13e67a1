#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/vtree.h"
#include "formats/zip.h"

/*
 * What a zip's members would be on disk.  Unix writers put st_mode into the
 * upper half of the external attributes (APPNOTE 4.4.15, 4.4.2: host 3, and
 * 19 for macOS); a symbolic link's target is its content.  Info-ZIP and
 * libarchive make links of them, Python writes a file.
 */
#define FLAG_ENCRYPTED 1
enum { HOST_UNIX = 3, HOST_MACOS = 19 };
enum { MODE_TYPE = 0170000, MODE_FIFO = 0010000, MODE_CHAR = 0020000,
	MODE_FOLDER = 0040000, MODE_BLOCK = 0060000, MODE_FILE = 0100000,
	MODE_LINK = 0120000, MODE_SOCKET = 0140000 };

static enum vtree_kind
kind_of(const struct zip_member *m, uint32_t mode)
{
	if ((mode & MODE_TYPE) == MODE_LINK)
		return VTREE_SYMLINK;
	if ((mode & MODE_TYPE) == MODE_FOLDER ||
	    (m->name_len > 0 && m->name[m->name_len - 1] == '/'))
		return VTREE_FOLDER;
	switch (mode & MODE_TYPE) {
	case MODE_CHAR:
	case MODE_BLOCK:
		return VTREE_DEVICE;
	case MODE_FIFO:
	case MODE_SOCKET:
		return VTREE_FIFO;
	default:
		return VTREE_FILE;
	}
}

/* A link's target: what does not come out is a target of nothing. */
static int
read_target(struct parse *p, const struct zip_member *m,
    struct vtree_member *ret)
{
	struct codec_result c;
	char *target;
	int r;

	if (m->data == 0)
		return 0;
	if (m->method == 0 && m->packed <= LIMIT_LINK_TARGET) {
		if ((target = arena_alloc(p->arena, (size_t)m->packed +
		    1)) == NULL)
			return err_set(p->e, ERR_NOMEM, "out of memory");
		if ((r = bytesrc_read(p->src, m->data, target,
		    (size_t)m->packed, p->e)) < 0)
			return r;
		ret->link = target;
		ret->link_len = (size_t)m->packed;
	} else if (m->method == 8 && m->packed <= LIMIT_LINK_TARGET) {
		if ((r = codec_inflate(CODEC_RAW, p->src, m->data, m->packed,
		    m->size, LIMIT_LINK_TARGET, p->arena, &c, p->e)) < 0)
			return r;
		ret->link = (const char *)c.p;
		ret->link_len = c.n;
	}
	return 0;
}

static int
put(struct parse *p, const struct zip_dir *d, const struct zip_member *m)
{
	const unsigned host = m->made >> 8;
	uint32_t mode = host == HOST_UNIX || host == HOST_MACOS ?
	    m->attributes >> 16 : 0;
	struct vtree_member v = {.name = m->name, .name_len = m->name_len,
	    .off = m->central, .mode = mode & 07777,
	    .kind = kind_of(m, mode), .empty = m->size == 0};
	int r;

	if (v.kind == VTREE_SYMLINK && (r = read_target(p, m, &v)) < 0)
		return r;
	return vtree_add(d->tree, &v);
}

int
zip_tree_check(struct parse *p, const struct zip_dir *d)
{
	int r;

	for (size_t i = 0; i < d->count; i++) {
		const struct zip_member *m = &d->m[i];

		if ((r = put(p, d, m)) < 0 ||
		    ((m->flags & FLAG_ENCRYPTED) != 0 &&
		    (r = zip_fact_name(p, ANOMALY_ENCRYPTED, m->central,
		    m)) < 0))
			return r;
	}
	return vtree_end(d->tree);
}
