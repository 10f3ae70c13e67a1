#include <stddef.h>
#include <string.h>

#include "base/buf.h"
#include "collector/page_seen.h"

/* The ${i}-th page, or one that comes behind all others. */
static struct page_seen
at(const struct buf *b, size_t i)
{
	struct page_seen s = {UINT32_MAX, UINT32_MAX, {0}};

	if (i < b->len / sizeof(s))
		memcpy(&s, b->p + i * sizeof(s), sizeof(s));
	return s;
}

static int
order(const struct page_seen *a, const struct page_seen *b)
{
	if (a->endpoint != b->endpoint)
		return a->endpoint < b->endpoint ? -1 : 1;
	return (a->number > b->number) - (a->number < b->number);
}

void
page_seen_compare(const struct buf *first, const struct buf *second,
    uint64_t *other, uint64_t *alone)
{
	size_t i = 0, k = 0, size = sizeof(struct page_seen);

	*other = *alone = 0;
	while (i < first->len / size || k < second->len / size) {
		struct page_seen a = at(first, i), b = at(second, k);
		int o = order(&a, &b);

		*other += o == 0 && memcmp(a.sha256, b.sha256, 32) != 0;
		*alone += o != 0;
		i += o <= 0;
		k += o >= 0;
	}
}
