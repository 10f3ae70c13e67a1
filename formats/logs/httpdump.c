#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/logs/shape.h"

/*
 * A dump of HTTP messages: CloudEvents in binary mode, whose id, type and time
 * are headers (ce-*).  A dump of bodies alone has lost them.
 *
 *	POST / HTTP/1.1 CRLF, headers, empty line, body of Content-Length
 *
 * Lines may end with LF alone.  Without a length the body goes to the next
 * line that begins a message, or to the end.
 */
#define HEAD_MOST (64 * KIB)

struct message {
	size_t head;		/* bytes of it, empty line too */
	uint64_t length;	/* of the body */
	bool has_length;
	struct cursor lines;	/* headers */
};

bool
httpdump_bid(const uint8_t *p, size_t n)
{
	const uint8_t *end = memchr(p, '\n', n < 4096 ? n : 4096);
	size_t len;

	if (end == NULL)
		return false;
	len = (size_t)(end - p);
	if (len > 0 && p[len - 1] == '\r')
		len--;
	return len > 14 && (memcmp(p, "POST ", 5) == 0 ||
	    memcmp(p, "PUT ", 4) == 0) && (memcmp(p + len - 9, " HTTP/1.1",
	    9) == 0 || memcmp(p + len - 9, " HTTP/1.0", 9) == 0);
}

static struct cursor
trimmed(struct cursor c)
{
	struct cursor v = textline_rest(&c);

	while (v.len > 0 && (v.buf[0] == ' ' || v.buf[0] == '\t')) {
		v.buf++;
		v.len--;
	}
	while (v.len > 0 && (v.buf[v.len - 1] == '\r' ||
	    v.buf[v.len - 1] == ' '))
		v.len--;
	return v;
}

static bool
header(struct cursor *lines, struct cursor *name, struct cursor *value)
{
	struct cursor line, colon;

	if (!cursor_line(lines, '\n', &line))
		return false;
	*name = *value = (struct cursor){.buf = line.buf};
	if (!cursor_line(&line, ':', &colon))
		return true;
	*name = colon;
	*value = trimmed(line);
	return true;
}

static bool
named(struct cursor name, const char *text)
{
	return name.len == strlen(text) && name.buf != NULL &&
	    strncasecmp((const char *)name.buf, text, name.len) == 0;
}

/* The head at the cursor; false: it does not end within what is there. */
static bool
head(struct cursor at, struct message *m)
{
	struct cursor line, name, value, all;
	uint64_t v = 0;
	uint8_t b;

	*m = (struct message){0};
	if (!cursor_line(&at, '\n', &line))
		return false;
	all = textline_rest(&at);
	for (;;) {
		if (!cursor_line(&at, '\n', &line))
			return false;
		if (line.len == 0 || (line.len == 1 && line.buf[0] == '\r'))
			break;
	}
	m->head = at.off;
	m->lines = all;
	m->lines.len = all.len - cursor_left(&at);
	for (all = m->lines; header(&all, &name, &value);)
		if (named(name, "content-length") && value.len < 18) {
			for (v = 0; cursor_u8(&value, &b) && b >= '0' &&
			    b <= '9';)
				v = v * 10 + (uint64_t)(b - '0');
			m->length = v;
			m->has_length = true;
		}
	return true;
}

static void
one_header(struct logs_ctx *c, struct cursor name, struct cursor value,
    struct when *w, struct cursor *type)
{
	static const struct {
		const char *name;
		enum logs_column col;
	} plain[] = {{"ce-id", LOGS_REQ_ID},
	    {"ce-inferenceservicename", LOGS_MODEL},
	    {"ce-namespace", LOGS_DEPLOYMENT}, {"ce-component", LOGS_OP},
	    {"ce-endpoint", LOGS_ENDPOINT}, {"user-agent", LOGS_UA},
	    {"x-forwarded-for", LOGS_FORWARDED}};

