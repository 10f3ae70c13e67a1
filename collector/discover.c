#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/discover.h"
#include "collector/names.h"
#include "collector/shape.h"

/*
 * The names of a folder are read whole and sorted, so that the same tree
 * gives the same plan.  Files of a class directly in a folder make one source
 * when there are several and nothing else of the folder is known: the folder;
 * else each is a source, to a number, and past that the folder with a note.
 */
/* Files of one folder that are listed one by one. */
#define LISTED 16
#define NAMES_MAX 100000

struct walk {
	const struct discover_limits *l;
	struct buf *out;
	struct err *e;
	uint64_t left;		/* names */
	unsigned found;
	unsigned deep, unread, mounts;	/* folders not looked into */
	dev_t dev;
	bool cut;
};

struct entry {
	char *name;
	bool folder;
	dev_t dev;
};

struct folder {
	int fd;
	struct entry *list;
	size_t count, cap;
	bool unread;		/* something of it */
};

static int look(struct walk *w, int dir, const char *name, const char *path,
    unsigned depth);

static void
folder_release(struct folder *f)
{
	for (size_t i = 0; i < f->count; i++)
		free(f->list[i].name);
	free(f->list);
	if (f->fd >= 0)
		(void)close(f->fd);
}

static int
compare(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static int
add_entry(struct walk *w, struct folder *f, const char *name)
{
	struct entry *p;
	struct stat st;

	if (fstatat(f->fd, name, &st, AT_SYMLINK_NOFOLLOW |
	    AT_NO_AUTOMOUNT) < 0) {
		f->unread = f->unread || errno != ENOENT; /* gone since */
		return 0;
	}
	if (!S_ISDIR(st.st_mode) && !S_ISREG(st.st_mode) &&
	    !S_ISLNK(st.st_mode))
		return 0;
	if (f->list == NULL || f->count == f->cap) {
		f->cap = f->cap == 0 ? 64 : 2 * f->cap;
		if ((p = reallocarray(f->list, f->cap, sizeof(*p))) == NULL)
			return err_set(w->e, ERR_NOMEM, "out of memory");
		f->list = p;
	}
	p = &f->list[f->count];
	*p = (struct entry){.folder = S_ISDIR(st.st_mode), .dev = st.st_dev};
	if ((p->name = strdup(name)) == NULL)
		return err_set(w->e, ERR_NOMEM, "out of memory");
	f->count++;
	return 0;
}

/* Its names, as far as the limit allows. */
static int
read_folder(struct walk *w, struct folder *f)
{
	int copy = fcntl(f->fd, F_DUPFD_CLOEXEC, 3), r = 0;
	DIR *d = copy >= 0 ? fdopendir(copy) : NULL;
	struct dirent *de;

	if (d == NULL) {
		if (copy >= 0)
			(void)close(copy);
		w->unread++;
		return 0;
	}
	while (r >= 0 && (errno = 0, de = readdir(d)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		if (w->left == 0 || f->count >= NAMES_MAX) {
			w->cut = true;
			break;
		}
		w->left--;
		r = add_entry(w, f, de->d_name);
	}
	/* At its end errno is as it was set; else the list was cut. */
	f->unread = f->unread || (r >= 0 && de == NULL && errno != 0);
	w->unread += f->unread;
	(void)closedir(d);
	if (f->count > 0)
		qsort(f->list, f->count, sizeof(*f->list), compare);
	return r;
}

static bool
has(void *ctx, const char *entry)
{
	const struct folder *f = ctx;
	const char *slash = strchr(entry, '/');
	struct stat st;

	/* "0/meta.yaml": below, by name alone. */
	if (slash != NULL && slash[1] != '\0')
		return fstatat(f->fd, entry, &st, AT_SYMLINK_NOFOLLOW) == 0;
	for (size_t i = 0; i < f->count; i++)
		if (shape_is(f->list[i].name, f->list[i].folder, entry))
			return true;
	return false;
}

/* YAML cannot hold bytes that are not text: then in hex. */
static void
put_path(struct buf *b, const char *path)
{
	size_t n = strlen(path), used;
	char *shown = malloc(TEXT_GROWTH * n + 1);

	if (shown != NULL && text_printable(shown, TEXT_GROWTH * n + 1,
	    (const uint8_t *)path, n, TEXT_PLAIN, &used) == n &&
	    memcmp(shown, path, n) == 0) {
		buf_puts(b, "path: \"");
		for (const char *p = path; *p != '\0'; p++) {
			if (*p == '"')
				buf_putc(b, '\\');
			buf_putc(b, *p);
		}
		buf_putc(b, '"');
	} else {
		buf_puts(b, "path-hex: ");
		buf_hex(b, path, n);
		buf_puts(b, "  # ");
		text_put(b, path, n, TEXT_PLAIN);
	}
	free(shown);
}

static int
put_source(struct walk *w, const struct shape *s, const char *path,
    const char *note)
{
	struct buf *b = w->out;

	if (w->found == LIMIT_PLAN_SOURCES || b->len > LIMIT_PLAN / 2) {
		w->cut = true;
		return 0;
	}
	w->found++;
	buf_printf(b, "# %s%s\n- class: %s\n", s->what, note,
	    bag_class_name(s->class));
	if (s->kind != SOURCE_FILES)
		buf_printf(b, "  kind: %s\n", source_system_name(s->kind));
	buf_puts(b, "  ");
	put_path(b, path);
	buf_putc(b, '\n');
	return buf_failed(b) < 0 ? err_set(w->e, ERR_LIMIT,
	    "the proposal is too long") : 0;
}

static char *
join(struct walk *w, const char *path, const char *name)
{
	char *ret;

	if (asprintf(&ret, "%s%s%s", path, strcmp(path, "/") == 0 ? "" : "/",
	    name) < 0) {
		(void)err_set(w->e, ERR_NOMEM, "out of memory");
		return NULL;
	}
	return ret;
}

/* The model files, logs, data directly in a folder, class by class. */
static int
put_files(struct walk *w, const struct folder *f, const char *path)
{
	unsigned count[BAG_CLASSES] = {0};
	const char *folder = strrchr(path, '/') + 1;
	struct shape s, all[BAG_CLASSES];
	char *full;
	int r = 0;

	for (size_t i = 0; i < f->count; i++)
		if (!f->list[i].folder && shape_file(f->list[i].name,
		    folder, &s)) {
			all[s.class] = s;
			count[s.class]++;
		}
	for (unsigned c = 0; c < BAG_CLASSES && r >= 0; c++)
		if (count[c] > LISTED)
			r = put_source(w, &all[c], path,
			    ": many, so the whole folder");
	for (size_t i = 0; i < f->count && r >= 0; i++) {
		if (f->list[i].folder || !shape_file(f->list[i].name,
		    folder, &s) ||
		    count[s.class] > LISTED)
			continue;
		if ((full = join(w, path, f->list[i].name)) == NULL)
			return ERR_NOMEM;
		if (strlen(full) < LIMIT_PATH)
			r = put_source(w, &s, full, "");
		else
			w->cut = true;
		free(full);
	}
	return r;
}

static int
look_below(struct walk *w, const struct folder *f, const char *path,
    unsigned depth)
{
	char *full;
	int r = 0;

	for (size_t i = 0; i < f->count && r >= 0; i++) {
		if (!f->list[i].folder)
			continue;
		if (f->list[i].dev != w->dev && !w->l->mounts) {
			w->mounts++;
			continue;
		}
		if ((full = join(w, path, f->list[i].name)) == NULL)
			return ERR_NOMEM;
		if (strlen(full) >= LIMIT_PATH || depth == w->l->depth)
			w->deep++;
		else
			r = look(w, f->fd, f->list[i].name, full, depth + 1);
		free(full);
	}
	return r;
}

/* Depth, and so the recursion, is bounded by the limits. */
static int
look(struct walk *w, int dir, const char *name, const char *path,
    unsigned depth)
{
	struct folder f = {.fd = names_open(dir, name)};
	struct shape s;
	int r;

	if (f.fd < 0) {
		w->unread++;
		return 0;
	}
	if ((r = read_folder(w, &f)) < 0)
		goto out;
	if (shape_folder(name, has, &f, &s)) {
		r = put_source(w, &s, path, "");
		goto out;
	}
	if ((r = put_files(w, &f, path)) >= 0)
		r = look_below(w, &f, path, depth);
out:
	folder_release(&f);
	return r;
}

static void
put_head(struct buf *b, const char *dir)
{
	buf_puts(b, "# A proposal, by names alone: nothing was read.  Change "
	    "it, then:\n#   exhibit collect --case DIR THIS-FILE\n"
	    "# Looked below ");
	text_put(b, dir, strlen(dir), TEXT_PLAIN);
	buf_puts(b, "\n#case: \n#exhibit: \n#authority: \n#purpose: \n"
	    "#examiner: \nscope:\n  follow-mounts: local\n"
	    "#limits: {rate: 50M, nice: 10}\n");
}

static void
put_tail(const struct walk *w)
{
	struct buf *b = w->out;

	if (w->found == 0)
		buf_puts(b, "# Nothing was found: a plan needs sources.\n");
	if (w->cut)
		buf_puts(b, "# NOT ALL OF IT: a limit ended the search.\n");
	if (w->deep > 0)
		buf_printf(b, "# %u folders lie deeper than was looked.\n",
		    w->deep);
	if (w->unread > 0)
		buf_printf(b, "# %u folders cannot be read, or not all of "
		    "them.\n", w->unread);
	if (w->mounts > 0)
		buf_printf(b, "# %u other file systems were not entered "
		    "(--follow-mounts all).\n", w->mounts);
}

/* The folder itself, by its own name below its parent. */
static int
look_first(struct walk *w, const char *path)
{
	char parent[LIMIT_PATH];
	const char *name;
	char *slash;
	int fd, r;

	(void)snprintf(parent, sizeof(parent), "%s", path);
	slash = strrchr(parent, '/');
	slash[slash == parent ? 1 : 0] = '\0';
	if ((fd = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC)) < 0)
		return err_sys(w->e, errno, "cannot open the folder's parent");
	name = strrchr(path, '/') + 1;
	r = look(w, fd, *name != '\0' ? name : ".", path, 0);
	(void)close(fd);
	return r;
}

int
discover(const char *dir, const struct discover_limits *limits,
    struct buf *ret, unsigned *n, struct err *e)
{
	struct walk w = {.l = limits, .out = ret, .e = e,
	    .left = limits->entries};
	char *path = realpath(dir, NULL), shown[128];
	struct stat st;
	int r, fd;

	if (path == NULL || (fd = names_open(AT_FDCWD, path)) < 0) {
		r = err_sys(e, errno, "cannot open '%s'", text_z(shown,
		    sizeof(shown), dir, strlen(dir)));
		free(path);
		return r;
	}
	if (fstat(fd, &st) == 0)
		w.dev = st.st_dev;
	(void)close(fd);
	put_head(ret, path);
	buf_puts(ret, "sources:\n");
	r = look_first(&w, path);
	put_tail(&w);
	if (r >= 0 && (r = buf_failed(ret)) < 0)
		(void)err_set(e, (enum err_code)r, "out of memory");
	free(path);
	*n = w.found;
	return r;
}
