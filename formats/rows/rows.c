#include <string.h>

#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/cursor.h"
#include "base/err.h"
#include "formats/rows/rows.h"

void
rows_tell(const struct rows_params *p, uint32_t file, uint64_t off,
    const char *what)
{
	if (p->tell != NULL)
		p->tell(p->ctx, file, off, what);
}

int
rows_bad(const struct rows_params *p, uint32_t file, uint64_t off,
    const char *what, struct err *e)
{
	bool first = e != NULL && e->code == ERR_OK;

	rows_tell(p, file, off, what);
	(void)err_set(e, ERR_FORMAT, "%s", what);
	if (first)
		e->off = off;
	return ERR_FORMAT;
}

bool
rows_mark(struct cursor *c)
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};

	return cursor_match(c, mark, sizeof(mark));
}

int
rows_load(const struct bytesrc *src, uint64_t off, uint64_t n, struct buf *b,
    struct err *e)
{
	uint8_t chunk[4096];
	size_t some;
	int r;

	for (; n > 0 && !buf_failed(b); off += some, n -= some) {
		some = n < sizeof(chunk) ? (size_t)n : sizeof(chunk);
		if ((r = bytesrc_read(src, off, chunk, some, e)) < 0)
			return r;
		buf_put(b, chunk, some);
	}
	return 0;
}

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
rows_named(const struct rows_file *f, const char *suffix)
{
	size_t n = strlen(suffix);

	if (n > f->name_len)
		return false;
	for (size_t i = 0; i < n; i++)
		if (lower(f->name[f->name_len - n + i]) != suffix[i])
			return false;
	return true;
}