	for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
		if (named(name, plain[i].name))
			row_sub(c, plain[i].col, value);
	if (named(name, "ce-type")) {
		row_str(c, LOGS_KIND, value.len > 8 && memcmp(value.buf +
		    value.len - 8, "response", 8) == 0 ? "response" :
		    "request");
	} else if (named(name, "content-type")) {
		*type = value;
	} else if (named(name, "ce-time") && when_all(value.buf, value.len,
	    w)) {
		row_when(c, w, "ce-time", "event");
	} else if (named(name, "ce-metadata") && jdoc_parse(c->inner,
	    value.buf, value.len, &(size_t){0}) == 0) {
		const uint32_t xff = jdoc_at(c->inner, jdoc_get(c->inner, 0,
		    "X-Forwarded-For"), 0);
		const struct logs_content_part x = xff != JDOC_NONE ?
		    payload_part(c, c->inner, xff, NULL) :
		    (struct logs_content_part){0};

		row_text(c, LOGS_FORWARDED, x.p, x.n);
	}
}

static int
emit(struct logs_ctx *c, const struct message *m, size_t body)
{
	struct cursor lines = m->lines, name, value, type = {0};
	const struct logs_content_part at = {.placed = true,
	    .off = c->raw_off + m->head, .len = body};
	struct when w;

	row_begin(c, SHAPE_http_dump);
	row_str(c, LOGS_KIND, "request");
	while (header(&lines, &name, &value)) {
		one_header(c, name, value, &w, &type);
		if (named(name, "ce-component"))
			c->scope = value;
	}
	if (!c->v[LOGS_TS].set)
		row_untimed(c);
	if (!c->v[LOGS_ENDPOINT].set)
		c->v[LOGS_ENDPOINT] = c->v[LOGS_MODEL];
	payload_bytes(c, c->v[LOGS_KIND].n == 8, c->raw + m->head, body,
	    (const char *)type.buf, type.len, &at);
	return emit_row(c);
}

/* A body without a length: to the next message or the end. */
static size_t
open_body(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\n' && i + 1 < n &&
		    httpdump_bid(p + i + 1, n - i - 1))
			return i;
	return n;
}

static int
message(struct logs_ctx *c)
{
	struct lines *l = &c->lines;
	struct message m = {0};
	struct cursor at;
	size_t have, body;
	int r;

	if ((r = lines_ready(l, HEAD_MOST, &have, c->e)) < 0 || have == 0)
		return r;
	cursor_init(&at, l->buf + l->pos, have, 0);
	c->raw_off = lines_tell(l);
	c->raw_no = l->no + 1;
	if (!httpdump_bid(at.buf, have) || !head(at, &m)) {
		tell(c, have < HEAD_MOST && m.head == 0 &&
		    httpdump_bid(at.buf, have) ? LOGS_PROBLEM_CUT :
		    LOGS_PROBLEM_MALFORMED, c->raw_off,
		    bytesrc_size(l->src) - c->raw_off, "HTTP message");
		return 2;	/* the rest of the file is not read */
	}
	if (m.has_length && m.length > LIMIT_LOG_RECORD - HEAD_MOST) {
		tell(c, LOGS_PROBLEM_TOO_LONG, c->raw_off, m.length, NULL);
		lines_pass(l, m.head);
		r = lines_skip(l, m.length, c->e);
		return r < 0 ? r : 1;
	}
	if ((r = lines_ready(l, m.has_length ? m.head + (size_t)m.length :
	    LIMIT_LOG_RECORD, &have, c->e)) < 0)
		return r;
	c->raw = l->buf + l->pos;
	body = have - m.head;
	if (!m.has_length)
		body = open_body(c->raw + m.head, body);
	else if (m.length < body)
		body = (size_t)m.length;
	else if (m.length > body)
		tell(c, LOGS_PROBLEM_CUT, c->raw_off + have, m.length - body,
		    "body shorter than Content-Length");
	c->raw_n = m.head + body;
	/* The buffer moved: the headers are where they were in it. */
	m.lines.buf = c->raw + (m.lines.buf - at.buf);
	r = emit(c, &m, body);
	lines_pass(l, m.head + body);
	return r;
}

int
httpdump_read(struct logs_ctx *c)
{
	size_t have;
	int r = 1;

	while (r == 1 && c->stop >= 0) {
		framing_next(c);
		/* Blank lines between messages. */
		for (;;) {
			if ((r = lines_ready(&c->lines, 1, &have, c->e)) < 0)
				return r;
			if (have == 0 || (c->lines.buf[c->lines.pos] != '\n' &&
			    c->lines.buf[c->lines.pos] != '\r'))
				break;
			lines_pass(&c->lines, 1);
		}
		r = have > 0 ? message(c) : 0;
	}
	return r < 0 ? r : 0;
}
