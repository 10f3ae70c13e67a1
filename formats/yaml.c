#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "formats/config.h"
#include "formats/requirements.h"
#include "formats/textscan.h"

/*
 * YAML, by its lines: no parser of ours reads the whole language, and none
 * is needed to find what makes an unsafe loader construct objects: a tag of
 * the python, ruby or java kind.  Of the rest, lines "key: value" are judged
 * as configuration (Hydra, MLflow), and items of a list that look like what
 * pip is given (conda).  Flow style and block scalars are not followed.
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

/* The keys that are open, by their indentation: a value's parent. */
#define OPEN_MAX 16
#define KEY_MAX 128

struct yaml {
	struct open {
		size_t indent, n;
		char key[KEY_MAX];
	} open[OPEN_MAX];
	unsigned depth;
};

static size_t
blanks(const uint8_t *p, size_t n)
{
	size_t i = 0;

	while (i < n && p[i] == ' ')
		i++;
	return i;
}

static void
open_key(struct yaml *y, size_t indent, const uint8_t *key, size_t n)
{
	struct open *o;

	while (y->depth > 0 && y->open[y->depth - 1].indent >= indent)
		y->depth--;
	if (y->depth == OPEN_MAX || n > KEY_MAX)
		return;
	o = &y->open[y->depth++];
	o->indent = indent;
	o->n = n;
	memcpy(o->key, key, n);
}

/* "key: value", plain or in quotes without escapes. */
static int
key_line(struct parse *p, struct yaml *y, const uint8_t *text, size_t n,
    uint64_t off, size_t indent)
{
	const uint8_t *colon = n > 0 ? memchr(text, ':', n) : NULL;
	size_t key = colon != NULL ? (size_t)(colon - text) : 0, at;
	struct config_value v = {.path = (const char *)text,
	    .key = (const char *)text, .path_len = key, .key_len = key};

	if (key == 0 || (key + 1 < n && text[key + 1] != ' '))
		return 0;
	open_key(y, indent, text, key);
	if (y->depth > 1) {
		v.parent = y->open[y->depth - 2].key;
		v.parent_len = y->open[y->depth - 2].n;
	}
	at = key + 1;
	at += blanks(text + at, n - at);
	while (n > at && (text[n - 1] == ' ' || text[n - 1] == '\r'))
		n--;
	if (n - at > 1 && (text[at] == '"' || text[at] == '\'') &&
	    text[n - 1] == text[at]) {
		at++;
		n--;
	}
	v.text = (const char *)text + at;
	v.len = n - at;
	v.off = off + at;
	/* Null, an alias, and the head of a block are no strings. */
	if (v.len == 0 || (v.len == 4 && memcmp(v.text, "null", 4) == 0) ||
	    strchr("~&*|>[{", v.text[0]) != NULL)
		return 0;
	return v.len == 4 && (memcmp(v.text, "true", 4) == 0 ||
	    memcmp(v.text, "True", 4) == 0) ? config_true(p, &v) :
	    config_string(p, &v);
}

static int
check_line(struct parse *p, void *ctx, const uint8_t *text, size_t n,
    uint64_t off)
{
	const struct fact facts[] = {FACT_TEXT("line", text,
	    n < 512 ? n : 512)};
	size_t indent = blanks(text, n), at = indent;
	int r;

	/* A comment does nothing. */
	if (at == n || text[at] == '#')
		return 0;
	if (has_tag(text, n) && (r = format_anomaly(p, ANOMALY_YAML_TAG, off,
	    n, facts, 1)) < 0)
		return r;
	if (n - at > 2 && text[at] == '-' && text[at + 1] == ' ') {
		at += 2;
		if ((r = requirements_line(p, text + at, n - at, off + at,
		    true)) != 0)
			return r;
	}
	return key_line(p, ctx, text + at, n - at, off + at, at);
}

static int
yaml_parse(struct parse *p)
{
	struct yaml *y;
	int r = textscan_run(p);

	if (r != 0)
		return r;
	if ((y = arena_alloc(p->arena, sizeof(*y))) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	return textscan_lines(p, check_line, y);
}

const struct format format_yaml = {
    .name = "yaml",
    .kind = FORMAT_DATA,
    .bid = yaml_bid,
    .parse = yaml_parse,
};
