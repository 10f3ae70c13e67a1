#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/targets.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

/* More files than this in one call is a mistake, or an attack. */
#define TARGETS_MAX 20000000

/* Hugging Face repositories of each kind, and MLflow's. */
static const char *const markers[] = {"config.json", "tokenizer_config.json",
    "generation_config.json", "preprocessor_config.json",
    "processor_config.json", "adapter_config.json", "model_index.json",
    "modules.json", "chat_template.json", "chat_template.jinja", "MLmodel",
    NULL};

bool
targets_is_marker(const char *name)
{
	static const char index[] = ".index.json";
	size_t n = strlen(name), m = sizeof(index) - 1;

	for (const char *const *k = markers; *k != NULL; k++)
		if (strcmp(name, *k) == 0)
			return true;
	return n > m && strcmp(name + n - m, index) == 0;
}

static int
add(struct targets *t, const char *path, bool link, const char *problem,
    struct err *e)
{
	struct target *p;
	size_t cap;

	if (t->count == t->cap) {
		cap = t->cap == 0 ? 64 : 2 * t->cap;
		if (cap > TARGETS_MAX)
			return err_set(e, ERR_LIMIT, "too many files");
		if ((p = reallocarray(t->list, cap, sizeof(*p))) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		t->list = p;
		t->cap = cap;
	}
	p = &t->list[t->count];
	p->link = link;
	p->folder = p->registry = p->below = false;
	p->root = 0;
	p->problem = NULL;
	if ((p->path = strdup(path)) == NULL ||
	    (problem != NULL && (p->problem = strdup(problem)) == NULL)) {
		free(p->path);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	t->count++;
	return 0;
}

static int
compare_names(const void *a, const void *b)
{
	const char *const *x = a;
	const char *const *y = b;

	return strcmp(*x, *y);
}

/* Of a file that is given itself, its folder is the root. */
static size_t
root_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? 0 : slash == path ? 1 :
	    (size_t)(slash - path);
}

struct names {
	char **list;
	size_t count, cap;
};

static void
names_release(struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		free(n->list[i]);
	free(n->list);
}

static int
names_read(struct names *n, const char *dir, struct err *e)
{
	struct dirent *de;
	char **p;
	DIR *d;
	int r = 0;

	if ((d = opendir(dir)) == NULL)
		return err_sys(e, errno, "cannot read directory");
	while (r == 0 && (errno = 0, de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (n->count == n->cap) {
			n->cap = n->cap == 0 ? 64 : 2 * n->cap;
			if ((p = reallocarray(n->list, n->cap,
			    sizeof(*p))) == NULL) {
				r = err_set(e, ERR_NOMEM, "out of memory");
				break;
			}
			n->list = p;
		}
		if ((n->list[n->count] = strdup(de->d_name)) == NULL)
			r = err_set(e, ERR_NOMEM, "out of memory");
		else
			n->count++;
	}
	if (r == 0 && errno != 0)
		r = err_sys(e, errno, "cannot read directory");
	(void)closedir(d);
	if (n->count > 0)
		qsort(n->list, n->count, sizeof(*n->list), compare_names);
	return r;
}

static bool
is_repository(const struct names *n)
{
	for (size_t i = 0; i < n->count; i++)
		if (targets_is_marker(n->list[i]))
			return true;
	return false;
}

static int add_tree(struct targets *t, const char *path, unsigned depth,
    struct err *e);

static int
add_entry(struct targets *t, const char *path, unsigned depth, struct err *e)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return add(t, path, false, strerrordesc_np(errno), e);
	if (S_ISLNK(st.st_mode))
		return add(t, path, true, NULL, e);
	if (S_ISDIR(st.st_mode))
		return add_tree(t, path, depth + 1, e);
	if (!S_ISREG(st.st_mode))
		return add(t, path, false, "not a regular file", e);
	return add(t, path, false, NULL, e);
}

/* Depth is bounded, so is the recursion. */
static int
add_tree(struct targets *t, const char *path, unsigned depth, struct err *e)
{
	struct err why = ERR_INIT;
	struct names names = {0};
	char *child;
	int r = 0;

	if (depth > LIMIT_WALK_DEPTH)
		return add(t, path, false, "directories nest too deep", e);
	if (names_read(&names, path, &why) < 0)
		r = add(t, path, false, why.msg, e);
	else if (is_repository(&names) &&
	    (r = add(t, path, false, NULL, e)) == 0)
		t->list[t->count - 1].folder = true;
	for (size_t i = 0; i < names.count && r == 0; i++) {
		if (asprintf(&child, "%s%s%s", path,
		    path[strlen(path) - 1] == '/' ? "" : "/",
		    names.list[i]) < 0) {
			r = err_set(e, ERR_NOMEM, "out of memory");
			break;
		}
		r = add_entry(t, child, depth, e);
		free(child);
	}
	names_release(&names);
	return r;
}

int
targets_add(struct targets *t, const char *path, struct err *e)
{
	char shown[128];
	size_t first = t->count, root;
	struct stat st;
	int r;

	if (*path == '\0')
		return err_set(e, ERR_ARG, "an empty path");
	if (stat(path, &st) < 0)
		return err_sys(e, errno, "cannot read '%s'",
		    text_z(shown, sizeof(shown), path, strlen(path)));
	if (S_ISDIR(st.st_mode)) {
		r = add_tree(t, path, 0, e);
		root = strlen(path);
	} else {
		r = add(t, path, false, S_ISREG(st.st_mode) ? NULL :
		    "not a regular file", e);
		root = root_of(path);
	}
	for (size_t i = first; i < t->count; i++) {
		t->list[i].root = root;
		t->list[i].below = S_ISDIR(st.st_mode);
	}
	return r;
}

uint64_t
targets_size(const struct targets *t, uint64_t enough)
{
	uint64_t sum = 0;
	struct stat st;

	for (size_t i = 0; i < t->count && sum <= enough; i++) {
		if (t->list[i].link || t->list[i].problem != NULL ||
		    stat(t->list[i].path, &st) < 0 || st.st_size < 0)
			continue;
		sum = (uint64_t)st.st_size > enough ? enough + 1 :
		    sum + (uint64_t)st.st_size;
	}
	return sum;
}

void
targets_release(struct targets *t)
{
	for (size_t i = 0; i < t->count; i++) {
		free(t->list[i].path);
		free(t->list[i].problem);
	}
	free(t->list);
	*t = (struct targets){0};
}
