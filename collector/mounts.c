#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/cursor.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/hostfile.h"
#include "collector/mounts.h"

#define MOUNTINFO_MAX (16 * MIB)

void
mounts_init(struct mounts_facts *m)
{
	memset(m, 0, sizeof(*m));
	buf_init(&m->text, 8 * LIMIT_PATH);
}

void
mounts_release(struct mounts_facts *m)
{
	buf_release(&m->text);
}

/* --- /proc/self/mountinfo ------------------------------------------------- */

/* The next field, up to ${stop} or the end; false when it is empty. */
static bool
next_field(struct cursor *line, uint8_t stop, struct cursor *ret)
{
	return (cursor_line(line, stop, ret) ||
	    cursor_sub(line, cursor_left(line), ret)) && ret->len > 0;
}

static bool
number(struct cursor *line, uint8_t stop, uint64_t *ret)
{
	struct cursor f;

	return next_field(line, stop, &f) && text_u64((const char *)f.buf,
	    f.len, 10, UINT64_MAX, ret);
}

static bool
octal(const uint8_t *p, uint8_t *ret)
{
	if (p[0] < '0' || p[0] > '3' || p[1] < '0' || p[1] > '7' ||
	    p[2] < '0' || p[2] > '7')
		return false;
	*ret = (uint8_t)((p[0] - '0') << 6 | (p[1] - '0') << 3 |
	    (p[2] - '0'));
	return true;
}

/* Blank, tab, line feed and backslash are \ooo; where the copy begins. */
static size_t
keep(struct mounts_facts *m, const struct cursor *f)
{
	size_t at = m->text.len;
	uint8_t c;

	for (size_t i = 0; i < f->len; i++)
		if (f->buf[i] == '\\' && f->len - i > 3 &&
		    octal(f->buf + i + 1, &c)) {
			buf_putc(&m->text, (char)c);
			i += 3;
		} else {
			buf_putc(&m->text, (char)f->buf[i]);
		}
	buf_putc(&m->text, '\0');
	return at;
}

/* Is ${word} one of the comma-separated options? */
static bool
has_option(const struct cursor *f, const char *word)
{
	size_t n = strlen(word), begin = 0;

	for (size_t i = 0; i <= f->len; i++)
		if (i == f->len || f->buf[i] == ',') {
			if (i - begin == n &&
			    memcmp(f->buf + begin, word, n) == 0)
				return true;
			begin = i + 1;
		}
	return false;
}

static bool
starts(const struct cursor *f, const char *word)
{
	size_t n = strlen(word);

	return f->len >= n && memcmp(f->buf, word, n) == 0;
}

/* A past state by its own kind: zfs "pool/set@name", nilfs2 "cp=NUMBER". */
static bool
is_snapshot(const struct cursor *type, const struct cursor *source,
    const struct cursor *super)
{
	if (starts(type, "zfs") && type->len == 3)
		return memchr(source->buf, '@', source->len) != NULL;
	if (starts(type, "nilfs2"))
		for (size_t i = 0; i + 3 <= super->len; i++)
			if (memcmp(super->buf + i, "cp=", 3) == 0 &&
			    (i == 0 || super->buf[i - 1] == ','))
				return true;
	return false;
}

/* 36 35 98:0 /root /point rw,noatime shared:1 - ext4 /dev/sda1 rw,... */
static bool
parse_line(struct mounts_facts *m, struct cursor line, uint64_t id)
{
	struct cursor parent, root, point, options, f, type, source, super;
	uint64_t v, major, minor;

	if (!number(&line, ' ', &v) || v != id ||
	    !next_field(&line, ' ', &parent) ||
	    !number(&line, ':', &major) || !number(&line, ' ', &minor) ||
	    !next_field(&line, ' ', &root) ||
	    !next_field(&line, ' ', &point) ||
	    !next_field(&line, ' ', &options))
		return false;
	do
		if (!next_field(&line, ' ', &f))
			return false;
	while (f.len != 1 || f.buf[0] != '-');
	if (!next_field(&line, ' ', &type) ||
	    !next_field(&line, ' ', &source) ||
	    !next_field(&line, ' ', &super))
		return false;
	m->major = (unsigned)major;
	m->minor = (unsigned)minor;
	m->root = keep(m, &root);
	m->point = keep(m, &point);
	m->type = keep(m, &type);
	m->source = keep(m, &source);
	m->options = keep(m, &options);
	m->super = keep(m, &super);
	m->mount_read_only = has_option(&options, "ro");
	m->read_only = has_option(&super, "ro");
	m->snapshot = is_snapshot(&type, &source, &super);
	return buf_failed(&m->text) == 0;
}

