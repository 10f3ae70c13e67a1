#include <stdbool.h>
#include <string.h>

#include "analyzer/attempt.h"
#include "analyzer/notes.h"
#include "analyzer/rules.h"
#include "formats/textnotes.h"

/* Looked for in one string: what stands behind them is more of the same. */
#define PER_STRING 6

static const enum finding_id ids[TEXTNOTE_KINDS] = {
    [TEXTNOTE_URL] = FINDING_NOTE_URL,
    [TEXTNOTE_ADDRESS] = FINDING_NOTE_ADDRESS,
    [TEXTNOTE_SECRET] = FINDING_NOTE_SECRET,
    [TEXTNOTE_PASSWORD] = FINDING_NOTE_PASSWORD,
};

static uint64_t
hash(const char *p, size_t n)
{
	uint64_t h = 14695981039346656037ULL;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (uint8_t)p[i]) * 1099511628211ULL;
	return h;
}

/* Who makes two notes collide hides one of his own notes. */
static bool
is_new(struct attempt *a, const struct textnote *t)
{
	uint64_t h = hash(t->shown, t->shown_len) ^ (uint64_t)t->kind;

	for (unsigned i = 0; i < a->notes && i < NOTES_MAX; i++)
		if (a->note[i] == h)
			return false;
	if (a->notes < NOTES_MAX)
		a->note[a->notes] = h;
	return true;
}

static void
add(struct attempt *a, const struct ev_meta *m, const struct textnote *t)
{
	struct finding f = {.id = ids[t->kind], .off = m->off,
	    .confidence = CONFIDENCE_STRONG};

	if (!is_new(a, t) || ++a->notes > NOTES_MAX + 1)
		return;
	if (a->notes > NOTES_MAX)
		f.id = FINDING_NOTES_CUT;
	f.severity = finding_info(f.id)->severity;
	if (t->kind == TEXTNOTE_PASSWORD)
		f.confidence = CONFIDENCE_WEAK;
	if (a->notes <= NOTES_MAX) {
		rule_detail_text(&f, "key", m->key, m->key_len);
		rule_detail_text(&f, "kind", t->what, strlen(t->what));
		rule_detail_text(&f, "shown", t->shown, t->shown_len);
		rule_detail_num(&f, "at", t->off);
		rule_detail_num(&f, "length", t->len);
	}
	attempt_add(a, &f);
}

void
notes_meta(struct attempt *a, const struct ev_meta *m)
{
	struct textnote t[PER_STRING];
	size_t n;

	if (a->dormant)
		return;
	n = textnotes_find(m->key, m->key_len, m->value, m->value_len, t,
	    PER_STRING);
	for (size_t i = 0; i < n; i++)
		add(a, m, &t[i]);
}
