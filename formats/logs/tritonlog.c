#include <string.h>

#include "formats/logs/shape.h"

/*
 * Triton's server log:
 *
 *	I0801 10:24:29.001123 1 server.cc:674] "message"	glog: no year
 *	2026-08-01T10:24:30Z I 1 server.cc:674] "message"	ISO8601
 *
 * glog's times are local.  A request shows as "HTTP request: METHOD PATH" at
 * a high verbosity, METHOD a number of libevhtp.
 */
static bool
level(uint8_t b)
{
	return b == 'I' || b == 'W' || b == 'E' || b == 'F' || b == 'V';
}

static bool
glog(struct cursor *line, struct when *w)
{
	struct cursor rest;
	size_t used;
	uint8_t b;

	if (!cursor_u8(line, &b) || !level(b))
		return false;
	rest = textline_rest(line);
	return when_month_day(rest.buf, rest.len, 0, w, &used) &&
	    cursor_skip(line, used);
}

bool
tritonlog_when(struct cursor line, struct when *ret)
{
	return glog(&line, ret);
}

static bool
iso(struct cursor *line, struct when *w)
{
	const struct cursor rest = textline_rest(line);
	struct cursor word;
	size_t used;

	return when_parse(rest.buf, rest.len, w, &used) &&
	    cursor_skip(line, used) && textline_word(line, &word) &&
	    word.len == 1 && level(word.buf[0]);
}

static void
request(struct logs_ctx *c, struct cursor text)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "PUT",
	    "DELETE"};
	static const char lead[] = "HTTP request: ";
	struct cursor n, path;

	row_str(c, LOGS_KIND, "event");
	if (!cursor_match(&text, (const uint8_t *)lead, sizeof(lead) - 1) ||
	    !textline_word(&text, &n) || !textline_word(&text, &path))
		return;
	row_str(c, LOGS_KIND, "request");
	if (n.len == 1 && n.buf[0] >= '0' && n.buf[0] <= '4')
		row_str(c, LOGS_OP, methods[n.buf[0] - '0']);
	row_sub(c, LOGS_PATH, path);
}

int
triton_log_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor thread, place, text, at = line;
	struct when w;

	if (!glog(&at, &w)) {
		at = line;
		if (!iso(&at, &w))
			return 0;
	}
	if (!textline_word(&at, &thread) || !textline_word(&at, &place) ||
	    place.len < 4 || place.buf[place.len - 1] != ']' ||
	    memchr(place.buf, ':', place.len) == NULL)
		return 0;
	row_begin(c, SHAPE_triton_log);
	row_when(c, &w, "line", "event");
	(void)cursor_match(&at, (const uint8_t *)" ", 1);
	if (textline_starts(at, "\"") &&
	    textline_between(&at, '"', '"', &text)) {
		request(c, text);
	} else {
		text = textline_rest(&at);
		request(c, text);
	}
	row_sub(c, LOGS_MESSAGE, text);
	return emit_row(c);
}
