#include <string.h>

#include "analyzer/apilog/apilog_work.h"
#include "analyzer/bundle.h"
#include "analyzer/bundle_index.h"
#include "analyzer/srcdigest.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/evidence_read.h"

/*
 * Files one after another.  Of a sealed bundle the members of class api-logs
 * are read, raw, as they lie in it (where there are none, the requests that
 * were derived of them); each is checked against the digest that the bundle
 * states, and what does not hold is a finding.
 */
#define CLASS "data/api-logs/"
#define DERIVED "metadata/derived/requests.jsonl"
#define WALK_ARENA (64 * MIB)

static void
name_file(struct apilog_work *w, const char *member, size_t n)
{
	const struct apilog_file *f = w->file;
	struct buf *b = &w->path;

	buf_clear(b);
	buf_printf(b, "%u:", f->operand);
	text_put(b, f->path, strlen(f->path), TEXT_PATH);
	if (member == NULL)
		return;
	if (*f->path != '\0')
		buf_putc(b, '!');
	text_put(b, member, n, TEXT_PATH);
}

/* One log: a file, or a member that is a window on one. */
static int
one_log(struct apilog_work *w, const struct bytesrc *src, int64_t mtime_ns)
{
	const struct apilog_job *job = w->job;
	const struct logs_file f = {.path = buf_str(&w->path),
	    .path_len = w->path.len, .src = src, .mtime_ns = mtime_ns,
	    .has_since = job->has_since, .since_ns = job->since_ns,
	    .has_until = job->has_until, .until_ns = job->until_ns};
	int r;

	memset(w->told, 0, sizeof(w->told));
	memset(w->first, 0, sizeof(w->first));
	w->size = bytesrc_size(src);
	if ((r = logs_read(w->logs, &f, &w->e)) < 0)
		return r;
	w->before += w->size;
	return 0;
}

struct walk {
	struct apilog_work *w;
	const struct bytesrc *src;
	struct bundle_index index;
	bool derived;		/* there are no raw logs */
	uint64_t taken;
};

static int
check_digest(struct walk *k, const struct evidence_member *m,
    const struct bytesrc *part)
{
	const uint8_t *stated = bundle_index_find(&k->index, m->name,
	    m->name_len);
	uint8_t sum[32];
	int r;

	if (stated == NULL)
		return k->index.whole ? apilog_tell_finding(k->w,
		    FINDING_BUNDLE_UNLISTED, NULL, NULL) : 0;
	if ((r = srcdigest(part, sum, &k->w->e)) < 0)
		return r;
	return memcmp(sum, stated, sizeof(sum)) == 0 ? 0 :
	    apilog_tell_finding(k->w, FINDING_BUNDLE_DIGEST, NULL, NULL);
}

static bool
is_wanted(const struct walk *k, const struct evidence_member *m)
{
	const char *only = k->w->file->member;

	if (only != NULL)
		return strcmp(m->name, only) == 0;
	if (k->derived)
		return strcmp(m->name, DERIVED) == 0;
	return strncmp(m->name, CLASS, sizeof(CLASS) - 1) == 0;
}

static int
one_member(struct walk *k, const struct evidence_member *m)
{
	struct bytesrc *part;
	int r;

	if (!is_wanted(k, m))
		return 0;
	k->taken++;
	/* The path of a member that was given is the operand's. */
	if (k->w->file->member != NULL)
		name_file(k->w, NULL, 0);
	else
		name_file(k->w, m->name, m->name_len);
	if ((part = bytesrc_range(k->src, m->data_offset, m->size,
	    &k->w->e)) == NULL)
		return k->w->e.code;
	if ((r = check_digest(k, m, part)) >= 0)
		r = one_log(k->w, part, m->mtime > INT64_MAX / 1000000000 ?
		    0 : (int64_t)m->mtime * 1000000000);
	bytesrc_free(part);
	return r;
}

static int
members(struct walk *k, struct arena *a)
{
	struct err why = ERR_INIT;
	struct evidence_walk *walk;
	struct evidence_member m;
	int r = 0;

	/* What ends the walk early was told when the index was made. */
	if (evidence_walk_new(k->src, a, &walk, &why) < 0)
		return 0;
	while (r >= 0 && evidence_walk_next(walk, &m, &why) > 0)
		r = one_member(k, &m);
	return r;
}

static int
one_bundle(struct apilog_work *w, const struct bytesrc *src)
{
	struct walk k = {.w = w, .src = src};
	struct arena *a = arena_new(WALK_ARENA);
	int r;

	if (a == NULL)
		return err_set(&w->e, ERR_NOMEM, "out of memory");
	if ((r = bundle_index_load(src, a, NULL, &k.index, &w->e)) >= 0 &&
	    k.index.problem != NULL)
		r = apilog_tell_finding(w, FINDING_BUNDLE_STRUCTURE, "reason",
		    k.index.problem);
	if (r >= 0)
		r = members(&k, a);
	k.derived = true;
	if (r >= 0 && k.taken == 0 && w->file->member == NULL)
		r = members(&k, a);
	if (r >= 0 && k.taken == 0) {
		name_file(w, NULL, 0);
		r = apilog_tell_finding(w, FINDING_LOGS_UNREAD, "reason",
		    w->file->member != NULL ? "the bundle has no such member" :
		    "the bundle has no API logs");
	}
	arena_free(a);
	return r;
}

static int
one_file(struct apilog_work *w, const struct apilog_file *f)
{
	struct bytesrc *src = bytesrc_fd(f->fd, 0, f->size, &w->e);
	uint8_t head[1024];
	size_t got = 0;
	int r;

	if (src == NULL)
		return w->e.code;
	w->file = f;
	name_file(w, NULL, 0);
	if ((r = bytesrc_read_some(src, 0, head, sizeof(head), &got,
	    &w->e)) < 0)
		goto out;
	if (bundle_is(head, got))
		r = one_bundle(w, src);
	else if (f->member != NULL)
		r = apilog_tell_finding(w, FINDING_LOGS_UNREAD, "reason",
		    "members are read of sealed bundles alone");
	else
		r = one_log(w, src, f->mtime_ns);
out:
	bytesrc_free(src);
	return r;
}

int
apilog_read_all(struct apilog_work *w)
{
	int r = 0;

	for (size_t i = 0; i < w->job->n; i++)
		w->bytes += w->job->v[i].size;
	for (size_t i = 0; i < w->job->n && r >= 0; i++)
		r = one_file(w, &w->job->v[i]);
	w->file = NULL;
	return r < 0 ? r : logs_end(w->logs, &w->e);
}
