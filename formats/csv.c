#include "base/err.h"
#include "base/reader.h"
#include "formats/textscan.h"

/*
 * Tables: RFC 4180 with comma, semicolon or tab.  The bid wants three lines
 * with the same number of delimiters, at least one; ragged rows are common in
 * real data and are no defect, a quote that never ends is.
 */
static unsigned
count(const struct cursor *line, uint8_t delimiter)
{
	bool quoted = false;
	unsigned n = 0;

	for (size_t i = 0; i < line->len; i++) {
		if (line->buf[i] == '"')
			quoted = !quoted;
		else if (line->buf[i] == delimiter && !quoted)
			n++;
	}
	return n;
}

static unsigned
csv_bid(struct cursor head, uint64_t size)
{
	static const uint8_t delimiters[] = {'\t', ',', ';'};
	struct cursor c, line;
	unsigned first, lines;

	if (!textscan_head(head, size))
		return 0;
	for (unsigned d = 0; d < 3; d++) {
		c = head;
		lines = first = 0;
		while (lines < 3 && textscan_line(&c, &line)) {
			/* The head may cut the last line. */
			if (cursor_at_end(&c) && lines > 0 && size > head.len)
				break;
			if (lines == 0)
				first = count(&line, delimiters[d]);
			else if (count(&line, delimiters[d]) != first)
				break;
			lines++;
		}
		if (first > 0 && lines >= 3)
			return delimiters[d] == '\t' ? 14 : 12;
	}
	return 0;
}

/* Does every quote that opens a cell close again? */
static int
check_quotes(struct parse *p)
{
	uint64_t opened = 0;
	bool quoted = false, start = true;
	struct reader rd;
	uint8_t c;
	int r;

	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	while (reader_left(&rd) > 0) {
		if ((r = reader_u8(&rd, &c, p->e)) < 0)
			return r;
		if (c == '"' && (quoted || start)) {
			quoted = !quoted;
			opened = reader_tell(&rd) - 1;
		}
		start = !quoted && (c == ',' || c == ';' || c == '\t' ||
		    c == '\n' || (start && c == '"'));
	}
	if (!quoted)
		return 0;
	r = format_anomaly(p, ANOMALY_TRUNCATED, opened, p->size - opened,
	    NULL, 0);
	return r < 0 ? r : 1;
}

static int
csv_parse(struct parse *p)
{
	int r = textscan_run(p);

	return r != 0 ? r : check_quotes(p);
}

const struct format format_csv = {
    .name = "csv",
    .kind = FORMAT_DATA,
    .bid = csv_bid,
    .parse = csv_parse,
};
