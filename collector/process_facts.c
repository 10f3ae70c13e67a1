#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/cursor.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "base/text.h"
#include "collector/process.h"
#include "collector/proctext.h"
#include "collector/settings.h"
#include "custody/digest.h"

/*
 * The process's row of processes.jsonl, and its texts as members, as they
 * were when they were read.  The row is made of the same bytes.  environ is a
 * member only when its values are not masked.
 */
enum kept { CMDLINE, STATUS, CGROUP, MOUNTINFO, KEPT };

static const struct {
	const char *name;
	enum kept as;		/* KEPT: not for the row */
} texts[] = {{"cmdline", CMDLINE}, {"status", STATUS}, {"stat", KEPT},
    {"limits", KEPT}, {"cgroup", CGROUP}, {"maps", KEPT},
    {"mountinfo", MOUNTINFO}, {"comm", KEPT}, {"io", KEPT}, {"sched", KEPT},
    {"oom_score_adj", KEPT}, {"attr/current", KEPT}, {"uid_map", KEPT},
    {"gid_map", KEPT}};

/* What was read for the row. */
struct facts {
	struct buf text[KEPT];
	bool has[KEPT];
};

/* A text of the kernel's as a member: its size is what was read. */
static int
store_text(struct process *p, const char *name, const struct buf *b)
{
	char path[LIMIT_PATH];
	struct object o = {.dir = p->dir, .name = name, .class = BAG_HOST,
	    .path = process_path(p, name, path, sizeof(path))};
	const struct member_bytes m = {.class = BAG_HOST, .path = path,
	    .p = b->p, .n = b->len, .mtime = clock_real_ns() / 1000000000};
	struct taken t = {.flags = "O_RDONLY|O_NOFOLLOW", .noatime = true};
	struct collect *c = p->c;
	struct buf member;
	int r;

	if (statx(p->dir, name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS |
	    STATX_MNT_ID, &o.st) < 0)
		return process_error(p, name, "cannot stat", errno);
	t.before = t.after = o.st;
	if (c->survey != NULL) {
		c->totals.stored++;
		c->totals.bytes += b->len;
		return record_object(c, &o, NULL, NULL, NULL, 0, NULL);
	}
	buf_init(&member, LIMIT_MEMBER_NAME);
	if ((r = member_bytes(c, &m, &member, &t.place)) >= 0) {
		t.stored = true;
		r = record_object(c, &o, buf_str(&member), &t, NULL, 0,
		    "text of the kernel: no size but that of the member");
	} else if (r == ERR_EXISTS) {
		err_reset(c->e);
		c->totals.duplicates++;
		r = record_object(c, &o, buf_str(&member), NULL, NULL, 0,
		    "duplicate");
	}
	buf_release(&member);
	return r;
}

/* 1 read; 0 not, and told where that says something; negative. */
static int
read_text(struct process *p, const char *name, struct buf *b)
{
	int errnum = process_read(p, name, b), r;

	if (errnum == 0)
		return 1;
	/* No security module, or no such file in this kernel. */
	if (errnum == ENOENT || errnum == EINVAL || errnum == EOPNOTSUPP)
		return 0;
	r = process_error(p, name, "cannot read", errnum);
	return r < 0 ? r : 0;
}

static int
take_texts(struct process *p, struct facts *f)
{
	struct buf *b, other;
	enum kept as;
	int r = 0;

	buf_init(&other, LIMIT_PROC_TEXT);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && r >= 0;
	    i++) {
		as = texts[i].as;
		b = as < KEPT ? &f->text[as] : &other;
		if ((r = read_text(p, texts[i].name, b)) <= 0)
			continue;
		if (as < KEPT)
			f->has[as] = true;
		r = store_text(p, texts[i].name, b);
	}
	buf_release(&other);
	if (r < 0 || (r = read_text(p, "environ", &p->environ)) <= 0)
		return r;
	p->has_environ = true;
	return !settings_is(p->s, "environ", "values") ? 0 :
	    store_text(p, "environ", &p->environ);
}

static void
put_link(struct process *p, struct json_write *w, const char *key,
    const char *name)
{
	char target[LIMIT_PATH + 1];
	ssize_t n = process_link(p, name, target, sizeof(target));

	if (n >= 0)
		json_ktext(w, key, target, (size_t)n);
	else
		json_knull(w, key);
}

static void
put_namespaces(struct process *p, struct json_write *w)
{
	static const char *const names[] = {"cgroup", "ipc", "mnt", "net",
	    "pid", "time", "user", "uts"};
	char path[16];

	json_key(w, "namespaces");
	json_begin_object(w);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		(void)snprintf(path, sizeof(path), "ns/%s", names[i]);
		put_link(p, w, names[i], path);
	}
	json_end_object(w);
}

static void
put_status(struct json_write *w, const struct buf *b)
{
	static const char *const keys[] = {"Name", "State", "Tgid", "PPid",
	    "TracerPid", "Uid", "Gid", "Groups", "NSpid", "Threads", "VmRSS",
	    "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs",
	    "Seccomp"};
	struct cursor v;

	json_key(w, "status");
	json_begin_object(w);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (proctext_status(b->p, b->len, keys[i], &v))
			json_ktext(w, keys[i], v.buf + v.off, cursor_left(&v));
	json_end_object(w);
}

static void
put_arguments(struct json_write *w, const struct buf *b)
{
	struct cursor c, word;

	json_key(w, "argv");
	json_begin_array(w);
	cursor_init(&c, b->p, b->len, 0);
	while (!cursor_at_end(&c)) {
		if (!cursor_line(&c, '\0', &word) &&
		    !cursor_sub(&c, cursor_left(&c), &word))
			break;
		json_text(w, word.buf, word.len, TEXT_PLAIN);
	}
	json_end_array(w);
}

