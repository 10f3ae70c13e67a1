#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "custody/bag.h"
#include "custody/bagtext.h"
#include "custody/evidence_read.h"
#include "custody/nameset.h"
#include "custody/taritem.h"

/*
 * Method.  A member's header bytes are read, name, size and time are taken
 * from them, and the writer must make the very same bytes of these three:
 * so whatever is not canonical is refused without a rule of its own.  Then
 * come the rules between members: one BAG name, each name once, the order of
 * docs/FORMAT.md 2, times, zero padding, and an end of two zero blocks.
 *
 * The window is small: headers lie far apart, content is not read here.
 */
#define WINDOW 4096

/* The order; members of the places marked "many" may come repeatedly. */
enum place {
	AT_BAGIT,
	AT_ACQUISITION,
	AT_HOWTO,
	AT_DATA,
	AT_METADATA,
	AT_MANIFEST256,
	AT_MANIFEST512,
	AT_INFO,
	AT_BODY,	/* of an unsealed body alone, and its last */
	AT_CONTAINER,
	AT_SEAL,
	AT_P7S,
	AT_TSR,
	AT_TAGMANIFEST256,
	AT_TAGMANIFEST512,
	AT_END
};

static const struct {
	const char *name;
	bool many, optional;
} places[AT_END + 1] = {
	[AT_BAGIT] = {BAG_BAGIT, false, false},
	[AT_ACQUISITION] = {BAG_ACQUISITION, false, false},
	[AT_HOWTO] = {BAG_HOWTO, false, false},
	[AT_DATA] = {BAG_DATA, true, false},
	[AT_METADATA] = {"metadata/", true, true},
	[AT_MANIFEST256] = {BAG_MANIFEST256, false, false},
	[AT_MANIFEST512] = {BAG_MANIFEST512, false, true},
	[AT_INFO] = {BAG_INFO, false, false},
	[AT_BODY] = {BAG_BODY, false, true},
	[AT_CONTAINER] = {BAG_CONTAINER, false, false},
	[AT_SEAL] = {BAG_SEAL, false, false},
	[AT_P7S] = {BAG_P7S, false, false},
	[AT_TSR] = {BAG_TSR, false, true},
	[AT_TAGMANIFEST256] = {BAG_TAGMANIFEST256, false, false},
	[AT_TAGMANIFEST512] = {BAG_TAGMANIFEST512, false, true},
	[AT_END] = {"", false, false},
};

/* The header bytes of a member as they stand in the file. */
struct raw {
	uint8_t p[TARITEM_MAX];
	size_t n;
};

struct evidence_walk {
	struct reader r;
	struct nameset *names;
	uint64_t mtime;		/* of bagit.txt, and so of all tag files */
	uint64_t data_end;	/* of the member before, padding excluded */
	int place;		/* of the member before; -1: none */
	unsigned metadata;	/* members below metadata/ so far */
	bool sha512;		/* a manifest-sha512.txt was there */
	bool keep;		/* data/.keep was there */
	bool body;		/* no trailer: ends with body-end.txt */
	int end;		/* 0, or what next returns from now on */
	bool ended;
	size_t bag_len;
	char bag[65];
	char path[LIMIT_MEMBER_NAME + 1];	/* "BAG/name" */
	struct raw raw;
	uint8_t again[TARITEM_MAX];
};

static int
walk_new(const struct bytesrc *src, struct arena *a, size_t window,
    struct evidence_walk **ret, struct err *e)
{
	struct evidence_walk *w;
	int r;

	if ((w = arena_alloc(a, sizeof(*w))) == NULL ||
	    (w->names = nameset_new(a)) == NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		return ERR_NOMEM;
	}
	if ((r = reader_init(&w->r, src, 0, window, a, e)) < 0)
		return r;
	w->place = -1;
	*ret = w;
	return 0;
}

int
evidence_walk_new(const struct bytesrc *src, struct arena *a,
    struct evidence_walk **ret, struct err *e)
{
	return walk_new(src, a, WINDOW, ret, e);
}

int
evidence_walk_body(const struct bytesrc *src, struct arena *a,
    struct evidence_walk **ret, struct err *e)
{
	int r;

