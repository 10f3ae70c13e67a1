#include <string.h>
#include <strings.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/reader.h"
#include "formats/textscan.h"

/*
 * XML by its tags: opened and closed in pairs, nothing expanded, nothing
 * fetched.  A document type or entity declaration is told: careless readers
 * act on it (CWE-611, CWE-776).
 */
#define DEPTH_MAX 512
#define NAME_MAX_LEN 64

struct xml {
	struct parse *p;
	struct reader rd;
	char name[DEPTH_MAX][NAME_MAX_LEN];
	unsigned depth;
	bool any;
};

static bool
is_html(struct cursor *c)
{
	uint8_t word[4];

	return cursor_copy(c, word, sizeof(word)) &&
	    strncasecmp((const char *)word, "html", sizeof(word)) == 0;
}

static unsigned
xml_bid(struct cursor head, uint64_t size)
{
	static const uint8_t bom[] = {0xef, 0xbb, 0xbf};
	struct cursor c = head;

	if (!textscan_head(head, size))
		return 0;
	(void)cursor_match(&c, bom, 3);
	if (cursor_match(&c, (const uint8_t *)"<?xml ", 6))
		return 40;
	/* HTML's tags need not close. */
	return cursor_match(&c, (const uint8_t *)"<!DOCTYPE ", 10) &&
	    !is_html(&c) ? 24 : 0;
}

/* Pass over everything up to and with ${end}. */
static int
skip_to(struct xml *x, const char *end)
{
	size_t n = strlen(end), hit = 0;
	uint8_t c;
	int r;

	while (hit < n) {
		if ((r = reader_u8(&x->rd, &c, x->p->e)) < 0)
			return r;
		if (c == (uint8_t)end[hit])
			hit++;
		else if (!(hit == 2 && c == (uint8_t)end[0]))
			hit = c == (uint8_t)end[0];
	}
	return 0;
}

/* Name characters up to the first that is none, which stays. */
static int
read_name(struct xml *x, char *dst)
{
	size_t n = 0;
	uint8_t c;
	int r;

	for (;;) {
		if ((r = reader_peek_u8(&x->rd, &c, x->p->e)) < 0)
			return r;
		if (c == '>' || c == '/' || c <= ' ')
			break;
		if (n + 1 < NAME_MAX_LEN)
			dst[n++] = (char)c;
		if ((r = reader_skip(&x->rd, 1, x->p->e)) < 0)
			return r;
	}
	dst[n] = '\0';
	return n > 0 ? 0 : ERR_FORMAT;
}

/* To the tag's '>', quotes respected; *empty tells of "/>". */
static int
end_tag(struct xml *x, bool *empty)
{
	uint8_t c, quote = 0, before = 0;
	int r;

	for (;;) {
		if ((r = reader_u8(&x->rd, &c, x->p->e)) < 0)
			return r;
		if (quote != 0) {
			if (c == quote)
				quote = 0;
		} else if (c == '"' || c == '\'') {
			quote = c;
		} else if (c == '>') {
			break;
		} else if (c == '<') {
			return ERR_FORMAT;
		}
		before = c;
	}
	*empty = before == '/';
	return 0;
}

/*
 * The rest of a document type: who declares entities, or has them fetched
 * from elsewhere (SYSTEM; a PUBLIC one is known by its name), decides what
 * the document says when it is read.  The internal subset nests.
 */
static int
doctype(struct xml *x, uint64_t off, const uint8_t head[2])
{
	char last[8] = {0};
	bool entity = false, public = false, elsewhere = false;
	int r, depth = 1;
	uint8_t c;

	last[6] = (char)head[0];
	last[7] = (char)head[1];
	while (depth > 0) {
		if ((r = reader_u8(&x->rd, &c, x->p->e)) < 0)
			return r;
		depth += (c == '<') - (c == '>');
		if (depth > DEPTH_MAX)
			return ERR_FORMAT;
		memmove(last, last + 1, sizeof(last) - 1);
		last[7] = (char)c;
		entity = entity || memcmp(last, "<!ENTITY", 8) == 0;
		public = public || memcmp(last + 1, " PUBLIC", 7) == 0;
		elsewhere = elsewhere || memcmp(last + 1, " SYSTEM", 7) == 0;
	}
	return format_anomaly(x->p, entity || (elsewhere && !public) ?
	    ANOMALY_XML_ENTITY : ANOMALY_XML_DOCTYPE, off, 0, NULL, 0);
}

