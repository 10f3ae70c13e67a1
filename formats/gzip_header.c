#include <string.h>

#include "base/bytesrc.h"
#include "base/text.h"
#include "formats/format.h"
#include "formats/gzip_header.h"
#include "formats/names.h"

/*
 *	0 1f 8b  2 method  3 flags  4 mtime 4  8 extra flags  9 system
 *	extra: length 2, subfields of id 2, length 2, content
 *	name, comment: up to their NUL
 *
 * Writers put a name there; bgzip (BC, 2 bytes) and dictzip (RA) an extra
 * field.  "gunzip -N" writes to the name.  What else stands there is looked
 * at by nobody.
 */
enum { FLAG_EXTRA = 4, FLAG_NAME = 8, FLAG_COMMENT = 16 };
#define HEAD_MAX 4096		/* longer headers are made by nobody */

static int
tell(struct parse *p, uint64_t off, const char *what, const struct cursor *v)
{
	const struct fact f[] = {FACT_TEXT("what", what, strlen(what)),
	    FACT_TEXT("value", v->buf, v->len)};

	return format_anomaly(p, ANOMALY_GZIP_FIELD, off, v->len, f, 2);
}

static int
check_extra(struct parse *p, struct cursor c)
{
	struct cursor whole = c, sub;
	uint8_t id[2];
	uint16_t n;

	while (!cursor_at_end(&c)) {
		if (!cursor_copy(&c, id, 2) || !cursor_u16le(&c, &n) ||
		    !cursor_sub(&c, n, &sub) ||
		    !((id[0] == 'B' && id[1] == 'C' && n == 2) ||
		    (id[0] == 'R' && id[1] == 'A')))
			return tell(p, whole.base, "extra", &whole);
	}
	return 0;
}

static int
check_name(struct parse *p, const struct cursor *name)
{
	static const struct {
		unsigned odd;
		enum anomaly id;
	} rows[] = {{NAMES_TRAVERSAL, ANOMALY_NAME_TRAVERSAL},
	    {NAMES_ABSOLUTE, ANOMALY_NAME_ABSOLUTE},
	    {NAMES_DECEPTIVE, ANOMALY_NAME_DECEPTIVE}};
	const struct fact f[] = {FACT_TEXT("name", name->buf, name->len)};
	unsigned odd = names_oddities((const char *)name->buf, name->len);
	int r = 0;

	for (unsigned i = 0; i < 3 && r >= 0; i++)
		if ((odd & rows[i].odd) != 0)
			r = format_anomaly(p, rows[i].id, name->base,
			    name->len, f, 1);
	return r;
}

int
gzip_header_check(struct parse *p, uint64_t off)
{
	uint8_t head[HEAD_MAX], flags;
	struct cursor c, v;
	uint16_t n16;
	size_t n;
	int r;

	if ((r = bytesrc_read_some(p->src, off, head, sizeof(head), &n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, head, n, off);
	if (!cursor_skip(&c, 3) || !cursor_u8(&c, &flags) ||
	    !cursor_skip(&c, 6))
		return 0;
	if ((flags & FLAG_EXTRA) != 0) {
		if (!cursor_u16le(&c, &n16))
			return 0;
		if (!cursor_sub(&c, n16, &v))
			return tell(p, off, "extra", &c);
		if ((r = check_extra(p, v)) < 0)
			return r;
	}
	if ((flags & FLAG_NAME) != 0) {
		if (!cursor_line(&c, 0, &v))
			return tell(p, off, "name", &c);
		if ((r = check_name(p, &v)) < 0)
			return r;
	}
	if ((flags & FLAG_COMMENT) == 0)
		return 0;
	if (!cursor_line(&c, 0, &v))
		return tell(p, off, "comment", &c);
	return tell(p, v.base, "comment", &v);
}