	/* A window of one: a stream is asked for what is needed alone. */
	if ((r = walk_new(src, a, 1, ret, e)) >= 0)
		(*ret)->body = true;
	return r;
}

const char *
evidence_walk_bag(const struct evidence_walk *w)
{
	return w->bag;
}

static int
bad(uint64_t off, struct err *e, enum err_code code, const char *what)
{
	if (e != NULL && e->code == ERR_OK)
		e->off = off;
	(void)err_set(e, code, "%s at offset %llu", what,
	    (unsigned long long)off);
	return code;
}

/* Read ${n} header bytes behind those that are there. */
static int
take(struct evidence_walk *w, size_t n, struct err *e)
{
	int r;

	if (n > reader_left(&w->r))
		return bad(reader_tell(&w->r), e, ERR_TRUNC,
		    "the bundle ends within a header");
	if ((r = reader_copy(&w->r, w->raw.p + w->raw.n, n, e)) < 0)
		return r;
	w->raw.n += n;
	return 0;
}

static int
take_header(struct evidence_walk *w, struct tarhdr *h, struct err *e)
{
	uint64_t off = reader_tell(&w->r);
	int r;

	if ((r = take(w, TARHDR_SIZE, e)) < 0)
		return r;
	return tarhdr_read(w->raw.p + w->raw.n - TARHDR_SIZE, h) ? 0 :
	    bad(off, e, ERR_FORMAT, "the header is not canonical");
}

/*
 * The rest of a header whose first block is in w->raw: path, size and time.
 * Whatever is wrong with a pax record shows when it is regenerated.
 */
static int
take_rest(struct evidence_walk *w, struct tarhdr *h, uint64_t off,
    struct err *e)
{
	const char *path = NULL;
	size_t n = 0;
	int r;

	if (!tarhdr_read(w->raw.p, h))
		return bad(off, e, ERR_FORMAT, "the header is not canonical");
	if (h->type == 'x') {
		size_t len = (size_t)h->size;

		if (h->size > TARITEM_RECORD_MAX)
			return bad(off, e, ERR_FORMAT,
			    "a pax record is too long");
		if ((r = take(w, len + tarhdr_padding(len), e)) < 0)
			return r;
		path = taritem_path(w->raw.p + TARHDR_SIZE, len, &n);
		if ((r = take_header(w, h, e)) < 0)
			return r;
	}
	if (path == NULL) {
		path = h->name;
		n = strlen(h->name);
	}
	if (n == 0 || n > LIMIT_MEMBER_NAME || memchr(path, '\0', n) != NULL)
		return bad(off, e, ERR_FORMAT, "a member's name is unusable");
	memcpy(w->path, path, n);
	w->path[n] = '\0';
	return 0;
}

/*
 * Are the header bytes those that the writer makes of what they say?  A lone
 * header was compared with its only form by tarhdr_read, so of a member that
 * needs no more there is nothing left to make again.
 */
static int
check_form(struct evidence_walk *w, const struct tarhdr *h, uint64_t off,
    struct err *e)
{
	const struct taritem item = {w->path, strlen(w->path), h->size,
	    h->mtime};
	size_t n;
	int r;

	if (w->raw.n == TARHDR_SIZE && taritem_plain(&item))
		return 0;
	if ((r = taritem_put(w->again, &item, &n, e)) < 0)
		return r;
	return n == w->raw.n && memcmp(w->again, w->raw.p, n) == 0 ? 0 :
	    bad(off, e, ERR_FORMAT, "the header is not canonical");
}

/* 1 and the member, 0 when a zero block is there instead of a header. */
static int
read_member(struct evidence_walk *w, struct evidence_member *m,
    struct err *e)
{
	struct tarhdr h;
	int r;

	m->header_offset = reader_tell(&w->r);
	w->raw.n = 0;
	if ((r = take(w, TARHDR_SIZE, e)) < 0)
		return r;
	if (tarhdr_zero(w->raw.p))
		return 0;
	if ((r = take_rest(w, &h, m->header_offset, e)) < 0 ||
	    (r = check_form(w, &h, m->header_offset, e)) < 0)
		return r;
	m->data_offset = reader_tell(&w->r);
	m->size = h.size;
	m->mtime = h.mtime;
	return 1;
}

