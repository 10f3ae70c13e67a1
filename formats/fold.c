#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "formats/fold.h"

struct range {
	uint32_t first, last;
	uint8_t step;
	int32_t add;
};

static const struct range ranges[] = {
#define FOLD_RANGE(first, last, step, add) {first, last, step, add},
#include "formats/fold.def"
#undef FOLD_RANGE
};

static const struct range marks[] = {
#define FOLD_MARK(first, last, class) {first, last, 1, class},
#include "formats/fold.def"
#undef FOLD_MARK
};

struct several {
	uint16_t cp, to[3];
};

static const struct several severals[] = {
#define FOLD2(cp, a, b) {cp, {a, b, 0}},
#define FOLD3(cp, a, b, c) {cp, {a, b, c}},
#include "formats/fold.def"
#undef FOLD2
#undef FOLD3
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The last row that begins at or before the code point, or NULL. */
static const struct range *
find_range(const struct range *r, size_t n, uint32_t cp)
{
	size_t lo = 0, hi = n, mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (r[mid].first <= cp)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo > 0 && cp <= r[lo - 1].last ? &r[lo - 1] : NULL;
}

static const struct several *
find_several(uint32_t cp)
{
	size_t lo = 0, hi = COUNT(severals), mid;

	while (lo < hi) {
		mid = (lo + hi) / 2;
		if (severals[mid].cp == cp)
			return &severals[mid];
		if (severals[mid].cp < cp)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

/* Unicode 3.12, "Conjoining Jamo Behavior". */
static unsigned
hangul(uint32_t cp, uint32_t to[4])
{
	const uint32_t s = cp - 0xac00, t = s % 28;

	to[0] = 0x1100 + s / 588;
	to[1] = 0x1161 + s % 588 / 28;
	to[2] = 0x11a7 + t;
	return t > 0 ? 3 : 2;
}

static unsigned
fold_cp(uint32_t cp, uint32_t to[4])
{
	const struct several *s = find_several(cp);
	const struct range *r;
	unsigned n = 0;

	if (cp >= 0xac00 && cp <= 0xd7a3)
		return hangul(cp, to);
	if (s != NULL) {
		while (n < 3 && s->to[n] != 0) {
			to[n] = s->to[n];
			n++;
		}
		return n;
	}
	r = find_range(ranges, COUNT(ranges), cp);
	to[0] = r != NULL && (cp - r->first) % r->step == 0 ?
	    (uint32_t)((int32_t)cp + r->add) : cp;
	return 1;
}

static size_t
put_cp(char *dst, uint32_t cp)
{
	if (cp < 0x80) {
		dst[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		dst[0] = (char)(0xc0 | cp >> 6);
		dst[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		dst[0] = (char)(0xe0 | cp >> 12);
		dst[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		dst[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	dst[0] = (char)(0xf0 | cp >> 18);
	dst[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	dst[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	dst[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

/* Marks wait until what follows them is known, sorted by their class. */
struct folder {
	char *dst;
	size_t len;
	unsigned waiting;
	uint32_t mark[FOLD_MARKS];
	int32_t class[FOLD_MARKS];
};

static void
flush(struct folder *f)
{
	for (unsigned i = 0; i < f->waiting; i++)
		f->len += put_cp(f->dst + f->len, f->mark[i]);
	f->waiting = 0;
}

static void
take(struct folder *f, uint32_t cp)
{
	const struct range *r = find_range(marks, COUNT(marks), cp);
	unsigned i;

	if (r == NULL || f->waiting == FOLD_MARKS)
		flush(f);
	if (r == NULL) {
		f->len += put_cp(f->dst + f->len, cp);
		return;
	}
	for (i = f->waiting; i > 0 && f->class[i - 1] > r->add; i--) {
		f->mark[i] = f->mark[i - 1];
		f->class[i] = f->class[i - 1];
	}
	f->mark[i] = cp;
	f->class[i] = r->add;
	f->waiting++;
}

size_t
fold_name(char *dst, const char *src, size_t n)
{
	const uint8_t *p = (const uint8_t *)src;
	struct folder f = {.dst = dst};
	uint32_t cp, to[4];
	unsigned count;
	size_t len;

	for (size_t i = 0; i < n; i += len) {
		if ((len = text_utf8_len(p + i, n - i, &cp)) == 0) {
			flush(&f);
			f.dst[f.len++] = src[i];
			len = 1;
			continue;
		}
		count = fold_cp(cp, to);
		for (unsigned k = 0; k < count; k++)
			take(&f, to[k]);
	}
	flush(&f);
	return f.len;
}
