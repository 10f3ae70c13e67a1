#include <string.h>

#include "formats/logs/shape.h"

/*
 * Lines of access logs: common and combined (nginx, Apache, gunicorn), with
 * what is often added at their end; uvicorn's, which have no time; S3's server
 * access log.
 */
static void
count(struct logs_ctx *c, enum logs_column col, struct cursor word)
{
	uint64_t v = 0;
	uint8_t b;

	if (cursor_at_end(&word) || cursor_left(&word) > 18)
		return;
	while (cursor_u8(&word, &b)) {
		if (b < '0' || b > '9')
			return;
		v = v * 10 + (uint64_t)(b - '0');
	}
	fields_u64(&c->v[col], v);
}

static void
seconds(struct logs_ctx *c, struct cursor word)
{
	double d;

	if (!c->v[LOGS_LATENCY].set && memchr(word.buf, '.', word.len) != NULL &&
	    jdoc_decimal(word.buf, word.len, &d))
		row_latency_us(c, d * 1e6, "after the line");
}

static bool
bracket_time(struct logs_ctx *c, struct cursor in)
{
	struct when w;
	size_t used;

	if (!when_common(in.buf, in.len, &w, &used) || used != in.len)
		return false;
	row_when(c, &w, "time_local", "event");
	return true;
}

/* "referer" "agent" and what comes behind them. */
static void
tail(struct logs_ctx *c, struct cursor line)
{
	struct cursor in, word;

	if (!textline_between(&line, '"', '"', &in) ||
	    !textline_between(&line, '"', '"', &in))
		return;
	row_sub(c, LOGS_UA, in);
	if (textline_between(&line, '"', '"', &in))
		row_sub(c, LOGS_FORWARDED, in);
	while (textline_word(&line, &word))
		seconds(c, word);
}

int
combined_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor host, ident, user, when, request, status, bytes;
	struct when w;
	size_t used;

	if (!textline_word(&line, &host) || !textline_word(&line, &ident) ||
	    !textline_word(&line, &user) ||
	    !textline_between(&line, '[', ']', &when) ||
	    !when_common(when.buf, when.len, &w, &used) ||
	    !textline_between(&line, '"', '"', &request) ||
	    !textline_word(&line, &status) || !textline_word(&line, &bytes))
		return 0;
	row_begin(c, SHAPE_combined);
	if (!bracket_time(c, when))
		return 0;
	row_sub(c, LOGS_CALLER_IP, host);
	row_sub(c, LOGS_CALLER_ID, user);
	if (!textline_request(c, request))
		row_sub(c, LOGS_PATH, request);
	row_sub(c, LOGS_STATUS, status);
	count(c, LOGS_OUT_BYTES, bytes);
	tail(c, line);
	return emit_row(c);
}

/* INFO:     203.0.113.7:47034 - "POST /v1/completions HTTP/1.1" 200 OK */
int
uvicorn_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor word, in, peer, dash, request, status;
	struct cursor at = line;

	if (textline_starts(at, "(") &&
	    !textline_between(&at, '(', ')', &in))
		return 0;
	if (!textline_word(&at, &word) || !textline_is(word, "INFO:") ||
	    !textline_word(&at, &peer) || !textline_word(&at, &dash) ||
	    !textline_is(dash, "-") ||
	    !textline_between(&at, '"', '"', &request) ||
	    !textline_word(&at, &status))
		return 0;
	row_begin(c, SHAPE_uvicorn);
	if (!textline_request(c, request))
		return 0;
	row_untimed(c);
	row_sub(c, LOGS_CALLER_IP, textline_host(peer));
	row_sub(c, LOGS_STATUS, status);
	return emit_row(c);
}

/*
 * owner bucket [time] ip requester id operation key "request" status error
 * sent size total turnaround "referer" "agent" version ...
 */
int
s3_access_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor word[14], when, request, in;
	double ms;
	unsigned i;

	if (!textline_word(&line, &word[0]) || word[0].len < 32 ||
	    !textline_word(&line, &word[1]) ||
	    !textline_between(&line, '[', ']', &when))
		return 0;
	for (i = 2; i < 7; i++)
		if (!textline_word(&line, &word[i]))
			return 0;
	if (!textline_between(&line, '"', '"', &request))
		return 0;
	for (i = 7; i < 13; i++)
		if (!textline_word(&line, &word[i]))
			return 0;
	row_begin(c, SHAPE_s3_access);
	if (!bracket_time(c, when))
		return 0;
	row_sub(c, LOGS_ENDPOINT, word[1]);
	row_sub(c, LOGS_CALLER_IP, word[2]);
	row_sub(c, LOGS_CALLER_ID, word[3]);
	row_sub(c, LOGS_REQ_ID, word[4]);
	row_sub(c, LOGS_OP, word[5]);
	row_sub(c, LOGS_PATH, word[6]);
	row_sub(c, LOGS_STATUS, word[7]);
	row_sub(c, LOGS_ERROR, word[8]);
	count(c, LOGS_OUT_BYTES, word[9]);
	if (jdoc_decimal(word[11].buf, word[11].len, &ms))
		row_latency_us(c, ms * 1e3, "total time");
	if (textline_between(&line, '"', '"', &in) &&
	    textline_between(&line, '"', '"', &in))
		row_sub(c, LOGS_UA, in);
	if (textline_word(&line, &in))
		row_sub(c, LOGS_VERSION, in);
	return emit_row(c);
}
