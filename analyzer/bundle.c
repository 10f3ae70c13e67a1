#include <stdio.h>
#include <string.h>

#include "analyzer/bundle.h"
#include "analyzer/bundle_index.h"
#include "analyzer/rules.h"
#include "analyzer/wire.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "custody/bag.h"
#include "custody/evidence_read.h"

/*
 * Two walks: the first finds the manifests (they come last), the second
 * hands out the members.
 */
struct hand_out {
	const struct bundle_index *index;
	struct wire *wire;
	uint32_t object;
	struct err *e;
};

bool
bundle_is(const uint8_t *head, size_t n)
{
	return evidence_is_bundle(head, n);
}

static int
say(const struct hand_out *h, enum finding_id id, uint64_t off,
    const char *key, const char *text)
{
	struct finding f = {.id = id,
	    .severity = finding_info(id)->severity,
	    .confidence = CONFIDENCE_CERTAIN};

	f.off = off;
	rule_detail_text(&f, key, text, strlen(text));
	return wire_send_finding(h->wire, h->object, &f, h->e);
}

static int
hand_out(const struct hand_out *h, const struct evidence_member *m)
{
	const uint8_t *stated;
	struct wire_member wm = {0};
	int r;

	stated = bundle_index_find(h->index, m->name, m->name_len);
	wm.parent = h->object;
	wm.name = (const uint8_t *)m->name;
	wm.name_len = m->name_len;
	wm.off = m->data_offset;
	wm.size = m->size;
	wm.tag = strncmp(m->name, BAG_DATA, strlen(BAG_DATA)) != 0;
	if (stated != NULL) {
		wm.has_sha256 = true;
		memcpy(wm.sha256, stated, 32);
	} else if (h->index->whole && !bundle_index_unlisted(m->name) &&
	    (r = say(h, FINDING_BUNDLE_UNLISTED, m->header_offset, "member",
	    m->name)) < 0) {
		return r;
	}
	return wire_send_member(h->wire, &wm, h->e);
}

static int
hand_out_all(const struct hand_out *h, const struct bytesrc *src,
    struct arena *a)
{
	struct err why = ERR_INIT;
	struct evidence_walk *w;
	struct evidence_member m;
	int r = 0;

	/* What ends the walk early was said when the index was made. */
	if (evidence_walk_new(src, a, &w, &why) < 0)
		return 0;
	while (r >= 0 && evidence_walk_next(w, &m, &why) > 0)
		r = hand_out(h, &m);
	return r;
}

int
bundle_examine(const struct bytesrc *src, struct wire *wire, uint32_t object,
    struct wire_end *end, struct err *e)
{
	struct bundle_index index;
	struct hand_out h = {&index, wire, object, e};
	struct arena *a;
	int r;

	(void)snprintf(end->format, sizeof(end->format), "evidence-bag");
	if ((a = arena_new(LIMIT_ARENA)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	if ((r = bundle_index_load(src, a, NULL, &index, e)) >= 0) {
		end->complete = index.whole;
		if (index.problem != NULL)
			r = say(&h, FINDING_BUNDLE_STRUCTURE,
			    index.problem_off, "reason", index.problem);
		if (r >= 0)
			r = hand_out_all(&h, src, a);
	}
	arena_free(a);
	return r;
}
