#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "formats/textscan.h"

/*
 * YAML, by its lines: no parser of ours reads the whole language, and none
 * is needed to find what makes an unsafe loader construct objects: a tag of
 * the python, ruby or java kind.  What a safe loader does with the document
 * is its own business.
 */
static bool
is_key_line(const struct cursor *line)
{
	size_t i = 0;

	while (i < line->len && (line->buf[i] == ' ' || line->buf[i] == '-'))
		i++;
	if (i == line->len || line->buf[i] == '"' || line->buf[i] == '{')
		return false;
	for (; i < line->len; i++) {
		uint8_t c = line->buf[i];

		if (c == ':')
			return i + 1 == line->len || line->buf[i + 1] == ' ' ||
			    line->buf[i + 1] == '\r';
		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_' || c == '-' ||
		    c == '.' || c == '/'))
			return false;
	}
	return false;
}

static unsigned
yaml_bid(struct cursor head, uint64_t size)
{
	unsigned keys = 0, lines = 0;
	struct cursor c = head, line;
	bool marked = false;

	if (!textscan_head(head, size))
		return 0;
	while (lines < 32 && textscan_line(&c, &line)) {
		if (line.len == 0 || line.buf[0] == '#')
			continue;
		if (lines == 0 && (textscan_starts(&line, "---") ||
		    textscan_starts(&line, "%YAML"))) {
			marked = true;
			continue;
		}
		lines++;
		keys += is_key_line(&line);
	}
	if (keys == 0 || (!marked && lines > 2 && keys * 3 < lines))
		return 0;
	return marked ? 16 : 12;
}

static bool
find(const uint8_t *p, size_t n, const char *word)
{
	return memmem(p, n, word, strlen(word)) != NULL;
}

static bool
has_tag(const uint8_t *p, size_t n)
{
	static const char *const tags[] = {"!!python/", "!!ruby/", "!!javax.",
	    "!!com.sun.", "!!java.", "tag:yaml.org,2002:python/", NULL};

	for (const char *const *t = tags; *t != NULL; t++)
		if (find(p, n, *t))
			return true;
	return false;
}

static int
check_line(struct parse *p, const uint8_t *text, size_t n, uint64_t off)
{
	const struct fact facts[] = {FACT_TEXT("line", text,
	    n < 512 ? n : 512)};

	/* A comment does nothing. */
	if (n == 0 || text[0] == '#' || !has_tag(text, n))
		return 0;
	return format_anomaly(p, ANOMALY_YAML_TAG, off, n, facts, 1);
}

static int
check_lines(struct parse *p)
{
	struct arena *a = NULL;
	const uint8_t *text;
	struct reader rd;
	uint64_t off;
	size_t n;
	int r;

	if ((r = reader_init(&rd, p->src, 0, p->window, p->arena, p->e)) < 0)
		return r;
	while (reader_left(&rd) > 0 && r >= 0) {
		if (a == NULL && (a = arena_new(2 * LIMIT_LINE)) == NULL)
			return err_set(p->e, ERR_NOMEM, "out of memory");
		off = reader_tell(&rd);
		r = reader_line(&rd, '\n', LIMIT_LINE / 2, a, &text, &n,
		    p->e);
		if (r == ERR_TRUNC) {	/* the last line has no end */
			err_reset(p->e);
			n = (size_t)reader_left(&rd);
			r = reader_bytes(&rd, n, a, &text, p->e);
		}
		if (r >= 0)
			r = check_line(p, text, n, off);
		if (arena_used(a) > LIMIT_LINE / 2) {
			arena_free(a);
			a = NULL;
		}
	}
	arena_free(a);
	return r;
}

static int
yaml_parse(struct parse *p)
{
	int r = textscan_run(p);

	return r != 0 ? r : check_lines(p);
}

const struct format format_yaml = {
    .name = "yaml",
    .kind = FORMAT_DATA,
    .bid = yaml_bid,
    .parse = yaml_parse,
};
