#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/json_write.h"
#include "base/text.h"
#include "collector/foreign_parts.h"
#include "custody/digest.h"

static const struct {
	const char *name;
	uint32_t mode;		/* the type's bits, as stat has them */
} kinds[TAR_KIND_COUNT] = {
	[TAR_KIND_FILE] = {"file", S_IFREG},
	[TAR_KIND_HARD_LINK] = {"hard-link", S_IFREG},
	[TAR_KIND_SYMLINK] = {"symlink", S_IFLNK},
	[TAR_KIND_CHARACTER] = {"character-device", S_IFCHR},
	[TAR_KIND_BLOCK] = {"block-device", S_IFBLK},
	[TAR_KIND_DIRECTORY] = {"directory", S_IFDIR},
	[TAR_KIND_FIFO] = {"fifo", S_IFIFO},
	[TAR_KIND_OTHER] = {"unknown", 0},
	[TAR_KIND_UNPARSED] = {"unparsed", 0},
};

void
foreign_entry_init(struct foreign_entry *n)
{
	memset(n, 0, sizeof(*n));
	buf_init(&n->name, LIMIT_TAR_NAME);
	buf_init(&n->link, LIMIT_TAR_NAME);
	buf_init(&n->user, 4096);
	buf_init(&n->group, 4096);
	buf_init(&n->ranges, TAR_RANGES_MAX * 16);
	buf_init(&n->pax, TAR_PAX_MAX);
	buf_init(&n->log, 4096);
	buf_init(&n->error, 4096);
}

void
foreign_entry_release(struct foreign_entry *n)
{
	buf_release(&n->name);
	buf_release(&n->link);
	buf_release(&n->user);
	buf_release(&n->group);
	buf_release(&n->ranges);
	buf_release(&n->pax);
	buf_release(&n->log);
	buf_release(&n->error);
}

static bool
take_text(struct buf *b, const struct frame *f, uint8_t tag)
{
	buf_clear(b);
	if (frame_has(f, tag))
		buf_put(b, f->field[tag].buf, f->field[tag].len);
	return buf_failed(b) == 0;
}

/* Numbers that only some entries have: all of them or none. */
static bool
take_stat(struct foreign_entry *n, const struct frame *f)
{
	uint64_t mtime;

	n->has_mode = frame_has(f, TAR_MODE);
	n->has_device = frame_has(f, TAR_DEV_MAJOR);
	n->has_pax_left_out = frame_has(f, TAR_PAX_LEFT_OUT);
	if (n->has_pax_left_out &&
	    !frame_u64(f, TAR_PAX_LEFT_OUT, &n->pax_left_out))
		return false;
	if (n->has_device && (!frame_u64(f, TAR_DEV_MAJOR, &n->dev_major) ||
	    !frame_u64(f, TAR_DEV_MINOR, &n->dev_minor)))
		return false;
	if (!n->has_mode)
		return true;
	if (!frame_u64(f, TAR_MODE, &n->mode) ||
	    !frame_u64(f, TAR_UID, &n->uid) ||
	    !frame_u64(f, TAR_GID, &n->gid) ||
	    !frame_u64(f, TAR_MTIME, &mtime) ||
	    !frame_u64(f, TAR_MTIME_NS, &n->mtime_ns))
		return false;
	n->mtime = (int64_t)mtime;
	return n->mtime_ns < 1000000000;
}

bool
foreign_entry_take(struct foreign_entry *n, const struct frame *f)
{
	n->mtime = 0;
	n->mtime_ns = 0;
	return frame_u32(f, TAR_KIND, &n->kind) &&
	    n->kind < TAR_KIND_COUNT && frame_u32(f, TAR_TYPE, &n->type) &&
	    n->type < 256 && take_text(&n->name, f, TAR_NAME) &&
	    take_text(&n->link, f, TAR_LINK) &&
	    take_text(&n->user, f, TAR_USER) &&
	    take_text(&n->group, f, TAR_GROUP) &&
	    take_text(&n->ranges, f, TAR_RANGES) &&
	    n->ranges.len % 16 == 0 && take_text(&n->pax, f, TAR_PAX) &&
	    take_text(&n->log, f, TAR_LOG) &&
	    take_text(&n->error, f, TAR_ERROR) &&
	    frame_u64(f, TAR_SIZE, &n->size) &&
	    frame_u64(f, TAR_STORED, &n->stored) &&
	    frame_u64(f, TAR_OFFSET, &n->offset) &&
	    frame_u64(f, TAR_DATA_OFFSET, &n->data_offset) &&
	    take_stat(n, f);
}