/* After "<!": a comment, CDATA or a declaration. */
static int
declaration(struct xml *x, uint64_t off)
{
	uint8_t head[6];
	int r;

	if ((r = reader_copy(&x->rd, head, 2, x->p->e)) < 0)
		return r;
	if (head[0] == '-' && head[1] == '-')
		return skip_to(x, "-->");
	if (head[0] == '[') {
		if ((r = reader_copy(&x->rd, head, 6, x->p->e)) < 0)
			return r;
		return skip_to(x, "]]>");
	}
	return doctype(x, off, head);
}

static int
open_tag(struct xml *x)
{
	bool empty;
	int r;

	if (x->depth == DEPTH_MAX)
		return ERR_LIMIT;
	if ((r = read_name(x, x->name[x->depth])) < 0 ||
	    (r = end_tag(x, &empty)) < 0)
		return r;
	x->any = true;
	if (!empty)
		x->depth++;
	return 0;
}

static int
close_tag(struct xml *x)
{
	char name[NAME_MAX_LEN];
	bool empty;
	int r;

	if ((r = reader_skip(&x->rd, 1, x->p->e)) < 0 ||
	    (r = read_name(x, name)) < 0 || (r = end_tag(x, &empty)) < 0)
		return r;
	if (x->depth == 0 || strcmp(name, x->name[x->depth - 1]) != 0)
		return ERR_FORMAT;
	x->depth--;
	return 0;
}

static int
walk(struct xml *x)
{
	uint64_t off;
	uint8_t c;
	int r = 0;

	while (reader_left(&x->rd) > 0 && r >= 0) {
		off = reader_tell(&x->rd);
		if ((r = reader_u8(&x->rd, &c, x->p->e)) < 0)
			return r;
		if (c != '<')
			continue;
		if ((r = reader_peek_u8(&x->rd, &c, x->p->e)) < 0)
			return r;
		if (c == '?') {
			r = skip_to(x, "?>");
		} else if (c == '!') {
			if ((r = reader_skip(&x->rd, 1, x->p->e)) >= 0)
				r = declaration(x, off);
		} else if (c == '/') {
			r = close_tag(x);
		} else {
			r = open_tag(x);
		}
	}
	if (r >= 0 && (x->depth > 0 || !x->any))
		return ERR_TRUNC;
	return r;
}

static int
xml_parse(struct parse *p)
{
	enum anomaly id = ANOMALY_COUNT;
	struct xml *x;
	int r;

	if ((x = arena_alloc(p->arena, sizeof(*x))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	x->p = p;
	if ((r = textscan_run(p)) != 0 || (r = reader_init(&x->rd, p->src, 0,
	    p->window, p->arena, p->e)) < 0)
		return r;
	r = walk(x);
	if (r == ERR_TRUNC)
		id = ANOMALY_TRUNCATED;
	else if (r == ERR_FORMAT)
		id = ANOMALY_MALFORMED;
	else if (r == ERR_LIMIT)
		id = ANOMALY_LIMIT;
	if (id == ANOMALY_COUNT)
		return r;
	err_reset(p->e);
	r = format_anomaly(p, id, reader_tell(&x->rd), 0, NULL, 0);
	return r < 0 ? r : 1;
}

const struct format format_xml = {
    .name = "xml",
    .kind = FORMAT_DATA,
    .bid = xml_bid,
    .parse = xml_parse,
};
