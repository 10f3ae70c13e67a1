#include <string.h>

#include "base/bytesrc.h"
#include "formats/format.h"
#include "formats/registry.h"

#define FORMAT(id, file) extern const struct format format_##id;
#include "formats/formats.def"
#undef FORMAT
#define INNER(id, file) extern const struct format format_##id;
#include "formats/inner.def"
#undef INNER

static const struct format *const formats[] = {
#define FORMAT(id, file) &format_##id,
#include "formats/formats.def"
#undef FORMAT
};

/* Formats that nothing can claim: a container says that a member is one. */
static const struct format *const inner[] = {
#define INNER(id, file) &format_##id,
#include "formats/inner.def"
#undef INNER
};

#define FORMATS (sizeof(formats) / sizeof(formats[0]))
#define INNERS (sizeof(inner) / sizeof(inner[0]))

static unsigned
bid_of(const struct format *f, struct cursor head, struct cursor tail,
    uint64_t size)
{
	unsigned bits = f->bid(head, size), behind;

	if (f->bid_tail != NULL && tail.len > 0) {
		behind = f->bid_tail(tail, size);
		if (behind > bits)
			bits = behind;
	}
	return bits;
}

/* Best first; equal ones keep the table's order. */
static void
insert(struct bid *ret, unsigned n, struct bid b)
{
	unsigned i = n;

	for (; i > 0 && ret[i - 1].bits < b.bits; i--)
		ret[i] = ret[i - 1];
	ret[i] = b;
}

/*
 * Text formats claim by looks: a JSON file also looks like text.  Among
 * FORMAT_DATA only the best is kept; every container and model format that
 * claims is.
 */
static unsigned
drop_lesser_data(struct bid *b, unsigned n)
{
	bool seen = false;
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++) {
		if (b[i].format->kind == FORMAT_DATA) {
			if (seen)
				continue;
			seen = true;
		}
		b[kept++] = b[i];
	}
	return kept;
}

static bool
is_covered(const struct bid *b, unsigned n, const char *name)
{
	for (unsigned i = 0; i < n; i++)
		if (b[i].format->over != NULL && b[i].bits >= BID_STRONG &&
		    strcmp(b[i].format->over, name) == 0)
			return true;
	return false;
}

static unsigned
drop_covered(struct bid *b, unsigned n)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < n; i++)
		if (!is_covered(b, n, b[i].format->name))
			b[kept++] = b[i];
	return kept;
}

unsigned
registry_bids(struct cursor head, struct cursor tail, uint64_t size,
    struct bid *ret, unsigned cap)
{
	unsigned n = 0, bits;

	for (size_t i = 0; i < FORMATS && n < cap; i++) {
		bits = bid_of(formats[i], head, tail, size);
		if (bits >= BID_PLAUSIBLE)
			insert(ret, n++, (struct bid){formats[i], bits});
	}
	return drop_covered(ret, drop_lesser_data(ret, n));
}

int
registry_claims(const struct bytesrc *src, uint64_t size,
    struct cursor head, struct bid *ret, unsigned cap, struct err *e)
{
	static uint8_t end[FORMAT_TAIL];
	uint64_t from = size > sizeof(end) ? size - sizeof(end) : 0;
	struct cursor tail;
	size_t got;
	int r;

	if ((r = bytesrc_read_some(src, from, end, sizeof(end), &got, e)) <
	    0)
		return r;
	cursor_init(&tail, end, got, from);
	return (int)registry_bids(head, tail, size, ret, cap);
}

const struct format *
registry_find(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i]->name, name) == 0)
			return formats[i];
	for (size_t i = 0; i < INNERS; i++)
		if (strcmp(inner[i]->name, name) == 0)
			return inner[i];
	return NULL;
}

unsigned
registry_count(void)
{
	return (unsigned)FORMATS;
}

const struct format *
registry_at(unsigned i)
{
	return i < FORMATS ? formats[i] : NULL;
}
