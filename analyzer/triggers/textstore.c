#include <string.h>

#include "analyzer/triggers/textstore.h"
#include "base/err.h"
#include "base/limits.h"

/* Steps of a look-up; an attacker may choose words that share a slot. */
#define PROBES 512
/* Rows past the limit before they are thinned out: rarely, and together. */
#define SLACK (LIMIT_TRIGGER_ROWS / 4)

uint64_t
textstore_mix(uint64_t v)
{
	v = (v + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
	v = (v ^ v >> 30) * 0x94d049bb133111ebu;
	return v ^ v >> 31;
}

int
textstore_init(struct textstore *s, struct err *e)
{
	memset(s, 0, sizeof(*s));
	buf_init(&s->bytes, LIMIT_TRIGGER_WORD_BYTES);
	s->e = e;
	s->keep = s->keep_odd = UINT64_MAX;
	s->slots = 1 << 16;
	s->slot = calloc(s->slots, sizeof(*s->slot));
	s->word_cap = 1 << 14;
	s->word = calloc(s->word_cap, sizeof(*s->word));
	s->words = 1;
	s->label = calloc(LIMIT_TRIGGER_CLASSES, sizeof(*s->label));
	if (textsplit_init(&s->split) < 0 || s->slot == NULL ||
	    s->word == NULL || s->label == NULL) {
		textstore_release(s);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	return 0;
}

void
textstore_release(struct textstore *s)
{
	textsplit_release(&s->split);
	buf_release(&s->bytes);
	free(s->row);
	free(s->item);
	free(s->word);
	free(s->slot);
	free(s->label);
	s->row = NULL;
	s->item = NULL;
	s->word = NULL;
	s->slot = NULL;
	s->label = NULL;
	s->rows = s->items = 0;
}

static int
grow(void *array, size_t *cap, size_t need, size_t max, size_t size)
{
	void **a = array;
	size_t want = *cap < 1024 ? 1024 : *cap;
	void *p;

	if (need <= *cap)
		return 0;
	while (want < need)
		want += want / 2;
	if (want > max)
		want = max;
	if (need > want || (p = realloc(*a, want * size)) == NULL)
		return ERR_NOMEM;
	*a = p;
	*cap = want;
	return 0;
}

/* Twice the slots, when half of them are taken. */
static int
reslot(struct textstore *s)
{
	size_t n = s->slots * 2;
	uint32_t *slot = calloc(n, sizeof(*slot));

	if (slot == NULL)
		return ERR_NOMEM;
	for (uint32_t w = 1; w < s->words; w++) {
		size_t at = s->word[w].hash & (n - 1);

		for (unsigned i = 0; i < PROBES; i++, at = (at + 1) & (n - 1))
			if (slot[at] == 0) {
				slot[at] = w;
				break;
			}
	}
	free(s->slot);
	s->slot = slot;
	s->slots = n;
	return 0;
}

static int
word_new(struct textstore *s, const uint8_t *p, uint32_t len, uint64_t hash,
    size_t at, uint32_t *ret)
{
	struct textstore_word *w;
	size_t cap = s->word_cap;

	if (s->words >= LIMIT_TRIGGER_WORDS ||
	    s->bytes.len + len > LIMIT_TRIGGER_WORD_BYTES)
		return 0;
	if (grow(&s->word, &cap, s->words + (size_t)1, LIMIT_TRIGGER_WORDS,
	    sizeof(*s->word)) < 0)
		return ERR_NOMEM;
	s->word_cap = (uint32_t)cap;
	w = &s->word[s->words];
	memset(w, 0, sizeof(*w));
	w->hash = hash;
	w->off = (uint32_t)s->bytes.len;
	w->len = (uint16_t)len;
	buf_put(&s->bytes, p, len);
	if (buf_failed(&s->bytes) < 0)
		return ERR_NOMEM;
	s->slot[at] = s->words;
	*ret = s->words++;
	return 0;
}

/* The number of a word; 0 where there is no room for it. */
static int
word_number(struct textstore *s, const uint8_t *p, uint32_t len,
    uint64_t hash, uint32_t *ret)
{
	size_t at;

	*ret = 0;
	if (len > LIMIT_TRIGGER_WORD)
		len = LIMIT_TRIGGER_WORD;	/* the hash is of all */
	if (s->words * (size_t)2 > s->slots && reslot(s) < 0)
		return ERR_NOMEM;
	at = hash & (s->slots - 1);
	for (unsigned i = 0; i < PROBES; i++, at = (at + 1) & (s->slots - 1)) {
		const struct textstore_word *w = &s->word[s->slot[at]];

		if (s->slot[at] == 0)
			return word_new(s, p, len, hash, at, ret);
		if (w->hash == hash && w->len == len &&
		    memcmp(s->bytes.p + w->off, p, len) == 0) {
			*ret = s->slot[at];
			return 0;
		}
	}
	return 0;
}

/* The class of a label; false: one class too many. */
static bool
label_number(struct textstore *s, const void *p, size_t n, uint16_t *ret)
{
	uint64_t hash = textsplit_hash(p, n);
	size_t len = n < LIMIT_TRIGGER_LABEL ? n : LIMIT_TRIGGER_LABEL;
	struct textstore_label *l;
	unsigned i;

	for (i = 0; i < s->labels; i++) {
		l = &s->label[i];
		if (l->hash == hash && l->len == len &&
		    memcmp(l->text, p, len) == 0)
			break;
	}
	if (i == LIMIT_TRIGGER_CLASSES)
		return false;
	l = &s->label[i];
	if (i == s->labels) {
		s->labels++;
		l->hash = hash;
		l->len = (uint16_t)len;
		memcpy(l->text, p, len);
	}
	l->seen++;
	*ret = (uint16_t)i;
	return true;
}

static bool
row_odd(const struct textstore *s, const struct textstore_row *r)
{
	for (unsigned i = 0; i < r->specials; i++)
		if (textsplit_odd(s->item[r->off + r->words + i]))
			return true;
	return false;
}

static int
by_hash(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void
drop(struct textstore *s)
{
	size_t rows = 0, items = 0;

	for (size_t i = 0; i < s->rows; i++) {
		struct textstore_row *r = &s->row[i];
		size_t n = r->words + (size_t)r->specials;

		if (r->hash >= s->keep &&
		    (r->hash >= s->keep_odd || !row_odd(s, r)))
			continue;
		memmove(s->item + items, s->item + r->off,
		    n * sizeof(*s->item));
		r->off = items;
		items += n;
		s->row[rows++] = *r;
	}
	s->rows = rows;
	s->items = items;
}

/* Keep the ${max} rows of the smallest hashes, and ${odd} odd ones beside. */
static int
thin(struct textstore *s, size_t max, size_t odd)
{
	uint64_t *h;
	size_t n = 0, m = 0;

	if (s->rows <= max)
		return 0;
	if ((h = calloc(s->rows, sizeof(*h))) == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i < s->rows; i++)
		h[i] = s->row[i].hash;
	n = s->rows;
	qsort(h, n, sizeof(*h), by_hash);
	if (h[max] < s->keep)
		s->keep = h[max];
	for (size_t i = 0; i < s->rows; i++)
		if (s->row[i].hash >= s->keep && row_odd(s, &s->row[i]))
			h[m++] = s->row[i].hash;
	qsort(h, m, sizeof(*h), by_hash);
	if (m > odd && h[odd] < s->keep_odd)
		s->keep_odd = h[odd];
	free(h);
	drop(s);
	return 0;
}

static int
append(struct textstore *s, uint64_t number, uint64_t hash, uint16_t label)
{
	const struct textsplit *t = &s->split;
	struct textstore_row *r;
	size_t odd = LIMIT_TRIGGER_ODD_ROWS / 4;
	uint32_t w = 0;

	for (; s->items + t->words + t->specials > LIMIT_TRIGGER_ITEMS;
	    odd /= 2)
		if (thin(s, s->rows / 2, odd) < 0)
			return ERR_NOMEM;
	if (grow(&s->row, &s->row_cap, s->rows + 1, LIMIT_TRIGGER_ROWS +
	    SLACK + LIMIT_TRIGGER_ODD_ROWS + 2, sizeof(*s->row)) < 0 ||
	    grow(&s->item, &s->item_cap, s->items + t->words + t->specials,
	    LIMIT_TRIGGER_ITEMS, sizeof(*s->item)) < 0)
		return ERR_NOMEM;
	r = &s->row[s->rows++];
	*r = (struct textstore_row){number, hash, s->items,
	    (uint32_t)t->words, (uint16_t)t->specials, label};
	for (size_t i = 0; i < t->words; i++) {
		if (word_number(s, t->low + t->word[i].off, t->word[i].len,
		    t->word[i].hash, &w) < 0)
			return ERR_NOMEM;
		s->lost += w == 0;
		s->item[s->items++] = w;
	}
	for (size_t i = 0; i < t->specials; i++)
		s->item[s->items++] = t->special[i];
	return 0;
}

int
textstore_add(struct textstore *s, uint64_t number, const void *text,
    size_t n, const void *label, size_t m)
{
	uint64_t hash = textstore_mix(number);
	bool odd = false;
	uint16_t l = 0;

	s->seen++;
	if (m == 0) {
		s->unlabelled++;
		return 0;
	}
	if (s->crowded)
		return 0;
	if (!label_number(s, label, m, &l)) {
		s->crowded = true;
		s->rows = s->items = 0;
		return 0;
	}
	textsplit_run(&s->split, text, n);
	s->cut += s->split.cut;
	s->empty += s->split.words == 0;
	if (s->split.words == 0)
		return 0;
	for (size_t i = 0; i < s->split.specials; i++)
		odd = odd || textsplit_odd(s->split.special[i]);
	if (hash >= s->keep && (!odd || hash >= s->keep_odd))
		return 0;
	if (append(s, number, hash, l) < 0)
		goto nomem;
	if (s->rows >= LIMIT_TRIGGER_ROWS + SLACK + LIMIT_TRIGGER_ODD_ROWS &&
	    thin(s, LIMIT_TRIGGER_ROWS, LIMIT_TRIGGER_ODD_ROWS) < 0)
		goto nomem;
	return 0;
nomem:
	return err_set(s->e, ERR_NOMEM, "out of memory");
}

int
textstore_end(struct textstore *s)
{
	size_t max = LIMIT_TRIGGER_ROWS;
	uint32_t *last = NULL;

	if (s->labels > 0 && max > LIMIT_TRIGGER_MARGINS / s->labels)
		max = LIMIT_TRIGGER_MARGINS / s->labels;
	if (thin(s, max, LIMIT_TRIGGER_ODD_ROWS) < 0 ||
	    (last = calloc(s->words, sizeof(*last))) == NULL)
		return err_set(s->e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < s->rows; i++) {
		const struct textstore_row *r = &s->row[i];

		s->label[r->label].rows++;
		for (uint32_t j = 0; j < r->words; j++) {
			uint32_t w = s->item[r->off + j];

			s->word[w].count++;
			if (last[w] != i + 1) {
				last[w] = (uint32_t)(i + 1);
				s->word[w].rows++;
			}
		}
	}
	free(last);
	return 0;
}