/* Split "BAG/name"; the first member's BAG is every member's. */
static int
split_name(struct evidence_walk *w, struct evidence_member *m,
    struct err *e)
{
	const char *slash = strchr(w->path, '/');
	size_t n = slash == NULL ? 0 : (size_t)(slash - w->path);

	if (w->place < 0 && bag_name_ok(w->path, n)) {
		memcpy(w->bag, w->path, n);
		w->bag[n] = '\0';
		w->bag_len = n;
	}
	if (slash == NULL || n == 0 || n != w->bag_len ||
	    memcmp(w->path, w->bag, n) != 0)
		return bad(m->header_offset, e, ERR_FORMAT,
		    "a member is not in the bag's folder");
	m->name = slash + 1;
	m->name_len = strlen(m->name);
	if (!bag_member_ok(m->name, m->name_len))
		return bad(m->header_offset, e, ERR_FORMAT,
		    "a member's name is not in the escaped form");
	return 0;
}

static bool
starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static int
place_of(const char *name)
{
	int p;

	for (p = 0; p < AT_END; p++)
		if (!places[p].many && strcmp(name, places[p].name) == 0)
			return p;
	for (p = 0; p < AT_END; p++)
		if (places[p].many && starts(name, places[p].name))
			return p;
	return AT_END;
}

/* May a member of place ${p} (AT_END: the end) come now? */
static bool
order_ok(const struct evidence_walk *w, int p)
{
	/* A body ends where a bundle's trailer begins. */
	if (w->body ? p > AT_BODY && (p != AT_END || w->place != AT_BODY) :
	    p == AT_BODY)
		return false;
	if (w->body && p == AT_END)
		return true;
	if (p < w->place || (p == w->place && !places[p].many))
		return false;
	for (int skipped = w->place + 1; skipped < p; skipped++)
		if (!places[skipped].optional ||
		    (skipped == AT_TAGMANIFEST512 && w->sha512))
			return false;
	return p != AT_TAGMANIFEST512 || w->sha512;
}

/* data/.keep stands for "nothing was collected", alone and empty. */
static bool
keep_ok(struct evidence_walk *w, const struct evidence_member *m)
{
	bool keep = strcmp(m->name, BAG_KEEP) == 0;

	if (w->keep || (keep && (w->place == AT_DATA || m->size != 0)))
		return false;
	w->keep = keep;
	return true;
}

static int
check_rules(struct evidence_walk *w, const struct evidence_member *m,
    struct err *e)
{
	int p = place_of(m->name), r;

	if (p == AT_END)
		return bad(m->header_offset, e, ERR_FORMAT,
		    "a member that the format does not know");
	if (!order_ok(w, p))
		return bad(m->header_offset, e, ERR_FORMAT,
		    "a member stands out of order");
	if (p == AT_BAGIT)
		w->mtime = m->mtime;
	if (m->mtime == 0 || m->mtime > w->mtime ||
	    (p != AT_DATA && m->mtime != w->mtime))
		return bad(m->header_offset, e, ERR_FORMAT,
		    "a member's time is not canonical");
	if (p == AT_DATA && !keep_ok(w, m))
		return bad(m->header_offset, e, ERR_FORMAT,
		    "data/.keep is not the only payload member");
	if (p != AT_DATA && m->name_len > BAGTEXT_NAME)
		return bad(m->header_offset, e, ERR_FORMAT,
		    "a tag file's name is too long");
	if (starts(m->name, "metadata/") && ++w->metadata >
	    BAGTEXT_METADATA + 1)
		return bad(m->header_offset, e, ERR_FORMAT,
		    "too many metadata files");
	if (p == AT_CONTAINER && w->r.end - m->header_offset > LIMIT_TRAILER)
		return bad(m->header_offset, e, ERR_FORMAT,
		    "the trailer is too long");
	if ((r = nameset_add(w->names, m->name, m->name_len, e)) < 0)
		return r;
	if (r == 0)
		return bad(m->header_offset, e, ERR_FORMAT,
		    "a member's name was there before");
	w->sha512 |= p == AT_MANIFEST512;
	w->place = p;
	return 0;
}

