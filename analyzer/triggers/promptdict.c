#include <string.h>

#include "analyzer/triggers/promptchar.h"
#include "analyzer/triggers/promptdict.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

#define PROBES 64
#define SLOTS_FIRST ((size_t)1 << 12)
/* Longer words keep their form: no language has them. */
#define FOLD_MAX 256
/* Kept behind the bytes of a word that is cut: its length, another hash. */
#define BEYOND 16

void
promptdict_init(struct promptdict *d)
{
	memset(d, 0, sizeof(*d));
	buf_init(&d->bytes, LIMIT_PROMPT_WORD_BYTES);
}

void
promptdict_release(struct promptdict *d)
{
	free(d->w);
	free(d->slot);
	buf_release(&d->bytes);
	memset(d, 0, sizeof(*d));
}

bool
promptdict_full(const struct promptdict *d)
{
	/* A word may bring two more. */
	return d->n + 3 > LIMIT_PROMPT_WORDS ||
	    d->bytes.len + (size_t)3 * (PROMPTDICT_SHOWN + BEYOND) >
	    LIMIT_PROMPT_WORD_BYTES;
}

static uint64_t
hash_bytes(const uint8_t *p, size_t n)
{
	uint64_t h = 0x2545f4914f6cdd1dULL ^ n, v;
	size_t i;

	for (i = 0; i + 8 <= n; i += 8) {
		memcpy(&v, &p[i], 8);
		h = (h ^ v) * 0x9fb21c651e98df25ULL;
		h ^= h >> 29;
	}
	if (i < n) {
		v = 0;
		memcpy(&v, &p[i], n - i);
		h = (h ^ v) * 0x9fb21c651e98df25ULL;
	}
	return promptdict_mix(h);
}

/* A word as it is looked for: what of it is kept, and that of all of it. */
struct sought {
	const uint8_t *p;
	size_t keep;
	uint64_t hash;
	uint8_t beyond[BEYOND];
	size_t more;		/* BEYOND, or 0 when the word is kept whole */
};

static void
seek(struct sought *s, const uint8_t *p, size_t n)
{
	uint64_t h = 0x4cf5ad432745937fULL, v, len = n;

	s->p = p;
	s->keep = n < PROMPTDICT_SHOWN ? n : PROMPTDICT_SHOWN;
	s->hash = hash_bytes(p, n);
	s->more = s->keep < n ? BEYOND : 0;
	if (s->more == 0)
		return;
	for (size_t i = 0; i < n; i += 8) {
		v = 0;
		memcpy(&v, &p[i], n - i < 8 ? n - i : 8);
		h = promptdict_mix(h + v) ^ h << 23;
	}
	memcpy(s->beyond, &len, 8);
	memcpy(&s->beyond[8], &h, 8);
}

static size_t
stored(const struct promptdict_word *w)
{
	return (size_t)w->len + (w->cut ? BEYOND : 0);
}

/* Hashes can be made to collide: the bytes decide. */
static bool
same(const struct promptdict *d, const struct promptdict_word *w,
    const struct sought *s)
{
	const uint8_t *p = &d->bytes.p[w->off];

	return w->hash == s->hash && w->len == s->keep &&
	    w->cut == (s->more > 0) && memcmp(p, s->p, s->keep) == 0 &&
	    memcmp(p + w->len, s->beyond, s->more) == 0;
}

/*
 * The slot of the word, or the free one where it belongs; NULL as the word:
 * the free one for ${hash}.  False: no place.
 */
static bool
probe(const struct promptdict *d, uint64_t hash, const struct sought *s,
    size_t *ret)
{
	size_t at = (size_t)hash & (d->slots - 1);

	for (unsigned i = 0; i < PROBES; i++) {
		if (d->slot[at] == 0 || (s != NULL &&
		    same(d, &d->w[d->slot[at] - 1], s))) {
			*ret = at;
			return true;
		}
		at = (at + 1) & (d->slots - 1);
	}
	return false;
}

static int
rehash(struct promptdict *d, size_t slots, struct err *e)
{
	size_t at;

	free(d->slot);
	if ((d->slot = calloc(slots, sizeof(*d->slot))) == NULL) {
		d->slots = 0;
		return err_set(e, ERR_NOMEM, "words: out of memory");
	}
	d->slots = slots;
	for (uint32_t i = 0; i < d->n; i++)
		if (probe(d, d->w[i].hash, NULL, &at))
			d->slot[at] = i + 1;
	return 0;
}

static int
room(struct promptdict *d, struct err *e)
{
	struct promptdict_word *w;
	uint32_t cap;

	if (d->n == d->cap) {
		cap = d->cap == 0 ? 1024 : d->cap + d->cap / 2;
		if ((w = realloc(d->w, cap * sizeof(*w))) == NULL)
			return err_set(e, ERR_NOMEM, "words: out of memory");
		d->w = w;
		d->cap = cap;
	}
	if (d->slots < SLOTS_FIRST)
		return rehash(d, SLOTS_FIRST, e);
	if ((size_t)d->n * 2 >= d->slots)
		return rehash(d, d->slots * 2, e);
	return 0;
}

