#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "base/reader.h"
#include "formats/config.h"
#include "formats/jsonkeys.h"
#include "formats/textscan.h"

/*
 * RFC 8259, strict; a key that occurs twice is what readers differ in.  What
 * the keys make a loader do is config.h's.
 *
 * A byte order mark may stand before it: Python's json refuses that in a text
 * and accepts it in bytes, others skip it.  What follows is read by somebody.
 */
#define BOM "\xef\xbb\xbf"
#define BOM_SIZE 3

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static unsigned
json_bid(struct cursor head, uint64_t size)
{
	struct cursor c = head;
	uint8_t b;

	if (!textscan_head(head, size))
		return 0;
	(void)cursor_match(&c, (const uint8_t *)BOM, BOM_SIZE);
	while (cursor_u8(&c, &b))
		if (!is_blank(b))
			break;
	if (cursor_at_end(&c) && size > 4)
		return 0;
	if (b == '{') {
		/* What follows must be a key or the end, and then nothing. */
		while (cursor_u8(&c, &b) && is_blank(b))
			;
		if (b != '}')
			return b == '"' ? 20 : 0;
		while (cursor_u8(&c, &b))
			if (!is_blank(b))
				return 0;
		return 20;
	}
	if (b != '[')
		return 0;
	while (cursor_u8(&c, &b) && is_blank(b))
		;
	/* "[ section ]" is a configuration file's. */
	if ((b == 't' && !cursor_match(&c, (const uint8_t *)"rue", 3)) ||
	    (b == 'f' && !cursor_match(&c, (const uint8_t *)"alse", 4)) ||
	    (b == 'n' && !cursor_match(&c, (const uint8_t *)"ull", 3)))
		return 0;
	return strchr("{[\"]-0123456789tfn", b) != NULL && b != '\0' ? 18 : 0;
}

static int
json_parse(struct parse *p)
{
	struct config_json *config;
	struct reader rd;
	uint8_t c, head[BOM_SIZE];
	uint64_t off;
	size_t n;
	int r;

	if ((r = textscan_run(p)) != 0 || (r = bytesrc_read_some(p->src, 0,
	    head, sizeof(head), &n, p->e)) < 0)
		return r;
	off = n == BOM_SIZE && memcmp(head, BOM, BOM_SIZE) == 0 ? BOM_SIZE : 0;
	if ((r = reader_init(&rd, p->src, off, p->window, p->arena, p->e)) < 0)
		return r;
	if ((config = config_json_new(p, p->arena)) == NULL)
		return ERR_NOMEM;
	r = jsonkeys_document(p, &rd, p->arena, config);
	if (r == ERR_FORMAT || r == ERR_TRUNC) {
		off = reader_tell(&rd);
		err_reset(p->e);
		r = format_anomaly(p, r == ERR_TRUNC ? ANOMALY_TRUNCATED :
		    ANOMALY_JSON_INVALID, off, 0, NULL, 0);
		return r < 0 ? r : 1;
	}
	if (r < 0)
		return r;
	while (reader_left(&rd) > 0) {
		off = reader_tell(&rd);
		if ((r = reader_u8(&rd, &c, p->e)) < 0)
			return r;
		if (!is_blank(c)) {
			r = format_anomaly(p, ANOMALY_TRAILING, off,
			    p->size - off, NULL, 0);
			return r < 0 ? r : 0;
		}
	}
	return 0;
}

const struct format format_json = {
    .name = "json",
    .kind = FORMAT_DATA,
    .bid = json_bid,
    .parse = json_parse,
};
