#include <stdio.h>
#include <string.h>

#include "analyzer/attempt.h"
#include "analyzer/bundle.h"
#include "analyzer/coverage.h"
#include "analyzer/examine.h"
#include "analyzer/examine_parts.h"
#include "analyzer/notes.h"
#include "analyzer/rules.h"
#include "analyzer/sibling.h"
#include "analyzer/srcdigest.h"
#include "analyzer/tensors.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/format.h"
#include "formats/magic.h"
#include "formats/registry.h"

/*
 * Every plausible bid is parsed.  The primary format is the best bid that
 * came to its end, or else the best bid; all of its findings count.  Of the
 * others, what their calls and globals say always counts (a model that is
 * also a pickle is a pickle), and two strong formats that both come to their
 * end are a finding by themselves.  What a weak bid that failed finds odd
 * about bytes of another format is noise and is dropped.
 */
#define BIDS_MAX 16
#define FINDINGS_ARENA (48 * MIB)

int
examine_member(struct exam *ex, const struct ev_member *m)
{
	const struct worker_job *job = ex->x->job;
	struct wire_member wm = {0};
	struct finding f = {0};
	bool told = job->delegate && ex->depth == job->depth &&
	    (m->flags & MEMBER_STORED) != 0 &&
	    strcmp(ex->at->format->name, "tar") == 0;

	if (++ex->members > LIMIT_MEMBERS || ex->depth >= LIMIT_DEPTH ||
	    (!told && !examine_room(ex->x, m->size))) {
		f.id = ex->depth >= LIMIT_DEPTH ? FINDING_DEPTH :
		    FINDING_LIMIT;
		f.severity = finding_info(f.id)->severity;
		f.confidence = CONFIDENCE_CERTAIN;
		f.off = m->off;
		rule_detail_text(&f, "member", m->name, m->name_len);
		attempt_add(ex->at, &f);
		return 0;
	}
	if (!told)
		return examine_object(ex->x, m, ex->index, ex->depth + 1,
		    ex->e);
	wm.parent = ex->index;
	wm.name = (const uint8_t *)m->name;
	wm.name_len = m->name_len;
	wm.off = m->off;
	wm.size = m->size;
	return wire_send_member(ex->x->wire, &wm, ex->e);
}

static int
on_global(void *ctx, const struct ev_global *g)
{
	struct exam *ex = ctx;

	attempt_global(ex->at, g);
	return 0;
}

static int
on_call(void *ctx, const struct ev_call *c)
{
	struct exam *ex = ctx;

	attempt_call(ex->at, c);
	return 0;
}

static int
on_member(void *ctx, const struct ev_member *m)
{
	return examine_member(ctx, m);
}

static int
on_anomaly(void *ctx, const struct ev_anomaly *a)
{
	return examine_anomaly(ctx, a);
}

static int
on_cover(void *ctx, uint64_t off, uint64_t len, enum cover kind)
{
	struct exam *ex = ctx;

	coverage_add(&ex->cover, off, len, kind);
	return 0;
}

static int
on_name(void *ctx, const char *format)
{
	struct exam *ex = ctx;

	ex->at->name = format;
	return 0;
}

static int
on_weights(void *ctx, const struct finding *f)
{
	struct exam *ex = ctx;

	attempt_add(ex->at, f);
	return 0;
}

static int
on_tensor(void *ctx, const struct ev_tensor *t)
{
	static const struct weights_events events = {on_weights, on_member};
	struct exam *ex = ctx;

	if (!ex->x->job->deep || ex->x->dormant > 0)
		return 0;
	if (ex->at->tensors == NULL &&
	    (ex->at->tensors = tensors_new(&events, ex, ex->e)) == NULL)
		return ERR_NOMEM;
	return tensors_add(ex->at->tensors, t, ex->e);
}

static int
on_digest(void *ctx, unsigned a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[64])
{
	return srcdigest_any(a, prefix, n, src, out,
	    ((struct exam *)ctx)->e);
}

