#include <string.h>

#include "base/err.h"
#include "formats/logs/shape.h"

/*
 * The journal's export format (systemd.io/JOURNAL_EXPORT_FORMATS): entries
 * behind each other, each ended by an empty line.
 *
 *	NAME=value LF				a value of text
 *	NAME LF u64le length, bytes, LF		any value
 *
 * Times are __REALTIME_TIMESTAMP, microseconds since 1970: when journald got
 * the line.
 */
#define WHOLE (LIMIT_LOG_RECORD - 1)

struct entry {
	const uint8_t *message;
	size_t message_n;
	struct cursor unit, host, identifier;
	uint64_t us;
	bool has_time;
};

bool
journal_bid(const uint8_t *p, size_t n)
{
	static const char cursor[] = "__CURSOR=", real[] =
	    "__REALTIME_TIMESTAMP=";

	return (n > sizeof(cursor) && memcmp(p, cursor, sizeof(cursor) - 1) ==
	    0) || (n > sizeof(real) && memcmp(p, real, sizeof(real) - 1) == 0);
}

static void
keep(struct entry *x, struct cursor name, struct cursor value)
{
	uint8_t b;

	if (textline_is(name, "MESSAGE")) {
		x->message = value.buf;
		x->message_n = value.len;
	} else if (textline_is(name, "_SYSTEMD_UNIT")) {
		x->unit = value;
	} else if (textline_is(name, "_HOSTNAME")) {
		x->host = value;
	} else if (textline_is(name, "SYSLOG_IDENTIFIER")) {
		x->identifier = value;
	} else if (textline_is(name, "__REALTIME_TIMESTAMP")) {
		x->us = 0;
		x->has_time = value.len > 0 && value.len < 18;
		while (cursor_u8(&value, &b))
			if (b >= '0' && b <= '9')
				x->us = x->us * 10 + (uint64_t)(b - '0');
			else
				x->has_time = false;
	}
}

/*
 * One entry at the cursor: 1 and the cursor behind it; 0: it goes on behind
 * what is there; 2: malformed, the cursor at the line that is.
 */
static int
parse(struct cursor *at, struct entry *x)
{
	struct cursor line, value, name;
	const uint8_t *eq;
	uint64_t len;
	uint8_t end;

	*x = (struct entry){0};
	for (;;) {
		const struct cursor before = *at;

		if (!cursor_line(at, '\n', &line))
			return 0;
		if (line.len == 0)
			return 1;
		eq = memchr(line.buf, '=', line.len);
		if (eq != NULL) {
			name = line;
			name.len = (size_t)(eq - line.buf);
			value = line;
			value.buf = eq + 1;
			value.len = line.len - name.len - 1;
			keep(x, name, value);
			continue;
		}
		if (cursor_left(at) < 8)
			return 0;
		if (!cursor_u64le(at, &len) || len > WHOLE) {
			*at = before;
			return 2;
		}
		if (!cursor_sub(at, len, &value) || cursor_left(at) == 0)
			return 0;
		if (!cursor_u8(at, &end) || end != '\n') {
			*at = before;
			return 2;
		}
		keep(x, line, value);
	}
}

static int
emit(struct logs_ctx *c, const struct entry *x)
{
	if (x->message == NULL && !x->has_time)
		return 0;
	c->shape = SHAPE_journal_export;
	if (!x->has_time || x->us > INT64_MAX / 1000) {
		tell(c, LOGS_PROBLEM_BAD_TIME, c->raw_off, c->raw_n,
		    "__REALTIME_TIMESTAMP");
		row_begin(c, SHAPE_journal_export);
		row_str(c, LOGS_KIND, "event");
		row_untimed(c);
		row_text(c, LOGS_MESSAGE, x->message, x->message_n);
		return emit_row(c);
	}
	c->journal_unit = x->unit;
	c->journal_host = x->host;
	return wrap_line(c, x->message, x->message_n,
	    (int64_t)(x->us * 1000), "__REALTIME_TIMESTAMP");
}

/* What is malformed is passed to the next empty line. */
static int
resync(struct logs_ctx *c)
{
	struct lines_record rec;
	int r;

	while ((r = lines_next(&c->lines, &rec, c->e)) == 1 &&
	    (rec.p == NULL || rec.n > 0))
		continue;
	return r < 0 ? r : 0;
}

/* The next entry: 1, 0 at the end, negative. */
static int
one(struct logs_ctx *c)
{
	size_t have, want = 1;
	struct cursor at;
	struct entry x;
	int r, found;

	for (;;) {
		if ((r = lines_ready(&c->lines, want, &have, c->e)) < 0)
			return r;
		if (have == 0)
			return 0;
		cursor_init(&at, c->lines.buf + c->lines.pos, have, 0);
		if ((found = parse(&at, &x)) != 0 || have < want ||
		    have >= LIMIT_LOG_RECORD)
			break;
		want = have + 1;
	}
	c->raw = c->lines.buf + c->lines.pos;
	c->raw_off = lines_tell(&c->lines);
	c->raw_no = c->lines.no + 1;
	c->raw_n = at.off;
	if (found == 1 || (found == 0 && have < LIMIT_LOG_RECORD)) {
		if (found == 0) {
			/* The last entry may lack its empty line. */
			tell(c, LOGS_PROBLEM_CUT, c->raw_off, have, NULL);
			at.off = have;
			c->raw_n = have;
		}
		r = emit(c, &x);
		lines_pass(&c->lines, at.off);
		return r < 0 ? r : 1;
	}
	tell(c, found == 2 ? LOGS_PROBLEM_MALFORMED : LOGS_PROBLEM_TOO_LONG,
	    c->raw_off + at.off, 0, "journal entry");
	lines_pass(&c->lines, at.off);
	r = resync(c);
	return r < 0 ? r : 1;
}

int
journal_read(struct logs_ctx *c)
{
	int r = 1;

	while (r == 1 && c->stop >= 0) {
		framing_next(c);
		r = one(c);
	}
	return r;
}
