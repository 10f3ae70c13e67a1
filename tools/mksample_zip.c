#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/limits.h"
#include "tools/mksample.h"

/*
 * Zip: PKWARE APPNOTE 4.3.7, 4.3.12, 4.3.14 to 4.3.16.  Honest, unless told
 * otherwise, so that every disagreement between the two headers of a member
 * can be written down.
 *
 * zip [reverse] [no-end] [zip64] [comment="..."]
 *   reverse: the central directory in the other order; no-end: none at all;
 *   zip64: with the 64-bit end records, as PyTorch writes.
 *
 * member NAME [deflate] [OPTION=VALUE...]
 *   flags crc method   of both headers; with l or c in front, of the local
 *                      or the central one alone
 *   lname lsize lpacked lversion lextra(hex)   of the local header
 *   cname csize cextra(hex)                    of the central one
 *   made attributes comment   of the central one: the writer's system,
 *                      st_mode in the upper half, a text
 *   hidden             no central entry
 *   descriptor         sizes behind the content (bit 3)
 *   zip64              sizes in the extra field
 */
#define MEMBERS 64

struct header {
	uint16_t version, flags, method;
	uint32_t crc, packed, size;
	struct word name;
	struct buf extra;
};

struct member {
	struct header local, central;
	uint32_t off, attributes;
	uint16_t made;
	struct word comment;
	bool hidden, descriptor, zip64;
};

struct pack {
	struct buf *out;
	const struct stmt *s;
	bool is_zip;
	struct member *m;
	unsigned n;
};

static struct pack *
pack_new(const struct stmt *s, struct buf *out)
{
	struct pack *p = grow(NULL, 1, sizeof(*p));

	*p = (struct pack){.out = out, .s = s, .is_zip = s != NULL};
	p->m = grow(NULL, MEMBERS, sizeof(*p->m));
	return p;
}

struct pack *
pack_zip(const struct stmt *s, struct buf *out)
{
	return pack_new(s, out);
}

struct pack *
pack_tar(struct buf *out)
{
	return pack_new(NULL, out);
}

/* flags, crc, method of one header, with its letter in front or none. */
static bool
header_option(const struct stmt *s, const struct word *w, struct header *h)
{
	struct word v;

	if (word_option(w, "flags", &v))
		h->flags = (uint16_t)word_number(s, &v);
	else if (word_option(w, "crc", &v))
		h->crc = (uint32_t)word_number(s, &v);
	else if (word_option(w, "method", &v))
		h->method = (uint16_t)word_number(s, &v);
	else if (word_option(w, "version", &v))
		h->version = (uint16_t)word_number(s, &v);
	else if (word_option(w, "size", &v))
		h->size = (uint32_t)word_number(s, &v);
	else if (word_option(w, "packed", &v))
		h->packed = (uint32_t)word_number(s, &v);
	else if (word_option(w, "name", &v))
		h->name = v;
	else if (word_option(w, "extra", &v))
		word_hex(s, &v, &h->extra);
	else
		return false;
	return true;
}

static void
member_option(const struct stmt *s, const struct word *w, struct member *m)
{
	struct word rest = {w->p + 1, w->n - 1}, v;

	if (w->n < 2)
		die(s, "unknown option of a member");
	if (word_option(w, "made", &v))
		m->made = (uint16_t)word_number(s, &v);
	else if (word_option(w, "attributes", &v))
		m->attributes = (uint32_t)word_number(s, &v);
	else if (word_option(w, "comment", &v))
		m->comment = v;
	else if (word_is(w, "hidden"))
		m->hidden = true;
	else if (word_is(w, "descriptor"))
		m->descriptor = true;
	else if (word_is(w, "zip64"))
		m->zip64 = true;
	else if (word_is(w, "deflate"))
		return;
	else if (header_option(s, w, &m->local))
		(void)header_option(s, w, &m->central);
	else if (w->p[0] != 'l' || !header_option(s, &rest, &m->local))
		if (w->p[0] != 'c' || !header_option(s, &rest, &m->central))
			die(s, "unknown option of a member");
}

static void
put_fields(struct buf *b, const struct header *h)
{
	put_le(b, h->version, 2);
	put_le(b, h->flags, 2);
	put_le(b, h->method, 2);
	put_le(b, 0, 2);		/* time */
	put_le(b, 0x21, 2);		/* date: 1980-01-01 */
	put_le(b, h->crc, 4);
	put_le(b, h->packed, 4);
	put_le(b, h->size, 4);
	put_le(b, h->name.n, 2);
	put_le(b, h->extra.len, 2);
}

/* Move a header's sizes to its extra field. */
static void
to_zip64(struct header *h)
{
	put_le(&h->extra, 1, 2);
	put_le(&h->extra, 16, 2);
	put_le(&h->extra, h->size, 8);
	put_le(&h->extra, h->packed, 8);
	h->size = h->packed = UINT32_MAX;
	h->version = 45;
}

