#include <string.h>

#include "formats/logs/shape.h"

/*
 * TorchServe: access_log.log and ts_log.log, local time.
 *
 *	2026-08-01T10:24:30,944 - /203.0.113.7:64003 "POST /predictions/m
 *	HTTP/1.1" 200 118			the last number: milliseconds
 *	2026-08-01T10:24:30,826 [INFO ] W-9000-m_1.0 class - message
 */
static bool
time_at(struct cursor *line, struct when *w)
{
	const struct cursor rest = textline_rest(line);
	size_t used;

	return when_parse(rest.buf, rest.len, w, &used) &&
	    cursor_skip(line, used);
}

int
torchserve_access_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor peer, request, status, ms;
	struct when w;
	double d;

	if (!time_at(&line, &w) ||
	    !cursor_match(&line, (const uint8_t *)" - /", 4) ||
	    !textline_word(&line, &peer) ||
	    !textline_between(&line, '"', '"', &request) ||
	    !textline_word(&line, &status))
		return 0;
	row_begin(c, SHAPE_torchserve_access);
	row_when(c, &w, "asctime", "event");
	row_sub(c, LOGS_CALLER_IP, textline_host(peer));
	if (!textline_request(c, request))
		row_sub(c, LOGS_PATH, request);
	row_sub(c, LOGS_STATUS, status);
	if (textline_word(&line, &ms) && jdoc_decimal(ms.buf, ms.len, &d))
		row_latency_us(c, d * 1e3, "last number");
	return emit_row(c);
}

/* W-9000-resnet-18_1.0[-stderr]: a worker's thread names its model. */
static void
thread(struct logs_ctx *c, struct cursor name)
{
	const struct cursor in = name;
	struct cursor model;
	size_t n = 2, end;

	if (!textline_starts(name, "W-"))
		return;
	while (n < in.len && in.buf[n] >= '0' && in.buf[n] <= '9')
		n++;
	if (n == 2 || n >= in.len || in.buf[n] != '-')
		return;
	n++;
	for (end = in.len; end > n && in.buf[end - 1] != '_'; end--)
		continue;
	if (end <= n + 1)
		return;
	cursor_init(&model, in.buf + n, end - 1 - n, 0);
	row_sub(c, LOGS_MODEL, model);
	for (n = end; n < in.len && in.buf[n] != '-'; n++)
		continue;
	cursor_init(&model, in.buf + end, n - end, 0);
	row_sub(c, LOGS_VERSION, model);
}

int
torchserve_log_text(struct logs_ctx *c, struct cursor line)
{
	struct cursor level, name, class, dash;
	struct when w;

	if (!time_at(&line, &w) ||
	    !textline_between(&line, '[', ']', &level) ||
	    level.len > 6 || !textline_word(&line, &name) ||
	    !textline_word(&line, &class) || !textline_word(&line, &dash) ||
	    !textline_is(dash, "-"))
		return 0;
	row_begin(c, SHAPE_torchserve_log);
	row_str(c, LOGS_KIND, "event");
	row_when(c, &w, "asctime", "event");
	thread(c, name);
	row_sub(c, LOGS_OP, class);
	(void)cursor_match(&line, (const uint8_t *)" ", 1);
	row_sub(c, LOGS_MESSAGE, textline_rest(&line));
	return emit_row(c);
}
