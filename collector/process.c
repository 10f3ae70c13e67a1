#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json_write.h"
#include "base/limits.h"
#include "collector/jline.h"
#include "collector/process.h"
#include "collector/proctext.h"

#define STAT_MASK (STATX_BASIC_STATS | STATX_MNT_ID)

const char *
process_path(const struct process *p, const char *name, char *dst,
    size_t cap)
{
	(void)snprintf(dst, cap, "/proc/%s%s%s", p->pid,
	    *name != '\0' ? "/" : "", name);
	return dst;
}

int
process_error(const struct process *p, const char *name, const char *what,
    int errnum)
{
	char path[LIMIT_PATH];

	return record_error(p->c, process_path(p, name, path, sizeof(path)),
	    what, errnum);
}

int
process_read(const struct process *p, const char *name, struct buf *b)
{
	static uint8_t chunk[64 * KIB];
	int fd = openat(p->dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC), errnum = 0;
	ssize_t n = 0;

	buf_clear(b);
	if (fd < 0)
		return errno;
	while ((n = read(fd, chunk, sizeof(chunk))) > 0 ||
	    (n < 0 && errno == EINTR))
		if (n > 0)
			buf_put(b, chunk, (size_t)n);
	if (n < 0)
		errnum = errno;
	else if (buf_failed(b) < 0)
		errnum = EFBIG;
	(void)close(fd);
	return errnum;
}

ssize_t
process_link(const struct process *p, const char *name, char *dst,
    size_t cap)
{
	ssize_t n = readlinkat(p->dir, name, dst, cap - 1);

	if (n >= 0)
		dst[n] = '\0';
	return n;
}

int
process_record(struct collect *c)
{
	if (c->processes.fd >= 0 || c->survey != NULL)
		return 0;
	return c->o->in_memory ? record_open_memory(&c->processes, c->e) :
	    record_open(&c->processes, c->e);
}

/* Rows of metadata/processes.jsonl. */
int
process_row(struct process *p, struct json_write *w, const char *type)
{
	struct collect *c = p->c;
	int r;

	if ((r = process_record(c)) < 0)
		return r;
	json_init(w, &c->processes.b, JSON_COMPACT);
	json_begin_object(w);
	json_kstr(w, "type", type);
	json_kstr(w, "pid", p->pid);
	return 0;
}

int
process_row_end(struct process *p, struct json_write *w)
{
	json_end_object(w);
	return record_end(p->c, &p->c->processes);
}

int
process_store(struct collect *c)
{
	return c->processes.fd < 0 ? 0 :
	    record_store(c, &c->processes, BAG_PROCESSES);
}

static int
read_start(const struct process *p, uint64_t *ppid, uint64_t *start)
{
	struct buf b;
	int errnum;

	buf_init(&b, 64 * KIB);
	errnum = process_read(p, "stat", &b);
	if (errnum == 0 && !proctext_stat(b.p, b.len, ppid, start))
		errnum = EPROTO;
	buf_release(&b);
	return errnum;
}

int
process_open(struct process *p, struct collect *c,
    const struct collect_source *s, const char *pid)
{
	char path[40];
	int errnum;

	*p = (struct process){.c = c, .s = s, .root = -1};
	buf_init(&p->maps, LIMIT_PROC_TEXT);
	buf_init(&p->environ, LIMIT_PROC_TEXT);
	(void)snprintf(p->pid, sizeof(p->pid), "%.15s", pid);
	(void)process_path(p, "", path, sizeof(path));
	p->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->dir < 0)
		return record_error(c, path, "no such process", errno);
	if (statx(p->dir, "", AT_EMPTY_PATH, STAT_MASK, &p->st) < 0)
		errnum = errno;
	else
		errnum = read_start(p, &p->ppid, &p->start);
	if (errnum != 0)
		return record_error(c, path, "cannot look at the process",
		    errnum);
	p->root = openat(p->dir, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	return 1;
}

