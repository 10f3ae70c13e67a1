#include <string.h>

#include "base/bytesrc.h"
#include "base/text.h"
#include "formats/format.h"
#include "formats/lfs.h"

/*
 * A pointer of Git LFS (lfs.h) as an object.  The model is not here: that is
 * what is told.
 */
static const char *const versions[] = {
    "version https://git-lfs.github.com/spec/v1\n",
    "version https://hawser.github.com/spec/v1\n",
    "version http://git-media.io/v/2\n", NULL};

static bool
take_version(struct cursor *c)
{
	for (const char *const *v = versions; *v != NULL; v++)
		if (cursor_match(c, (const uint8_t *)*v, strlen(*v)))
			return true;
	return false;
}

static unsigned
lfs_bid(struct cursor head, uint64_t size)
{
	(void)size;
	return take_version(&head) ? 64 : 0;
}

static bool
take_oid(struct cursor *line, char oid[65])
{
	uint8_t raw[32];

	if (!cursor_match(line, (const uint8_t *)"oid sha256:", 11) ||
	    cursor_left(line) != 64 ||
	    !text_unhex(raw, (const char *)line->buf + line->off, 64))
		return false;
	memcpy(oid, line->buf + line->off, 64);
	oid[64] = '\0';
	return true;
}

bool
lfs_pointer(struct cursor *c, struct lfs_pointer *ret)
{
	struct cursor line, digits;
	bool named = false;

	if (!take_version(c))
		return false;
	while (cursor_line(c, '\n', &line)) {
		digits = line;
		if (take_oid(&line, ret->oid))
			named = true;
		else if (cursor_match(&digits, (const uint8_t *)"size ", 5) &&
		    text_u64((const char *)digits.buf + digits.off,
		    cursor_left(&digits), 10, UINT64_MAX, &ret->size))
			return named;
	}
	return false;
}

static int
told(struct parse *p, enum anomaly id, uint64_t off)
{
	int r = format_anomaly(p, id, off, 0, NULL, 0);

	return r < 0 ? r : 1;
}

static int
lfs_parse(struct parse *p)
{
	uint8_t raw[LFS_POINTER_MAX];
	struct lfs_pointer pointer;
	struct fact facts[2];
	struct cursor c;
	size_t n;
	int r;

	if ((r = bytesrc_read_some(p->src, 0, raw, sizeof(raw), &n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, raw, n, 0);
	if (!lfs_pointer(&c, &pointer))
		return told(p, c.off > 0 && p->size < LFS_POINTER_MAX ?
		    ANOMALY_TRUNCATED : ANOMALY_MALFORMED, c.off);
	facts[0] = (struct fact)FACT_TEXT("sha256", pointer.oid, 64);
	facts[1] = (struct fact)FACT_NUM("size", pointer.size);
	if ((r = format_anomaly(p, ANOMALY_LFS_POINTER, 0, c.off, facts,
	    2)) < 0)
		return r;
	if (c.off < p->size)
		r = format_anomaly(p, ANOMALY_TRAILING, c.off,
		    p->size - c.off, NULL, 0);
	return r;
}

const struct format format_lfs_pointer = {
    .name = "lfs_pointer",
    .kind = FORMAT_DATA,
    .bid = lfs_bid,
    .parse = lfs_parse,
};