static void
put_text(struct json_write *w, const char *key, const struct buf *b)
{
	if (b->len > 0)
		json_ktext(w, key, b->p, b->len);
	else
		json_knull(w, key);
}

/* As much of a stat as a tar has. */
static void
put_stat(struct json_write *w, const struct foreign_entry *n)
{
	char text[48];

	json_key(w, "stat");
	json_begin_object(w);
	if (n->has_mode) {
		(void)snprintf(text, sizeof(text), "%06llo",
		    (unsigned long long)((n->mode & 07777) |
		    kinds[n->kind].mode));
		json_kstr(w, "mode", text);
		json_ku64(w, "uid", n->uid);
		json_ku64(w, "gid", n->gid);
	}
	json_ku64(w, "size", n->size);
	if (n->has_mode) {
		(void)snprintf(text, sizeof(text), "%lld.%09llu",
		    (long long)n->mtime, (unsigned long long)n->mtime_ns);
		json_kstr(w, "mtime", text);
	}
	if (n->has_device) {
		json_ku64(w, "device_major", n->dev_major);
		json_ku64(w, "device_minor", n->dev_minor);
	}
	json_end_object(w);
}

static void
put_ranges(struct json_write *w, const struct foreign_entry *n)
{
	uint64_t off, len;
	struct cursor c;

	json_key(w, "data_ranges");
	json_begin_array(w);
	cursor_init(&c, n->ranges.p, n->ranges.len, 0);
	while (cursor_u64le(&c, &off) && cursor_u64le(&c, &len)) {
		json_begin_array(w);
		json_u64(w, off);
		json_u64(w, len);
		json_end_array(w);
	}
	json_end_array(w);
}

/* Where and how it stands in the tar. */
static void
put_tar(struct json_write *w, const struct foreign_entry *n)
{
	struct buf b;

	json_key(w, "tar");
	json_begin_object(w);
	put_text(w, "name", &n->name);
	if (n->name.len > 0)
		json_khex(w, "name_hex", n->name.p, n->name.len);
	else
		json_knull(w, "name_hex");
	json_ku64(w, "type", n->type);
	json_ku64(w, "offset", n->offset);
	json_ku64(w, "data_offset", n->data_offset);
	json_ku64(w, "stored", n->stored);
	put_text(w, "notes", &n->log);
	put_text(w, "errors", &n->error);
	if (n->has_pax_left_out) {
		json_ku64(w, "pax_left_out", n->pax_left_out);
	} else if (n->pax.len > 0) {
		buf_init(&b, 2 * TAR_PAX_MAX);
		buf_base64(&b, n->pax.p, n->pax.len);
		json_kstr(w, "pax_base64", buf_str(&b));
		buf_release(&b);
	}
	json_end_object(w);
}

static void
put_stored(struct json_write *w, const struct collect *c,
    const struct foreign_stored *s)
{
	record_put_place(w, c, s->place);
	json_kstr(w, "guarantee", "foreign tar");
	json_ku64(w, "short_by", s->short_by);
}

int
foreign_entry_record(struct collect *c, const struct foreign_entry *n,
    enum bag_class class, const char *path, size_t path_len,
    const struct foreign_stored *s)
{
	struct json_write w;
	struct buf b;
	int r;

	buf_init(&b, 4 * MIB);
	json_init(&w, &b, JSON_COMPACT);
	json_begin_object(&w);
	json_kstr(&w, "type", kinds[n->kind].name);
	json_kstr(&w, "class", bag_class_name(class));
	json_ktext(&w, "path", path, path_len);
	json_khex(&w, "path_hex", path, path_len);
	json_kstr(&w, "member", s->member);
	json_kstr(&w, "note", s->note);
	put_stat(&w, n);
	put_text(&w, "user", &n->user);
	put_text(&w, "group", &n->group);
	if (n->link.len > 0) {
		json_ktext(&w, "link_target", n->link.p, n->link.len);
		json_khex(&w, "link_target_hex", n->link.p, n->link.len);
	}
	if (n->ranges.len > 0)
		put_ranges(&w, n);
	put_tar(&w, n);
	if (s->place != NULL)
		put_stored(&w, c, s);
	json_end_object(&w);
	c->totals.objects++;
	r = buf_failed(&b) == 0 ? record_line(c, &c->files, b.p, b.len) :
	    err_set(c->e, ERR_LIMIT, "a record is too long");
	buf_release(&b);
	return r;
}
