#include <string.h>

#include "base/err.h"
#include "formats/logs/shape.h"

/*
 * Logs within logs: what Docker, a container runtime of Kubernetes (CRI) and
 * journald write around each line of a server.  Their time has year and zone,
 * so it stands for a line that has none; the line itself goes through the
 * shapes.  One wrapping is undone, not two.
 */
static void
event(struct logs_ctx *c, const uint8_t *p, size_t n)
{
	const enum logs_shape_row shape = (enum logs_shape_row)c->shape;

	row_begin(c, shape);
	row_str(c, LOGS_KIND, "event");
	row_untimed(c);
	row_text(c, LOGS_MESSAGE, p, n);
}

/* A document of its own, while the wrapping one stands. */
static int
inner_json(struct logs_ctx *c, const uint8_t *p, size_t n)
{
	struct jdoc *d = c->d;
	const bool placed = c->placed;
	const uint32_t obj = c->obj;
	size_t used;
	int r = 0;

	if (jdoc_parse(c->spare, p, n, &used) == 0 &&
	    jdoc_is(c->spare, 0, JDOC_OBJECT)) {
		c->d = c->spare;
		c->obj = 0;
		c->placed = false;
		r = framing_object(c, 0);
		c->d = d;
		while (used < n && (p[used] == ' ' || p[used] == '	'))
			used++;
		if (r == 1 && used < n)
			tell(c, LOGS_PROBLEM_MALFORMED, c->raw_off, c->raw_n,
			    "behind a JSON value");
		if (r == 1 && c->spare->doubles)
			tell(c, LOGS_PROBLEM_DOUBLE_KEY, c->raw_off, c->raw_n,
			    NULL);
	}
	c->obj = obj;
	c->placed = placed;
	return r;
}

static int
inner_text(struct logs_ctx *c, const uint8_t *p, size_t n)
{
	const bool placed = c->placed;
	struct cursor line;
	int r;

	c->placed = placed && p >= c->raw && p < c->raw + c->raw_n;
	cursor_init(&line, p, n, c->placed ? c->raw_off +
	    (uint64_t)(p - c->raw) : 0);
	r = framing_text(c, line);
	c->placed = placed;
	return r;
}

int
wrap_line(struct logs_ctx *c, const uint8_t *p, size_t n, int64_t ns,
    const char *src)
{
	const unsigned shape = c->shape;
	int r = 0;

	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r'))
		n--;
	c->has_outer = true;
	c->outer_ns = ns;
	c->outer_src = src;
	if (!c->nested && n > 0) {
		c->nested = true;
		r = p[0] == '{' ? inner_json(c, p, n) : inner_text(c, p, n);
		c->nested = false;
	}
	if (r == 0) {
		c->shape = shape;
		event(c, p, n);
		r = emit_row(c);
	}
	c->has_outer = false;
	c->journal_unit = c->journal_host = (struct cursor){0};
	return r;
}

int
container_json_json(struct logs_ctx *c)
{
	const uint32_t log = jdoc_get(c->d, c->obj, "log");
	const uint32_t time = jdoc_get(c->d, c->obj, "time");
	const uint8_t *p, *t;
	size_t n, tn;
	struct when w;
	int64_t ns;

	if (c->nested || jdoc_get(c->d, c->obj, "stream") == JDOC_NONE ||
	    !jdoc_text(c->d, log, c->scratch, &p, &n) ||
	    !jdoc_text(c->d, time, c->scratch, &t, &tn) ||
	    !when_all(t, tn, &w) || !when_ns(&w, 0, 0, &ns))
		return 0;
	c->shape = SHAPE_container_json;
	return wrap_line(c, p, n, ns, "time of the container's log");
}

/* 2026-08-01T10:24:30.112345678Z stdout F message */
int
container_text_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor rest = textline_rest(&line), word;
	struct when w;
	size_t used;
	int64_t ns;

	if (c->nested || !when_parse(rest.buf, rest.len, &w, &used) ||
	    !w.has_zone || !when_ns(&w, 0, 0, &ns) ||
	    !cursor_skip(&line, used) || !textline_word(&line, &word) ||
	    (!textline_is(word, "stdout") && !textline_is(word, "stderr")) ||
	    !textline_word(&line, &word) || word.len != 1 ||
	    (word.buf[0] != 'F' && word.buf[0] != 'P'))
		return 0;
	(void)cursor_match(&line, (const uint8_t *)" ", 1);
	rest = textline_rest(&line);
	c->shape = SHAPE_container_text;
	return wrap_line(c, rest.buf, rest.len, ns,
	    "time of the container's log");
}

int
journal_json_json(struct logs_ctx *c)
{
	const uint32_t message = jdoc_get(c->d, c->obj, "MESSAGE");
	const uint8_t *p;
	uint64_t us;
	size_t n;

	if (c->nested || !jdoc_u64(c->d, jdoc_get(c->d, c->obj,
	    "__REALTIME_TIMESTAMP"), &us) || us > INT64_MAX / 1000 ||
	    !jdoc_text(c->d, message, c->scratch, &p, &n))
		return 0;
	c->shape = SHAPE_journal_json;
	return wrap_line(c, p, n, (int64_t)(us * 1000),
	    "__REALTIME_TIMESTAMP");
}
