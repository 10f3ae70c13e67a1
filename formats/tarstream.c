#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/tarstream_parts.h"

/*
 * Method.  Block by block.  A record ('x', 'L', 'K', ...) is kept for the entry
 * that follows.  A block whose checksum is wrong is no header: it and those
 * behind it, up to one that is, become an entry of their own, so that no byte
 * of a damaged tar is lost.  Two zero blocks are the end for every reader; we
 * read on, since somebody may hide there what extraction does not show.
 */
static void
forget(struct tarstream *t)
{
	struct tarstream_said *s = &t->said;

	s->name.has = s->link.has = s->user.has = s->group.has = false;
	s->has_size = s->has_uid = s->has_gid = s->has_mtime = false;
	s->sparse = s->sparse_1_0 = s->sparse_name = s->has_real = false;
	s->pax_len = 0;
	t->npieces = 0;
	t->head_len = 0;
	t->notes = 0;
	t->has_first = false;
}

int
tarstream_new(const struct bytesrc *src, struct arena *a,
    struct tarstream **ret, struct err *e)
{
	struct tarstream *t = arena_alloc(a, sizeof(*t));
	struct tarstream_text *text[4];

	if (t == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	memset(t, 0, sizeof(*t));
	t->src = src;
	text[0] = &t->said.name;
	text[1] = &t->said.link;
	text[2] = &t->said.user;
	text[3] = &t->said.group;
	for (unsigned i = 0; i < 4; i++)
		if ((text[i]->p = arena_alloc(a, LIMIT_TAR_NAME)) == NULL)
			return err_set(e, ERR_NOMEM, "out of memory");
	if ((t->said.pax = arena_alloc(a, LIMIT_TAR_RECORDS)) == NULL ||
	    (t->unparsed = arena_alloc(a, LIMIT_TAR_UNPARSED)) == NULL ||
	    (t->piece = arena_alloc(a, LIMIT_TAR_PIECES *
	    sizeof(*t->piece))) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	*ret = t;
	return 0;
}

int
tarstream_block(struct tarstream *t, size_t *got, struct err *e)
{
	int r = bytesrc_read_some(t->src, t->at, t->block, TAR_BLOCK, got, e);

	if (r < 0)
		return r;
	return *got == TAR_BLOCK ? 1 : *got == 0 ? 0 : 2;
}

static uint64_t
padded(uint64_t n)
{
	return n + (TAR_BLOCK - n % TAR_BLOCK) % TAR_BLOCK;
}

/* Is a header in t->block?  It is in t->h then. */
static bool
is_header(struct tarstream *t)
{
	return tar_header_read(t->block, &t->h) && t->h.checksum_ok &&
	    t->h.size <= INT64_MAX / 4;
}

/* --- bytes that are no header --------------------------------------------- */

static int
take_unparsed(struct tarstream *t, size_t got, struct err *e)
{
	size_t n = 0;
	int r = 1;

	t->e = (struct tarstream_entry){.kind = TARSTREAM_UNPARSED,
	    .offset = t->at, .data_offset = t->at, .head = t->unparsed};
	do {
		memcpy(t->unparsed + n, t->block, got);
		n += got;
		t->at += got;
		if (n > LIMIT_TAR_UNPARSED - TAR_BLOCK || got < TAR_BLOCK)
			break;
		if ((r = tarstream_block(t, &got, e)) < 0)
			return r;
	} while (r > 0 && !is_header(t) &&
	    !(got == TAR_BLOCK && tar_is_zero(t->block)));
	t->cut |= got < TAR_BLOCK && r > 0;
	t->e.size = t->e.real_size = t->e.head_len = n;
	if (t->has_first)
		t->notes |= TARSTREAM_RECORD;	/* of nothing */
	t->e.notes = t->notes | (t->ended ? TARSTREAM_BEHIND_END : 0);
	forget(t);
	return 1;
}

/* --- records -------------------------------------------------------------- */

/* The content of a record of ${n} bytes, into ${dst}. */
static int
read_record(struct tarstream *t, uint8_t *dst, size_t n, struct err *e)
{
	size_t got;
	int r;

	if ((r = bytesrc_read_some(t->src, t->at, dst, n, &got, e)) < 0)
		return r;
	if (got < n) {
		t->cut = true;
		t->notes |= TARSTREAM_RECORD;
	}
	return 0;
}

static int
take_long(struct tarstream *t, struct tarstream_text *text, size_t n,
    struct err *e)
{
	int r;

	if (n == 0 || n > LIMIT_TAR_NAME) {
		t->notes |= n == 0 ? TARSTREAM_RECORD : TARSTREAM_LONG;
		return 0;
	}
	if ((r = read_record(t, text->p, n, e)) < 0)
		return r;
	text->n = strnlen((const char *)text->p, n);
	text->has = text->n > 0;
	return 0;
}

static int
take_pax(struct tarstream *t, size_t n, struct err *e)
{
	struct tarstream_said *s = &t->said;
	int r;

	if (n > LIMIT_TAR_RECORDS - s->pax_len) {
		t->notes |= TARSTREAM_LONG;
		return 0;
	}
	if ((r = read_record(t, s->pax + s->pax_len, n, e)) < 0)
		return r;
	if (!t->cut)
		tarstream_pax(t, s->pax + s->pax_len, n);
	s->pax_len += n;
	return 0;
}

static int
take_record(struct tarstream *t, struct err *e)
{
	size_t n = t->h.size > LIMIT_TAR_RECORDS ? LIMIT_TAR_RECORDS + 1 :
	    (size_t)t->h.size;
	int r;

	if (!t->has_first)
		t->first = t->at;
	t->has_first = true;
	t->at += TAR_BLOCK;
	if (t->h.type == 'L')
		r = take_long(t, &t->said.name, n, e);
	else if (t->h.type == 'K')
		r = take_long(t, &t->said.link, n, e);
	else
		r = take_pax(t, n, e);
	if (t->h.type == 'g')
		t->notes |= TARSTREAM_GLOBAL;
	t->at += padded(t->h.size);
	return r;
}

/* --- entries -------------------------------------------------------------- */

static enum tarstream_kind
kind_of(uint8_t type)
{
	switch (type) {
	case '0':
	case '\0':
	case '7':
	case 'S':
		return TARSTREAM_FILE;
	case '1':
		return TARSTREAM_HARD_LINK;
	case '2':
		return TARSTREAM_SYMLINK;
	case '3':
		return TARSTREAM_CHARACTER;
	case '4':
		return TARSTREAM_BLOCK;
	case '5':
		return TARSTREAM_DIRECTORY;
	case '6':
		return TARSTREAM_FIFO;
	default:
		return TARSTREAM_OTHER;
	}
}

static void
set_names(struct tarstream *t, struct tarstream_entry *n)
{
	const struct tarstream_said *s = &t->said;

	n->name = s->name.has ? s->name.p : (const uint8_t *)t->h.name;
	n->name_len = s->name.has ? s->name.n : t->h.name_len;
	n->link = s->link.has ? s->link.p : (const uint8_t *)t->h.link;
	n->link_len = s->link.has ? s->link.n : t->h.link_len;
	memcpy(t->user, t->block + 265, 32);
	memcpy(t->group, t->block + 297, 32);
	if (!t->h.magic)
		t->user[0] = t->group[0] = '\0';
	n->user = s->user.has ? s->user.p : (const uint8_t *)t->user;
	n->user_len = s->user.has ? s->user.n : strlen(t->user);
	n->group = s->group.has ? s->group.p : (const uint8_t *)t->group;
	n->group_len = s->group.has ? s->group.n : strlen(t->group);
	if (n->link_len == 0)
		n->link = NULL;
	if (n->user_len == 0)
		n->user = NULL;
	if (n->group_len == 0)
		n->group = NULL;
}

/* ".." as a component, "/" at the start, nothing at all. */
static unsigned
name_notes(const uint8_t *p, size_t n)
{
	unsigned notes = n == 0 ? TARSTREAM_NO_NAME : 0;
	size_t from = 0;

	if (n > 0 && p[0] == '/')
		notes |= TARSTREAM_ABSOLUTE;
	for (size_t i = 0; i <= n; i++) {
		if (i < n && p[i] != '/')
			continue;
		if (i - from == 2 && p[from] == '.' && p[from + 1] == '.')
			notes |= TARSTREAM_DOTDOT;
		from = i + 1;
	}
	return notes;
}

static uint64_t
number(struct tarstream *t, size_t off, size_t n)
{
	uint64_t v;

	if (tar_header_number(t->block, off, n, &v))
		return v;
	t->notes |= TARSTREAM_NUMBER;
	return 0;
}

/* Base 256 with a sign, of times before 1970; else as any number. */
static int64_t
header_mtime(struct tarstream *t)
{
	uint64_t v = UINT64_MAX;

	if (t->block[136] == 0xff) {
		for (size_t i = 137; i < 148; i++)
			v = v << 8 | t->block[i];
		return (int64_t)v;
	}
	v = number(t, 136, 12);
	return v <= INT64_MAX / 2 ? (int64_t)v : 0;
}

static void
set_numbers(struct tarstream *t, struct tarstream_entry *n)
{
	const struct tarstream_said *s = &t->said;
	bool device = n->kind == TARSTREAM_CHARACTER ||
	    n->kind == TARSTREAM_BLOCK;

	n->mode = t->h.mode;
	n->uid = s->has_uid ? s->uid : number(t, 108, 8);
	n->gid = s->has_gid ? s->gid : number(t, 116, 8);
	n->mtime = s->has_mtime ? s->mtime : header_mtime(t);
	n->mtime_ns = s->has_mtime ? s->mtime_ns : 0;
	n->dev_major = device ? number(t, 329, 8) : 0;
	n->dev_minor = device ? number(t, 337, 8) : 0;
	n->size = s->has_size ? s->size : t->h.size;
	if (n->size > INT64_MAX / 4) {
		t->notes |= TARSTREAM_NUMBER;
		n->size = t->h.size;
	}
}

/*
 * Links, folders and devices have no content for most readers, whatever their
 * size says.  A header, or a zero block, where it should begin: there is none.
 */
static int
look_behind(struct tarstream *t, struct tarstream_entry *n, struct err *e)
{
	struct tar_header h = t->h;
	size_t got;
	int r;

	if (n->size == 0)
		return 0;
	if ((r = tarstream_block(t, &got, e)) < 0)
		return r;
	if (r == 0 || (r == 1 && (tar_is_zero(t->block) || is_header(t))))
		n->size = 0;
	else
		t->notes |= TARSTREAM_LINK_CONTENT;
	t->h = h;
	return 0;
}

static int
set_sparse(struct tarstream *t, struct tarstream_entry *n, struct err *e)
{
	struct tarstream_said *s = &t->said;
	uint64_t map = 0;
	int r;

	n->real_size = n->size;
	if (!s->sparse && n->type != 'S')
		return 0;
	if (n->type == 'S') {
		if ((r = tarstream_gnu_map(t, e)) < 0)
			return r;
	} else if (s->sparse_1_0 && (r = tarstream_map_1_0(t, t->at, n->size,
	    &map, e)) < 0) {
		return r;
	}
	t->notes |= TARSTREAM_SPARSE;
	n->data_offset = t->at;
	if ((t->notes & TARSTREAM_SPARSE_BAD) != 0 || !s->has_real ||
	    (s->sparse_1_0 && map == 0) ||
	    !tarstream_map_ok(t, n->size - map, s->real_size)) {
		t->notes |= TARSTREAM_SPARSE_BAD;
		t->npieces = 0;
		n->head = t->unparsed;
		n->head_len = t->head_len;
		return 0;
	}
	n->data_offset += map;
	n->size -= map;
	n->real_size = s->real_size;
	n->piece = t->piece;
	n->npieces = t->npieces;
	return 0;
}

static int
take_entry(struct tarstream *t, struct err *e)
{
	struct tarstream_entry n = {.type = t->h.type,
	    .kind = kind_of(t->h.type)};
	int r;

	n.offset = t->has_first ? t->first : t->at;
	set_names(t, &n);
	set_numbers(t, &n);
	/* Before there was a type for folders. */
	if (n.kind == TARSTREAM_FILE && n.name_len > 0 &&
	    n.name[n.name_len - 1] == '/')
		n.kind = TARSTREAM_DIRECTORY;
	t->at += TAR_BLOCK;
	n.data_offset = t->at;
	if (n.kind == TARSTREAM_OTHER)
		t->notes |= TARSTREAM_TYPE;
	if (n.kind != TARSTREAM_FILE && n.kind != TARSTREAM_OTHER &&
	    (r = look_behind(t, &n, e)) < 0)
		return r;
	if ((r = set_sparse(t, &n, e)) < 0)
		return r;
	t->at = n.data_offset + n.size;
	t->at = padded(t->at);
	n.pax = t->said.pax;
	n.pax_len = t->said.pax_len;
	n.notes = t->notes | name_notes(n.name, n.name_len) |
	    (t->ended ? TARSTREAM_BEHIND_END : 0);
	t->e = n;
	return 1;
}

/* --- the walk ------------------------------------------------------------- */

static void
take_zero(struct tarstream *t)
{
	t->at += TAR_BLOCK;
	if (++t->zeros >= 2)
		t->ended = true;
}

static int
at_end(const struct tarstream *t, enum tarstream_end *end)
{
	*end = t->cut || t->has_first ? TARSTREAM_CUT : t->ended ?
	    TARSTREAM_ENDED : TARSTREAM_NO_END;
	return 0;
}

static int
step(struct tarstream *t, enum tarstream_end *end, struct err *e)
{
	size_t got;
	int r;

	for (;;) {
		if ((r = tarstream_block(t, &got, e)) < 0)
			return r;
		if (r == 0 && t->at == 0)
			return err_set(e, ERR_FORMAT, "nothing came");
		if (r == 0)
			return at_end(t, end);
		if (r == 1 && tar_is_zero(t->block)) {
			take_zero(t);
			continue;
		}
		if (r == 1 && is_header(t)) {
			if (t->zeros == 1 && !t->ended)
				t->notes |= TARSTREAM_LONE_ZERO;
			t->zeros = 0;
			t->begun = true;
			if (!tar_is_record(t->h.type))
				return take_entry(t, e);
			if ((r = take_record(t, e)) < 0)
				return r;
			continue;
		}
		if (!t->begun)
			return err_set(e, ERR_FORMAT, "this is no tar (is it "
			    "compressed?)");
		t->zeros = 0;
		return take_unparsed(t, got, e);
	}
}

int
tarstream_next(struct tarstream *t, const struct tarstream_entry **ret,
    enum tarstream_end *end, struct err *e)
{
	int r;

	/* The entry before used them. */
	if (t->begun)
		forget(t);
	if ((r = step(t, end, e)) > 0)
		*ret = &t->e;
	return r;
}

const char *
tarstream_note_text(unsigned bit)
{
	switch ((enum tarstream_note)bit) {
	case TARSTREAM_ABSOLUTE:
		return "absolute name";
	case TARSTREAM_DOTDOT:
		return "name with ..";
	case TARSTREAM_LONE_ZERO:
		return "a single zero block before it";
	case TARSTREAM_BEHIND_END:
		return "behind the end of the archive";
	case TARSTREAM_GLOBAL:
		return "a global record before it";
	case TARSTREAM_TYPE:
		return "type that is not known";
	case TARSTREAM_NUMBER:
		return "a number that makes no sense";
	case TARSTREAM_RECORD:
		return "a damaged record before it";
	case TARSTREAM_LONG:
		return "a record before it is too long and was not read";
	case TARSTREAM_NO_NAME:
		return "no name";
	case TARSTREAM_SPARSE:
		return "stored with holes";
	case TARSTREAM_SPARSE_BAD:
		return "a map of holes that makes no sense";
	case TARSTREAM_LINK_CONTENT:
		return "content behind what should have none";
	case TARSTREAM_NOTES:
	default:
		return NULL;
	}
}
