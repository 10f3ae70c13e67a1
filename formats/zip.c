#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/codec.h"
#include "formats/package.h"
#include "formats/torch.h"
#include "formats/vtree.h"
#include "formats/zip.h"

/* Methods of APPNOTE 4.4.5 that are read. */
enum { METHOD_STORED = 0, METHOD_DEFLATED = 8, METHOD_BZIP2 = 12,
    METHOD_LZMA = 14, METHOD_ZSTD = 93, METHOD_XZ = 95 };
#define FLAG_ENCRYPTED 1
#define FLAG_LZMA_END 2

static unsigned
zip_bid(struct cursor head, uint64_t size)
{
	static const uint8_t local[] = {'P', 'K', 3, 4};
	static const uint8_t empty[] = {'P', 'K', 5, 6};

	if (size < 22)
		return 0;
	return cursor_match(&head, local, 4) || cursor_match(&head, empty, 4) ?
	    32 : 0;
}

/* An archive behind something else: its end record says so. */
static unsigned
zip_bid_tail(struct cursor tail, uint64_t size)
{
	static const uint8_t eocd[] = {'P', 'K', 5, 6, 0, 0, 0, 0};
	struct cursor c;
	uint64_t base = tail.base;
	uint32_t cd_size, cd_off;
	uint16_t comment;

	for (size_t back = 22; back <= tail.len; back++) {
		c = tail;
		if (!cursor_seek(&c, tail.len - back) ||
		    !cursor_match(&c, eocd, 8) || !cursor_skip(&c, 4) ||
		    !cursor_u32le(&c, &cd_size) ||
		    !cursor_u32le(&c, &cd_off) || !cursor_u16le(&c, &comment))
			continue;
		/* The directory must fit before it. */
		if ((uint64_t)cd_size + cd_off <= base + tail.len - back &&
		    base + tail.len == size && cd_size >= 46)
			return 32;
	}
	return 0;
}

static int
give(struct parse *p, const struct zip_dir *d, const struct ev_member *ev)
{
	int r = package_member(d->package, ev);

	return r < 0 ? r : format_member(p, ev);
}

static int
emit_stored(struct parse *p, const struct zip_dir *d,
    const struct zip_member *m, struct ev_member *ev)
{
	struct bytesrc *src;
	uint32_t crc;
	int r;

	if (m->size != m->packed && (r = zip_fact_name(p,
	    ANOMALY_ZIP_LOCAL_DIFFERS, m->central, m)) < 0)
		return r;
	if (m->packed <= ZIP_CRC_MAX && m->central != 0) {
		if ((r = codec_crc(p->src, m->data, m->packed, &crc,
		    p->e)) < 0)
			return r;
		if (crc != m->crc && (r = zip_fact_name(p,
		    ANOMALY_ZIP_BAD_CRC, m->data, m)) < 0)
			return r;
	}
	if ((src = bytesrc_range(p->src, m->data, m->packed, p->e)) == NULL)
		return ERR_NOMEM;
	ev->src = src;
	ev->off = m->data;
	ev->size = m->packed;
	ev->flags |= MEMBER_STORED;
	r = give(p, d, ev);
	bytesrc_free(src);
	return r;
}

static int
inflate_oddities(struct parse *p, const struct zip_member *m,
    const struct codec_result *c)
{
	int r = 0;

	if (c->cut)
		return zip_fact_name(p, ANOMALY_ZIP_BOMB, m->data, m);
	if (c->broken || c->short_input)
		return zip_fact_name(p, c->broken ? ANOMALY_MALFORMED :
		    ANOMALY_TRUNCATED, m->data, m);
	if (c->used < m->packed)
		r = format_anomaly(p, ANOMALY_ZIP_GAP, m->data + c->used,
		    m->packed - c->used, NULL, 0);
	if (r >= 0 && (c->n != m->size || c->crc != m->crc) &&
	    m->central != 0)
		r = zip_fact_name(p, ANOMALY_ZIP_BAD_CRC, m->data, m);
	return r;
}

