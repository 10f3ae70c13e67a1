#include <string.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/bytesrc.h"
#include "base/ckd.h"
#include "base/cursor.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/rows/grow.h"
#include "formats/rows/rows.h"
#include "formats/rows/value.h"

/*
 * LMDB's data.mdb (LMDB/lmdb, libraries/liblmdb/mdb.c), read without its
 * library, which maps the file and believes it.  64-bit, little-endian.
 *
 *	page	number u64, pad u16, flags u16, then lower u16, upper u16 (or,
 *		of an overflow page, how many u32); from 16 on, places of nodes
 *	node	lo u16, hi u16, flags u16, key length u16, key, value
 *		of a leaf lo and hi are the length of the value, which stands
 *		behind the key or, with F_BIGDATA, in the overflow pages whose
 *		number stands there; of a branch lo, hi and flags are the
 *		number of the page below
 *	meta	magic u32, version u32, address u64, size u64, two trees of 48
 *		bytes (free pages, main): pad u32, flags u16, depth u16, branch,
 *		leaf, overflow pages, entries, root (u64 each); last page,
 *		transaction
 *
 * The keys of the main tree in their order are the records, as a reader of
 * the newer of the two meta pages sees them.  A named database within it is a
 * record whose value is its tree, and is told: its own records are not read.
 */
#define META_MAGIC 0xbeefc0deU
#define META_VERSION 1
#define PAGE_HEAD 16
#define PAGE_MIN 512
#define PAGE_MAX 65536
#define NO_PAGE UINT64_MAX

enum { P_BRANCH = 1, P_LEAF = 2, P_OVERFLOW = 4, P_META = 8, P_LEAF2 = 32,
	P_SUBP = 64 };
enum { F_BIGDATA = 1, F_SUBDATA = 2, F_DUPDATA = 4 };

/* The way from the root to the current node. */
struct level {
	uint64_t page;
	uint8_t *p;		/* its bytes */
	unsigned nodes, at;
	bool leaf;
};

struct lmdb {
	const struct rows_params *p;
	const struct bytesrc *src;
	uint64_t pages;		/* of the file */
	uint32_t page_size;
	uint64_t root, entries, seen;
	uint64_t visited;	/* pages; more than there are is a cycle */
	struct level level[LIMIT_LMDB_DEPTH];
	unsigned depth;
	bool named;		/* named databases were told */
	/* The current record. */
	const uint8_t *key;
	size_t key_len;
	uint64_t value_off, value_len;
	struct grow value;
	bool loaded;
};

static int
bad(struct lmdb *s, uint64_t off, const char *why, struct err *e)
{
	return rows_bad(s->p, 0, off, why, e);
}

/* One meta page, at its cursor; false: it is none. */
static bool
read_meta(struct cursor *c, uint32_t *page_size, uint64_t tree[6],
    uint64_t *txn)
{
	uint32_t magic, version, pad;
	uint16_t flags, depth;
	uint64_t last;

	if (!cursor_seek(c, PAGE_HEAD) || !cursor_u32le(c, &magic) ||
	    magic != META_MAGIC || !cursor_u32le(c, &version) ||
	    version != META_VERSION || !cursor_skip(c, 16) ||
	    !cursor_u32le(c, page_size) || !cursor_skip(c, 44) ||
	    !cursor_u32le(c, &pad) || !cursor_u16le(c, &flags) ||
	    !cursor_u16le(c, &depth))
		return false;
	tree[0] = depth;
	for (unsigned i = 1; i < 6; i++)
		if (!cursor_u64le(c, &tree[i]))
			return false;
	return cursor_u64le(c, &last) && cursor_u64le(c, txn);
}

static unsigned
lmdb_bid(const struct rows_params *p, const uint8_t *head, size_t n)
{
	uint64_t tree[6], txn;
	uint32_t page_size;
	struct cursor c;

	(void)p;
	cursor_init(&c, head, n, 0);
	return read_meta(&c, &page_size, tree, &txn) ? 64 : 0;
}

static int
read_metas(struct lmdb *s, struct err *e)
{
	uint8_t head[160];
	uint64_t tree[6], txn, best = 0;
	uint32_t size = 0;
	struct cursor c;
	size_t n;
	bool any = false;
	int r;

	for (unsigned i = 0; i < 2; i++) {
		if (i == 1 && s->page_size == 0)
			break;
		if ((r = bytesrc_read_some(s->src, (uint64_t)i * s->page_size,
		    head, sizeof(head), &n, e)) < 0)
			return r;
		cursor_init(&c, head, n, 0);
		if (!read_meta(&c, &size, tree, &txn)) {
			rows_tell(s->p, 0, (uint64_t)i * s->page_size,
			    "a meta page makes no sense");
			continue;
		}
		if (i == 0 && (size < PAGE_MIN || size > PAGE_MAX ||
		    (size & (size - 1)) != 0))
			return bad(s, 0, "the size of pages makes no sense",
			    e);
		if (i == 0)
			s->page_size = size;
		if (size != s->page_size) {
			rows_tell(s->p, 0, s->page_size,
			    "the meta pages differ in the size of pages");
			continue;
		}
		if (any && txn <= best)
			continue;
		any = true;
		best = txn;
		s->entries = tree[4];
		s->root = tree[5];
	}
	return any ? 0 : bad(s, 0, "it has no meta page", e);
}

