#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "collector/inode.h"
#include "collector/process.h"
#include "collector/settings.h"
#include "collector/shape.h"

/*
 * What is served against what lies on disk.  A file whose name leads
 * elsewhere, or nowhere, is taken through the process's own link: these are
 * the bytes that the server works with, whatever was put in their place.
 */
#define STAT_MASK (STATX_BASIC_STATS | STATX_BTIME | STATX_MNT_ID)

static const char *const states[] = {[PROCESS_SAME] = "same",
    [PROCESS_REPLACED] = "replaced", [PROCESS_DELETED] = "deleted",
    [PROCESS_UNREACHABLE] = "unreachable", [PROCESS_MEMORY] = "memory"};

const char *
process_state_name(enum process_state s)
{
	return states[s];
}

struct judged {
	enum process_state state;
	struct statx disk;		/* SAME, REPLACED */
	int disk_fd;			/* O_PATH, or -1 */
	bool has_served, has_disk;	/* digests */
	uint8_t served[32], on_disk[32];
	const char *member;
};

/* Names of the kernel are relative to our root where the mounts are ours. */
static bool
same_mounts(const struct process *p)
{
	char ours[64], theirs[64];
	ssize_t n = readlink("/proc/self/ns/mnt", ours, sizeof(ours));

	return n > 0 && (size_t)n < sizeof(ours) &&
	    process_link(p, "ns/mnt", theirs, sizeof(theirs)) == n &&
	    memcmp(ours, theirs, (size_t)n) == 0;
}

