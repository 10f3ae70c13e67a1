#include <string.h>

#include "formats/textscan.h"

/*
 * .gitattributes (gitattributes(5)): a pattern, then attributes.  Every
 * repository of models has one for LFS.  "filter=NAME" makes git run a
 * command of the user's configuration on checkout: a name that is not lfs
 * waits for somebody whose configuration has it.
 */
static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
next_word(const uint8_t **p, size_t *n, const uint8_t **word, size_t *len)
{
	while (*n > 0 && is_blank(**p)) {
		(*p)++;
		(*n)--;
	}
	*word = *p;
	*len = 0;
	while (*len < *n && !is_blank((*p)[*len]))
		(*len)++;
	*p += *len;
	*n -= *len;
	return *len > 0;
}

static bool
is_attribute(const uint8_t *p, size_t n)
{
	static const char *const names[] = {"filter", "diff", "merge", "text",
	    "eol", "binary", "linguist-", "export-ignore", "crlf",
	    "working-tree-encoding", "whitespace", "lockable", NULL};
	size_t skip = n > 0 && (p[0] == '-' || p[0] == '!') ? 1 : 0;

	for (const char *const *w = names; *w != NULL; w++) {
		size_t m = strlen(*w);

		if (n - skip >= m && memcmp(p + skip, *w, m) == 0 &&
		    (n - skip == m || p[skip + m] == '=' ||
		    (*w)[m - 1] == '-'))
			return true;
	}
	return false;
}

static unsigned
gitattributes_bid(struct cursor head, uint64_t size)
{
	struct cursor c = head, line;
	const uint8_t *word;
	bool sure = false;
	size_t len;

	if (!textscan_head(head, size))
		return 0;
	while (textscan_line(&c, &line)) {
		const uint8_t *p = line.buf;
		size_t n = line.len;

		if (cursor_at_end(&c) && head.len < size)
			break;
		if (!next_word(&p, &n, &word, &len) || word[0] == '#')
			continue;
		if (!next_word(&p, &n, &word, &len) ||
		    !is_attribute(word, len))
			return 0;
		/* "some text" is one as well, but no sign of one. */
		sure = sure || word[0] == '-' ||
		    memchr(word, '=', len) != NULL;
	}
	return sure ? 15 : 0;
}

static int
check_line(struct parse *p, void *ctx, const uint8_t *text, size_t n,
    uint64_t off)
{
	const struct fact facts[] = {FACT_TEXT("line", text,
	    n < 512 ? n : 512)};
	const uint8_t *rest = text, *word;
	size_t left = n, len;

	(void)ctx;
	if (!next_word(&rest, &left, &word, &len) || word[0] == '#')
		return 0;
	while (next_word(&rest, &left, &word, &len))
		if (len > 7 && memcmp(word, "filter=", 7) == 0 &&
		    !(len == 10 && memcmp(word + 7, "lfs", 3) == 0))
			return format_anomaly(p, ANOMALY_GIT_FILTER, off, n,
			    facts, 1);
	return 0;
}

static int
gitattributes_parse(struct parse *p)
{
	int r = textscan_run(p);

	return r != 0 ? r : textscan_lines(p, check_line, NULL);
}

const struct format format_gitattributes = {
    .name = "gitattributes",
    .kind = FORMAT_DATA,
    .bid = gitattributes_bid,
    .parse = gitattributes_parse,
};
