#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "collector/plan.h"
#include "tests/fuzz/fuzz_common.h"

/*
 * A plan is refused with a place, or whole: each source has a path, a class
 * and settings that exist; and it means the same when it is read again.
 */
static void
check(const struct plan *p)
{
	if (p->nsources == 0 || p->nsources > LIMIT_PLAN_SOURCES)
		abort();
	for (size_t i = 0; i < p->nsources; i++) {
		const struct collect_source *s = &p->sources[i];

		if (s->path == NULL || s->class >= BAG_CLASSES ||
		    s->kind >= SOURCE_SYSTEMS ||
		    strlen(s->path) >= LIMIT_PATH)
			abort();
		if (s->slice != NULL && s->class != BAG_TRAINING)
			abort();
	}
	if (p->has_nice && (p->nice < 0 || p->nice > 19))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct plan *a = NULL, *b = NULL;
	struct err e = ERR_INIT, f = ERR_INIT;
	int r = plan_parse("p", p, n, &a, &e);

	if (r != plan_parse("p", p, n, &b, &f) ||
	    strcmp(e.msg, f.msg) != 0)
		abort();
	if (r == 0)
		check(a);
	else if (r == ERR_FORMAT && strncmp(e.msg, "p:", 2) != 0)
		abort();
	plan_free(a);
	plan_free(b);
	return 0;
}
