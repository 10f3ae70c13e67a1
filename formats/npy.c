#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/err.h"
#include "formats/format.h"
#include "formats/npydict.h"
#include "formats/pickle.h"

/* NumPy's .npy: its header (npydict.h), then the elements. */
struct npy {
	struct npydict dict;
	uint64_t itemsize;	/* 0: not known (structured) */
	bool object;
	char dtype[16];
};

static unsigned
npy_bid(struct cursor head, uint64_t size)
{
	uint8_t major, minor;

	(void)size;
	return npydict_magic(&head) && cursor_u8(&head, &major) &&
	    cursor_u8(&head, &minor) ? 56 : 0;
}

static void
simple_descr(struct npy *n, const struct cursor *s)
{
	struct cursor c = *s;
	uint8_t order, kind;
	uint64_t size;

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
	if (npydict_number(&c, &size))
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
		if (npydict_at(c, '\'') || npydict_at(c, '"')) {
			if (!npydict_string(c, &s))
				return false;
			if (s.len >= 2 && s.buf[1] == 'O' && (s.buf[0] == '|' ||
			    s.buf[0] == '<' || s.buf[0] == '>'))
				n->object = true;
			if (s.len == 1 && s.buf[0] == 'O')
				n->object = true;
			continue;
		}
		if (!cursor_peek(c, 0, &b))
			return false;
		if (b == '[' || b == '(')
			depth++;
		else if (b == ']' || b == ')')
			depth--;
		else if (b != ',' && (b < '0' || b > '9'))
			return false;
		if (depth > 64 || !cursor_skip(c, 1))
			return false;
	} while (depth > 0);
	return true;
}

static bool
descr(struct cursor *c, void *ctx)
{
	struct cursor s;

	if (npydict_at(c, '['))
		return list_descr(c, ctx);
	if (!npydict_string(c, &s))
		return false;
	simple_descr(ctx, &s);
	return true;
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
	    .shape = n->dict.shape, .rank = n->dict.rank, .off = off};
	uint64_t want = n->itemsize, left = p->size - off;
	int r;

	for (unsigned i = 0; i < n->dict.rank; i++)
		if (!ckd_mul64(&want, want, n->dict.shape[i]))
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
	static uint8_t text[NPYDICT_MAX];
	uint8_t head[NPYDICT_FRONT];
	struct npy n = {0};
	struct cursor c;
	uint64_t off;
	uint32_t len;
	size_t got;
	int r;

	if ((r = bytesrc_read_some(p->src, 0, head, sizeof(head), &got,
	    p->e)) < 0)
		return r;
	cursor_init(&c, head, got, 0);
	if (!npydict_magic(&c) || !npydict_length(&c, &len) ||
	    len > p->size - c.off)
		return (r = format_anomaly(p, ANOMALY_TRUNCATED, p->size, 0,
		    NULL, 0)) < 0 ? r : 1;
	off = c.off;
	if (len > sizeof(text))
		return (r = format_anomaly(p, ANOMALY_LIMIT, off, len, NULL,
		    0)) < 0 ? r : 1;
	if ((r = bytesrc_read(p->src, off, text, len, p->e)) < 0)
		return r;
	cursor_init(&c, text, len, off);
	if (!npydict_read(&c, &n.dict, descr, &n)) {
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
