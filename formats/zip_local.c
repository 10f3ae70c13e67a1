#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/vtree.h"
#include "formats/zip.h"

/*
 * Local headers (APPNOTE 4.3.7): 30 bytes, name, extra; then the data; then,
 * if flag bit 3 is set, a data descriptor (4.3.9): crc, sizes, 4 or 8 bytes
 * each, usually after a signature.
 *
 * Readers that stream trust these, torch trusts the directory.  What differs
 * is told as one anomaly with the fields' names.
 */
#define LOCAL 30
#define FLAG_DESCRIPTOR 8

static const uint8_t sig_local[] = {'P', 'K', 3, 4};
static const uint8_t sig_descriptor[] = {'P', 'K', 7, 8};

struct local {
	uint16_t version, flags, method, name_n, extra_n;
	uint32_t crc, packed, size;
	uint64_t packed64, size64;	/* by the zip64 field, if there is */
	bool wide, wants;	/* that field is there; it is missing */
};

static bool
read_local(struct parse *p, uint64_t off, struct local *l)
{
	uint8_t buf[LOCAL];
	struct cursor c;
	uint32_t time;

	if (bytesrc_read(p->src, off, buf, sizeof(buf), NULL) < 0)
		return false;
	cursor_init(&c, buf, sizeof(buf), off);
	return cursor_match(&c, sig_local, 4) &&
	    cursor_u16le(&c, &l->version) && cursor_u16le(&c, &l->flags) &&
	    cursor_u16le(&c, &l->method) && cursor_u32le(&c, &time) &&
	    cursor_u32le(&c, &l->crc) && cursor_u32le(&c, &l->packed) &&
	    cursor_u32le(&c, &l->size) && cursor_u16le(&c, &l->name_n) &&
	    cursor_u16le(&c, &l->extra_n);
}

