#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/inode.h"
#include "collector/run.h"

/*
 * Extended attributes (the l-calls follow no link) and the map of holes.
 * The path goes through the directory's descriptor in /proc, so it cannot
 * be exchanged for another.
 */
#define LIST_MAX (64 * KIB)
#define HOLES_MAX 1024

static void
proc_path(char *dst, size_t n, const struct object *o)
{
	(void)snprintf(dst, n, "/proc/self/fd/%d/%s", o->dir, o->name);
}

/* The values together may take ${left}: a hostile file has thousands. */
static bool
put_value(struct json_write *w, const char *path, const char *name,
    bool magic, size_t *left)
{
	static uint8_t value[LIMIT_XATTR_BYTES];
	bool whole = true;
	struct buf b;
	ssize_t n;

	json_begin_object(w);
	json_ktext(w, "name", name, strlen(name));
	n = magic ? getxattr(path, name, value, sizeof(value)) :
	    lgetxattr(path, name, value, sizeof(value));
	if (n >= 0 && (size_t)n > *left) {
		json_ku64(w, "left_out", (uint64_t)n);
		whole = false;
	} else if (n >= 0) {
		*left -= (size_t)n;
		buf_init(&b, 2 * LIMIT_XATTR_BYTES);
		buf_base64(&b, value, (size_t)n);
		json_kstr(w, "base64", buf_str(&b));
		buf_release(&b);
	} else {
		json_kstr(w, "errno", strerrorname_np(errno));
	}
	json_end_object(w);
	return whole;
}

bool
meta_xattrs(struct json_write *w, const struct object *o,
    const struct taken *t)
{
	static char list[LIST_MAX];
	char path[LIMIT_PATH + 64];
	size_t left = LIMIT_XATTR_BYTES;
	bool whole = true;
	ssize_t n;

	if (t != NULL && t->bare) {
		json_key(w, "xattrs");
		json_begin_array(w);
		json_end_array(w);
		return true;
	}
	proc_path(path, sizeof(path), o);
	n = o->magic ? listxattr(path, list, sizeof(list)) :
	    llistxattr(path, list, sizeof(list));
	json_key(w, "xattrs");
	if (n < 0) {
		/* Not supported is not "none". */
		json_str(w, strerrorname_np(errno));
		return true;
	}
	json_begin_array(w);
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(list + i) + 1)
		if (!put_value(w, path, list + i, o->magic, &left))
			whole = false;
	json_end_array(w);
	return whole;
}

/* One range, seen while it was read. */
static void
put_whole(struct json_write *w, uint64_t size)
{
	json_begin_array(w);
	json_begin_array(w);
	json_u64(w, 0);
	json_u64(w, size);
	json_end_array(w);
	json_end_array(w);
}

void
meta_holes(struct json_write *w, const struct object *o,
    const struct taken *t)
{
	off_t data = 0, hole = 0;
	unsigned n = 0;
	int fd;

	if (t->dense) {
		json_key(w, "data_ranges");
		put_whole(w, t->before.stx_size);
		return;
	}
	fd = openat(o->dir, o->name, O_RDONLY | O_NONBLOCK | O_NOCTTY |
	    O_CLOEXEC | (o->magic ? 0 : O_NOFOLLOW));
	json_key(w, "data_ranges");
	/* Does the name still lead to what was read? */
	if (fd < 0 || !inode_is(fd, &o->st) ||
	    (lseek(fd, 0, SEEK_DATA) < 0 && errno != ENXIO)) {
		/* Not known is not "nothing but holes". */
		json_null(w);
		if (fd >= 0)
			(void)close(fd);
		return;
	}
	json_begin_array(w);
	while ((data = lseek(fd, hole, SEEK_DATA)) >= 0 &&
	    (hole = lseek(fd, data, SEEK_HOLE)) > data && n++ < HOLES_MAX) {
		json_begin_array(w);
		json_u64(w, (uint64_t)data);
		json_u64(w, (uint64_t)(hole - data));
		json_end_array(w);
	}
	json_end_array(w);
	if (n > HOLES_MAX)
		json_kbool(w, "data_ranges_cut", true);
	(void)close(fd);
}
