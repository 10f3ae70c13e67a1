#include <string.h>

#include "base/bytesrc.h"
#include "base/text.h"
#include "formats/format.h"

/*
 * A pointer of Git LFS (git-lfs, docs/spec.md): what stands in a repository
 * instead of a large file, and what a download without LFS leaves there.
 *
 *	version https://git-lfs.github.com/spec/v1
 *	oid sha256:<64 hexadecimal digits>
 *	size <decimal>
 *
 * Lines "ext-N-..." may stand before the oid.  A pointer has less than 1024
 * bytes.  The model is not here: that is what is told.
 */
#define POINTER_MAX 1023

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
is_oid(const struct cursor *line)
{
	struct cursor c = *line;
	uint8_t raw[32];

	return cursor_match(&c, (const uint8_t *)"oid sha256:", 11) &&
	    cursor_left(&c) == 64 &&
	    text_unhex(raw, (const char *)c.buf + c.off, 64);
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
	uint8_t raw[POINTER_MAX];
	struct cursor c, line, oid = {0};
	struct fact facts[2];
	uint64_t size = 0;
	bool sized = false;
	size_t n;
	int r;

	if ((r = bytesrc_read_some(p->src, 0, raw, sizeof(raw), &n,
	    p->e)) < 0)
		return r;
	cursor_init(&c, raw, n, 0);
	if (!take_version(&c))
		return told(p, ANOMALY_MALFORMED, 0);
	while (!sized && cursor_line(&c, '\n', &line)) {
		if (is_oid(&line))
			oid = line;
		else if (cursor_match(&line, (const uint8_t *)"size ", 5))
			sized = text_u64((const char *)line.buf + line.off,
			    cursor_left(&line), 10, UINT64_MAX, &size);
	}
	if (!sized || oid.len == 0)
		return told(p, p->size < POINTER_MAX ? ANOMALY_TRUNCATED :
		    ANOMALY_MALFORMED, c.off);
	facts[0] = (struct fact)FACT_TEXT("sha256", oid.buf + 11, 64);
	facts[1] = (struct fact)FACT_NUM("size", size);
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
