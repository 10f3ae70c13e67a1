#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "analyzer/coverage.h"
#include "analyzer/program.h"
#include "analyzer/rules.h"
#include "analyzer/scan_group.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/ckd.h"
#include "base/err.h"
#include "base/frame.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/format.h"

/*
 * What a worker says, checked.
 *
 * The worker may be in an attacker's hands.  It can say what it likes about
 * its own object and nothing else: indexes must count up, parents and
 * objects must exist, members must lie inside, everything is bounded.  The
 * first frame that breaks a rule ends it (SCAN-PROTOCOL).
 */
int
job_say(struct job *j, uint32_t node, enum finding_id id, const char *key,
    const char *text)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	rule_detail_text(&f, key, text, strlen(text));
	return node_add(j->group, &j->nodes[node], &f);
}

static int
grow(struct job *j)
{
	uint32_t cap = j->cap == 0 ? 4 : 2 * j->cap;
	struct node *p;

	if (cap > 2 * LIMIT_MEMBERS ||
	    (p = arena_array(j->group->arena, cap, sizeof(*p))) == NULL)
		return ERR_LIMIT;
	if (j->count > 0)
		memcpy(p, j->nodes, j->count * sizeof(*p));
	j->nodes = p;
	j->cap = cap;
	return 0;
}

/* Make node number j->count; its path is below ${parent}'s. */
static int
new_node(struct job *j, uint32_t parent, const uint8_t *name, size_t n,
    uint64_t size)
{
	struct node *nd;
	int r;

	if (j->count == j->cap && (r = grow(j)) < 0)
		return r;
	nd = &j->nodes[j->count];
	memset(nd, 0, sizeof(*nd));
	nd->parent = parent;
	nd->row.size = size;
	nd->row.format = "unknown";
	nd->row.depth = j->depth;
	nd->row.path = j->path;
	if (parent != WIRE_NONE) {
		nd->row.depth = j->nodes[parent].row.depth + 1;
		nd->row.path = group_member_path(j->group,
		    j->nodes[parent].row.path, name, n);
		if (nd->row.path == NULL)
			return ERR_NOMEM;
	}
	j->count++;
	return 0;
}

static int
take_begin(struct job *j, const struct frame *f)
{
	struct wire_begin b;
	int r;

	if (!wire_read_begin(f, &b) || b.index != j->count)
		return ERR_FORMAT;
	if ((r = job_carved(j)) < 0)
		return r;
	if (j->count == 0)
		return b.parent == WIRE_NONE && b.size == j->work.len ?
		    new_node(j, WIRE_NONE, NULL, 0, b.size) : ERR_FORMAT;
	if (b.parent >= j->count || j->nodes[b.parent].ended ||
	    j->nodes[b.parent].row.depth >= j->depth + 2 * LIMIT_DEPTH)
		return ERR_FORMAT;
	return new_node(j, b.parent, b.name, b.name_len, b.size);
}

static int
take_finding(struct job *j, const struct frame *f)
{
	struct wire_finding w;

	if (!wire_read_finding(f, &w) || w.object >= j->count ||
	    j->nodes[w.object].ended)
		return ERR_FORMAT;
	return node_add(j->group, &j->nodes[w.object], &w.f);
}

static int
take_member(struct job *j, const struct frame *f)
{
	const char *path;
	struct wire_member m;
	struct job *k;

	if (!wire_read_member(f, &m) || !j->work.delegate || m.parent != 0 ||
	    j->count == 0 || !ckd_range(m.off, m.size, j->work.len))
		return ERR_FORMAT;
	if (j->group->jobs > LIMIT_MEMBERS)
		return ERR_LIMIT;
	path = group_member_path(j->group, j->path, m.name, m.name_len);
	if (path == NULL ||
	    (k = group_add_job(j->group, path, j->depth + 1)) == NULL)
		return ERR_NOMEM;
	k->raw = arena_dup(j->group->arena, m.name, m.name_len);
	if (k->raw == NULL)
		return ERR_NOMEM;
	k->work = j->work;
	k->work.ask_fd = -1;
	k->work.off = j->work.off + m.off;
	k->work.len = m.size;
	k->work.depth = k->depth;
	k->work.seconds = worker_seconds(m.size);
	k->work.delegate = false;
	k->parse.state = TASK_WAITING;
	k->hash.state = j->hash.state == TASK_NONE ? TASK_NONE : TASK_WAITING;
	k->has_expected = m.has_sha256;
	memcpy(k->expected, m.sha256, sizeof(k->expected));
	return 0;
}

