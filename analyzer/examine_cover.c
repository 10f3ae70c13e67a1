#include <string.h>

#include "analyzer/examine.h"
#include "analyzer/examine_parts.h"
#include "analyzer/rules.h"
#include "analyzer/srcdigest.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/digest.h"
#include "formats/format.h"
#include "formats/registry.h"

/*
 * Bytes that nothing explains.
 *
 * They come in two ways: a parser that knows its format's gaps tells them as
 * anomalies, and one that tells what it explained leaves the rest.  Both get
 * the same treatment: how many of them are not zero, their digest, the first
 * of them in hex, and an examination as an object of their own ("unexplained"),
 * since what an attacker appends is a file as often as not.
 */
#define CARVE_LEAST 8	/* bytes; shorter ones hold nothing that runs */

/* How many bytes are not zero, and where the first of them is. */
static int
count_nonzero(const struct bytesrc *src, uint64_t off, uint64_t len,
    uint64_t *ret, uint64_t *first, struct err *e)
{
	static uint8_t chunk[LIMIT_COPY_CHUNK];
	uint64_t done = 0;
	int r;

	*ret = 0;
	*first = off;
	while (done < len) {
		size_t n = len - done < sizeof(chunk) ? (size_t)(len - done) :
		    sizeof(chunk);

		if ((r = bytesrc_read(src, off + done, chunk, n, e)) < 0)
			return r;
		for (size_t i = 0; i < n; i++)
			if (chunk[i] != 0 && (*ret)++ == 0)
				*first = off + done + i;
		done += n;
	}
	return 0;
}

/* The bytes as an object of their own. */
static int
carve(struct exam *ex, const struct bytesrc *src, uint64_t off)
{
	const struct ev_member m = {.name = "unexplained", .name_len = 11,
	    .off = off, .size = bytesrc_size(src), .src = src,
	    .flags = MEMBER_VIRTUAL | MEMBER_CARVED, .format = "carved"};

	return m.size >= CARVE_LEAST ? examine_member(ex, &m) : 0;
}

/* A parser's bytes look like code to a carver: these carve for themselves. */
static bool
carves_itself(const struct exam *ex)
{
	return strstr(ex->at->format->name, "pickle") != NULL ||
	    strcmp(ex->at->format->name, "carved") == 0;
}

static bool
is_unexplained(const struct ev_anomaly *a)
{
	return a->id == ANOMALY_TRAILING || a->id == ANOMALY_LEADING ||
	    a->id == ANOMALY_ZIP_GAP || a->id == ANOMALY_ST_GAP;
}

/* A line end or so behind the end, as editors leave it. */
static bool
is_blank(const struct exam *ex, const struct ev_anomaly *a)
{
	uint8_t tail[4];

	if (a->id != ANOMALY_TRAILING || a->len == 0 ||
	    a->len > sizeof(tail) || bytesrc_read(ex->m->src, a->off, tail,
	    (size_t)a->len, NULL) < 0)
		return false;
	for (uint64_t i = 0; i < a->len; i++)
		if (memchr(" \t\r\n\x1a", tail[i], 5) == NULL)
			return false;
	return true;
}

static void
tell_blank(struct exam *ex, const struct ev_anomaly *a)
{
	const struct finding f = {.id = FINDING_TRAILING_BLANK,
	    .severity = finding_info(FINDING_TRAILING_BLANK)->severity,
	    .confidence = CONFIDENCE_CERTAIN, .off = a->off, .len = a->len};

	if (ex->x->dormant == 0)
		attempt_add(ex->at, &f);
}

int
examine_anomaly(struct exam *ex, const struct ev_anomaly *a)
{
	struct ev_anomaly told = *a;
	struct fact facts[FACT_MAX];
	uint8_t digest[32];
	struct bytesrc *src;
	char hex[65];
	int r;

	if (is_unexplained(a))
		coverage_tell(&ex->cover, a->off, a->len);
	if (is_blank(ex, a)) {
		tell_blank(ex, a);
		return 0;
	}
	if (!is_unexplained(a) || a->len == 0 || ex->x->dormant > 0 ||
	    (src = bytesrc_range(ex->m->src, a->off, a->len, NULL)) == NULL) {
		attempt_anomaly(ex->at, a, ex->m->src);
		return 0;
	}
	if ((r = srcdigest(src, digest, ex->e)) >= 0) {
		digest_hex(hex, digest, 32);
		memcpy(facts, a->facts, a->nfacts * sizeof(*facts));
		if (a->nfacts < FACT_MAX)
			facts[told.nfacts++] =
			    (struct fact)FACT_TEXT("sha256", hex, 64);
		told.facts = facts;
		attempt_anomaly(ex->at, &told, ex->m->src);
		if (!carves_itself(ex))
			r = carve(ex, src, a->off);
	}
	bytesrc_free(src);
	return r;
}

struct settle {
	struct exam *ex;
	struct coverage_sum *sum;
	unsigned carved;
};

