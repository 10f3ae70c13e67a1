#include <string.h>

#include "formats/config.h"
#include "formats/requirements.h"
#include "formats/textnotes.h"
#include "formats/textscan.h"

/*
 * What pip is given (pip, "Requirements File Format"; PEP 508).  A name with
 * a version comes from the index that the installing side has chosen; all
 * else is code from where the file says:
 *
 *	--index-url U, --extra-index-url U, --find-links U, --trusted-host H
 *	name @ U, git+U, U, ./folder, -e folder
 *
 * Sources that half of all models name (PyTorch's wheels, a library's own
 * repository) are a note.
 */
static const char *const indexes[] = {"pypi.org", "files.pythonhosted.org",
    "download.pytorch.org", "pypi.nvidia.com", "pypi.ngc.nvidia.com",
    "storage.googleapis.com", "pypi.python.org", "data.pyg.org",
    "huggingface.github.io", NULL};

static const char *const index_options[] = {"--index-url",
    "--extra-index-url", "--find-links", "--trusted-host", "-i", "-f", NULL};
static const char *const other_options[] = {"--requirement", "--constraint",
    "--editable", "-r", "-c", "-e", "--no-index", "--pre", "--hash",
    "--no-binary", "--only-binary", "--prefer-binary", "--require-hashes",
    "--use-feature", "--global-option", "--config-settings", NULL};