static void
put_local(struct member *m, const struct buf *packed, struct buf *out)
{
	struct header real = m->local;

	if (m->descriptor) {
		m->local.flags |= 8;
		m->central.flags |= 8;
		m->local.crc = m->local.packed = m->local.size = 0;
	}
	if (m->zip64) {
		to_zip64(&m->local);
		to_zip64(&m->central);
	}
	put_le(out, 0x04034b50, 4);
	put_fields(out, &m->local);
	buf_put(out, m->local.name.p, m->local.name.n);
	buf_put(out, m->local.extra.p, m->local.extra.len);
	buf_put(out, packed->p, packed->len);
	if (m->descriptor) {
		put_le(out, 0x08074b50, 4);
		put_le(out, real.crc, 4);
		put_le(out, real.packed, 4);
		put_le(out, real.size, 4);
	}
}

static void
zip_member(struct pack *p, const struct stmt *s, const struct word *w,
    unsigned count, struct buf *content)
{
	struct word deflate = {(char[]){"deflate"}, strlen("deflate")};
	struct buf squeezed, *packed = content;
	struct member *m = &p->m[p->n++];

	buf_init(&squeezed, SAMPLE_MAX);
	*m = (struct member){.local = {.version = 20, .name = w[1]},
	    .made = 20};
	m->off = (uint32_t)p->out->len;
	m->local.size = (uint32_t)content->len;
	m->local.crc = (uint32_t)crc32(0, content->p, (uInt)content->len);
	for (unsigned i = 2; i < count; i++)
		if (word_is(&w[i], "deflate")) {
			wrap_put(s, &deflate, content, &squeezed);
			packed = &squeezed;
			m->local.method = 8;
		}
	m->local.packed = (uint32_t)packed->len;
	m->central = m->local;
	buf_init(&m->local.extra, KIB);
	buf_init(&m->central.extra, KIB);
	for (unsigned i = 2; i < count; i++)
		member_option(s, &w[i], m);
	put_local(m, packed, p->out);
	buf_release(&squeezed);
}

void
pack_member(struct pack *p, const struct stmt *s, const struct word *w,
    unsigned count, struct buf *content)
{
	if (count < 2)
		die(s, "member NAME [OPTION...]");
	if (!p->is_zip) {
		tar_member(s, w, count, content, p->out);
		return;
	}
	if (p->n == MEMBERS)
		die(s, "too many members");
	zip_member(p, s, w, count, content);
}

static void
put_zip64_end(struct buf *out, unsigned shown, size_t start)
{
	size_t at = out->len;

	put_le(out, 0x06064b50, 4);
	put_le(out, 44, 8);		/* what follows of this record */
	put_le(out, 0x2d031e, 4);	/* versions made by, needed */
	put_le(out, 0, 8);		/* disks */
	put_le(out, shown, 8);
	put_le(out, shown, 8);
	put_le(out, at - start, 8);
	put_le(out, start, 8);
	put_le(out, 0x07064b50, 4);	/* where that record is */
	put_le(out, 0, 4);
	put_le(out, at, 8);
	put_le(out, 1, 4);
}

static unsigned
put_directory(struct pack *p, bool reverse)
{
	unsigned shown = 0;

	for (unsigned k = 0; k < p->n; k++) {
		struct member *m = &p->m[reverse ? p->n - 1 - k : k];

		if (m->hidden)
			continue;
		shown++;
		put_le(p->out, 0x02014b50, 4);
		put_le(p->out, m->made, 2);
		put_fields(p->out, &m->central);
		put_le(p->out, m->comment.n, 2);
		put_le(p->out, 0, 2 + 2);
		put_le(p->out, m->attributes, 4);
		put_le(p->out, m->off, 4);
		buf_put(p->out, m->central.name.p, m->central.name.n);
		buf_put(p->out, m->central.extra.p, m->central.extra.len);
		buf_put(p->out, m->comment.p, m->comment.n);
	}
	return shown;
}

static void
put_end(struct pack *p, const struct stmt *s)
{
	bool reverse = false, none = false, zip64 = false;
	struct word comment = {NULL, 0};
	size_t start = p->out->len, size;
	unsigned shown;

	for (unsigned i = 1; i < s->count; i++) {
		if (word_is(&s->w[i], "reverse"))
			reverse = true;
		else if (word_is(&s->w[i], "no-end"))
			none = true;
		else if (word_is(&s->w[i], "zip64"))
			zip64 = true;
		else if (!word_option(&s->w[i], "comment", &comment))
			die(s, "unknown option of a zip");
	}
	if (none)
		return;
	shown = put_directory(p, reverse);
	size = p->out->len - start;
	if (zip64)
		put_zip64_end(p->out, shown, start);
	put_le(p->out, 0x06054b50, 4);
	put_le(p->out, 0, 4);
	put_le(p->out, shown, 2);
	put_le(p->out, shown, 2);
	put_le(p->out, size, 4);
	put_le(p->out, start, 4);
	put_le(p->out, comment.n, 2);
	buf_put(p->out, comment.p, comment.n);
}

void
pack_end(struct pack *p, const struct stmt *s)
{
	if (p->is_zip)
		put_end(p, s);
	for (unsigned i = 0; !p->is_zip && i < 1024; i++)
		buf_putc(p->out, '\0');
	for (unsigned i = 0; i < p->n; i++) {
		buf_release(&p->m[i].local.extra);
		buf_release(&p->m[i].central.extra);
	}
	free(p->m);
	free(p);
}
