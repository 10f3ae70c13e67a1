#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/text.h"
#include "formats/rows/slice.h"
#include "formats/rows/slice_parts.h"
#include "formats/rows/slicetime.h"

/* What is being parsed: a piece of the specification. */
struct piece {
	const char *p;
	size_t n;
	size_t at;		/* in the specification */
};

static int
bad(struct err *e, size_t at, const char *what)
{
	bool first = e != NULL && e->code == ERR_OK;

	(void)err_set(e, ERR_ARG, "%s at character %zu", what, at + 1);
	if (first)
		e->off = at;
	return ERR_ARG;
}

/* The piece up to the first ${c}; false, and all of it, when there is none. */
static bool
cut(struct piece *from, char c, struct piece *ret)
{
	const char *hit = from->n > 0 ? memchr(from->p, c, from->n) : NULL;

	*ret = *from;
	if (hit == NULL) {
		from->p += from->n;
		from->at += from->n;
		from->n = 0;
		return false;
	}
	ret->n = (size_t)(hit - from->p);
	from->p += ret->n + 1;
	from->at += ret->n + 1;
	from->n -= ret->n + 1;
	return true;
}

static int
nibble(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ?
	    c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX undone, NUL behind. */
static int
decode(const struct piece *k, struct arena *a, struct slice_text *ret,
    struct err *e)
{
	char *p;
	size_t n = 0;

	if ((p = arena_alloc(a, k->n + 1)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < k->n; i++) {
		int hi, lo;

		if (k->p[i] != '%') {
			p[n++] = k->p[i];
			continue;
		}
		if (k->n - i < 3 || (hi = nibble(k->p[i + 1])) < 0 ||
		    (lo = nibble(k->p[i + 2])) < 0)
			return bad(e, k->at + i, "a bad %XX");
		p[n++] = (char)(hi << 4 | lo);
		i += 2;
	}
	p[n] = '\0';
	ret->p = p;
	ret->n = n;
	return 0;
}

static int
set_field(struct slice_part *t, const struct piece *k, struct arena *a,
    struct err *e)
{
	struct slice_text name;
	int r;

	if ((r = decode(k, a, &name, e)) < 0)
		return r;
	if (name.n == 0 || strlen(name.p) != name.n)
		return bad(e, k->at, "a field is missing");
	t->field = name.p;
	return 0;
}

/* "A..B": both sides, which may be empty. */
static int
range(struct piece k, struct piece *from, struct piece *to, struct err *e)
{
	const char *dots = k.n > 0 ? memmem(k.p, k.n, "..", 2) : NULL;
	size_t n;

	if (dots == NULL)
		return bad(e, k.at, "a range needs '..'");
	n = (size_t)(dots - k.p);
	*from = (struct piece){k.p, n, k.at};
	*to = (struct piece){k.p + n + 2, k.n - n - 2, k.at + n + 2};
	return 0;
}

static int
parse_rows(struct slice_part *t, struct piece k, struct arena *a, struct err *e)
{
	struct piece from, to;
	int r;

	(void)a;
	if ((r = range(k, &from, &to, e)) < 0)
		return r;
	t->last = UINT64_MAX;
	if (from.n > 0 &&
	    !text_u64(from.p, from.n, 10, UINT64_MAX, &t->first))
		return bad(e, from.at, "no number of a row");
	if (to.n > 0 && !text_u64(to.p, to.n, 10, UINT64_MAX, &t->last))
		return bad(e, to.at, "no number of a row");
	return t->first <= t->last ? 0 :
	    bad(e, k.at, "a range ends before it begins");
}

static int
parse_time(struct slice_part *t, struct piece k, struct arena *a, struct err *e)
{
	struct piece value, from, to;
	int r;

	if (!cut(&k, '@', &value))
		return bad(e, k.at, "a field is missing");
	if ((r = set_field(t, &k, a, e)) < 0 ||
	    (r = range(value, &from, &to, e)) < 0)
		return r;
	t->from = INT64_MIN;
	t->open = to.n == 0;
	if (from.n > 0 && !slicetime_text(from.p, from.n, &t->from))
		return bad(e, from.at, "no time");
	if (to.n > 0 && !slicetime_text(to.p, to.n, &t->to))
		return bad(e, to.at, "no time");
	return t->open || t->from <= t->to ? 0 :
	    bad(e, value.at, "a range ends before it begins");
}

/* floor(digits / 10^n * 2^64), digit by digit so that nothing overflows. */
static uint64_t
scale_fraction(const char *p, size_t n)
{
	uint64_t ten = 1, v = 0, below = 0;

	for (size_t i = 0; i < n; i++) {
		ten *= 10;
		v = v * 10 + (uint64_t)(p[i] - '0');
	}
	/* Long division in base 2: v < ten <= 10^18, so 2 v is in range. */
	for (unsigned i = 0; i < 64; i++) {
		v *= 2;
		below = below << 1 | (v >= ten);
		if (v >= ten)
			v -= ten;
	}
	return below;
}

static int
parse_hash(struct slice_part *t, struct piece k, struct arena *a, struct err *e)
{
	struct piece value, whole;
	uint64_t one, ignored;
	int r;

	if (cut(&k, '@', &value) && (r = decode(&k, a, &t->text, e)) < 0)
		return r;
	if (t->text.n > SLICE_SALT)
		return bad(e, k.at, "the salt is too long");
	(void)cut(&value, '.', &whole);
	if (!text_u64(whole.p, whole.n, 10, 1, &one) || value.n > 18 ||
	    (value.n > 0 && !text_u64(value.p, value.n, 10, UINT64_MAX,
	    &ignored)))
		return bad(e, whole.at, "no fraction from 0 to 1");
	t->below = scale_fraction(value.p, value.n);
	t->all = one == 1;
	return one == 1 && t->below > 0 ?
	    bad(e, whole.at, "no fraction from 0 to 1") : 0;
}

static int
parse_ids(struct slice_part *t, struct piece k, struct arena *a, struct err *e)
{
	struct piece list, one;
	struct slice_text name;
	size_t n = 1;
	bool more;
	int r;

	if (!cut(&k, '@', &list))
		return bad(e, k.at, "a field is missing");
	if ((r = set_field(t, &k, a, e)) < 0)
		return r;
	if (list.n > 5 && memcmp(list.p, "file:", 5) == 0) {
		one = (struct piece){list.p + 5, list.n - 5, list.at + 5};
		r = decode(&one, a, &name, e);
		t->file = r < 0 ? NULL : name.p;
		return r;
	}
	for (size_t i = 0; i < list.n; i++)
		n += list.p[i] == ',';
	if ((t->id = arena_array(a, n, sizeof(t->id[0]))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	do {
		more = cut(&list, ',', &one);
		if ((r = decode(&one, a, &t->id[t->ids++], e)) < 0)
			return r;
	} while (more);
	qsort(t->id, t->ids, sizeof(t->id[0]), slice_compare);
	return 0;
}

static int
parse_match(struct slice_part *t, struct piece k, struct arena *a,
    struct err *e)
{
	struct piece value;
	char *p;
	int r, hi, lo;

	if (!cut(&k, '@', &value))
		return bad(e, k.at, "a field is missing");
	if ((r = set_field(t, &k, a, e)) < 0 ||
	    (r = decode(&value, a, &t->text, e)) < 0)
		return r;
	if (t->text.n >= 4 && memcmp(t->text.p, "hex:", 4) == 0) {
		size_t n = t->text.n - 4;

		if ((p = arena_alloc(a, n / 2 + 1)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
		for (size_t i = 0; i < n / 2; i++) {
			hi = nibble(t->text.p[4 + 2 * i]);
			lo = nibble(t->text.p[5 + 2 * i]);
			if (hi < 0 || lo < 0)
				return bad(e, value.at, "bad hex digits");
			p[i] = (char)(hi << 4 | lo);
		}
		if (n % 2 != 0)
			return bad(e, value.at, "bad hex digits");
		t->text = (struct slice_text){p, n / 2};
	}
	return t->text.n > 0 ? 0 : bad(e, value.at, "nothing to match");
}

static int
parse_where(struct slice_part *t, struct piece k, struct arena *a,
    struct err *e)
{
	struct piece field;
	int r;

	if (!cut(&k, '=', &field))
		return bad(e, k.at, "a value is missing");
	return (r = set_field(t, &field, a, e)) < 0 ? r :
	    decode(&k, a, &t->text, e);
}

static const struct {
	const char *name;
	enum slice_kind kind;
	int (*parse)(struct slice_part *t, struct piece k, struct arena *a,
	    struct err *e);
} kinds[] = {{"rows", PART_ROWS, parse_rows}, {"time", PART_TIME, parse_time},
    {"hash", PART_HASH, parse_hash}, {"ids", PART_IDS, parse_ids},
    {"match", PART_MATCH, parse_match}, {"where", PART_WHERE, parse_where}};

static int
parse_part(struct slice_part *t, struct piece k, struct arena *a, struct err *e)
{
	struct piece name;
	size_t at = k.at;

	if (!cut(&k, '=', &name))
		return bad(e, at, "a part needs '='");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (name.n == strlen(kinds[i].name) &&
		    memcmp(name.p, kinds[i].name, name.n) == 0) {
			t->kind = kinds[i].kind;
			return kinds[i].parse(t, k, a, e);
		}
	return bad(e, at, "no kind of slice");
}

int
rows_slice_parse(const char *spec, size_t n, struct arena *a,
    struct rows_slice **ret, struct err *e)
{
	struct piece rest = {spec, n, 0}, one;
	struct rows_slice *s;
	bool more;
	int r;

	if ((s = arena_alloc(a, sizeof(*s))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	do {
		more = cut(&rest, '&', &one);
		if (s->parts == SLICE_PARTS)
			return bad(e, one.at, "too many parts");
		if ((r = parse_part(&s->part[s->parts++], one, a, e)) < 0)
			return r;
	} while (more);
	*ret = s;
	return 0;
}
