#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "base/limits.h"
#include "cli/rows.h"

bool
rows_choose(struct rows *r, const char *format)
{
	*r = (struct rows){0};
	if (format == NULL || strcmp(format, "text") == 0)
		return true;
	r->json = true;
	r->array = strcmp(format, "json") == 0;
	return r->array || strcmp(format, "jsonl") == 0;
}

void
rows_open(struct rows *r, struct buf *b)
{
	if (r->array)
		buf_puts(b, r->any ? ",\n" : "[\n");
	r->any = true;
}

void
rows_close(struct rows *r, struct buf *b)
{
	if (r->json && !r->array)
		buf_putc(b, '\n');
}

void
rows_end(struct rows *r, struct buf *b)
{
	if (r->array)
		buf_puts(b, r->any ? "\n]\n" : "[]\n");
}

int
rows_finish(struct rows *r, int fd, struct err *e)
{
	struct buf b;
	int ret;

	buf_init(&b, KIB);
	rows_end(r, &b);
	if ((ret = buf_failed(&b)) < 0)
		ret = err_set(e, (enum err_code)ret, "out of memory");
	else
		ret = fsio_write_all(fd, b.p, b.len, e);
	buf_release(&b);
	return ret;
}
