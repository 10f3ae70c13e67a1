#include <magic.h>
#include <stdlib.h>

#include "base/err.h"
#include "formats/magic.h"

struct magic {
	magic_t cookie;
};

int
magic_open_db(struct magic **ret, struct err *e)
{
	struct magic *m;

	if ((m = calloc(1, sizeof(*m))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	m->cookie = magic_open(MAGIC_RAW | MAGIC_NO_CHECK_COMPRESS |
	    MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_CDF);
	if (m->cookie == NULL || magic_load(m->cookie, NULL) != 0) {
		magic_close_db(m);
		return err_set(e, ERR_NOTFOUND,
		    "cannot load libmagic's database");
	}
	*ret = m;
	return 0;
}

void
magic_close_db(struct magic *m)
{
	if (m == NULL)
		return;
	if (m->cookie != NULL)
		magic_close(m->cookie);
	free(m);
}

const char *
magic_label(struct magic *m, const void *head, size_t n)
{
	return magic_buffer(m->cookie, head, n);
}
