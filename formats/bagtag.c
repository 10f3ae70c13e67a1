#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/textscan.h"

/*
 * Tag files of a bag (RFC 8493) and of its seal: declarations, manifests in
 * sha256sum's or sha512sum's format, certificates (RFC 7468), CMS signatures
 * and time-stamp replies (DER, by their outer structure).
 */
enum kind { KIND_NONE, KIND_DECLARATION, KIND_MANIFEST, KIND_PEM, KIND_DER };
#define DER_DEPTH 32

static bool
is_hex(uint8_t c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/* "<64 or 128 hex>  <name>" */
static bool
is_manifest_line(const uint8_t *p, size_t n)
{
	size_t hex = 0;

	while (hex < n && is_hex(p[hex]))
		hex++;
	return (hex == 64 || hex == 128) && n > hex + 2 && p[hex] == ' ' &&
	    p[hex + 1] == ' ';
}

static bool
is_der(struct cursor head)
{
	/* CMS signedData: SEQUENCE { OID 1.2.840.113549.1.7.2 ... */
	static const uint8_t signed_data[] = {0x06, 0x09, 0x2a, 0x86, 0x48,
	    0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02};
	/* TimeStampResp: SEQUENCE { SEQUENCE { INTEGER status ... */
	static const uint8_t granted[] = {0x30, 0x03, 0x02, 0x01};
	uint8_t tag, len;

	if (!cursor_u8(&head, &tag) || tag != 0x30 || !cursor_u8(&head, &len))
		return false;
	if (len >= 0x80 && !cursor_skip(&head, len & 0x7f))
		return false;
	return cursor_match(&head, signed_data, sizeof(signed_data)) ||
	    cursor_match(&head, granted, sizeof(granted));
}

static enum kind
kind_of(struct cursor head, uint64_t size)
{
	struct cursor c = head, line;

	if (is_der(head))
		return KIND_DER;
	if (!textscan_head(head, size) || !textscan_line(&c, &line))
		return KIND_NONE;
	if (textscan_starts(&line, "BagIt-Version: ") ||
	    textscan_starts(&line, "Bagging-Date: ") ||
	    textscan_starts(&line, "Bag-Software-Agent: "))
		return KIND_DECLARATION;
	if (textscan_starts(&line, "-----BEGIN CERTIFICATE-----"))
		return KIND_PEM;
	if (is_manifest_line(line.buf, line.len))
		return KIND_MANIFEST;
	/* A manifest that is cut within its first line. */
	if (cursor_at_end(&c) && (line.len == 64 || line.len == 128)) {
		for (size_t i = 0; i < line.len; i++)
			if (!is_hex(line.buf[i]))
				return KIND_NONE;
		return KIND_MANIFEST;
	}
	return KIND_NONE;
}

static unsigned
bagtag_bid(struct cursor head, uint64_t size)
{
	static const unsigned bits[] = {0, 40, 40, 64, 40};

	return bits[kind_of(head, size)];
}

static int
malformed(struct parse *p, uint64_t off, uint64_t len)
{
	int r = format_anomaly(p, ANOMALY_MALFORMED, off, len, NULL, 0);

	return r < 0 ? r : 1;
}

static int
check_manifest(struct parse *p)
{
	struct arena *a = NULL;
	const uint8_t *text;
	struct reader rd;
	uint64_t off = 0;
	size_t n;
	int r;

	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	while (reader_left(&rd) > 0 && r == 0) {
		if (a == NULL && (a = arena_new(4 * MIB)) == NULL)
			return err_set(p->e, ERR_NOMEM, "out of memory");
		off = reader_tell(&rd);
		r = reader_line(&rd, '\n', 2 * LIMIT_MEMBER_NAME, a, &text,
		    &n, p->e);
		if (r >= 0)
			r = !is_manifest_line(text, n);
		if (arena_used(a) > MIB) {
			arena_free(a);
			a = NULL;
		}
	}
	arena_free(a);
	if (r == ERR_TRUNC || r == ERR_LIMIT) {
		err_reset(p->e);
		r = 1;
	}
	return r == 1 ? malformed(p, off, 0) : r;
}

/* A header of DER (X.690 8.1): one-byte tag, definite length. */
static bool
der_header(struct cursor *c, uint8_t *tag, uint64_t *n)
{
	uint8_t len, b;

	if (!cursor_u8(c, tag) || (*tag & 31) == 31 || !cursor_u8(c, &len))
		return false;
	*n = len;
	if (len < 0x80)
		return true;
	if (len == 0x80 || (len & 0x7f) > 8)
		return false;
	*n = 0;
	for (unsigned i = 0; i < (len & 0x7fU); i++) {
		if (!cursor_u8(c, &b))
			return false;
		*n = *n << 8 | b;
	}
	return true;
}

/* Values that nest exactly: each content ends where its members end. */
static bool
der_ok(struct cursor c)
{
	struct cursor stack[DER_DEPTH];
	unsigned depth = 0;
	uint8_t tag;
	uint64_t n;

	stack[0] = c;
	for (;;) {
		while (cursor_at_end(&stack[depth]))
			if (depth-- == 0)
				return true;
		if (!der_header(&stack[depth], &tag, &n))
			return false;
		if ((tag & 32) == 0) {
			if (!cursor_skip(&stack[depth], n))
				return false;
			continue;
		}
		if (depth + 1 == DER_DEPTH ||
		    !cursor_sub(&stack[depth], n, &stack[depth + 1]))
			return false;
		depth++;
	}
}

static int
check_der(struct parse *p)
{
	struct cursor c, body;
	uint8_t *buf, tag;
	uint64_t n;
	int r;

	if (p->size > LIMIT_P7S)
		return (r = format_anomaly(p, ANOMALY_LIMIT, 0, p->size, NULL,
		    0)) < 0 ? r : 1;
	if ((buf = arena_alloc(p->arena, (size_t)p->size)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	if ((r = bytesrc_read(p->src, 0, buf, (size_t)p->size, p->e)) < 0)
		return r;
	cursor_init(&c, buf, (size_t)p->size, 0);
	if (!der_header(&c, &tag, &n))
		return malformed(p, 0, 0);
	if (!cursor_sub(&c, n, &body))
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	if (!der_ok(body))
		return malformed(p, 0, n);
	if (!cursor_at_end(&c))
		return format_anomaly(p, ANOMALY_TRAILING, cursor_tell(&c),
		    cursor_left(&c), NULL, 0);
	return 0;
}

static int
bagtag_parse(struct parse *p)
{
	uint8_t head[FORMAT_HEAD];
	struct cursor c;
	int r;

	if ((r = format_head(p, head, sizeof(head), &c)) < 0)
		return r;
	switch (kind_of(c, p->size)) {
	case KIND_DECLARATION:
	case KIND_PEM:
		return textscan_run(p);
	case KIND_MANIFEST:
		return (r = textscan_run(p)) != 0 ? r : check_manifest(p);
	case KIND_DER:
		return check_der(p);
	case KIND_NONE:
		break;
	}
	return malformed(p, 0, 0);
}

const struct format format_bag_tag = {
    .name = "bag-tag",
    .kind = FORMAT_DATA,
    .bid = bagtag_bid,
    .parse = bagtag_parse,
};
