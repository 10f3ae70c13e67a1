#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/diff/hidden_parts.h"
#include "analyzer/diff/relation_parts.h"
#include "analyzer/weights_magic.h"
#include "base/err.h"
#include "custody/digest.h"

/*
 * Which of the ways to read the bits makes most sense?  A file's beginning by
 * structure (weights_magic.h), a run of text, bytes that are not spread
 * evenly; in this order.
 *
 * Of 64 KiB of noise, 24 printable bytes in a row come once in 300,000.
 */
#define LOOK (64 * 1024)	/* bytes of each */
#define TEXT_LEAST 24
#define FILE_WITHIN 64		/* bytes of the beginning */
#define LEAD 64			/* ... and so many before it */
#define UNEVEN 0.15		/* bits a byte below what chance gives */
#define UNEVEN_LEAST 256

static bool
printable(uint8_t c)
{
	return (c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || c == '\r';
}

static uint64_t
longest_run(const uint8_t *p, size_t n)
{
	uint64_t run = 0, best = 0;

	for (size_t i = 0; i < n; i++) {
		run = printable(p[i]) ? run + 1 : 0;
		best = run > best ? run : best;
	}
	return best;
}

static double
entropy(const uint8_t *p, size_t n)
{
	size_t count[256] = {0};
	double h = 0;

	for (size_t i = 0; i < n; i++)
		count[p[i]]++;
	for (unsigned i = 0; i < 256; i++)
		if (count[i] > 0)
			h -= (double)count[i] / (double)n *
			    log2((double)count[i] / (double)n);
	return h;
}

/*
 * How often two pairs of neighbours are the same, 0 to 1: text whose bytes
 * were swapped is as printable, and its pairs are more scattered.
 */
static int
coincidence(const uint8_t *p, size_t n, double *ret)
{
	uint32_t *count = calloc(65536, sizeof(*count));
	double sum = 0;

	if (count == NULL)
		return ERR_NOMEM;
	for (size_t i = 0; i + 1 < n; i++)
		sum += 2 * (double)count[p[i] << 8 | p[i + 1]]++;
	free(count);
	*ret = sum / ((double)n * (double)n);
	return 0;
}

/* Miller's correction: what n random bytes show on average. */
static double
random_entropy(size_t n)
{
	return 8 - 255 / (2 * (double)n * M_LN2);
}

static int
file_at(const uint8_t *p, size_t n, uint64_t left, struct hidden_sense *ret,
    struct err *e)
{
	size_t m = n < WEIGHTS_HEAD ? n : WEIGHTS_HEAD;
	struct weights_found found;
	int row = -1, r;

	if (n < WEIGHTS_PREFIX)
		return 0;
	while ((row = weights_magic_prefix(p, n, row + 1)) >= 0) {
		if (!weights_magic_peek(row, p, n < WEIGHTS_PEEK ? n :
		    WEIGHTS_PEEK, left) || !weights_magic_look(row, p, n <
		    WEIGHTS_LOOK ? n : WEIGHTS_LOOK))
			continue;
		if ((r = weights_magic_judge(row, p, m, left, &found, e)) < 0)
			return r;
		if (r == 0)
			continue;
		ret->rank = SENSE_FILE;
		ret->what = found.what;
		ret->len = found.len;
		return 1;
	}
	return 0;
}

int
hidden_sense(const struct hidden_stream *s, size_t lead,
    struct hidden_sense *ret, struct err *e)
{
	uint64_t all = hidden_bytes(s), run;
	uint8_t *p = malloc(LOOK);
	double pairs = 0;
	size_t n, body;
	int r = 0;

	memset(ret, 0, sizeof(*ret));
	if (p == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	n = hidden_bytes_read(s, 0, p, LOOK);
	for (size_t i = 0; i < n && i < lead + FILE_WITHIN && r == 0; i++)
		if ((r = file_at(p + i, n - i, all - i, ret, e)) > 0) {
			ret->from = i;
			ret->value = -fabs((double)i - (double)lead);
		}
	if (r != 0)
		goto out;
	body = n > lead ? n - lead : 0;
	ret->from = lead;
	run = longest_run(p + lead, body);
	if (run >= TEXT_LEAST) {
		r = coincidence(p + lead, body, &pairs);
		ret->rank = SENSE_TEXT;
		ret->value = (double)run + pairs;
		ret->what = "text";
	} else if (body >= UNEVEN_LEAST) {
		ret->value = random_entropy(body) - entropy(p + lead, body);
		if (ret->value > UNEVEN) {
			ret->rank = SENSE_UNEVEN;
			ret->what = "structured";
		}
	}
out:
	free(p);
	return r < 0 ? err_set(e, (enum err_code)r, "out of memory") : 0;
}

struct trial {
	const struct tensor *const *b;
	size_t n;
	uint64_t first, total;	/* elements up to the last that changed */
	struct hidden_stream best;
	struct hidden_sense sense;
	size_t lead;
	bool any;
};

/* ${late}: bytes come before its first changed bit, so it must be clearer. */
static bool
better(const struct trial *t, const struct hidden_sense *x, bool late)
{
	if (late)
		return !t->any || x->rank > t->sense.rank;
	if (!t->any || x->rank != t->sense.rank)
		return !t->any || x->rank > t->sense.rank;
	return x->rank != SENSE_NONE && x->value > t->sense.value + 1e-9;
}

static int
try(struct trial *t, struct hidden_layout l, uint64_t start, struct err *e)
{
	struct hidden_stream s = {.b = t->b, .n = t->n};
	struct hidden_sense x;
	uint64_t before = start * l.bits / 8;
	size_t lead = before < LEAD ? (size_t)before : LEAD;
	int r;

	/* Whole bytes before it, so that the alignment stays. */
	while (lead * 8 % l.bits != 0)
		lead--;
	l.first = start - lead * 8 / l.bits;
	s.layout = l;
	s.elements = t->total - l.first;
	/*
	 * It ended within the last element that changed, or its last bits
	 * agreed with what was there: then the byte goes on behind it.
	 */
	if (s.elements * l.bits / 8 * 8 <= (s.elements - 1) * l.bits)
		s.elements += (8 - s.elements * l.bits % 8 + l.bits - 1) /
		    l.bits;
	if ((r = hidden_sense(&s, lead, &x, e)) < 0)
		return r;
	if (better(t, &x, (t->first - start) * l.bits >= 8)) {
		t->any = true;
		t->best = s;
		t->sense = x;
		t->lead = lead;
	}
	return 0;
}

/*
 * The first payload bits may have agreed with what was there: up to seven
 * elements before the first that changed belong to its byte.  Where nothing
 * tells, multiples of eight elements are likelier than others.
 */
static int
alignments(struct trial *t, struct hidden_layout l, struct err *e)
{
	unsigned likely = (unsigned)(t->first % 8);
	int r = 0;

	if (likely * l.bits < 8)
		r = try(t, l, t->first - likely, e);
	for (unsigned a = 0; a < 8 && r == 0 && a <= t->first; a++)
		if (a != likely || likely * l.bits >= 8)
			r = try(t, l, t->first - a, e);
	return r;
}

static int
orders(struct trial *t, unsigned bits, unsigned shift, struct err *e)
{
	int r = 0;

	for (unsigned k = 0; k < (bits == 1 ? 2U : 4U) && r == 0; k++) {
		struct hidden_layout l = {.bits = bits, .shift = shift};

		/* Highest first in both, lowest in both, then the mixed. */
		l.byte_high = k == 0 || k == 3;
		l.group_high = k == 0 || k == 2;
		r = alignments(t, l, e);
	}
	return r;
}

int
hidden_digest(struct hidden *h, const struct tensor *const *b, struct err *e)
{
	struct digest *d = digest_new(DIGEST_SHA256, e);
	uint8_t *p = malloc(LOOK);
	struct digests sums;
	size_t n;
	int r = ERR_NOMEM;

	if (d == NULL || p == NULL)
		goto out;
	r = 0;
	for (uint64_t at = 0; r == 0 && (n = hidden_read(h, b, at, p, LOOK)) >
	    0; at += n) {
		if (at == 0) {
			h->head_len = n < HIDDEN_HEAD ? n : HIDDEN_HEAD;
			memcpy(h->head, p, h->head_len);
			h->entropy = entropy(p, n);
			h->printable = longest_run(p, n);
		}
		r = digest_put(d, p, n, e);
	}
	if (r == 0 && (r = digest_now(d, &sums, e)) == 0)
		memcpy(h->sha256, sums.sha256, sizeof(h->sha256));
out:
	digest_free(d);
	free(p);
	return r < 0 ? err_set(e, (enum err_code)r, "out of memory") : 0;
}

/*
 * Groups as wide as the mask, and the next whole number of bytes or nibbles:
 * text never sets the highest bit of its bytes.
 */
static unsigned
wider(unsigned bits)
{
	return bits <= 2 ? bits : bits <= 4 ? 4 : (bits + 7) / 8 * 8;
}

int
hidden_search(const struct tensor *const *b, size_t n, uint64_t last,
    unsigned shift, struct hidden *h, struct err *e)
{
	struct trial t = {.b = b, .n = n, .first = h->span_first,
	    .total = last + 1};
	const unsigned bits = h->k - shift;
	uint64_t skip;
	int r;

	if ((r = orders(&t, bits, shift, e)) < 0 || (wider(bits) != bits &&
	    shift == 0 && (r = orders(&t, wider(bits), shift, e)) < 0))
		return r;
	skip = t.sense.rank == SENSE_FILE && t.sense.from < t.lead ?
	    t.sense.from : t.lead;
	h->layout = t.best.layout;
	h->layout.first += skip * 8 / h->layout.bits;
	h->what = t.sense.what;
	h->len = hidden_bytes(&t.best) - skip;
	if (t.sense.rank == SENSE_FILE && t.sense.len > 0 &&
	    t.sense.from <= t.lead && t.sense.len < h->len)
		h->len = t.sense.len;
	h->align = h->span_first > h->layout.first ? (unsigned)(h->span_first -
	    h->layout.first) : 0;
	return hidden_digest(h, b, e);
}
