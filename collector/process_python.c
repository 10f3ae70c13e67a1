#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "collector/names.h"
#include "collector/process.h"
#include "collector/proctext.h"

/*
 * Python packages with their versions, by the names of *.dist-info and
 * *.egg-info in the folders that the interpreter looks in: those that mapped
 * files lie in, PYTHONPATH, VIRTUAL_ENV and the folders beside the executable.
 * Nothing is read but names.
 */
#define FOLDERS 64

struct folders {
	struct arena *arena;
	char *path[FOLDERS];
	size_t count;
	unsigned packages;
	bool cut;		/* more of either than are looked at */
};

static int
add(struct process *p, struct folders *f, const char *path, size_t n)
{
	if (n == 0 || n >= LIMIT_PATH || *path != '/')
		return 0;
	for (size_t i = 0; i < f->count; i++)
		if (strlen(f->path[i]) == n &&
		    memcmp(f->path[i], path, n) == 0)
			return 0;
	if (f->count == FOLDERS) {
		f->cut = true;
		return 0;
	}
	if ((f->path[f->count] = arena_dup(f->arena, path, n)) == NULL)
		return err_set(p->c->e, ERR_NOMEM, "out of memory");
	f->count++;
	return 0;
}

/* ".../site-packages" of a path that goes on behind it. */
static int
add_site(struct process *p, struct folders *f, const char *path, size_t n)
{
	static const char *const names[] = {"/site-packages/",
	    "/dist-packages/"};
	const char *at;
	int r = 0;

	for (size_t i = 0; i < 2 && r >= 0; i++)
		if ((at = memmem(path, n, names[i], strlen(names[i]))) !=
		    NULL)
			r = add(p, f, path, (size_t)(at - path) +
			    strlen(names[i]) - 1);
	return r;
}

static int
from_maps(struct process *p, struct folders *f)
{
	struct proctext_map m;
	struct cursor c;
	int r = 0;

	cursor_init(&c, p->maps.p, p->maps.len, 0);
	while (r >= 0 && proctext_map(&c, &m))
		if (m.path_n > 0)
			r = add_site(p, f, m.path, m.path_n);
	return r;
}

/* "/usr/bin/python3.11": its folders below ../lib. */
static int
from_exe(struct process *p, struct folders *f, const char *front, size_t n,
    const char *version)
{
	static const char *const back[] = {"site-packages", "dist-packages"};
	char path[LIMIT_PATH + 64];
	int r = 0;

	for (size_t i = 0; i < 2 && r >= 0; i++) {
		(void)snprintf(path, sizeof(path), "%.*s/lib/%.16s/%s",
		    (int)n, front, version, back[i]);
		r = add(p, f, path, strlen(path));
	}
	return r;
}

static int
from_environ(struct process *p, struct folders *f, const char *version)
{
	struct proctext_variable v;
	struct cursor c, list, word;
	int r = 0;

	/* Empty where it could not be read, which was said. */
	cursor_init(&c, p->environ.p, p->environ.len, 0);
	while (r >= 0 && proctext_variable(&c, &v)) {
		if (v.name_n == 11 && memcmp(v.name, "VIRTUAL_ENV", 11) == 0)
			r = from_exe(p, f, v.value, v.value_n < LIMIT_PATH ?
			    v.value_n : 0, version);
		if (v.name_n != 10 || memcmp(v.name, "PYTHONPATH", 10) != 0)
			continue;
		cursor_init(&list, (const uint8_t *)v.value, v.value_n, 0);
		while (r >= 0 && !cursor_at_end(&list)) {
			if (!cursor_line(&list, ':', &word) &&
			    !cursor_sub(&list, cursor_left(&list), &word))
				break;
			r = add(p, f, (const char *)word.buf, word.len);
		}
	}
	return r;
}

static int
put_package(struct process *p, struct folders *f, const char *folder,
    const char *entry)
{
	struct proctext_package k;
	struct json_write w;
	int r;

	if (!proctext_package(entry, &k))
		return 0;
	if (f->packages == LIMIT_PROC_PACKAGES) {
		f->cut = true;
		return 0;
	}
	f->packages++;
	if ((r = process_row(p, &w, "package")) < 0)
		return r;
	json_ktext(&w, "folder", folder, strlen(folder));
	json_ktext(&w, "name", entry, k.name_n);
	if (k.version_n > 0)
		json_ktext(&w, "version", entry + k.version_off, k.version_n);
	else
		json_knull(&w, "version");
	return process_row_end(p, &w);
}

/* Sorted, so that the same folder gives the same lines. */
static int
put_folder(struct process *p, struct folders *f, const char *folder)
{
	struct names names = {0};
	struct statx st;
	int path, fd, errnum, r = 0;

	errnum = process_lookup(p, folder, &st, &path);
	/* PYTHONPATH may name what is not there. */
	if (errnum != 0)
		return errnum == ENOENT || errnum == ENOTDIR ? 0 :
		    record_error(p->c, folder, "cannot look for packages",
		    errnum);
	if (!S_ISDIR(st.stx_mode)) {
		(void)close(path);
		return 0;
	}
	fd = names_open(path, ".");
	errnum = fd >= 0 ? names_read(&names, fd) : errno;
	if (errnum != 0)
		r = record_error(p->c, folder, "cannot read directory",
		    errnum);
	for (size_t i = 0; i < names.count && r >= 0; i++)
		r = put_package(p, f, folder, names.list[i]);
	names_free(&names);
	if (fd >= 0)
		(void)close(fd);
	(void)close(path);
	return r;
}

int
process_packages(struct process *p)
{
	char exe[LIMIT_PATH + 1] = "", *base, *bin;
	struct folders f = {0};
	int r;

	if (p->c->survey != NULL)
		return 0;
	if ((f.arena = arena_new(MIB)) == NULL)
		return err_set(p->c->e, ERR_NOMEM, "out of memory");
	(void)process_link(p, "exe", exe, sizeof(exe));
	if ((r = from_maps(p, &f)) >= 0 &&
	    (base = strrchr(exe, '/')) != NULL &&
	    strncmp(base + 1, "python", 6) == 0) {
		*base = '\0';
		if ((bin = strrchr(exe, '/')) != NULL)
			r = from_exe(p, &f, exe, (size_t)(bin - exe),
			    base + 1);
		if (r >= 0)
			r = from_environ(p, &f, base + 1);
		if (r >= 0)
			r = add(p, &f, "/usr/lib/python3/dist-packages",
			    strlen("/usr/lib/python3/dist-packages"));
	}
	for (size_t i = 0; i < f.count && r >= 0; i++)
		r = put_folder(p, &f, f.path[i]);
	if (r >= 0 && f.cut)
		r = process_error(p, "", "more packages, or folders of them, "
		    "than are listed", 0);
	arena_free(f.arena);
	return r;
}
