#include <stdlib.h>
#include <string.h>

#include "base/cursor.h"
#include "collector/proctext.h"
#include "tests/fuzz/fuzz_common.h"

/* What is taken lies in the text, and each reader comes to its end. */
static void
inside(const uint8_t *p, size_t n, const char *part, size_t len)
{
	if (len > 0 && ((const uint8_t *)part < p ||
	    (const uint8_t *)part + len > p + n))
		abort();
}

static void
lines(const uint8_t *p, size_t n)
{
	struct proctext_map m;
	struct cursor c;

	cursor_init(&c, p, n, 0);
	while (!cursor_at_end(&c)) {
		size_t was = cursor_left(&c);

		if (!proctext_map(&c, &m))
			break;
		if (cursor_left(&c) >= was || strlen(m.perms) > 4)
			abort();
		inside(p, n, m.path, m.path_n);
	}
}

static void
variables(const uint8_t *p, size_t n)
{
	struct proctext_variable v;
	struct cursor c;
	size_t sum = 0;

	cursor_init(&c, p, n, 0);
	while (proctext_variable(&c, &v)) {
		inside(p, n, v.name, v.name_n);
		inside(p, n, v.value, v.value_n);
		sum += v.name_n + v.value_n;
	}
	if (!cursor_at_end(&c) || sum > n)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct proctext_package k;
	char id[PROCTEXT_ID + 1], *entry;
	uint64_t a, b;
	struct cursor c;

	lines(p, n);
	variables(p, n);
	(void)proctext_stat(p, n, &a, &b);
	if (proctext_status(p, n, "Uid", &c))
		inside(p, n, (const char *)c.buf, c.len);
	(void)proctext_flags(p, n, &a);
	cursor_init(&c, p, n, 0);
	while (proctext_container(&c, id))
		if (strlen(id) != PROCTEXT_ID)
			abort();
	if ((entry = strndup((const char *)p, n)) == NULL)
		return 0;
	if (proctext_package(entry, &k) && (k.name_n == 0 ||
	    k.version_off + k.version_n > strlen(entry)))
		abort();
	free(entry);
	return 0;
}
