#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bug.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * The first byte's lowest bit chooses JSON or YAML.  What is asserted: a
 * fault has a place inside the bytes; of a tree, that every node's place is
 * inside them, that it ends within the limits with every alias followed, that
 * each key is found and counted, and that a second reading is the same.
 */
typedef int doc_read(const void *p, size_t n, struct arena *a,
    const struct doc **ret, struct doc_fault *at, struct err *e);

static size_t limit;

static uint64_t
walk(const struct doc *d, unsigned depth, uint64_t *left)
{
	uint64_t hash = (uint64_t)d->type * 31 + d->off;
	uint32_t n = 0;

	BUG_ON(depth > LIMIT_JSON_DEPTH + 2 || (*left)-- == 0);
	BUG_ON(d->off > limit || d->key_off > limit);
	for (size_t i = 0; i < d->len && d->str != NULL; i++)
		hash = hash * 131 + (uint8_t)d->str[i];
	BUG_ON((d->type == DOC_LIST || d->type == DOC_MAP) !=
	    (d->str == NULL));
	for (const struct doc *k = d->first; k != NULL; k = k->next, n++) {
		if (d->type == DOC_MAP) {
			const struct doc *found = doc_keyn(d, k->key,
			    k->key_len);

			BUG_ON(doc_count(d, k->key, k->key_len) == 0);
			BUG_ON(found == NULL || found->key_off < k->key_off);
		}
		hash = hash * 31 + walk(k, depth + 1, left);
	}
	BUG_ON(n != d->n);
	return hash;
}

static uint64_t
read_one(doc_read *read, const uint8_t *p, size_t n)
{
	struct arena *a = arena_new(LIMIT_ARENA);
	struct doc_fault at = {0, 0, 0, NULL};
	struct err e = ERR_INIT;
	const struct doc *d = NULL;
	uint64_t hash, left = LIMIT_DOC_NODES;
	int r;

	BUG_ON(a == NULL);
	r = read(p, n, a, &d, &at, &e);
	if (r == 0) {
		hash = walk(d, 0, &left);
		(void)doc_get(d, "0.a.b");
	} else {
		BUG_ON(r != ERR_FORMAT && r != ERR_TRUNC && r != ERR_LIMIT);
		BUG_ON(d != NULL || at.what == NULL || at.line == 0);
		BUG_ON(at.column == 0 || at.off > n);
		hash = at.off;
	}
	arena_free(a);
	return hash;
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	doc_read *read;

	if (n == 0)
		return 0;
	read = (p[0] & 1) != 0 ? doc_yaml : doc_json;
	limit = n - 1;
	BUG_ON(read_one(read, p + 1, n - 1) != read_one(read, p + 1, n - 1));
	return 0;
}