void
process_close(struct process *p)
{
	buf_release(&p->maps);
	buf_release(&p->environ);
	if (p->root >= 0)
		(void)close(p->root);
	if (p->dir >= 0)
		(void)close(p->dir);
	p->root = p->dir = -1;
}

/* Is it still the one that it was? */
static int
check_end(struct process *p)
{
	uint64_t ppid, start = 0;
	int errnum = read_start(p, &ppid, &start), r;
	struct json_write w;

	if (errnum != 0 || start != p->start) {
		p->c->served.ended++;
		r = process_error(p, "", errnum != 0 ?
		    "the process ended while it was looked at" :
		    "its number is another process's now", errnum);
		if (r < 0)
			return r;
	}
	if (p->c->survey != NULL)
		return 0;
	if ((r = process_row(p, &w, "process-end")) < 0)
		return r;
	json_ku64(&w, "start_ticks", start);
	json_kbool(&w, "same", errnum == 0 && start == p->start);
	return process_row_end(p, &w);
}

int
process_take(struct process *p)
{
	struct process_file *list = NULL;
	struct arena *a;
	int r;

	if ((a = arena_new(64 * MIB)) == NULL)
		return err_set(p->c->e, ERR_NOMEM, "out of memory");
	p->c->served.processes++;
	if ((r = process_facts(p)) >= 0 &&
	    (r = process_files(p, a, &list)) >= 0 &&
	    (r = process_served(p, list)) >= 0 &&
	    (r = process_packages(p)) >= 0)
		r = check_end(p);
	arena_free(a);
	return r;
}

int
process_source(struct collect *c, const struct collect_source *s)
{
	struct process p;
	int r;

	if ((r = process_open(&p, c, s, s->path)) > 0)
		r = process_take(&p);
	process_close(&p);
	return r;
}

void
process_count(struct served *s, const struct process_count *n)
{
	s->libraries += n->library;
	s->files += !n->library;
	s->same += n->state == PROCESS_SAME;
	s->replaced += n->state == PROCESS_REPLACED;
	s->deleted += n->state == PROCESS_DELETED;
	s->unreachable += n->state == PROCESS_UNREACHABLE;
	s->replaced_equal += n->state == PROCESS_REPLACED && n->equal;
	if (n->state != PROCESS_REPLACED && n->state != PROCESS_DELETED)
		return;
	s->recovered += n->stored;
	s->not_recovered += !n->stored;
}

/* A row that a run before this one wrote. */
void
process_again(struct collect *c, const struct jline *l)
{
	const char *type = jline_str(l, "line.type");
	const char *state = jline_str(l, "line.state");
	struct process_count n = {.state = PROCESS_MEMORY};

	if (type == NULL)
		return;
	c->served.processes += strcmp(type, "process") == 0;
	c->served.ended += strcmp(type, "process-end") == 0 &&
	    !jline_true(l, "line.same");
	n.library = strcmp(type, "library") == 0;
	if (state == NULL || (!n.library && strcmp(type, "file") != 0))
		return;
	for (unsigned i = 0; i <= PROCESS_MEMORY; i++)
		if (strcmp(state, process_state_name(
		    (enum process_state)i)) == 0)
			n.state = (enum process_state)i;
	n.equal = jline_true(l, "line.equal");
	n.stored = jline_str(l, "line.member") != NULL;
	process_count(&c->served, &n);
}

void
process_put_served(struct json_write *w, const struct collect *c)
{
	const struct served *s = &c->served;

	json_key(w, "processes");
	json_begin_object(w);
	json_ku64(w, "looked_at", s->processes);
	json_ku64(w, "ended_meanwhile", s->ended);
	json_ku64(w, "files", s->files);
	json_ku64(w, "same", s->same);
	json_ku64(w, "replaced", s->replaced);
	json_ku64(w, "replaced_equal", s->replaced_equal);
	json_ku64(w, "deleted", s->deleted);
	json_ku64(w, "unreachable", s->unreachable);
	json_ku64(w, "recovered", s->recovered);
	json_ku64(w, "not_recovered", s->not_recovered);
	json_ku64(w, "libraries", s->libraries);
	json_end_object(w);
}
