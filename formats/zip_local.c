#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/names.h"
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
#define FLAG_ENCRYPTED 1
#define FLAG_DESCRIPTOR 8

static const uint8_t sig_local[] = {'P', 'K', 3, 4};
static const uint8_t sig_descriptor[] = {'P', 'K', 7, 8};

struct local {
	uint16_t version, flags, method, name_n, extra_n;
	uint32_t crc, packed, size;
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
 * A field of the local header that is zero because a descriptor follows, or
 * all ones because a zip64 field holds it, agrees with anything.
 */
static bool
agrees(uint32_t local, uint64_t central, bool descriptor)
{
	return local == central || local == UINT32_MAX ||
	    (descriptor && local == 0);
}

static int
compare(struct parse *p, const struct zip_member *m, const struct local *l)
{
	bool desc = (l->flags & FLAG_DESCRIPTOR) != 0;
	char fields[80] = "";
	struct fact facts[2];

	if (!same_name(p, m, l))
		list_word(fields, sizeof(fields), "name");
	if (l->method != m->method)
		list_word(fields, sizeof(fields), "method");
	if (l->flags != m->flags)
		list_word(fields, sizeof(fields), "flags");
	if (!agrees(l->crc, m->crc, desc) && l->crc != UINT32_MAX)
		list_word(fields, sizeof(fields), "crc");
	if (!agrees(l->packed, m->packed, desc))
		list_word(fields, sizeof(fields), "packed-size");
	if (!agrees(l->size, m->size, desc))
		list_word(fields, sizeof(fields), "size");
	if (fields[0] == '\0')
		return 0;
	facts[0] = (struct fact)FACT_TEXT("name", m->name, m->name_len);
	facts[1] = (struct fact)FACT_TEXT("fields", fields, strlen(fields));
	return format_anomaly(p, ANOMALY_ZIP_LOCAL_DIFFERS, m->local, LOCAL,
	    facts, 2);
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

	return format_anomaly(p, id, off, m->packed, facts, 1);
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
	if ((r = compare(p, m, &l)) < 0)
		return r;
	data = m->local + LOCAL + l.name_n + l.extra_n;
	if (!ckd_range(data, m->packed, d->cd_off))
		return zip_fact_name(p, ANOMALY_TRUNCATED, m->local, m);
	m->data = data;
	m->end = data + m->packed;
	if ((l.flags & FLAG_DESCRIPTOR) != 0)
		m->end += descriptor_len(p, m, m->end);
	return 0;
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
hidden_member(struct parse *p, uint64_t from, uint64_t to, bool alone,
    uint64_t *end)
{
	struct zip_member m = {.local = from};
	struct local l;
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
	r = alone ? 0 : zip_fact_name(p, ANOMALY_ZIP_LOCAL_ONLY, from, &m);
	if (r < 0 || m.data > to)
		return r;
	/* Its sizes may be in a descriptor: give it what lies there. */
	m.packed = l.packed != 0 && l.packed <= to - m.data ? l.packed :
	    to - m.data;
	if (m.size == 0)
		m.size = m.packed;
	*end = m.data + m.packed;
	return zip_emit(p, &m, MEMBER_PLAIN, NULL);
}

static bool
is_local(struct parse *p, uint64_t from, uint64_t to)
{
	uint8_t sig[4];

	return from < to && to - from >= LOCAL && bytesrc_read(p->src, from,
	    sig, 4, NULL) == 0 && memcmp(sig, sig_local, 4) == 0;
}

static int
gap(struct parse *p, uint64_t from, uint64_t to, bool alone)
{
	unsigned members = 0;
	int r;

	while (is_local(p, from, to)) {
		if (++members > LIMIT_MEMBERS)
			return format_anomaly(p, ANOMALY_LIMIT, from,
			    to - from, NULL, 0);
		if ((r = hidden_member(p, from, to, alone, &from)) < 0)
			return r;
	}
	if (from >= to || alone)
		return 0;	/* alone: what is missing has been told */
	if ((r = is_zero(p, from, to - from)) != 0)
		return r < 0 ? r : 0;
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
			r = gap(p, at, s[i].from, false);
		if (s[i].to > at)
			at = s[i].to;
	}
	return r >= 0 ? gap(p, at, d->cd_off, d->none) : r;
}

int
zip_local_check(struct parse *p, struct zip_dir *d)
{
	struct span *s;
	size_t n = 0;
	int r;

	if ((s = arena_array(p->arena, d->count + 1, sizeof(*s))) == NULL)
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
	if (d->prefix > 0 && (r = format_anomaly(p, ANOMALY_LEADING, 0,
	    d->prefix, NULL, 0)) < 0)
		return r;
	return account(p, d, s, n);
}

int
zip_names_check(struct parse *p, const struct zip_dir *d)
{
	struct names_view *v;
	int r;

	if ((v = arena_array(p->arena, d->count + 1, sizeof(*v))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < d->count; i++) {
		const struct zip_member *m = &d->m[i];

		v[i] = (struct names_view){m->name, m->name_len, m->central};
		if ((r = names_check(p, m->name, m->name_len, m->central)) <
		    0)
			return r;
		if ((m->flags & FLAG_ENCRYPTED) != 0 && (r = zip_fact_name(p,
		    ANOMALY_ENCRYPTED, m->central, m)) < 0)
			return r;
	}
	return names_twins(p, v, d->count, ANOMALY_ZIP_DUPLICATE,
	    ANOMALY_NAME_CASE_TWIN);
}