void
mounts_parse(struct mounts_facts *m, struct cursor lines, uint64_t id)
{
	struct cursor line;

	buf_clear(&m->text);
	m->known = false;
	m->id = id;
	while (!m->known && !cursor_at_end(&lines)) {
		if (!cursor_line(&lines, '\n', &line) &&
		    !cursor_sub(&lines, cursor_left(&lines), &line))
			return;
		m->known = parse_line(m, line, id);
		if (!m->known)
			buf_clear(&m->text);
	}
}

void
mounts_find(struct mounts_facts *m, uint64_t id)
{
	struct cursor c;
	struct buf b;

	buf_init(&b, MOUNTINFO_MAX);
	m->known = false;
	m->id = id;
	if (hostfile_read("/proc/self/mountinfo", &b)) {
		cursor_init(&c, b.p, b.len, 0);
		mounts_parse(m, c, id);
	}
	buf_release(&b);
}

/* --- the device below ----------------------------------------------------- */

/* The name in /dev/disk/by-uuid that leads to this device. */
static void
put_uuid(struct json_write *w, dev_t dev)
{
	DIR *d = opendir("/dev/disk/by-uuid");
	const struct dirent *de;
	struct stat st;

	json_key(w, "file_system_uuid");
	while (d != NULL && (de = readdir(d)) != NULL)
		if (fstatat(dirfd(d), de->d_name, &st, 0) == 0 &&
		    S_ISBLK(st.st_mode) && st.st_rdev == dev) {
			json_text(w, de->d_name, strlen(de->d_name),
			    TEXT_PLAIN);
			(void)closedir(d);
			return;
		}
	if (d != NULL)
		(void)closedir(d);
	json_null(w);
}

/*
 * sysfs: ro is what `blockdev --getro` says; a device-mapper uuid tells LVM-,
 * CRYPT-VERITY- and the like by its beginning; loop has its file.
 */
static void
put_device(struct json_write *w, unsigned major, unsigned minor)
{
	static const struct {
		const char *key, *file;
	} facts[] = {{"read_only", "ro"}, {"serial", "device/serial"},
	    {"model", "device/model"}, {"wwid", "device/wwid"},
	    {"mapper_name", "dm/name"}, {"mapper_uuid", "dm/uuid"},
	    {"backing_file", "loop/backing_file"}, {"size_sectors", "size"}};
	char dir[64], path[128];
	struct stat st;

	(void)snprintf(dir, sizeof(dir), "/sys/dev/block/%u:%u", major, minor);
	json_key(w, "device");
	if (stat(dir, &st) < 0) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		(void)snprintf(path, sizeof(path), "%s/%s", dir,
		    facts[i].file);
		hostfile_put(w, facts[i].key, path);
	}
	put_uuid(w, makedev(major, minor));
	json_end_object(w);
}

static void
put_text(struct json_write *w, const char *key, const struct mounts_facts *m,
    size_t at)
{
	const char *s = (const char *)m->text.p + at;

	json_ktext(w, key, s, strlen(s));
}

void
mounts_json(struct json_write *w, const char *key,
    const struct mounts_facts *m)
{
	char dev[32];

	json_key(w, key);
	if (!m->known) {
		json_null(w);
		return;
	}
	json_begin_object(w);
	json_ku64(w, "id", m->id);
	put_text(w, "point", m, m->point);
	put_text(w, "root", m, m->root);
	put_text(w, "type", m, m->type);
	put_text(w, "source", m, m->source);
	put_text(w, "options", m, m->options);
	put_text(w, "super_options", m, m->super);
	json_kbool(w, "mounted_read_only", m->mount_read_only);
	json_kbool(w, "read_only", m->read_only);
	json_kbool(w, "snapshot", m->snapshot);
	(void)snprintf(dev, sizeof(dev), "%u:%u", m->major, m->minor);
	json_kstr(w, "dev", dev);
	put_device(w, m->major, m->minor);
	json_end_object(w);
}
