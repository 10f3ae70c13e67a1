#include <stdlib.h>
#include <string.h>

#include "analyzer/targets.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/reg/reg.h"

const char *
targets_prefix(const struct target *t, size_t *n)
{
	size_t end = t->root, at;

	while (end > 0 && t->path[end - 1] == '/')
		end--;
	for (at = end; at > 0 && t->path[at - 1] != '/'; at--)
		;
	*n = end - at;
	if ((*n == 1 && t->path[at] == '.') ||
	    (*n == 2 && memcmp(t->path + at, "..", 2) == 0))
		*n = 0;
	return t->path + at;
}

const char *
targets_below(const struct target *t)
{
	const char *p = t->path + t->root;

	return p + strspn(p, "/");
}

/* The names as the readers of registries want them; 0 or negative. */
static int
name_files(struct targets *t, size_t first, struct reg_file *file,
    struct arena *a)
{
	for (size_t i = first; i < t->count; i++) {
		const struct target *at = &t->list[i];
		const char *below = targets_below(at), *prefix;
		size_t n, len = strlen(below);
		char *path;

		prefix = targets_prefix(at, &n);
		if ((path = arena_alloc(a, n + len + 2)) == NULL)
			return ERR_NOMEM;
		memcpy(path, prefix, n);
		if (n > 0)
			path[n++] = '/';
		memcpy(path + n, below, len);
		file[i - first].path = path;
		file[i - first].path_len = n + len;
	}
	return 0;
}

static int
insert(struct targets *t, size_t first, struct err *e)
{
	struct target it = {.registry = true, .root = t->list[first].root};
	struct target *p;

	if (t->count == t->cap) {
		if ((p = reallocarray(t->list, t->cap + 1,
		    sizeof(*p))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		t->list = p;
		t->cap++;
	}
	if ((it.path = strndup(t->list[first].path, it.root)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	memmove(t->list + first + 1, t->list + first,
	    (t->count - first) * sizeof(*t->list));
	t->list[first] = it;
	t->count++;
	return 0;
}

int
targets_add_registry(struct targets *t, size_t first, struct err *e)
{
	struct reg_tree tree = {0};
	struct reg_file *file;
	struct arena *a;
	int r = 0;

	/* Of a file that is given its folder is the root, but not asked for. */
	if (first == t->count || t->list[first].root == 0 ||
	    !t->list[first].below)
		return 0;
	if ((a = arena_new(LIMIT_ARENA)) == NULL ||
	    (file = arena_array(a, t->count - first, sizeof(*file))) == NULL ||
	    name_files(t, first, file, a) < 0) {
		r = err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	tree.file = file;
	tree.files = reg_sort(file, t->count - first);
	if (reg_any(&tree))
		r = insert(t, first, e);
out:
	arena_free(a);
	return r;
}