static void
say(struct exam *ex, enum coverage_kind kind, uint64_t off, uint64_t len,
    uint64_t nonzero, uint64_t first, const uint8_t digest[32])
{
	struct finding f = {.id = kind == COVERAGE_PADDING ?
	    FINDING_PADDING : FINDING_UNEXPLAINED,
	    .confidence = CONFIDENCE_CERTAIN, .off = off, .len = len};
	char preview[2 * ATTEMPT_PREVIEW], hex[65];

	digest_hex(hex, digest, 32);
	f.severity = finding_info(f.id)->severity;
	rule_detail_num(&f, "nonzero_bytes", nonzero);
	rule_detail_num(&f, "first_nonzero", first);
	attempt_preview(&f, ex->m->src, first, off + len - first, preview);
	rule_detail_text(&f, "sha256", hex, 64);
	attempt_add(ex->at, &f);
}

static int
look(struct settle *s, enum coverage_kind kind, uint64_t off, uint64_t len)
{
	struct exam *ex = s->ex;
	uint64_t nonzero, first;
	struct bytesrc *src;
	uint8_t digest[32];
	int r;

	if ((r = count_nonzero(ex->m->src, off, len, &nonzero, &first,
	    ex->e)) < 0 || nonzero == 0)
		return r;
	if ((src = bytesrc_range(ex->m->src, off, len, ex->e)) == NULL)
		return ERR_NOMEM;
	/* Behind the place where a parse ended nothing was promised. */
	if (ex->at->rc == 0 && (r = srcdigest(src, digest, ex->e)) >= 0)
		say(ex, kind, off, len, nonzero, first, digest);
	if (r >= 0 && !carves_itself(ex) &&
	    s->carved++ < LIMIT_FINDINGS_PER_RULE)
		r = carve(ex, src, off);
	bytesrc_free(src);
	return r;
}

static int
on_range(void *ctx, enum coverage_kind kind, uint64_t off, uint64_t len)
{
	struct settle *s = ctx;

	coverage_count(s->sum, kind, off, len);
	return kind == COVERAGE_EXPLAINED || kind == COVERAGE_TOLD ||
	    s->ex->cover.full ||
	    s->ex->x->dormant > 0 ? 0 : look(s, kind, off, len);
}

int
examine_cover(struct exam *ex)
{
	struct settle s = {.ex = ex};
	struct finding full = {.id = FINDING_LIMIT,
	    .severity = finding_info(FINDING_LIMIT)->severity,
	    .confidence = CONFIDENCE_CERTAIN};
	int r;

	/* Who tells of some bytes and maps none has explained the others. */
	if (ex->cover.told_of.n > 0 && !ex->cover.told && ex->at->rc == 0)
		coverage_add(&ex->cover, 0, ex->m->size, COVER_EXPLAINED);
	/* A weak claim that failed has explained nothing. */
	if (!ex->cover.told || (ex->at->rc != 0 && ex->at->bits < BID_STRONG))
		return 0;
	if ((s.sum = arena_alloc(ex->kept, sizeof(*s.sum))) == NULL)
		return 0;
	ex->at->cover = s.sum;
	if (ex->cover.full) {
		rule_detail_text(&full, "limit", "coverage", 8);
		attempt_add(ex->at, &full);
	}
	r = coverage_walk(&ex->cover, ex->m->size, on_range, &s);
	/* An object that is explained whole needs no map. */
	if (ex->at->rc == 0 && s.sum->bytes[COVERAGE_EXPLAINED] ==
	    ex->m->size)
		ex->at->cover = NULL;
	return r;
}

/* All of them or, past LIMIT_CARVE in one file, none: a part proves nothing. */
int
examine_send(struct exam *ex)
{
	static uint8_t chunk[WIRE_CARVE_MAX];
	struct finding f = {.id = FINDING_CARVE_LIMIT,
	    .severity = finding_info(FINDING_CARVE_LIMIT)->severity,
	    .confidence = CONFIDENCE_CERTAIN};
	struct wire_carve w = {.object = ex->index, .off = ex->m->off,
	    .p = chunk};
	const uint64_t size = ex->m->size;
	uint64_t at = 0;
	int r = 0;

	if (!ex->x->job->carve || (ex->m->flags & MEMBER_CARVED) == 0)
		return 0;
	if (size > LIMIT_CARVE - ex->x->carved) {
		f.len = size;
		return wire_send_finding(ex->x->wire, ex->index, &f, ex->e);
	}
	ex->x->carved += size;
	for (; at < size && r >= 0; at += w.n) {
		w.n = size - at < sizeof(chunk) ? (size_t)(size - at) :
		    sizeof(chunk);
		if ((r = bytesrc_read(ex->m->src, at, chunk, w.n,
		    ex->e)) >= 0)
			r = wire_send_carve(ex->x->wire, &w, ex->e);
	}
	return r;
}