int
process_lookup(const struct process *p, const char *name, struct statx *st,
    int *fd)
{
	const struct open_how how = {.flags = O_PATH | O_CLOEXEC,
	    .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
	int root, got, errnum = 0;

	if (*name != '/')
		return EXDEV;	/* no path: "(unreachable)/x" */
	root = same_mounts(p) ? open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) :
	    fcntl(p->root, F_DUPFD_CLOEXEC, 3);
	if (root < 0)
		return errno == EBADF ? EACCES : errno;
	got = (int)syscall(SYS_openat2, root, name + 1, &how, sizeof(how));
	if (got < 0 && (errno == ENOSYS || errno == EPERM))
		got = openat(root, name + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (got < 0 || statx(got, "", AT_EMPTY_PATH, STAT_MASK, st) < 0)
		errnum = errno;
	(void)close(root);
	if (got >= 0 && (errnum != 0 || fd == NULL))
		(void)close(got);
	if (errnum == 0 && fd != NULL)
		*fd = got;
	return errnum;
}

static void
judge(const struct process *p, struct process_file *f, struct judged *j)
{
	int errnum;

	j->disk_fd = -1;
	if (strcmp(f->name, "/dev/zero") == 0 ||
	    strncmp(f->name, "/SYSV", 5) == 0) {
		j->state = PROCESS_MEMORY;
		return;
	}
	/* The name as it stands first: it may end in " (deleted)". */
	errnum = process_lookup(p, f->path, &j->disk, &j->disk_fd);
	if (errnum == 0 && inode_same(&j->disk, &f->st)) {
		f->name = f->path;
		j->state = PROCESS_SAME;
		return;
	}
	if (strcmp(f->name, f->path) != 0) {
		if (j->disk_fd >= 0)
			(void)close(j->disk_fd);
		j->disk_fd = -1;
		errnum = process_lookup(p, f->name, &j->disk, &j->disk_fd);
	}
	if (errnum == 0)
		j->state = inode_same(&j->disk, &f->st) ? PROCESS_SAME :
		    PROCESS_REPLACED;
	else if (f->st.stx_nlink == 0 || strcmp(f->name, f->path) != 0)
		j->state = PROCESS_DELETED;
	else
		j->state = PROCESS_UNREACHABLE;
}

static bool
is_library(const struct process_file *f)
{
	const char *base = strrchr(f->name, '/');

	return f->executable || (f->maps > 0 &&
	    strstr(base != NULL ? base : f->name, ".so") != NULL);
}

static bool
is_model(const struct process_file *f)
{
	const char *base = strrchr(f->name, '/');
	struct shape s;

	return shape_file(base != NULL ? base + 1 : f->name, "", &s) &&
	    s.class == BAG_WEIGHTS;
}

/* Its bytes, into the bundle; once for all processes that hold it. */
static int
recover(struct process *p, const struct process_file *f, struct judged *j)
{
	struct collect *c = p->c;
	char path[LIMIT_PATH];
	const struct object o = {.dir = p->dir, .name = f->how,
	    .path = process_path(p, f->how, path, sizeof(path)),
	    .class = BAG_HOST, .st = f->st, .magic = true};
	uint64_t errors = c->totals.errors;
	struct buf member;
	struct taken t = {0};
	int r;

	if ((j->member = process_member(c, &f->st)) != NULL)
		return 0;
	if (!scope_fits(c, &o))
		return process_error(p, f->how, "left out: the source's "
		    "limit of bytes is reached", 0);
	if (c->survey != NULL)
		return survey_file(c, &o);
	buf_init(&member, LIMIT_MEMBER_NAME);
	if ((r = bag_member_name(&member, BAG_HOST, path, strlen(path),
	    c->e)) < 0 ||
	    (r = take_file(c, &o, buf_str(&member), &t)) < 0)
		goto out;
	if (!t.stored) {
		if (c->totals.errors == errors)
			r = process_error(p, f->how, "cannot take", 0);
		goto out;
	}
	if ((r = record_object(c, &o, buf_str(&member), &t, NULL, 0,
	    "what a process holds, through its own link")) < 0 ||
	    (r = process_keep(c, &f->st, buf_str(&member),
	    t.place.digests.sha256)) < 0)
		goto out;
	memcpy(j->served, t.place.digests.sha256, 32);
	j->has_served = true;
	j->member = process_member(c, &f->st);
out:
	if (r == ERR_EXISTS) {
		err_reset(c->e);
		c->totals.duplicates++;
		r = 0;
	}
	buf_release(&member);
	return r;
}

static int
digest_served(struct process *p, const struct process_file *f,
    struct judged *j)
{
	int errnum;

	if (j->has_served || p->c->survey != NULL)
		return 0;
	errnum = process_digest(p->c, p->dir, f->how, &f->st, j->served);
	/* A mapping's link needs more rights than the same file's name. */
	if (errnum != 0 && j->state == PROCESS_SAME && j->disk_fd >= 0) {
		char name[40];

		(void)snprintf(name, sizeof(name), "/proc/self/fd/%d",
		    j->disk_fd);
		errnum = process_digest(p->c, AT_FDCWD, name, &f->st,
		    j->served);
	}
	j->has_served = errnum == 0;
	return errnum == 0 ? 0 : process_error(p, f->how,
	    "cannot be read for its digest", errnum);
}

static int
digest_disk(struct process *p, const struct process_file *f,
    struct judged *j)
{
	char name[40];
	int errnum;

	if (j->state != PROCESS_REPLACED || p->c->survey != NULL ||
	    !S_ISREG(j->disk.stx_mode))
		return 0;
	(void)snprintf(name, sizeof(name), "/proc/self/fd/%d", j->disk_fd);
	errnum = process_digest(p->c, AT_FDCWD, name, &j->disk, j->on_disk);
	j->has_disk = errnum == 0;
	return errnum == 0 ? 0 : record_error(p->c, f->name,
	    "cannot be read for its digest", errnum);
}

static void
put_inode(struct json_write *w, const char *key, const struct statx *st,
    const uint8_t *sha256)
{
	char text[48];

	json_key(w, key);
	json_begin_object(w);
	(void)snprintf(text, sizeof(text), "%u:%u", st->stx_dev_major,
	    st->stx_dev_minor);
	json_kstr(w, "dev", text);
	json_ku64(w, "ino", st->stx_ino);
	json_ku64(w, "nlink", st->stx_nlink);
	json_ku64(w, "size", st->stx_size);
	json_kstr(w, "mtime", inode_time(text, &st->stx_mtime));
	if (sha256 != NULL)
		json_khex(w, "sha256", sha256, 32);
	else
		json_knull(w, "sha256");
	json_end_object(w);
}

static int
put_row(struct process *p, const struct process_file *f,
    const struct judged *j, bool library)
{
	struct json_write w;
	int r;

	if (p->c->survey != NULL)
		return 0;
	if ((r = process_row(p, &w, library ? "library" : "file")) < 0)
		return r;
	json_ktext(&w, "path", f->name, strlen(f->name));
	json_khex(&w, "path_hex", f->name, strlen(f->name));
	json_kstr(&w, "how", f->how);
	json_ku64(&w, "descriptors", f->fds);
	json_ku64(&w, "mappings", f->maps);
	json_kbool(&w, "writable", f->writable);
	json_kstr(&w, "state", states[j->state]);
	put_inode(&w, "served", &f->st, j->has_served ? j->served : NULL);
	if (j->state == PROCESS_REPLACED)
		put_inode(&w, "on_disk", &j->disk,
		    j->has_disk ? j->on_disk : NULL);
	else
		json_knull(&w, "on_disk");
	if (j->has_served && j->has_disk)
		json_kbool(&w, "equal", memcmp(j->served, j->on_disk, 32) ==
		    0);
	else if (j->state == PROCESS_SAME)
		json_kbool(&w, "equal", true);
	else
		json_knull(&w, "equal");
	json_kstr(&w, "member", j->member);
	return process_row_end(p, &w);
}

static void
count(struct served *s, const struct judged *j, bool library)
{
	const struct process_count n = {.state = j->state,
	    .library = library, .stored = j->member != NULL,
	    .equal = j->has_served && j->has_disk &&
	    memcmp(j->served, j->on_disk, 32) == 0};

	process_count(s, &n);
}

static int
one(struct process *p, struct process_file *f)
{
	bool library = is_library(f), lost;
	struct judged j = {0};
	int r = 0;

	judge(p, f, &j);
	lost = j.state == PROCESS_REPLACED || j.state == PROCESS_DELETED;
	if (lost || (library && settings_is(p->s, "copy-libraries", "yes")))
		r = recover(p, f, &j);
	if (r >= 0 && (lost || library || (is_model(f) && !f->writable)))
		r = digest_served(p, f, &j);
	if (r >= 0 && (r = digest_disk(p, f, &j)) >= 0) {
		count(&p->c->served, &j, library);
		r = put_row(p, f, &j, library);
	}
	if (j.disk_fd >= 0)
		(void)close(j.disk_fd);
	return r;
}

int
process_served(struct process *p, struct process_file *list)
{
	int r = 0;

	for (; list != NULL && r >= 0; list = list->next)
		r = one(p, list);
	return r;
}
