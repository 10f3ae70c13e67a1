#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/jsonkeys.h"
#include "formats/textscan.h"

/*
 * JSON Lines: each line a document of its own.  Logs are long, so strings
 * live in a small arena that is renewed as it fills.
 */
#define LINE_ARENA (64 * MIB)
#define LINE_ARENA_FULL (4 * MIB)

static unsigned
jsonl_bid(struct cursor head, uint64_t size)
{
	struct cursor c = head, line;
	unsigned lines = 0;

	if (!textscan_head(head, size))
		return 0;
	/* Two lines that begin as objects, the first of which ends as one. */
	while (lines < 2 && textscan_line(&c, &line)) {
		if (!textscan_starts(&line, "{\"") &&
		    !textscan_starts(&line, "{ \"") &&
		    !textscan_starts(&line, "{}"))
			return 0;
		if (lines == 0 && (line.len < 2 ||
		    (line.buf[line.len - 1] != '}' &&
		    line.buf[line.len - 1] != '\r')))
			return 0;
		lines++;
	}
	return lines == 2 ? 22 : 0;
}

/* One line: a document, then blanks, then a line feed or the end. */
static int
line(struct parse *p, struct reader *rd, struct arena *a)
{
	uint8_t c = 0;
	int r;

	if ((r = reader_peek_u8(rd, &c, p->e)) < 0)
		return r;
	if (c == '\n' || c == '\r')
		return reader_skip(rd, 1, p->e);
	if ((r = jsonkeys_document(p, rd, a, NULL)) < 0)
		return r;
	while (reader_left(rd) > 0) {
		if ((r = reader_u8(rd, &c, p->e)) < 0 || c == '\n')
			return r;
		if (c != ' ' && c != '\t' && c != '\r')
			return ERR_FORMAT;
	}
	return 0;
}

static int
lines(struct parse *p, struct reader *rd)
{
	struct arena *a = NULL;
	int r = 0;

	while (reader_left(rd) > 0 && r >= 0) {
		if (a == NULL && (a = arena_new(LINE_ARENA)) == NULL)
			return err_set(p->e, ERR_NOMEM, "out of memory");
		r = line(p, rd, a);
		if (arena_used(a) > LINE_ARENA_FULL) {
			arena_free(a);
			a = NULL;
		}
	}
	arena_free(a);
	return r;
}

static int
jsonl_parse(struct parse *p)
{
	struct reader rd;
	int r;

	if ((r = textscan_run(p)) != 0 ||
	    (r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	r = lines(p, &rd);
	if (r == ERR_FORMAT || r == ERR_TRUNC) {
		err_reset(p->e);
		r = format_anomaly(p, r == ERR_TRUNC ? ANOMALY_TRUNCATED :
		    ANOMALY_JSON_INVALID, reader_tell(&rd), 0, NULL, 0);
		return r < 0 ? r : 1;
	}
	return r;
}

const struct format format_jsonl = {
    .name = "jsonl",
    .kind = FORMAT_DATA,
    .bid = jsonl_bid,
    .parse = jsonl_parse,
};