static int
emit_deflated(struct parse *p, const struct zip_dir *d,
    const struct zip_member *m, struct ev_member *ev)
{
	struct bytesrc *src = NULL;
	struct codec_result c;
	struct arena *a;
	int r;

	/* Content lives as long as its event: a hundred members, one's room. */
	if ((a = arena_new(2 * LIMIT_INFLATE + MIB)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory to inflate");
	if ((r = codec_inflate(CODEC_RAW, p->src, m->data, m->packed,
	    m->size, format_room(p, LIMIT_INFLATE), a, &c, p->e)) < 0 ||
	    (r = inflate_oddities(p, m, &c)) < 0)
		goto out;
	if ((src = bytesrc_mem(c.p, c.n, p->e)) == NULL) {
		r = ERR_NOMEM;
		goto out;
	}
	ev->src = src;
	ev->size = c.n;
	r = give(p, d, ev);
out:
	bytesrc_free(src);
	arena_free(a);
	return r;
}

/* A compressed file of its own, that is examined as what it is. */
static int
emit_packed(struct parse *p, const struct zip_member *m,
    struct ev_member *ev)
{
	struct bytesrc *src;
	int r;

	if ((src = bytesrc_range(p->src, m->data, m->packed, p->e)) == NULL)
		return ERR_NOMEM;
	ev->src = src;
	ev->off = m->data;
	ev->size = m->packed;
	ev->format = NULL;
	r = format_member(p, ev);
	bytesrc_free(src);
	return r;
}

/*
 * LZMA (APPNOTE 5.8.8): version and length of the properties, the properties,
 * the stream.  With the size behind the properties it is an .lzma file.
 */
static int
emit_lzma(struct parse *p, const struct zip_member *m, struct ev_member *ev)
{
	enum { VERSION = 4, PROPERTIES = 5, SIZE = 8 };
	const uint64_t head = VERSION + PROPERTIES;
	struct bytesrc *src = NULL;
	struct arena *a = NULL;
	uint8_t *dst;
	uint64_t n;
	int r;

	if (m->packed < head || m->packed > LIMIT_INFLATE)
		return zip_fact_name(p, ANOMALY_UNSUPPORTED, m->local, m);
	n = m->packed - head;
	if ((a = arena_new(LIMIT_INFLATE + MIB)) == NULL ||
	    (dst = arena_alloc(a, PROPERTIES + SIZE + (size_t)n)) == NULL) {
		r = err_set(p->e, ERR_NOMEM, "out of memory to copy");
		goto out;
	}
	/* An unknown size: the stream has an end of its own or is cut. */
	memset(dst + PROPERTIES, 0xff, SIZE);
	for (unsigned i = 0; (m->flags & FLAG_LZMA_END) == 0 && i < SIZE; i++)
		dst[PROPERTIES + i] = (uint8_t)(m->size >> (8 * i));
	if ((r = bytesrc_read(p->src, m->data + VERSION, dst, PROPERTIES,
	    p->e)) < 0 || (r = bytesrc_read(p->src, m->data + head, dst +
	    PROPERTIES + SIZE, (size_t)n, p->e)) < 0)
		goto out;
	if ((src = bytesrc_mem(dst, PROPERTIES + SIZE + (size_t)n, p->e)) ==
	    NULL) {
		r = ERR_NOMEM;
		goto out;
	}
	ev->src = src;
	ev->size = PROPERTIES + SIZE + n;
	ev->format = "compressed";
	r = format_member(p, ev);
out:
	bytesrc_free(src);
	arena_free(a);
	return r;
}

int
zip_emit(struct parse *p, const struct zip_dir *d,
    const struct zip_member *m, unsigned flags, const char *format)
{
	struct ev_member ev = {.name = m->name, .name_len = m->name_len,
	    .flags = flags, .format = format};

	/*
	 * Both are told by the checks.  Who says that a stored member is
	 * encrypted may lie: not all readers look at the flag.
	 */
	if (m->data == 0 || ((m->flags & FLAG_ENCRYPTED) != 0 &&
	    m->method != METHOD_STORED))
		return 0;
	/* A folder's entry. */
	if (m->packed == 0 && m->size == 0 && m->name_len > 0 &&
	    m->name[m->name_len - 1] == '/')
		return 0;
	if (m->method == METHOD_STORED)
		return emit_stored(p, d, m, &ev);
	if (m->method == METHOD_DEFLATED)
		return emit_deflated(p, d, m, &ev);
	if (m->method == METHOD_BZIP2 || m->method == METHOD_ZSTD ||
	    m->method == METHOD_XZ)
		return emit_packed(p, m, &ev);
	if (m->method == METHOD_LZMA)
		return emit_lzma(p, m, &ev);
	return zip_fact_name(p, ANOMALY_UNSUPPORTED, m->local, m);
}

static int
emit_members(struct parse *p, const struct zip_dir *d)
{
	size_t root;
	int r = 0;

	if (torch_is(d))
		return torch_members(p, d);
	if (torch_is_package(d, &root))
		return torch_package_members(p, d, root);
	for (size_t i = 0; i < d->count && r >= 0; i++)
		r = zip_emit(p, d, &d->m[i], MEMBER_PLAIN, NULL);
	return r;
}

static int
parse_zip(struct parse *p)
{
	struct zip_dir d = {.tree = vtree_new(p, ANOMALY_ZIP_DUPLICATE),
	    .package = package_new(p)};
	int r;

	if (d.tree == NULL || d.package == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = zip_dir_read(p, &d)) != 0 ||
	    (r = zip_local_check(p, &d)) < 0 ||
	    (r = zip_tree_check(p, &d)) < 0)
		return r;
	if (d.end < p->size && ((r = format_cover(p, d.end,
	    p->size - d.end)) < 0 || (r = format_anomaly(p, ANOMALY_TRAILING,
	    d.end, p->size - d.end, NULL, 0)) < 0))
		return r;
	if ((r = emit_members(p, &d)) < 0 ||
	    (r = package_end(d.package)) < 0)
		return r;
	return d.none ? 1 : 0;
}

const struct format format_zip = {
    .name = "zip",
    .kind = FORMAT_CONTAINER,
    .bid = zip_bid,
    .bid_tail = zip_bid_tail,
    .parse = parse_zip,
};