/* Read a page of the tree to the next level. */
static int
descend(struct lmdb *s, uint64_t number, struct err *e)
{
	struct level *l = &s->level[s->depth];
	uint16_t pad, flags, lower, upper;
	uint64_t off, self;
	struct cursor c;
	int r;

	if (number < 2 || number >= s->pages)
		return bad(s, 0, "a page has a number that is not in the file",
		    e);
	off = number * s->page_size;
	if (s->depth == LIMIT_LMDB_DEPTH)
		return bad(s, off, "the tree is too deep", e);
	if (++s->visited > s->pages)
		return bad(s, off, "the tree has more pages than the file", e);
	if (l->p == NULL && (l->p = arena_alloc(s->p->arena, s->page_size)) ==
	    NULL)
		return err_set(e, ERR_LIMIT, "no memory left for a page");
	if ((r = bytesrc_read(s->src, off, l->p, s->page_size, e)) < 0)
		return r;
	cursor_init(&c, l->p, s->page_size, off);
	if (!cursor_u64le(&c, &self) || !cursor_u16le(&c, &pad) ||
	    !cursor_u16le(&c, &flags) || !cursor_u16le(&c, &lower) ||
	    !cursor_u16le(&c, &upper) || self != number ||
	    lower < PAGE_HEAD || lower > upper || upper > s->page_size ||
	    (flags & (P_OVERFLOW | P_META | P_LEAF2 | P_SUBP)) != 0 ||
	    ((flags & P_LEAF) != 0) == ((flags & P_BRANCH) != 0))
		return bad(s, off, "a page of the tree makes no sense", e);
	for (unsigned i = 0; i < s->depth; i++)
		if (s->level[i].page == number)
			return bad(s, off, "a page is below itself", e);
	l->page = number;
	l->leaf = (flags & P_LEAF) != 0;
	l->nodes = (lower - PAGE_HEAD) / 2U;
	l->at = 0;
	s->depth++;
	return 0;
}

struct node {
	uint16_t lo, hi, flags;
	struct cursor key, rest;	/* rest: behind the key, to the page's end */
};

static bool
read_node(const struct lmdb *s, const struct level *l, struct node *n)
{
	struct cursor c;
	uint16_t off, key;

	cursor_init(&c, l->p, s->page_size, l->page * s->page_size);
	return cursor_seek(&c, PAGE_HEAD + 2 * (uint64_t)l->at) &&
	    cursor_u16le(&c, &off) && off >= PAGE_HEAD + 2 * l->nodes &&
	    cursor_seek(&c, off) && cursor_u16le(&c, &n->lo) &&
	    cursor_u16le(&c, &n->hi) && cursor_u16le(&c, &n->flags) &&
	    cursor_u16le(&c, &key) && cursor_sub(&c, key, &n->key) &&
	    cursor_sub(&c, cursor_left(&c), &n->rest);
}

/* Where the value of a leaf's node stands. */
static int
place_value(struct lmdb *s, struct node *n, struct err *e)
{
	uint64_t at, page, off = cursor_tell(&n->rest);
	uint32_t count = 0;
	uint8_t head[PAGE_HEAD];
	struct cursor c;
	int r;

	s->value_len = n->lo | (uint64_t)n->hi << 16;
	s->value_off = off;
	if ((n->flags & F_BIGDATA) == 0)
		return s->value_len <= cursor_left(&n->rest) ? 0 :
		    bad(s, off, "a value is longer than its page", e);
	if (!cursor_u64le(&n->rest, &page) || page < 2 || page >= s->pages)
		return bad(s, off, "a value has a page that is not there", e);
	at = page * s->page_size;
	if ((r = bytesrc_read(s->src, at, head, sizeof(head), e)) < 0)
		return r;
	cursor_init(&c, head, sizeof(head), at);
	if (!cursor_seek(&c, 12) || !cursor_u32le(&c, &count) ||
	    (head[10] & P_OVERFLOW) == 0 || count > s->pages - page ||
	    s->value_len > (uint64_t)count * s->page_size - PAGE_HEAD)
		return bad(s, at, "the pages of a value make no sense", e);
	s->value_off = at + PAGE_HEAD;
	return 0;
}

