#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
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

static void
put_value(struct json_write *w, const char *path, const char *name)
{
	static uint8_t value[LIMIT_XATTR_BYTES];
	struct buf b;
	ssize_t n;

	json_begin_object(w);
	json_ktext(w, "name", name, strlen(name));
	n = lgetxattr(path, name, value, sizeof(value));
	if (n >= 0) {
		buf_init(&b, 2 * LIMIT_XATTR_BYTES);
		buf_base64(&b, value, (size_t)n);
		json_kstr(w, "base64", buf_str(&b));
		buf_release(&b);
	} else {
		json_kstr(w, "errno", strerrorname_np(errno));
	}
	json_end_object(w);
}

void
meta_xattrs(struct json_write *w, const struct object *o)
{
	static char list[LIST_MAX];
	char path[LIMIT_PATH + 64];
	ssize_t n;

	proc_path(path, sizeof(path), o);
	n = llistxattr(path, list, sizeof(list));
	json_key(w, "xattrs");
	if (n < 0) {
		/* Not supported is not "none". */
		json_str(w, strerrorname_np(errno));
		return;
	}
	json_begin_array(w);
	for (ssize_t i = 0; i < n; i += (ssize_t)strlen(list + i) + 1)
		put_value(w, path, list + i);
	json_end_array(w);
}

void
meta_holes(struct json_write *w, const struct collect *c,
    const struct object *o)
{
	off_t data = 0, hole = 0;
	unsigned n = 0;
	int fd;

	(void)c;
	fd = openat(o->dir, o->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_NOCTTY | O_CLOEXEC);
	json_key(w, "data_ranges");
	if (fd < 0) {
		json_null(w);
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