static int
take_end(struct job *j, const struct frame *f)
{
	struct coverage_sum cover, *copy;
	const char *format;
	struct wire_end w;
	struct node *n;
	char *p;
	int r;

	if (!wire_read_end(f, &w, &cover) || w.index >= j->count ||
	    j->nodes[w.index].ended)
		return ERR_FORMAT;
	if ((r = job_carved(j)) < 0)
		return r;
	n = &j->nodes[w.index];
	n->ended = true;
	n->complete = w.complete;
	n->row.calls = w.calls;
	n->row.tensors = w.tensors;
	if (w.cover != NULL) {
		if (!coverage_sum_ok(&cover, n->row.size))
			return ERR_FORMAT;
		if ((copy = arena_alloc(j->group->arena,
		    sizeof(*copy))) == NULL)
			return ERR_NOMEM;
		*copy = cover;
		n->row.cover = copy;
	}
	j->absent = j->work.registry && w.index == 0 &&
	    strcmp(w.format, FORMAT_NONE) == 0;
	format = j->absent ? j->work.format : w.format;
	if ((p = arena_dup(j->group->arena, format, strlen(format))) == NULL)
		return ERR_NOMEM;
	n->row.format = p;
	/* The digest of the worker's own object comes from another process. */
	if (w.has_sha256 && w.index > 0) {
		n->row.has_sha256 = true;
		memcpy(n->row.sha256, w.sha256, 32);
	}
	if (w.label_len > 0) {
		size_t cap = w.label_len * TEXT_GROWTH, used, len;

		if ((p = arena_alloc(j->group->arena, cap + 1)) == NULL)
			return ERR_NOMEM;
		len = text_printable(p, cap, w.label, w.label_len,
		    TEXT_PLAIN, &used);
		p[len] = '\0';
		n->row.magic = p;
	}
	return 0;
}

/* Texts of a call are shown by sinks, which make them printable. */
static int
take_call(struct job *j, const struct frame *f)
{
	struct arena *a = j->group->arena;
	struct node_call *k;
	struct wire_call w;
	struct node *n;

	if (!wire_read_call(f, &w) || w.object >= j->count)
		return ERR_FORMAT;
	if ((k = arena_alloc(a, sizeof(*k))) == NULL ||
	    (k->c.opcode = arena_dup(a, w.opcode, w.opcode_len)) == NULL ||
	    (k->c.callee = arena_dup(a, w.callee, w.callee_len)) == NULL ||
	    (k->c.args = arena_dup(a, w.args, w.args_len)) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < w.opcode_len; i++)
		if (w.opcode[i] != '_' && (w.opcode[i] < '0' ||
		    w.opcode[i] > '9') && (w.opcode[i] < 'A' ||
		    w.opcode[i] > 'Z'))
			return ERR_FORMAT;
	n = &j->nodes[w.object];
	k->c.path = n->row.path;
	k->c.off = w.off;
	k->c.index = w.index;
	k->c.stream = w.stream;
	k->c.flags = w.flags;
	k->c.cls = program_class_name((enum policy_class)w.cls);
	k->c.callee_len = w.callee_len;
	k->c.args_len = w.args_len;
	if (n->last_call != NULL)
		n->last_call->next = k;
	else
		n->first_call = k;
	n->last_call = k;
	return 0;
}

static int
take_status(struct job *j, const struct frame *f)
{
	struct sandbox_status st;

	if (!wire_read_status(f, &st))
		return ERR_FORMAT;
	j->has_status = true;
	j->group->sandbox = st;
	j->group->has_sandbox = true;
	return 0;
}

static int
take(struct job *j, const struct frame *f)
{
	struct wire_carve carve;
	const uint8_t *name;
	size_t n;

	if (j->done)
		return ERR_FORMAT;
	if (!j->has_status)
		return f->type == WIRE_STATUS ? take_status(j, f) :
		    ERR_FORMAT;
	switch (f->type) {
	case WIRE_BEGIN:
		return take_begin(j, f);
	case WIRE_FINDING:
		return take_finding(j, f);
	case WIRE_CALL:
		return take_call(j, f);
	case WIRE_MEMBER:
		return take_member(j, f);
	case WIRE_CARVE:
		return wire_read_carve(f, &carve) ? job_carve(j, &carve) :
		    ERR_FORMAT;
	case WIRE_ASK:
		return wire_read_ask(f, &name, &n) ? job_ask(j, name, n) :
		    ERR_FORMAT;
	case WIRE_END:
		return take_end(j, f);
	case WIRE_DONE:
		j->done = j->count > 0 && j->nodes[0].ended;
		return j->done ? 0 : ERR_FORMAT;
	default:
		return ERR_FORMAT;
	}
}

