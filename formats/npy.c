#include <string.h>

#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/format.h"
#include "formats/pickle.h"

/*
 * NumPy's .npy (numpy/lib/format.py, NEP 1):
 *
 *	0 \x93NUMPY  6 major  7 minor  8 header length (u16 or u32)  header
 *
 * The header is a Python literal with the keys descr, fortran_order, shape.
 * Writers make one spelling of it; old readers evaluate whatever stands
 * there.  We accept just the literal: a dict of these three keys with a
 * string or a list for descr, True or False, and a tuple of integers.
 */
static const uint8_t magic[] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
#define HEADER_MAX 65536
#define RANK_MAX 32

struct npy {
	uint64_t shape[RANK_MAX];
	unsigned rank;
	uint64_t itemsize;	/* 0: not known (structured) */
	bool object;
	char dtype[16];
	bool has_descr, has_order, has_shape;
};

static unsigned
npy_bid(struct cursor head, uint64_t size)
{
	uint8_t major, minor;

	(void)size;
	return cursor_match(&head, magic, sizeof(magic)) &&
	    cursor_u8(&head, &major) && cursor_u8(&head, &minor) ? 56 : 0;
}

static void
skip_blanks(struct cursor *c)
{
	uint8_t b;

	while (cursor_peek(c, 0, &b) && (b == ' ' || b == '\n' || b == '\t'))
		if (!cursor_skip(c, 1))
			return;
}

static bool
expect(struct cursor *c, char want)
{
	uint8_t b;

	skip_blanks(c);
	if (!cursor_peek(c, 0, &b) || b != (uint8_t)want)
		return false;
	return cursor_skip(c, 1);
}

/* A quoted string without escapes. */
static bool
string(struct cursor *c, struct cursor *ret)
{
	uint8_t quote;

	skip_blanks(c);
	if (!cursor_u8(c, &quote) || (quote != '\'' && quote != '"') ||
	    !cursor_line(c, quote, ret))
		return false;
	for (size_t i = 0; i < ret->len; i++)
		if (ret->buf[i] == '\\')
			return false;
	return true;
}

static bool
number(struct cursor *c, uint64_t *ret)
{
	uint64_t v = 0;
	uint8_t b;
	bool any = false;

	skip_blanks(c);
	while (cursor_peek(c, 0, &b) && b >= '0' && b <= '9') {
		if (!ckd_mul64(&v, v, 10) ||
		    !ckd_add64(&v, v, (uint64_t)(b - '0')) ||
		    !cursor_skip(c, 1))
			return false;
		any = true;
	}
	/* Python 2 wrote long integers with an L. */
	if (any && cursor_peek(c, 0, &b) && b == 'L' && !cursor_skip(c, 1))
		return false;
	*ret = v;
	return any;
}

static bool
shape(struct cursor *c, struct npy *n)
{
	uint8_t b;

	if (!expect(c, '('))
		return false;
	for (;;) {
		skip_blanks(c);
		if (cursor_peek(c, 0, &b) && b == ')')
			return cursor_skip(c, 1);
		if (n->rank == RANK_MAX || !number(c, &n->shape[n->rank]))
			return false;
		n->rank++;
		skip_blanks(c);
		if (!cursor_peek(c, 0, &b) || (b != ',' && b != ')') ||
		    (b == ',' && !cursor_skip(c, 1)))
			return false;
	}
}

static void
simple_descr(struct npy *n, const struct cursor *s)
{
	struct cursor c = *s;
	uint8_t order, kind;
	uint64_t size;

	n->has_descr = true;
	for (size_t i = 0; i < s->len && i + 1 < sizeof(n->dtype); i++)
		n->dtype[i] = (char)s->buf[i];
	if (!cursor_u8(&c, &order))
		return;
	/* The byte order may be left out: 'f8', 'O'. */
	kind = order;
	if ((order == '<' || order == '>' || order == '|' || order == '=') &&
	    !cursor_u8(&c, &kind))
		return;
	if (kind == 'O') {
		n->object = true;
		return;
	}
	if (number(&c, &size))
		n->itemsize = kind == 'U' ? 4 * size : size;
}

/*
 * A structured descr: a list of tuples.  Its size is not needed, but whether
 * any field holds objects is: a type string with O after its byte order.
 */
static bool
list_descr(struct cursor *c, struct npy *n)
{
	struct cursor s;
	unsigned depth = 0;
	uint8_t b;

	do {
		skip_blanks(c);
		if (!cursor_peek(c, 0, &b))
			return false;
		if (b == '\'' || b == '"') {
			if (!string(c, &s))
				return false;
			if (s.len >= 2 && s.buf[1] == 'O' && (s.buf[0] == '|' ||
			    s.buf[0] == '<' || s.buf[0] == '>'))
				n->object = true;
			if (s.len == 1 && s.buf[0] == 'O')
				n->object = true;
			continue;
		}
		if (b == '[' || b == '(')
			depth++;
		else if (b == ']' || b == ')')
			depth--;
		else if (b != ',' && (b < '0' || b > '9'))
			return false;
		if (depth > 64 || !cursor_skip(c, 1))
			return false;
	} while (depth > 0);
	n->has_descr = true;
	return true;
}