/* Names always; values by policy, else by length and digest. */
static void
put_environ(struct process *p, struct json_write *w, const struct buf *b)
{
	bool values = settings_is(p->s, "environ", "values");
	struct proctext_variable v;
	struct digests d;
	struct cursor c;
	unsigned n = 0;

	json_kstr(w, "environ_policy", values ? "values" : "names");
	json_key(w, "environ");
	json_begin_array(w);
	cursor_init(&c, b->p, b->len, 0);
	while (proctext_variable(&c, &v) && n++ < LIMIT_PROC_ENVIRON) {
		json_begin_object(w);
		json_ktext(w, "name", v.name, v.name_n);
		if (v.has_value && values)
			json_ktext(w, "value", v.value, v.value_n);
		else
			json_knull(w, "value");
		json_ku64(w, "length", v.value_n);
		if (v.has_value && digest_mem(v.value, v.value_n,
		    DIGEST_SHA256, &d, NULL) == 0)
			json_khex(w, "sha256", d.sha256, 32);
		json_end_object(w);
	}
	json_end_array(w);
	json_kbool(w, "environ_cut", !cursor_at_end(&c));
}

static bool
put_containers_of(struct json_write *w, const struct buf *b,
    const char *from, char last[PROCTEXT_ID + 1])
{
	char id[PROCTEXT_ID + 1];
	struct cursor c;
	bool any = false;

	cursor_init(&c, b->p, b->len, 0);
	while (proctext_container(&c, id)) {
		if (strcmp(id, last) == 0)
			continue;	/* one a hierarchy, and a mount */
		memcpy(last, id, sizeof(id));
		json_begin_object(w);
		json_kstr(w, "id", id);
		json_kstr(w, "from", from);
		json_end_object(w);
		any = true;
	}
	return any;
}

static void
put_containers(struct json_write *w, const struct facts *f)
{
	const struct buf *cgroup = &f->text[CGROUP];
	char last[PROCTEXT_ID + 1] = "";
	struct cursor c, line;

	json_key(w, "cgroup");
	json_begin_array(w);
	cursor_init(&c, cgroup->p, cgroup->len, 0);
	while (cursor_line(&c, '\n', &line))
		json_text(w, line.buf, line.len, TEXT_PLAIN);
	json_end_array(w);
	json_key(w, "containers");
	json_begin_array(w);
	/* In a cgroup namespace of its own the path is "/". */
	if (!put_containers_of(w, cgroup, "cgroup", last))
		(void)put_containers_of(w, &f->text[MOUNTINFO], "mountinfo",
		    last);
	json_end_array(w);
}

static void
put_exe(struct process *p, struct json_write *w)
{
	uint8_t sha256[32];
	struct statx st;

	put_link(p, w, "exe", "exe");
	json_key(w, "exe_sha256");
	if (statx(p->dir, "exe", 0, STATX_BASIC_STATS, &st) == 0 &&
	    process_digest(p->c, p->dir, "exe", &st, sha256) == 0)
		json_hex(w, sha256, sizeof(sha256));
	else
		json_null(w);
}

/* Seconds since 1970: of the boot, and the ticks since. */
static void
put_start(struct process *p, struct json_write *w)
{
	struct clock_evidence now;
	char text[CLOCK_TEXT];
	long hz = sysconf(_SC_CLK_TCK);
	int64_t since;

	json_ku64(w, "start_ticks", p->start);
	if (hz <= 0 || p->start > (uint64_t)INT64_MAX / 1000000000) {
		json_knull(w, "started");
		return;
	}
	clock_evidence(&now);
	since = (int64_t)(p->start * (1000000000 / (uint64_t)hz));
	json_kstr(w, "started", clock_rfc3339(text, now.real_ns -
	    now.boot_ns + since, 2));
}

static int
put_process(struct process *p, const struct facts *f)
{
	struct json_write w;
	int r;

	if ((r = process_row(p, &w, "process")) < 0)
		return r;
	json_ku64(&w, "ppid", p->ppid);
	put_start(p, &w);
	put_exe(p, &w);
	put_link(p, &w, "cwd", "cwd");
	put_link(p, &w, "root", "root");
	if (f->has[CMDLINE])
		put_arguments(&w, &f->text[CMDLINE]);
	if (f->has[STATUS])
		put_status(&w, &f->text[STATUS]);
	if (p->has_environ)
		put_environ(p, &w, &p->environ);
	put_containers(&w, f);
	put_namespaces(p, &w);
	return process_row_end(p, &w);
}

/* What NVIDIA's driver says of itself and its devices, if it is there. */
static int
take_driver(struct process *p)
{
	const struct collect_source gpu = {.class = BAG_HOST,
	    .path = "/proc/driver/nvidia"};

	return access(gpu.path, F_OK) < 0 || p->c->served.processes > 1 ? 0 :
	    walk_source(p->c, &gpu);
}

int
process_facts(struct process *p)
{
	char path[40];
	const struct object o = {.dir = p->dir, .name = ".",
	    .path = process_path(p, "", path, sizeof(path)),
	    .class = BAG_HOST, .st = p->st};
	struct facts f = {.has = {false}};
	int r;

	for (unsigned i = 0; i < KEPT; i++)
		buf_init(&f.text[i], LIMIT_PROC_TEXT);
	if ((r = record_object(p->c, &o, NULL, NULL, NULL, 0, NULL)) >= 0)
		r = take_texts(p, &f);
	if (r >= 0 && p->c->survey == NULL)
		r = put_process(p, &f);
	if (r >= 0)
		r = take_driver(p);
	for (unsigned i = 0; i < KEPT; i++)
		buf_release(&f.text[i]);
	return r;
}