/* The extra field, and the sizes that it holds (4.5.3: both, here). */
static int
read_extra(struct parse *p, const struct zip_dir *d,
    const struct zip_member *m, struct local *l)
{
	const uint64_t off = m->local + LOCAL + l->name_n;
	struct cursor c, field;
	int r;

	l->size64 = l->size;
	l->packed64 = l->packed;
	l->wide = l->wants = false;
	if (!ckd_range(off, l->extra_n, p->size))
		return 0;	/* told as cut */
	if ((r = bytesrc_read(p->src, off, d->scratch, l->extra_n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, d->scratch, l->extra_n, off);
	l->wide = zip_extra_zip64(c, &field) &&
	    cursor_u64le(&field, &l->size64) &&
	    cursor_u64le(&field, &l->packed64);
	l->wants = !l->wide && (l->size == UINT32_MAX ||
	    l->packed == UINT32_MAX);
	return zip_extra_check(p, c, m);
}

static bool
same_name(struct parse *p, const struct zip_member *m, const struct local *l)
{
	uint8_t chunk[256];
	size_t done = 0, n;

	if (l->name_n != m->name_len)
		return false;
	for (; done < m->name_len; done += n) {
		n = m->name_len - done < sizeof(chunk) ? m->name_len - done :
		    sizeof(chunk);
		if (bytesrc_read(p->src, m->local + LOCAL + done, chunk, n,
		    NULL) < 0 || memcmp(chunk, m->name + done, n) != 0)
			return false;
	}
	return true;
}

static void
list_word(char *list, size_t cap, const char *word)
{
	size_t n = strlen(list);

	(void)snprintf(list + n, cap - n, "%s%s", n > 0 ? "," : "", word);
}

/*
 * A field of the local header that is zero because a descriptor follows
 * agrees with anything; one that is all ones says what its zip64 field says.
 */
static bool
agrees(const struct local *l, uint32_t narrow, uint64_t wide,
    uint64_t central)
{
	uint64_t v = narrow == UINT32_MAX && l->wide ? wide : narrow;

	return v == central || ((l->flags & FLAG_DESCRIPTOR) != 0 && v == 0);
}

static int
tell_fields(struct parse *p, enum anomaly id, const struct zip_member *m,
    const char *fields)
{
	const struct fact facts[] = {FACT_TEXT("name", m->name, m->name_len),
	    FACT_TEXT("fields", fields, strlen(fields))};

	return fields[0] == '\0' ? 0 : format_anomaly(p, id, m->local, LOCAL,
	    facts, 2);
}

static int
compare(struct parse *p, const struct zip_dir *d, const struct zip_member *m,
    const struct local *l)
{
	char fields[80] = "", *other;
	bool name = same_name(p, m, l);
	int r;

	if (!name)
		list_word(fields, sizeof(fields), "name");
	if (l->method != m->method)
		list_word(fields, sizeof(fields), "method");
	if (l->flags != m->flags)
		list_word(fields, sizeof(fields), "flags");
	if (!agrees(l, l->crc, l->crc, m->crc))
		list_word(fields, sizeof(fields), "crc");
	if (!agrees(l, l->packed, l->packed64, m->packed))
		list_word(fields, sizeof(fields), "packed-size");
	if (!agrees(l, l->size, l->size64, m->size))
		list_word(fields, sizeof(fields), "size");
	if ((r = tell_fields(p, ANOMALY_ZIP_LOCAL_DIFFERS, m, fields)) < 0 ||
	    (l->wants && (r = zip_zip64(p, m->local, LOCAL,
	    "all ones without a zip64 field")) < 0))
		return r;
	/* The bits of its high byte name a system, the low ones a version. */
	if (fields[0] == '\0' && (l->version & 255) != (m->version & 255))
		return tell_fields(p, ANOMALY_ZIP_VERSION, m, "version");
	if (name || !ckd_range(m->local + LOCAL, l->name_n, p->size))
		return 0;
	/* The other name is one under which a streaming reader writes. */
	if ((other = arena_alloc(p->arena, (size_t)l->name_n + 1)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, m->local + LOCAL, other, l->name_n,
	    p->e)) < 0)
		return r;
	return vtree_name(d->tree, other, l->name_n, m->local);
}

/* How long is the descriptor at ${off}?  0: there is none that fits. */
static unsigned
descriptor_len(struct parse *p, const struct zip_member *m, uint64_t off)
{
	uint8_t buf[24];
	struct cursor c, x;
	uint32_t crc, packed, size;
	uint64_t packed64, size64;
	size_t n;
	bool sig;

	if (bytesrc_read_some(p->src, off, buf, sizeof(buf), &n, NULL) < 0)
		return 0;
	cursor_init(&c, buf, n, off);
	sig = cursor_match(&c, sig_descriptor, 4);
	if (!cursor_u32le(&c, &crc) || crc != m->crc)
		return 0;
	x = c;
	if (cursor_u64le(&x, &packed64) && cursor_u64le(&x, &size64) &&
	    packed64 == m->packed && size64 == m->size)
		return sig ? 24 : 20;
	if (cursor_u32le(&c, &packed) && cursor_u32le(&c, &size) &&
	    packed == m->packed && size == m->size)
		return sig ? 16 : 12;
	return 0;
}

int
zip_fact_name(struct parse *p, enum anomaly id, uint64_t off,
    const struct zip_member *m)
{
	const struct fact facts[] = {FACT_TEXT("name", m->name, m->name_len)};
	const uint64_t left = off < p->size ? p->size - off : 0;

	/* What a header states may be more than there is. */
	return format_anomaly(p, id, off, m->packed < left ? m->packed : left,
	    facts, 1);
}

static int
check_member(struct parse *p, const struct zip_dir *d, struct zip_member *m)
{
	struct local l;
	uint64_t data;
	int r;

	if (!ckd_add64(&m->local, m->local, d->prefix) ||
	    !ckd_range(m->local, LOCAL, d->cd_off) ||
	    !read_local(p, m->local, &l))
		return zip_fact_name(p, ANOMALY_ZIP_LOCAL_DIFFERS,
		    m->central, m);
	if ((r = read_extra(p, d, m, &l)) < 0 ||
	    (r = compare(p, d, m, &l)) < 0)
		return r;
	data = m->local + LOCAL + l.name_n + l.extra_n;
	if (!ckd_range(data, m->packed, d->cd_off))
		return zip_fact_name(p, ANOMALY_TRUNCATED, m->local, m);
	m->data = data;
	m->end = data + m->packed;
	if ((l.flags & FLAG_DESCRIPTOR) != 0)
		m->end += descriptor_len(p, m, m->end);
	return format_cover(p, m->local, m->end - m->local);
}

/* Members by place, to see what lies between them. */
struct span {
	uint64_t from, to;
	const struct zip_member *m;
};

static int
compare_spans(const void *a, const void *b)
{
	const struct span *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->to > y->to) - (x->to < y->to);
}

static int
is_zero(struct parse *p, uint64_t off, uint64_t len)
{
	uint8_t chunk[4096];
	size_t n;
	int r;

	for (; len > 0; off += n, len -= n) {
		n = len < sizeof(chunk) ? (size_t)len : sizeof(chunk);
		if ((r = bytesrc_read(p->src, off, chunk, n, p->e)) < 0)
			return r;
		for (size_t i = 0; i < n; i++)
			if (chunk[i] != 0)
				return 0;
	}
	return 1;
}

/*
 * A local header that the directory leaves out is a member all the same;
 * alone: there is no directory.
 */