static bool
value(struct cursor *c, const struct cursor *key, struct npy *n)
{
	static const uint8_t yes[] = "True", no[] = "False";
	struct cursor s, k = *key;
	uint8_t b;

	skip_blanks(c);
	if (k.len == 5 && cursor_match(&k, (const uint8_t *)"descr", 5)) {
		if (!cursor_peek(c, 0, &b))
			return false;
		if (b == '[')
			return list_descr(c, n);
		if (!string(c, &s))
			return false;
		simple_descr(n, &s);
		return true;
	}
	if (k.len == 13 &&
	    cursor_match(&k, (const uint8_t *)"fortran_order", 13)) {
		n->has_order = cursor_match(c, yes, 4) ||
		    cursor_match(c, no, 5);
		return n->has_order;
	}
	if (k.len != 5 || !cursor_match(&k, (const uint8_t *)"shape", 5) ||
	    n->has_shape)
		return false;
	n->has_shape = true;
	return shape(c, n);
}

static bool
header(struct cursor *c, struct npy *n)
{
	struct cursor key;
	uint8_t b;

	if (!expect(c, '{'))
		return false;
	for (;;) {
		skip_blanks(c);
		if (cursor_peek(c, 0, &b) && b == '}')
			break;
		if (!string(c, &key) || !expect(c, ':') || !value(c, &key, n))
			return false;
		skip_blanks(c);
		if (!cursor_peek(c, 0, &b) || (b != ',' && b != '}') ||
		    (b == ',' && !cursor_skip(c, 1)))
			return false;
	}
	if (!cursor_skip(c, 1))
		return false;
	skip_blanks(c);
	return cursor_at_end(c) && n->has_descr && n->has_order &&
	    n->has_shape;
}

static int
object_member(struct parse *p, uint64_t off)
{
	struct ev_member m = {.name = "objects", .name_len = 7, .off = off,
	    .size = p->size - off, .flags = MEMBER_VIRTUAL,
	    .format = "pickle"};
	int r;

	if ((r = format_anomaly(p, ANOMALY_NPY_OBJECT, off, p->size - off,
	    NULL, 0)) < 0)
		return r;
	return format_member_range(p, &m);
}

static int
check_data(struct parse *p, const struct npy *n, uint64_t off)
{
	struct ev_tensor t = {.name = "", .dtype = n->dtype,
	    .shape = n->shape, .rank = n->rank, .off = off};
	uint64_t want = n->itemsize, left = p->size - off;
	int r;

	for (unsigned i = 0; i < n->rank; i++)
		if (!ckd_mul64(&want, want, n->shape[i]))
			want = UINT64_MAX;
	t.len = want < left ? want : left;
	if ((r = format_tensor(p, &t)) < 0 ||
	    (r = pickle_embedded(p, off, left, "data",
	    PICKLE_IN_WEIGHTS)) < 0)
		return r;
	/* A structured type's size is not computed: the data are its rows. */
	if (n->itemsize == 0 || want == left)
		return 0;
	if (want > left) {
		const struct fact facts[] = {FACT_NUM("stated", want),
		    FACT_NUM("present", left)};

		return (r = format_anomaly(p, ANOMALY_NPY_SIZE, off, left,
		    facts, 2)) < 0 ? r : 1;
	}
	return format_anomaly(p, ANOMALY_TRAILING, off + want, left - want,
	    NULL, 0);
}

static int
npy_parse(struct parse *p)
{
	static uint8_t text[HEADER_MAX];
	uint8_t head[12];
	struct npy n = {0};
	struct cursor c;
	uint16_t len16;
	uint32_t len;
	uint64_t off;
	int r;

	if (p->size < 10 || bytesrc_read(p->src, 0, head, 10, NULL) < 0)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	off = head[6] >= 2 ? 12 : 10;
	if (p->size < off)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	if ((r = bytesrc_read(p->src, 0, head, (size_t)off, p->e)) < 0)
		return r;
	cursor_init(&c, head + 8, (size_t)off - 8, 8);
	if (off == 12) {
		if (!cursor_u32le(&c, &len))
			return 1;
	} else {
		if (!cursor_u16le(&c, &len16))
			return 1;
		len = len16;
	}
	if (len > p->size - off)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	if (len > sizeof(text))
		return (r = format_anomaly(p, ANOMALY_LIMIT, off, len, NULL,
		    0)) < 0 ? r : 1;
	if ((r = bytesrc_read(p->src, off, text, len, p->e)) < 0)
		return r;
	cursor_init(&c, text, len, off);
	if (!header(&c, &n)) {
		const struct fact facts[] = {FACT_TEXT("header", text,
		    len < 256 ? len : 256)};

		if ((r = format_anomaly(p, ANOMALY_NPY_HEADER, off, len,
		    facts, 1)) < 0)
			return r;
		/* An old reader evaluates it; what follows may be a pickle. */
		n.object = true;
	}
	off += len;
	return n.object ? object_member(p, off) : check_data(p, &n, off);
}

const struct format format_npy = {
    .name = "npy",
    .kind = FORMAT_MODEL,
    .bid = npy_bid,
    .parse = npy_parse,
};