int
job_frames(struct job *j)
{
	struct buf *in = &j->parse.in;
	struct frame f;
	size_t at = 0;
	uint32_t n;
	bool ok;
	int r = 0;

	if (j->parse.received > LIMIT_FRAMES_BYTES + (j->work.carve ?
	    LIMIT_CARVE + LIMIT_CARVE / 64 : 0) || buf_failed(in) < 0)
		r = ERR_LIMIT;
	while (r >= 0 && in->len - at >= FRAME_HEADER) {
		n = frame_size(in->p + at, &ok);
		if (!ok) {
			r = ERR_FORMAT;
			break;
		}
		if (in->len - at - FRAME_HEADER < n)
			break;
		r = frame_parse(&f, in->p[at + 4], in->p + at + FRAME_HEADER,
		    n) ? take(j, &f) : ERR_FORMAT;
		at += FRAME_HEADER + n;
	}
	if (r < 0) {
		j->misbehaved = true;
		return r;
	}
	if (at > 0) {
		memmove(in->p, in->p + at, in->len - at);
		in->len -= at;
	}
	return 0;
}

/* The object that the worker was at: the last one that did not end. */
static uint32_t
current_node(struct job *j)
{
	uint32_t i;

	if (j->count == 0 &&
	    new_node(j, WIRE_NONE, NULL, 0, j->work.len) < 0)
		return WIRE_NONE;
	for (i = j->count - 1; i > 0 && j->nodes[i].ended; i--)
		;
	return i;
}

static void
fail_node(struct job *j, enum finding_id id, const char *key,
    const char *text)
{
	uint32_t i = current_node(j);

	if (i == WIRE_NONE) {
		j->group->failed = true;
		return;
	}
	if (job_say(j, i, id, key, text) < 0)
		j->group->failed = true;
	for (i = 0; i < j->count; i++)
		if (!j->nodes[i].ended)
			j->nodes[i].complete = false;
	j->nodes[0].complete = false;
}

static void
signal_text(char *dst, size_t n, int sig)
{
	const char *name = sigabbrev_np(sig);

	if (name != NULL)
		(void)snprintf(dst, n, "SIG%s", name);
	else
		(void)snprintf(dst, n, "signal %d", sig);
}

void
job_parsed(struct job *j, enum proc_end end, int status)
{
	char text[64];

	j->parse.state = TASK_DONE;
	buf_release(&j->parse.in);
	if (j->ask_fd >= 0)
		(void)close(j->ask_fd);
	j->ask_fd = -1;
	if (j->list_cut && current_node(j) != WIRE_NONE)
		(void)job_say(j, 0, FINDING_LIMIT, "limit",
		    "files of a repository");
	if (j->misbehaved) {
		fail_node(j, FINDING_WORKER_MISBEHAVED, "worker", "ended");
		return;
	}
	switch (end) {
	case PROC_DEADLINE:
		fail_node(j, FINDING_WORKER_DEADLINE, "worker", "ended");
		return;
	case PROC_KILLED:
		fail_node(j, FINDING_WORKER_MISBEHAVED, "worker", "ended");
		return;
	case PROC_SIGNALED:
		signal_text(text, sizeof(text), status);
		fail_node(j, status == SIGSYS ? FINDING_WORKER_KILLED :
		    status == SIGXCPU ? FINDING_WORKER_DEADLINE :
		    FINDING_WORKER_CRASHED, "signal", text);
		return;
	case PROC_EXITED:
		break;
	}
	if (status == 0 && j->done)
		return;
	(void)snprintf(text, sizeof(text), "worker ended with code %d",
	    status);
	if (status == 1 || status == 2) {
		j->group->failed = true;
		fail_node(j, FINDING_UNREADABLE, "reason", text);
	} else {
		fail_node(j, FINDING_WORKER_CRASHED, "reason", text);
	}
}

void
job_hashed(struct job *j, enum proc_end end, int status)
{
	j->hash.state = TASK_DONE;
	if (end != PROC_EXITED || status != 0 || j->hash.in.len != 32) {
		j->group->failed = true;
		buf_clear(&j->hash.in);
	}
}
