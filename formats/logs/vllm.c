#include <string.h>

#include "base/arena.h"
#include "formats/logs/shape.h"

/*
 * vLLM's standard output (vllm/entrypoints/logger.py):
 *
 *	[(APIServer pid=N) ]LEVEL MM-DD HH:MM:SS [file.py:line] message
 *	Received request ID: prompt: REPR, params: ...
 *	Generated response ID[ (...)]: output: REPR, output_token_ids: ...
 *
 * No year, local time.  REPR is Python's, cut by --max-log-len before it was
 * quoted.  Since mid-2025 requests are logged with --enable-log-requests
 * alone: that none is there proves nothing.
 */
static bool
head(struct cursor *line, struct when *w)
{
	static const char *const levels[] = {"INFO", "WARNING", "ERROR",
	    "DEBUG", "CRITICAL"};
	struct cursor in, word, rest;
	size_t used;
	bool known = false;

	if (textline_starts(*line, "(") &&
	    !textline_between(line, '(', ')', &in))
		return false;
	if (!textline_word(line, &word))
		return false;
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		known |= textline_is(word, levels[i]);
	if (!known || !cursor_skip(line, 1))
		return false;
	rest = textline_rest(line);
	return when_month_day(rest.buf, rest.len, '-', w, &used) &&
	    cursor_skip(line, used);
}

bool
vllm_when(struct cursor line, struct when *ret)
{
	return head(&line, ret);
}

static int
hex(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \xNN \uNNNN \UNNNNNNNN behind their letter; 0: none. */
static size_t
numeric(const uint8_t *p, size_t n, size_t digits, uint8_t out[4],
    size_t *made)
{
	uint32_t cp = 0;

	if (n < digits)
		return 0;
	for (size_t i = 0; i < digits; i++) {
		const int h = hex(p[i]);

		if (h < 0)
			return 0;
		cp = cp << 4 | (uint32_t)h;
	}
	if (cp < 0x80) {
		out[0] = (uint8_t)cp;
		*made = 1;
	} else if (cp < 0x800) {
		out[0] = (uint8_t)(0xc0 | cp >> 6);
		out[1] = (uint8_t)(0x80 | (cp & 63));
		*made = 2;
	} else if (cp < 0x10000) {
		out[0] = (uint8_t)(0xe0 | cp >> 12);
		out[1] = (uint8_t)(0x80 | (cp >> 6 & 63));
		out[2] = (uint8_t)(0x80 | (cp & 63));
		*made = 3;
	} else if (cp < 0x110000) {
		out[0] = (uint8_t)(0xf0 | cp >> 18);
		out[1] = (uint8_t)(0x80 | (cp >> 12 & 63));
		out[2] = (uint8_t)(0x80 | (cp >> 6 & 63));
		out[3] = (uint8_t)(0x80 | (cp & 63));
		*made = 4;
	} else {
		return 0;
	}
	return digits;
}

/* One escape at p[0] == '\\': what it takes; what it makes goes to out. */
static size_t
escape(const uint8_t *p, size_t n, uint8_t out[4], size_t *made)
{
	static const char from[] = "nrt\\'\"abfv0", to[] =
	    "\n\r\t\\'\"\a\b\f\v\0";
	const char *hit;
	size_t used = 0;

	if (n >= 2 && (p[1] == 'x' || p[1] == 'u' || p[1] == 'U')) {
		used = numeric(p + 2, n - 2, p[1] == 'x' ? 2 : p[1] == 'u' ?
		    4 : 8, out, made);
		if (used > 0)
			return used + 2;
	} else if (n >= 2 && p[1] != '\0' &&
	    (hit = strchr(from, p[1])) != NULL) {
		out[0] = (uint8_t)to[hit - from];
		*made = 1;
		return 2;
	}
	out[0] = '\\';
	*made = 1;
	return 1;
}

/* A Python repr at the cursor: its text; *ended: by its quote. */
static bool
repr(struct logs_ctx *c, struct cursor *at, struct logs_content_part *ret,
    bool *ended)
{
	const struct cursor in = textline_rest(at);
	const uint8_t quote = in.len > 0 ? in.buf[0] : 0;
	size_t i = 1, k = 0, made;
	uint8_t *out, one[4];

	if ((quote != '\'' && quote != '"') ||
	    (out = arena_alloc(c->scratch, in.len)) == NULL)
		return false;
	while (i < in.len && in.buf[i] != quote) {
		if (in.buf[i] != '\\') {
			out[k++] = in.buf[i++];
			continue;
		}
		i += escape(in.buf + i, in.len - i, one, &made);
		memcpy(out + k, one, made);
		k += made;
	}
	*ended = i < in.len;
	*ret = (struct logs_content_part){.p = out, .n = k, .type = "text",
	    .placed = c->placed, .off = cursor_tell(at) + 1, .len = i - 1};
	return cursor_skip(at, *ended ? i + 1 : i);
}

/* Behind "prompt: " or "output: ", where that stands first. */
static void
quoted(struct logs_ctx *c, struct cursor *at, const char *name,
    struct logs_content_part *ret)
{
	bool ended = true;

	if (!cursor_match(at, (const uint8_t *)name, strlen(name)))
		return;
	if (repr(c, at, ret, &ended) && !ended)
		tell(c, LOGS_PROBLEM_CUT, c->raw_off, c->raw_n,
		    "a quoted text does not end");
}

/* "ID: " or "ID (streaming complete): " */
static bool
identifier(struct logs_ctx *c, struct cursor *at)
{
	const struct cursor in = textline_rest(at);
	size_t n = 0, id;
	struct cursor word;

	while (n < in.len && in.buf[n] != ':' && in.buf[n] != ' ')
		n++;
	id = n;
	while (n < in.len && in.buf[n] != ':')
		n++;
	if (id == 0 || n >= in.len || !cursor_sub(at, id, &word) ||
	    !cursor_skip(at, n - id + 1))
		return false;
	row_sub(c, LOGS_REQ_ID, word);
	(void)cursor_match(at, (const uint8_t *)" ", 1);
	return true;
}

static void
message(struct logs_ctx *c, struct cursor at)
{
	static const char received[] = "Received request ", generated[] =
	    "Generated response ";
	struct cursor all = at;

	if (cursor_match(&at, (const uint8_t *)received,
	    sizeof(received) - 1) && identifier(c, &at)) {
		row_str(c, LOGS_KIND, "request");
		quoted(c, &at, "prompt: ", &c->in);
	} else if (cursor_match(&at, (const uint8_t *)generated,
	    sizeof(generated) - 1) && identifier(c, &at)) {
		row_str(c, LOGS_KIND, "response");
		quoted(c, &at, "output: ", &c->out);
	} else {
		row_str(c, LOGS_KIND, "event");
		row_sub(c, LOGS_MESSAGE, textline_rest(&all));
		return;
	}
	/* Parameters, adapters: what else is said. */
	(void)cursor_match(&at, (const uint8_t *)", ", 2);
	row_sub(c, LOGS_MESSAGE, textline_rest(&at));
}

int
vllm_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor in;
	struct when w;

	if (!head(&line, &w))
		return 0;
	row_begin(c, SHAPE_vllm);
	row_when(c, &w, "asctime", "event");
	(void)cursor_match(&line, (const uint8_t *)" ", 1);
	if (textline_starts(line, "[") &&
	    textline_between(&line, '[', ']', &in))
		(void)cursor_match(&line, (const uint8_t *)" ", 1);
	message(c, line);
	return emit_row(c);
}
