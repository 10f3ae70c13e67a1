#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/json_write.h"
#include "base/limits.h"
#include "collector/glob.h"
#include "collector/resume.h"
#include "collector/run.h"

/* Lists of completion.json; what does not fit is counted all the same. */
#define LIST_MAX (1 * MIB)

/* Of headers that are not everywhere: the numbers are the kernel's. */
#define MAGIC_CIFS 0xff534d42U
#define MAGIC_SMB2 0xfe534d42U
#define MAGIC_FUSE 0x65735546U
#define MAGIC_CEPH 0x00c36400U
#define MAGIC_AFS_FS 0x6b414653U
#define MAGIC_LUSTRE 0x0bd00bd0U
#define MAGIC_GPFS 0x47504653U

void
scope_open(struct collect *c)
{
	buf_init(&c->coverage.asked, LIST_MAX);
	buf_init(&c->coverage.mounts, LIST_MAX);
}

void
scope_close(struct collect *c)
{
	buf_release(&c->coverage.asked);
	buf_release(&c->coverage.mounts);
}

/* By the mount's number, or (kernels before 5.8) by the device. */
static bool
other_mount(const struct statx *a, const struct statx *b)
{
	return ((a->stx_mask & b->stx_mask & STATX_MNT_ID) != 0 &&
	    a->stx_mnt_id != b->stx_mnt_id) ||
	    a->stx_dev_major != b->stx_dev_major ||
	    a->stx_dev_minor != b->stx_dev_minor;
}

/* Neither another machine's nor one that the kernel makes up. */
static bool
is_local(const struct object *o)
{
	static const uint32_t far[] = {NFS_SUPER_MAGIC, MAGIC_CIFS,
	    MAGIC_SMB2, SMB_SUPER_MAGIC, MAGIC_FUSE, MAGIC_CEPH,
	    AFS_SUPER_MAGIC, MAGIC_AFS_FS, CODA_SUPER_MAGIC, V9FS_MAGIC,
	    MAGIC_LUSTRE, MAGIC_GPFS, PROC_SUPER_MAGIC, SYSFS_MAGIC,
	    DEBUGFS_MAGIC, TRACEFS_MAGIC, CGROUP_SUPER_MAGIC,
	    CGROUP2_SUPER_MAGIC, DEVPTS_SUPER_MAGIC, SECURITYFS_MAGIC,
	    PSTOREFS_MAGIC, BPF_FS_MAGIC};
	struct statfs st;
	bool local = false;
	int fd;

	fd = openat(o->dir, o->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (fstatfs(fd, &st) == 0) {
		local = true;
		for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
			if ((uint32_t)st.f_type == far[i])
				local = false;
	}
	(void)close(fd);
	return local;
}

/* One element more of an array, or it does not fit and counts alone. */
static void
list_begin(struct json_write *w, struct buf *element)
{
	buf_init(element, 16 * LIMIT_PATH);	/* \xHH, escaped again */
	json_init(w, element, JSON_COMPACT);
	json_begin_object(w);
}

static void
list_end(struct json_write *w, struct buf *element, struct buf *list)
{
	json_end_object(w);
	if (buf_failed(element) == 0 && element->len + 1 < list->max -
	    list->len) {
		if (list->len > 0)
			buf_putc(list, ',');
		buf_put(list, element->p, element->len);
	}
	buf_release(element);
}

static int
at_mount(struct collect *c, const struct object *o)
{
	bool enter = c->o->mounts == COLLECT_MOUNTS_ALL ||
	    (c->o->mounts == COLLECT_MOUNTS_LOCAL && is_local(o));
	struct json_write w;
	struct buf b;
	int r;

	list_begin(&w, &b);
	json_kstr(&w, "what", enter ? "entered" : "skipped");
	json_ktext(&w, "path", o->path, strlen(o->path));
	list_end(&w, &b, &c->coverage.mounts);
	c->coverage.entered += enter;
	c->coverage.skipped += !enter;
	if (c->survey != NULL &&
	    (r = survey_mount(c, o->path, enter)) < 0)
		return r;
	if ((r = record_log(c, enter ? "entered a mount" :
	    "skipped a mount", o->path)) < 0)
		return r;
	if (!enter && (r = record_object(c, o, NULL, NULL, NULL, 0,
	    "a mount that is not followed")) < 0)
		return r;
	return enter;
}

int
scope_enter(struct collect *c, const struct object *dir,
    const struct object *o)
{
	int r;

	for (size_t i = 0; i < c->o->nexcludes; i++)
		if (glob_excludes(c->o->excludes[i], o->path)) {
			c->coverage.excluded++;
			r = record_object(c, o, NULL, NULL, NULL, 0,
			    "excluded");
			return r < 0 ? r : 0;
		}
	return other_mount(&dir->st, &o->st) ? at_mount(c, o) : 1;
}

bool
scope_fits(const struct collect *c, const struct object *o)
{
	uint64_t max = c->source != NULL ? c->source->max_bytes : 0;
	uint64_t taken = c->totals.bytes - c->coverage.before.bytes;

	return max == 0 || (taken <= max && o->st.stx_size <= max - taken);
}

void
scope_begin(struct collect *c, const struct collect_source *s)
{
	c->source = s;
	c->coverage.before = c->totals;
	resume_before(c->o->resume, c->number, &c->coverage.before);
}

void
scope_end(struct collect *c)
{
	const struct collect_totals *a = &c->coverage.before, *b = &c->totals;
	const struct collect_source *s = c->source;
	const char *given = s->given != NULL ? s->given : s->path;
	struct json_write w;
	struct buf e;

	list_begin(&w, &e);
	json_kstr(&w, "class", bag_class_name(s->class));
	json_ktext(&w, "given", given, strlen(given));
	json_kbool(&w, "visited", b->objects > a->objects);
	json_ku64(&w, "objects", b->objects - a->objects);
	json_ku64(&w, "stored", b->stored - a->stored);
	json_ku64(&w, "bytes", b->bytes - a->bytes);
	json_ku64(&w, "errors", b->errors - a->errors);
	list_end(&w, &e, &c->coverage.asked);
	c->source = NULL;
}

static void
put_list(struct json_write *w, const char *key, struct buf *list)
{
	struct buf b;

	buf_init(&b, LIST_MAX + 16);
	buf_putc(&b, '[');
	buf_put(&b, list->p, list->len);
	buf_putc(&b, ']');
	json_key(w, key);
	json_raw(w, buf_str(&b));
	buf_release(&b);
}

void
scope_put_coverage(struct json_write *w, struct collect *c)
{
	struct coverage *v = &c->coverage;

	json_key(w, "coverage");
	json_begin_object(w);
	json_ku64(w, "sources", c->o->nsources);
	put_list(w, "asked", &v->asked);
	json_ku64(w, "excluded", v->excluded);
	json_ku64(w, "mounts_entered", v->entered);
	json_ku64(w, "mounts_skipped", v->skipped);
	put_list(w, "mounts", &v->mounts);
	json_end_object(w);
}