static int
lmdb_open(const struct rows_params *p, void **self, struct err *e)
{
	struct lmdb *s;
	int r;

	if ((s = arena_alloc(p->arena, sizeof(*s))) == NULL)
		return err_set(e, ERR_LIMIT, "no memory left");
	s->p = p;
	s->src = p->file[0].src;
	grow_init(&s->value, p->arena);
	if ((r = read_metas(s, e)) < 0)
		return r;
	s->pages = bytesrc_size(s->src) / s->page_size;
	if (s->root != NO_PAGE && (r = descend(s, s->root, e)) < 0)
		return r;
	*self = s;
	return 0;
}

/* The end of the tree: did it hold what the meta page says? */
static int
finish(struct lmdb *s)
{
	if (s->seen != s->entries)
		rows_tell(s->p, 0, 0,
		    "the tree has another number of records than is stated");
	s->entries = s->seen;
	return 0;
}

static int
lmdb_next(void *self, struct rows_record *ret, struct err *e)
{
	struct lmdb *s = self;
	struct level *l;
	struct node n;
	int r;

	for (;;) {
		while (s->depth > 0 && s->level[s->depth - 1].at ==
		    s->level[s->depth - 1].nodes)
			s->depth--;
		if (s->depth == 0)
			return finish(s);
		l = &s->level[s->depth - 1];
		if (!read_node(s, l, &n))
			return bad(s, l->page * s->page_size,
			    "a node lies outside of its page", e);
		l->at++;
		if (l->leaf)
			break;
		if ((r = descend(s, n.lo | (uint64_t)n.hi << 16 |
		    (uint64_t)n.flags << 32, e)) < 0)
			return r;
	}
	if ((n.flags & (F_SUBDATA | F_DUPDATA)) != 0 && !s->named) {
		s->named = true;
		rows_tell(s->p, 0, cursor_tell(&n.rest),
		    "a database within this one is not read");
	}
	if ((r = place_value(s, &n, e)) < 0)
		return r;
	s->key = n.key.buf;
	s->key_len = n.key.len;
	s->loaded = false;
	s->seen++;
	ret->file = 0;
	ret->off = s->value_off;
	ret->len = s->value_len;
	ret->verbatim = false;
	ret->damaged = false;
	return 1;
}

/* The value's bytes. */
static int
load(struct lmdb *s, struct err *e)
{
	size_t n;
	int r;

	if (s->loaded)
		return 0;
	if (s->value_len > LIMIT_LMDB_VALUE || !ckd_size(&n, s->value_len) ||
	    !grow_room(&s->value, n, 0))
		return err_set(e, ERR_LIMIT, "a value is too long");
	if (n > 0 && (r = bytesrc_read(s->src, s->value_off, s->value.p, n,
	    e)) < 0)
		return r;
	s->loaded = true;
	return 0;
}

static int
lmdb_field(void *self, const char *path, struct rows_value *ret,
    struct err *e)
{
	struct lmdb *s = self;
	int r;

	memset(ret, 0, sizeof(*ret));
	if (strcmp(path, "key") == 0) {
		ret->type = ROWS_BYTES;
		ret->p = s->key;
		ret->n = s->key_len;
	} else if (strcmp(path, "value") == 0) {
		if ((r = load(s, e)) < 0)
			return r;
		ret->type = ROWS_BYTES;
		ret->p = s->value.p;
		ret->n = (size_t)s->value_len;
	}
	return 0;
}

static int
lmdb_json(void *self, struct buf *b, struct err *e)
{
	static const char *const names[] = {"key", "value"};
	struct rows_value v;
	int r;

	for (unsigned i = 0; i < 2; i++) {
		if ((r = lmdb_field(self, names[i], &v, e)) < 0)
			return r;
		buf_putc(b, i == 0 ? '{' : ',');
		value_key(b, (const uint8_t *)names[i], strlen(names[i]));
		value_json(b, &v);
	}
	buf_putc(b, '}');
	return buf_failed(b) ? err_set(e, buf_failed(b),
	    "a record is too long as JSON") : 0;
}

static int
lmdb_fields(void *self, void (*each)(void *ctx, const char *name,
    const char *type), void *ctx, struct err *e)
{
	(void)self;
	(void)e;
	each(ctx, "key", "bytes");
	each(ctx, "value", "bytes");
	return 0;
}

const struct rows_format rows_lmdb = {
	.id = "lmdb",
	.bid = lmdb_bid,
	.open = lmdb_open,
	.next = lmdb_next,
	.field = lmdb_field,
	.json = lmdb_json,
	.fields = lmdb_fields,
};
