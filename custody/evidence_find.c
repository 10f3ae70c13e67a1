#include <string.h>

#include "base/err.h"
#include "custody/bag.h"
#include "custody/evidence_read.h"
#include "custody/tarhdr.h"

bool
evidence_is_bundle(const uint8_t *head, size_t n)
{
	size_t len = strlen(bag_bagit_txt), name;
	struct tarhdr h;
	const char *slash;

	if (n < (size_t)2 * TARHDR_SIZE || !tarhdr_read(head, &h) ||
	    h.type != '0' ||
	    h.size != len || (slash = strchr(h.name, '/')) == NULL)
		return false;
	name = (size_t)(slash - h.name);
	if (!bag_name_ok(h.name, name) || strcmp(slash + 1, BAG_BAGIT) != 0)
		return false;
	for (size_t i = 0; i < TARHDR_SIZE; i++)
		if (head[TARHDR_SIZE + i] != (i < len ?
		    (uint8_t)bag_bagit_txt[i] : 0))
			return false;
	return true;
}

int
evidence_find(const struct bytesrc *src, struct arena *a, const char *name,
    struct evidence_member *m, struct err *e)
{
	struct evidence_walk *w = NULL;
	struct evidence_member found;
	int r;

	if ((r = evidence_walk_new(src, a, &w, e)) < 0)
		return r;
	while ((r = evidence_walk_next(w, &found, e)) > 0)
		if (strcmp(found.name, name) == 0) {
			*m = found;
			return 1;
		}
	return r;
}