/* What is nested in the worker's own object has no folder. */
static int
on_sibling(void *ctx, const char *name, size_t n, struct bytesrc **ret)
{
	struct exam *ex = ctx;
	const struct worker_job *job = ex->x->job;

	*ret = NULL;
	if (ex->depth != job->depth || ex->x->asks >= (job->registry ?
	    LIMIT_REG_ASKS : LIMIT_SIBLINGS))
		return SIBLING_UNKNOWN;
	ex->x->asks++;
	return sibling_ask(job->ask_fd, ex->x->wire, name, n, ret, ex->e);
}

static int
on_meta(void *ctx, const struct ev_meta *m)
{
	struct exam *ex = ctx;

	notes_meta(ex->at, m);
	return 0;
}

static const struct events exam_events = {
    .member = on_member,
    .global = on_global,
    .call = on_call,
    .tensor = on_tensor,
    .meta = on_meta,
    .anomaly = on_anomaly,
    .name = on_name,
    .cover = on_cover,
    .sibling = on_sibling,
    .digest = on_digest,
};

static int
run_attempt(struct exam *ex, struct attempt *at)
{
	struct parse p = {0};
	int r;

	if ((p.arena = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(ex->e, ERR_NOMEM, "out of memory");
	p.src = ex->m->src;
	p.size = bytesrc_size(p.src);
	p.ev = &exam_events;
	p.ctx = ex;
	p.e = ex->e;
	p.depth = ex->depth;
	p.room = &ex->x->room;
	ex->at = at;
	coverage_init(&ex->cover, p.arena);
	at->rc = at->format->parse(&p);
	r = at->rc >= 0 ? examine_cover(ex) : 0;
	arena_free(p.arena);
	if (r < 0)
		return r;
	/* Over the arena's cap: the object's fault, not ours. */
	if (at->rc == ERR_NOMEM || at->rc == ERR_LIMIT) {
		struct finding f = {.id = FINDING_LIMIT,
		    .severity = finding_info(FINDING_LIMIT)->severity,
		    .confidence = CONFIDENCE_CERTAIN};

		rule_detail_text(&f, "limit", "memory", 6);
		attempt_add(at, &f);
		err_reset(ex->e);
		at->rc = 1;
	}
	r = at->rc < 0 ? at->rc : 0;
	return r;
}

static unsigned
find_primary(const struct attempt *at, unsigned n)
{
	unsigned best = n;

	/*
	 * Text can be read out of anything: no match for a whole magic.  But a
	 * weak claim to some of the bytes ("GIT v1.5.2." is a pickle) gives way
	 * to one that explains them all, unless it runs something.
	 */
	for (unsigned i = 0; i < n; i++) {
		if (at[i].rc != 0 || at[i].incomplete ||
		    (at[i].bits < BID_STRONG && at[0].bits >= BID_MAGIC))
			continue;
		if (!at[i].leaves || at[i].called || at[i].bits >= BID_STRONG)
			return i;
		if (best == n)
			best = i;
	}
	return best < n ? best : 0;
}

/* Tell the findings that count; *complete is whether the primary's is. */
static int
settle(struct exam *ex, struct attempt *at, unsigned n, unsigned primary,
    bool *complete)
{
	struct finding poly = {.id = FINDING_POLYGLOT,
	    .severity = finding_info(FINDING_POLYGLOT)->severity,
	    .confidence = CONFIDENCE_STRONG};
	bool strong;
	int r;

	*complete = at[primary].rc == 0 && !at[primary].incomplete;
	r = attempt_send(&at[primary], ex->x->wire, ex->index, false, ex->e);
	for (unsigned i = 0; i < n && r >= 0; i++) {
		if (i == primary)
			continue;
		strong = at[i].bits >= BID_STRONG &&
		    at[primary].bits >= BID_STRONG && at[i].rc == 0 &&
		    !at[i].incomplete;
		r = attempt_send(&at[i], ex->x->wire, ex->index, !strong,
		    ex->e);
		if (r < 0 || (!strong && !at[i].called) ||
		    ex->x->dormant > 0)
			continue;
		poly.ndetails = 0;
		rule_detail_text(&poly, "one", at[primary].name,
		    strlen(at[primary].name));
		rule_detail_text(&poly, "other", at[i].name,
		    strlen(at[i].name));
		r = wire_send_finding(ex->x->wire, ex->index, &poly, ex->e);
	}
	return r;
}

/*
 * A part that was cut out of something: what is certain about it, and the
 * format that its finder names for what is not.
 */
static unsigned
only_strong(struct bid bids[BIDS_MAX], unsigned n, const struct format *forced)
{
	unsigned kept = 0;

	while (kept < n && kept < BIDS_MAX - 1 &&
	    bids[kept].bits >= BID_STRONG)
		kept++;
	bids[kept++] = (struct bid){forced, 0};
	return kept;
}

/* Bids by head and tail, or the one format that the container names. */
static int
collect_bids(const struct exam *ex, const uint8_t *head, size_t n,
    struct bid bids[BIDS_MAX], unsigned *ret)
{
	const struct format *extra = ex->x->job->extra;
	const struct format *forced;
	struct cursor c;
	unsigned bits, count;
	int r;

	forced = ex->m->format != NULL ? registry_find(ex->m->format) : NULL;
	if (forced != NULL && (ex->m->flags & MEMBER_CARVED) == 0) {
		bids[0] = (struct bid){forced, BID_STRONG};
		*ret = 1;
		return 0;
	}
	cursor_init(&c, head, n, 0);
	if ((r = registry_claims(ex->m->src, ex->m->size, c, bids,
	    BIDS_MAX - 1, ex->e)) < 0)
		return r;
	count = (unsigned)r;
	if (extra != NULL && (bits = extra->bid(c, ex->m->size)) > 0) {
		memmove(bids + 1, bids, count * sizeof(*bids));
		bids[0] = (struct bid){extra, bits};
		count++;
	}
	if (forced != NULL)
		count = only_strong(bids, count, forced);
	*ret = count;
	return 0;
}

static int
say(struct exam *ex, enum finding_id id)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	f.len = ex->m->size;
	return wire_send_finding(ex->x->wire, ex->index, &f, ex->e);
}

/* All bids, then the deep pass over the tensors of the one that counts. */
static int
run_attempts(struct exam *ex, const struct bid *bids, unsigned n,
    struct attempt *at, unsigned *primary)
{
	int r = wire_flush(ex->x->wire, ex->e);

	for (unsigned i = 0; i < n; i++) {
		attempt_init(&at[i], bids[i].format, bids[i].bits, ex->kept);
		at[i].dormant = ex->x->dormant > 0;
	}
	for (unsigned i = 0; i < n && r >= 0; i++)
		r = run_attempt(ex, &at[i]);
	*primary = find_primary(at, n);
	ex->at = &at[*primary];
	if (r >= 0 && ex->at->tensors != NULL &&
	    (r = wire_flush(ex->x->wire, ex->e)) >= 0)
		r = tensors_examine(ex->at->tensors, ex->m->src, ex->e);
	ex->tensors = tensors_count(ex->at->tensors);
	for (unsigned i = 0; i < n; i++)
		tensors_free(at[i].tensors);
	ex->at = NULL;		/* the attempts are on the caller's stack */
	return r;
}

/*
 * Raw tensor bytes by their container's rules have no format: they are whole
 * when nothing claims them.
 */
static int
examine_bytes(struct exam *ex, const uint8_t *head, size_t n,
    struct wire_end *end)
{
	struct attempt at[BIDS_MAX];
	struct bid bids[BIDS_MAX];
	unsigned count, primary;
	bool storage = (ex->m->flags & MEMBER_STORAGE) != 0, unknown;
	int r;

	if (ex->m->size == 0) {
		memcpy(end->format, "empty", 6);
		end->complete = true;
		return say(ex, FINDING_EMPTY);
	}
	if ((r = collect_bids(ex, head, n, bids, &count)) < 0)
		return r;
	if (storage && (count == 0 || bids[0].bits < BID_STRONG)) {
		memcpy(end->format, "tensor-data", 12);
		end->complete = true;
		return 0;
	}
	/* What nothing explains is searched for pickles at least. */
	unknown = count == 0;
	if (unknown) {
		bids[0].format = registry_find("carved");
		bids[0].bits = 0;
		count = 1;
	}
	if ((r = run_attempts(ex, bids, count, at, &primary)) < 0)
		return r;
	(void)snprintf(end->format, sizeof(end->format), "%s",
	    at[primary].name);
	end->cover = at[primary].cover;
	end->tensors = ex->tensors;
	if ((r = settle(ex, at, count, primary, &end->complete)) < 0)
		return r;
	for (unsigned i = 0; i < count && r >= 0; i++) {
		if (i != primary && !at[i].judged)
			continue;
		end->calls += at[i].calls;
		r = examine_program(ex->x, &at[i], ex->m->src, ex->index,
		    ex->depth, ex->e);
	}
	if (unknown)
		memcpy(end->format, "unknown", 8);
	if (ex->x->dormant > 0) {
		end->complete = true;	/* nobody reads it as that */
	} else if (unknown && r >= 0) {
		end->complete = false;
		r = say(ex, FINDING_FORMAT_UNKNOWN);
	}
	return r;
}

static int
examine_content(struct exam *ex, struct wire_end *end)
{
	const struct worker_job *job = ex->x->job;
	uint8_t head[FORMAT_HEAD];
	size_t n;
	int r;

	if ((r = bytesrc_read_some(ex->m->src, 0, head, sizeof(head), &n,
	    ex->e)) < 0)
		return r;
	/* libmagic has nothing to say of weights, thousands of times. */
	if (job->magic != NULL && n > 0 &&
	    (ex->m->flags & MEMBER_STORAGE) == 0) {
		const char *label = magic_label(job->magic, head, n);

		if (label != NULL) {
			end->label_len = strnlen(label, sizeof(ex->label));
			memcpy(ex->label, label, end->label_len);
			end->label = (const uint8_t *)ex->label;
		}
	}
	if (job->hash && ex->depth > job->depth) {
		if ((r = srcdigest(ex->m->src, end->sha256, ex->e)) < 0)
			return r;
		end->has_sha256 = true;
	}
	if ((r = examine_yara(ex)) < 0)
		return r;
	if (job->delegate && ex->depth == job->depth &&
	    bundle_is(head, n))
		return bundle_examine(ex->m->src, ex->x->wire, ex->index, end,
		    ex->e);
	return examine_bytes(ex, head, n, end);
}

/* An object that ends before its stated size is the object's fault. */
static int
read_failed(struct exam *ex, struct wire_end *end, int r)
{
	if (r != ERR_TRUNC)
		return r;
	err_reset(ex->e);
	end->complete = false;
	if (end->format[0] == '\0')
		memcpy(end->format, "unknown", 8);
	return say(ex, FINDING_TRUNCATED);
}

int
examine_object(struct examine *x, const struct ev_member *m, uint32_t parent,
    unsigned depth, struct err *e)
{
	struct exam ex = {.x = x, .m = m, .depth = depth, .e = e};
	struct wire_begin begin = {0};
	struct wire_end end = {0};
	const unsigned dormant = (m->flags & (MEMBER_DORMANT |
	    MEMBER_STORAGE)) != 0;
	int r;

	ex.index = begin.index = end.index = x->next_index++;
	begin.parent = parent;
	begin.name = (const uint8_t *)m->name;
	begin.name_len = m->name_len;
	begin.size = m->size;
	if ((ex.kept = arena_new(FINDINGS_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	x->dormant += dormant;
	if ((r = wire_send_begin(x->wire, &begin, e)) < 0 ||
	    ((m->flags & MEMBER_STORAGE) == 0 &&
	    (r = wire_flush(x->wire, e)) < 0) ||
	    (r = examine_send(&ex)) < 0)
		goto out;
	if ((r = examine_content(&ex, &end)) < 0 &&
	    (r = read_failed(&ex, &end, r)) < 0)
		goto out;
	r = wire_send_end(x->wire, &end, e);
out:
	x->dormant -= dormant;
	arena_free(ex.kept);
	return r;
}
