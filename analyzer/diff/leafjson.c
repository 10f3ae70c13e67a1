#include <stdbool.h>
#include <string.h>

#include "analyzer/diff/leafjson.h"
#include "analyzer/diff/leaves.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/flatjson.h"

/* Configurations have kilobytes. */
#define JSON_MAX (4 * MIB)

static bool
named(const struct leaf *leaf, const char *name)
{
	size_t n = strlen(name);

	return leaf->inner_len >= n && memcmp(leaf->inner + leaf->inner_len -
	    n, name, n) == 0 && (leaf->inner_len == n ||
	    leaf->inner[leaf->inner_len - n - 1] == '/');
}

const struct leaf *
leafjson_find(const struct leaves *l, const char *name)
{
	const struct leaf *best = NULL;

	for (size_t i = 0; i < l->n; i++)
		if (named(&l->v[i], name) && (best == NULL ||
		    l->v[i].path_len < best->path_len))
			best = &l->v[i];
	return best;
}

int
leafjson_read(const struct leaf *leaf, struct arena *arena,
    struct flat_list *ret, struct err *e)
{
	struct flatjson f = {.a = arena};
	struct err why = ERR_INIT;
	struct json_token tok;
	struct reader rd;
	struct json j;
	int r;

	if (leaf->size > JSON_MAX)
		return 1;
	if ((r = reader_init(&rd, leaf->src, 0, 0, arena, e)) < 0)
		return r;
	json_open(&j, &rd, arena);
	if (json_next(&j, &tok, &why) < 0 ||
	    flatjson_value(&f, "", &j, &tok, &why) < 0 ||
	    flatjson_done(&f, ret, &why) < 0)
		return 1;
	return 0;
}