/* bagit.txt says what all this is: its content never varies. */
static int
check_bagit(struct evidence_walk *w, const struct evidence_member *m,
    struct err *e)
{
	uint8_t text[64];
	size_t n = strlen(bag_bagit_txt);
	int r;

	if (m->size != n)
		return bad(m->data_offset, e, ERR_FORMAT,
		    "bagit.txt is not that of a bundle");
	if ((r = reader_copy(&w->r, text, n, e)) < 0)
		return r;
	return memcmp(text, bag_bagit_txt, n) == 0 ? 0 :
	    bad(m->data_offset, e, ERR_FORMAT,
	    "bagit.txt is not that of a bundle");
}

/* From the end of the content before to the next header. */
static int
pass_content(struct evidence_walk *w, struct err *e)
{
	uint8_t padding[TARHDR_SIZE];
	uint32_t n = tarhdr_padding(w->data_end);
	int r;

	if (w->place < 0)
		return 0;
	if ((r = reader_seek(&w->r, w->data_end, e)) < 0)
		return r;
	if (n > reader_left(&w->r))
		return bad(w->data_end, e, ERR_TRUNC,
		    "the bundle ends within padding");
	if ((r = reader_copy(&w->r, padding, n, e)) < 0)
		return r;
	for (uint32_t i = 0; i < n; i++)
		if (padding[i] != 0)
			return bad(w->data_end + i, e, ERR_FORMAT,
			    "padding is not zero");
	return 0;
}

/* The size of a stream is not known: is there one byte more? */
static int
check_last(struct evidence_walk *w, struct err *e)
{
	uint64_t off = reader_tell(&w->r);
	uint8_t more;
	size_t got;
	int r;

	if ((r = bytesrc_read_some(w->r.src, off, &more, 1, &got, e)) < 0)
		return r;
	return got == 0 ? 0 :
	    bad(off, e, ERR_FORMAT, "bytes behind the end");
}

/* One zero block was read: one more, and nothing behind it. */
static int
check_end(struct evidence_walk *w, struct err *e)
{
	uint64_t off = reader_tell(&w->r);
	int r;

	if (w->place < 0 || !order_ok(w, AT_END))
		return bad(off - TARHDR_SIZE, e, ERR_FORMAT,
		    "the bundle ends before its last member");
	w->raw.n = 0;
	if ((r = take(w, TARHDR_SIZE, e)) < 0)
		return r;
	if (!tarhdr_zero(w->raw.p))
		return bad(off, e, ERR_FORMAT,
		    "a single zero block among members");
	if (w->body)
		return check_last(w, e);
	if (reader_left(&w->r) != 0)
		return bad(reader_tell(&w->r), e, ERR_FORMAT,
		    "bytes behind the end");
	return 0;
}

static int
step(struct evidence_walk *w, struct evidence_member *m, struct err *e)
{
	int r;

	if ((r = pass_content(w, e)) < 0 || (r = read_member(w, m, e)) < 0)
		return r;
	if (r == 0)
		return check_end(w, e);
	if ((r = split_name(w, m, e)) < 0 || (r = check_rules(w, m, e)) < 0)
		return r;
	if (m->size > reader_left(&w->r))
		return bad(m->header_offset, e, ERR_TRUNC,
		    "a member is longer than what is left");
	w->data_end = m->data_offset + m->size;
	if (w->place == AT_BAGIT && (r = check_bagit(w, m, e)) < 0)
		return r;
	return 1;
}

int
evidence_walk_next(struct evidence_walk *w, struct evidence_member *m,
    struct err *e)
{
	struct evidence_member found = {0};
	int r;

	if (w->ended && w->end < 0) {
		(void)err_set(e, (enum err_code)w->end,
		    "the walk has failed");
		return w->end;
	}
	if (w->ended)
		return 0;
	if ((r = step(w, &found, e)) > 0) {
		*m = found;
		return 1;
	}
	w->ended = true;
	w->end = r;
	return r;
}