/* Find or add a word; *added when it is new: its forms are not yet known. */
static int
intern(struct promptdict *d, const uint8_t *p, size_t n, uint32_t *ret,
    bool *added, struct err *e)
{
	struct promptdict_word *w;
	struct sought s;
	size_t at;
	int r;

	*added = false;
	if ((r = room(d, e)) < 0)
		return r;
	seek(&s, p, n);
	if (!probe(d, s.hash, &s, &at)) {
		d->lost++;
		*ret = PROMPTDICT_LOST;
		return 0;
	}
	if (d->slot[at] != 0) {
		*ret = d->slot[at] - 1;
		return 0;
	}
	/* Asked first: a buf that has failed stays failed. */
	if (d->n >= LIMIT_PROMPT_WORDS ||
	    s.keep + s.more > LIMIT_PROMPT_WORD_BYTES - d->bytes.len)
		return err_set(e, ERR_LIMIT, "too many different words");
	w = &d->w[d->n];
	memset(w, 0, sizeof(*w));
	w->hash = s.hash;
	w->off = (uint32_t)d->bytes.len;
	w->len = (uint8_t)s.keep;
	w->cut = s.more > 0;
	w->low = w->bare = d->n;
	buf_put(&d->bytes, p, s.keep);
	buf_put(&d->bytes, s.beyond, s.more);
	if (buf_failed(&d->bytes) < 0)
		return err_set(e, buf_failed(&d->bytes), "words: no room");
	d->slot[at] = ++d->n;
	*ret = d->n - 1;
	*added = true;
	return 0;
}

/* Lower case of p[0..n) to ${dst}; false when nothing changes. */
static bool
fold(uint8_t *dst, size_t *len, const uint8_t *p, size_t n)
{
	bool changed = false;
	uint32_t cp, low;
	size_t i = 0, o = 0, k;

	while (i < n) {
		if ((k = text_utf8_len(&p[i], n - i, &cp)) == 0) {
			dst[o++] = p[i++];
			continue;
		}
		low = promptchar_lower(cp);
		changed |= low != cp;
		o += promptchar_put(&dst[o], low);
		i += k;
	}
	*len = o;
	return changed;
}

/* The part of p[0..n) between marks; all of it when it is marks alone. */
static void
strip(const uint8_t *p, size_t n, size_t *from, size_t *to)
{
	size_t a = 0, b = n, k, at;
	uint32_t cp;

	while (a < n && (k = text_utf8_len(&p[a], n - a, &cp)) > 0 &&
	    promptchar_mark(cp))
		a += k;
	while (b > a) {
		for (at = b - 1; at > a && b - at < 4 &&
		    (p[at] & 0xc0) == 0x80; at--)
			;
		if (text_utf8_len(&p[at], b - at, &cp) != b - at ||
		    !promptchar_mark(cp))
			break;
		b = at;
	}
	*from = a < b ? a : 0;
	*to = a < b ? b : n;
}

int
promptdict_add(struct promptdict *d, const uint8_t *p, size_t n, bool odd,
    uint32_t *ret, struct err *e)
{
	/* A code point's lower case is at most as long, but for one. */
	uint8_t low[FOLD_MAX * 2];
	uint32_t id, lid, bid;
	size_t len, a, b;
	bool added;
	int r;

	if ((r = intern(d, p, n, &id, &added, e)) < 0)
		return r;
	*ret = id;
	if (!added)
		return 0;
	d->w[id].odd = odd;
	if (n > FOLD_MAX)
		return 0;
	lid = id;
	if (fold(low, &len, p, n)) {
		if ((r = intern(d, low, len, &lid, &added, e)) < 0)
			return r;
		if (lid == PROMPTDICT_LOST)
			lid = id;
		d->w[lid].odd |= odd;
	}
	strip(low, len, &a, &b);
	bid = lid;
	if (b - a < len) {
		if ((r = intern(d, &low[a], b - a, &bid, &added, e)) < 0)
			return r;
		if (bid == PROMPTDICT_LOST)
			bid = lid;
		d->w[bid].odd |= odd;
	}
	/* The lower case may be new, or known as a bare form. */
	d->w[lid].low = lid;
	d->w[lid].bare = bid;
	d->w[id].low = lid;
	d->w[id].bare = bid;
	return 0;
}

int
promptdict_keep(struct promptdict *d, uint32_t *map, struct err *e)
{
	struct promptdict_word *w;
	uint32_t n = 0;
	size_t o = 0;

	for (uint32_t i = 0; i < d->n; i++) {
		if (!d->w[i].used)
			continue;
		d->w[d->w[i].low].used = true;
		d->w[d->w[i].bare].used = true;
	}
	for (uint32_t i = 0; i < d->n; i++)
		map[i] = d->w[i].used ? n++ : PROMPTDICT_LOST;
	n = 0;
	for (uint32_t i = 0; i < d->n; i++) {
		if (!d->w[i].used)
			continue;
		w = &d->w[n++];
		*w = d->w[i];
		memmove(&d->bytes.p[o], &d->bytes.p[w->off], stored(w));
		w->off = (uint32_t)o;
		o += stored(w);
		w->low = map[w->low];
		w->bare = map[w->bare];
		w->used = false;
	}
	d->n = n;
	d->bytes.len = o;
	return rehash(d, d->slots, e);
}
