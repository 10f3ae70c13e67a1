#include <string.h>

#include "base/buf.h"
#include "collector/run.h"

int
member_bytes(struct collect *c, const struct member_bytes *m,
    struct buf *name, struct evidence_place *at)
{
	uint64_t short_by;
	int r;

	if ((r = bag_member_name(name, m->class, m->path, strlen(m->path),
	    c->e)) < 0 ||
	    (r = evidence_begin(c->w, buf_str(name), m->n, m->mtime,
	    c->e)) < 0 ||
	    (m->n > 0 && (r = evidence_put(c->w, m->p, m->n, c->e)) < 0) ||
	    (r = evidence_end(c->w, at, &short_by, c->e)) < 0)
		return r;
	c->totals.stored++;
	c->totals.bytes += m->n;
	c->classes |= 1U << m->class;
	return 0;
}
