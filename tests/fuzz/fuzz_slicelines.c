#include <stdlib.h>
#include <string.h>

#include "analyzer/intake/slicelines.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/limits.h"
#include "tests/fuzz/fuzz_common.h"

/* Lines end; what is found is what was kept; hex is half as long. */
static void
look(const struct slicelines *l, struct arena *a)
{
	uint64_t v;
	size_t n;

	for (size_t i = 0; i < l->n; i++) {
		const char *key = l->v[i].key, *s = slicelines_str(l, key);
		const char *hex = slicelines_hex(l, key, a, &n);

		if (hex != NULL && (s == NULL || hex[n] != '\0'))
			abort();
		if (s != NULL && (slicelines_u64(l, key, &v) ||
		    slicelines_true(l, key)))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct bytesrc *src = bytesrc_mem(p, n, NULL);
	struct arena *a = arena_new(16 * MIB);
	struct slicelines l;
	uint64_t left = n + 1;

	if (src == NULL || a == NULL || slicelines_open(&l, src, NULL) < 0)
		abort();
	while (slicelines_next(&l, NULL) > 0) {
		if (reader_left(&l.r) >= left)
			abort();
		left = reader_left(&l.r);
		look(&l, a);
	}
	slicelines_close(&l);
	arena_free(a);
	return 0;
}