static bool
is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool
is_name(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

static void
trim(const uint8_t **p, size_t *n)
{
	while (*n > 0 && is_blank((*p)[0])) {
		(*p)++;
		(*n)--;
	}
	while (*n > 0 && is_blank((*p)[*n - 1]))
		(*n)--;
}

static bool
starts(const uint8_t *p, size_t n, const char *word)
{
	size_t m = strlen(word);

	return n >= m && memcmp(p, word, m) == 0;
}

/* The option at the line's beginning; *rest is where its value stands. */
static const char *
option(const uint8_t *p, size_t n, const char *const *list, size_t *rest)
{
	for (; *list != NULL; list++) {
		size_t m = strlen(*list);

		if (!starts(p, n, *list) || (m < n && !is_blank(p[m]) &&
		    p[m] != '='))
			continue;
		while (m < n && (is_blank(p[m]) || p[m] == '='))
			m++;
		*rest = m;
		return *list;
	}
	return NULL;
}

static bool
host_known(const uint8_t *host, size_t n, bool code)
{
	for (const char *const *h = indexes; *h != NULL; h++)
		if (n == strlen(*h) && memcmp(host, *h, n) == 0)
			return true;
	return code && textnotes_host_known((const char *)host, n) &&
	    (starts(host, n, "github.com") || starts(host, n, "gitlab.com") ||
	    starts(host, n, "huggingface.co"));
}

/* Is this an address over TLS of a source that half of all models name? */
static bool
url_known(const uint8_t *p, size_t n, bool code)
{
	size_t at = starts(p, n, "git+") ? 4 : 0, end, host;

	if (!starts(p + at, n - at, "https://"))
		return false;
	at += 8;
	end = at;
	while (end < n && strchr("/#?\\ \t", p[end]) == NULL)
		end++;
	/* "user:word@host": pip goes to what stands behind the at sign. */
	if (memchr(p + at, '@', end - at) != NULL)
		return false;
	for (host = at; host < end && p[host] != ':'; host++)
		;
	return host_known(p + at, host - at, code);
}

static int
tell(struct parse *p, const uint8_t *text, size_t n, uint64_t off,
    const char *what, bool known)
{
	const struct fact facts[] = {
	    FACT_TEXT("line", text, n < 512 ? n : 512),
	    FACT_TEXT("what", what, strlen(what))};
	int r = format_anomaly(p, known ? ANOMALY_REQUIREMENT_DIRECT :
	    ANOMALY_REQUIREMENT_FOREIGN, off, n, facts, 2);

	return r < 0 ? r : 1;
}

/* An address or a path at p, or NULL; what it is. */
static const char *
source(const uint8_t *p, size_t n)
{
	if (starts(p, n, "git+") || starts(p, n, "hg+") ||
	    starts(p, n, "svn+") || starts(p, n, "bzr+"))
		return "version control";
	if (starts(p, n, "http://") || starts(p, n, "https://") ||
	    starts(p, n, "ftp://"))
		return "address";
	if (starts(p, n, "file:") || starts(p, n, "./") ||
	    starts(p, n, "../") || starts(p, n, "/") ||
	    (n > 4 && starts(p + n - 4, 4, ".whl")))
		return "file";
	return NULL;
}

/* "name @ address"; *rest is where the address stands. */
static bool
is_direct(const uint8_t *p, size_t n, size_t *rest)
{
	size_t i = 0;

	while (i < n && (is_name(p[i]) || p[i] == '[' || p[i] == ']' ||
	    p[i] == ','))
		i++;
	if (i == 0)
		return false;
	while (i < n && is_blank(p[i]))
		i++;
	if (i == n || p[i] != '@')
		return false;
	for (i++; i < n && is_blank(p[i]); i++)
		;
	*rest = i;
	return source(p + i, n - i) != NULL;
}

int
requirements_line(struct parse *p, const uint8_t *text, size_t n,
    uint64_t off, bool item)
{
	const uint8_t *from = text;
	const char *what;
	size_t rest = 0;

	trim(&text, &n);
	if (n > 1 && (text[0] == '"' || text[0] == '\'') &&
	    text[n - 1] == text[0]) {
		text++;
		n -= 2;
	}
	off += (uint64_t)(text - from);
	if ((what = option(text, n, index_options, &rest)) != NULL)
		return item && what[1] != '-' ? 0 : tell(p, text, n, off,
		    what, strcmp(what, "--trusted-host") != 0 &&
		    url_known(text + rest, n - rest, false));
	if (is_direct(text, n, &rest))
		return tell(p, text, n, off, "direct",
		    url_known(text + rest, n - rest, true));
	if (starts(text, n, "-e ") || starts(text, n, "--editable "))
		text += rest = starts(text, n, "-e ") ? 3 : 11;
	what = source(text, n - rest);
	if (what == NULL || (item && strcmp(what, "version control") != 0))
		return 0;
	return tell(p, text, n - rest, off + rest, what,
	    url_known(text, n - rest, true));
}

/* 2: only a requirement looks like this; 1: it could be one; 0: it is none. */
static int
shape(const uint8_t *p, size_t n)
{
	size_t i = 0, rest;

	if (option(p, n, index_options, &rest) != NULL ||
	    option(p, n, other_options, &rest) != NULL ||
	    is_direct(p, n, &rest) || starts(p, n, "git+"))
		return 2;
	if (source(p, n) != NULL)
		return 1;
	while (i < n && is_name(p[i]))
		i++;
	if (i == 0)
		return 0;
	if (i < n && p[i] == '[')
		while (i < n && p[i++] != ']')
			;
	while (i < n && is_blank(p[i]))
		i++;
	if (i == n || p[i] == '#' || p[i] == '\\')
		return 1;
	if (p[i] == ';')
		return 1;
	if (n - i > 2 && p[i + 1] == '=' && strchr("=><~!", p[i]) != NULL)
		return 2;
	return n - i > 1 && (p[i] == '<' || p[i] == '>') ? 2 : 0;
}

static unsigned
requirements_bid(struct cursor head, uint64_t size)
{
	struct cursor c = head, line;
	bool sure = false;
	int s;

	if (!textscan_head(head, size))
		return 0;
	while (textscan_line(&c, &line)) {
		const uint8_t *p = line.buf;
		size_t n = line.len;

		trim(&p, &n);
		/* The last line of the head may be cut. */
		if (n == 0 || p[0] == '#' || (cursor_at_end(&c) &&
		    head.len < size))
			continue;
		if ((s = shape(p, n)) == 0)
			return 0;
		sure = sure || s == 2;
	}
	return sure ? 14 : 0;
}

/* "-r other.txt": files beside this one, hopefully. */
static int
other_file(struct parse *p, const uint8_t *text, size_t n, uint64_t off)
{
	const char *which = NULL;
	size_t rest = 0;

	which = option(text, n, other_options, &rest);
	if (which == NULL || (strcmp(which, "-r") != 0 &&
	    strcmp(which, "-c") != 0 && strcmp(which, "--requirement") != 0 &&
	    strcmp(which, "--constraint") != 0) ||
	    !config_path_odd((const char *)text + rest, n - rest, true))
		return 0;
	return tell(p, text, n, off, "file outside", false);
}

static int
check_line(struct parse *p, void *ctx, const uint8_t *text, size_t n,
    uint64_t off)
{
	const uint8_t *from = text;
	int r;

	(void)ctx;
	trim(&text, &n);
	off += (uint64_t)(text - from);
	if (n == 0 || text[0] == '#')
		return 0;
	if ((r = format_meta(p, "requirement", 11, (const char *)text, n,
	    off)) < 0 || (r = other_file(p, text, n, off)) != 0)
		return r < 0 ? r : 0;
	r = requirements_line(p, text, n, off, false);
	return r < 0 ? r : 0;
}

static int
requirements_parse(struct parse *p)
{
	int r = textscan_run(p);

	return r != 0 ? r : textscan_lines(p, check_line, NULL);
}

const struct format format_requirements = {
    .name = "requirements",
    .kind = FORMAT_DATA,
    .bid = requirements_bid,
    .parse = requirements_parse,
};