static int
hidden_member(struct parse *p, const struct zip_dir *d, uint64_t from,
    uint64_t to, uint64_t *end)
{
	struct zip_member m = {.local = from};
	struct local l = {0};
	int r;

	*end = to;
	if (!ckd_range(from, LOCAL, to) || !read_local(p, from, &l))
		return format_anomaly(p, ANOMALY_ZIP_GAP, from, to - from,
		    NULL, 0);
	m.method = l.method;
	m.flags = l.flags & (uint16_t)~FLAG_DESCRIPTOR;
	m.crc = l.crc;
	m.size = l.size;
	m.name = "";
	m.data = from + LOCAL + l.name_n + l.extra_n;
	if (ckd_range(from + LOCAL, l.name_n, to)) {
		uint8_t *name = arena_alloc(p->arena, (size_t)l.name_n + 1);

		if (name == NULL)
			return err_set(p->e, ERR_NOMEM, "out of memory");
		if ((r = bytesrc_read(p->src, from + LOCAL, name, l.name_n,
		    p->e)) < 0)
			return r;
		m.name = (const char *)name;
		m.name_len = l.name_n;
	}
	if ((!d->none && (r = zip_fact_name(p, ANOMALY_ZIP_LOCAL_ONLY, from,
	    &m)) < 0) || (r = vtree_name(d->tree, m.name, m.name_len,
	    from)) < 0 || m.data > to)
		return r;
	/* Its sizes may be in a descriptor: give it what lies there. */
	m.packed = l.packed != 0 && l.packed <= to - m.data ? l.packed :
	    to - m.data;
	if (m.size == 0)
		m.size = m.packed;
	*end = m.data + m.packed;
	return zip_emit(p, d, &m, MEMBER_PLAIN, NULL);
}

static bool
is_local(struct parse *p, uint64_t from, uint64_t to)
{
	uint8_t sig[4];

	return from < to && to - from >= LOCAL && bytesrc_read(p->src, from,
	    sig, 4, NULL) == 0 && memcmp(sig, sig_local, 4) == 0;
}

/*
 * Android signs what is before the directory in a block of its own: length 8,
 * pairs, the same length 8, "APK Sig Block 42".
 */
static bool
is_apk_signature(struct parse *p, uint64_t from, uint64_t to)
{
	static const uint8_t magic[] = "APK Sig Block 42";
	uint64_t first, last;
	uint8_t buf[24];
	struct cursor c;

	if (to - from < 32 || bytesrc_read(p->src, to - 24, buf, 24, NULL) <
	    0)
		return false;
	cursor_init(&c, buf, 24, to - 24);
	if (!cursor_u64le(&c, &last) || !cursor_match(&c, magic, 16) ||
	    bytesrc_read(p->src, from, buf, 8, NULL) < 0)
		return false;
	cursor_init(&c, buf, 8, from);
	return cursor_u64le(&c, &first) && first == last &&
	    first == to - from - 8;
}

static int
gap(struct parse *p, const struct zip_dir *d, uint64_t from, uint64_t to)
{
	unsigned members = 0;
	int r;

	if (from < to && (r = format_cover(p, from, to - from)) < 0)
		return r;
	while (is_local(p, from, to)) {
		if (++members > LIMIT_MEMBERS)
			return format_anomaly(p, ANOMALY_LIMIT, from,
			    to - from, NULL, 0);
		if ((r = hidden_member(p, d, from, to, &from)) < 0)
			return r;
	}
	if (from >= to || d->none)
		return 0;	/* none: what is missing has been told */
	if ((r = is_zero(p, from, to - from)) != 0)
		return r < 0 ? r : 0;
	if (to == d->cd_off && is_apk_signature(p, from, to))
		return 0;
	return format_anomaly(p, ANOMALY_ZIP_GAP, from, to - from, NULL, 0);
}

static int
account(struct parse *p, const struct zip_dir *d, struct span *s, size_t n)
{
	uint64_t at = d->prefix;
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++) {
		if (s[i].from < at)
			r = zip_fact_name(p, ANOMALY_ZIP_OVERLAP, s[i].from,
			    s[i].m);
		else
			r = gap(p, d, at, s[i].from);
		if (s[i].to > at)
			at = s[i].to;
	}
	return r >= 0 ? gap(p, d, at, d->cd_off) : r;
}

int
zip_local_check(struct parse *p, struct zip_dir *d)
{
	struct span *s;
	size_t n = 0;
	int r;

	if ((s = arena_array(p->arena, d->count + 1, sizeof(*s))) == NULL ||
	    (d->scratch = arena_alloc(p->arena, 64 * KIB)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < d->count; i++) {
		if ((r = check_member(p, d, &d->m[i])) < 0)
			return r;
		if (d->m[i].data != 0)
			s[n++] = (struct span){d->m[i].local, d->m[i].end,
			    &d->m[i]};
	}
	if (n > 0)
		qsort(s, n, sizeof(*s), compare_spans);
	if (d->prefix > 0 && ((r = format_cover(p, 0, d->prefix)) < 0 ||
	    (r = format_anomaly(p, ANOMALY_LEADING, 0, d->prefix, NULL,
	    0)) < 0))
		return r;
	return account(p, d, s, n);
}
