#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/policy.h"
#include "analyzer/policy_file.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/fsio.h"
#include "custody/digest.h"

#define ROWS_MAX 8192
#define WORD_MAX 512

struct policy_file {
	struct arena *arena;	/* all texts */
	struct policy_row *row;
	size_t n;
};

static int
bad(unsigned line, const char *what, struct err *e)
{
	return err_set(e, ERR_FORMAT, "line %u: %s", line, what);
}

static bool
parse_class(const char *word, enum policy_class *ret)
{
	static const struct {
		const char *word;
		enum policy_class cls;
	} classes[] = {{"allow", POLICY_ALLOW}, {"judge", POLICY_JUDGE},
	    {"dangerous", POLICY_DANGEROUS}, {"unknown", POLICY_UNKNOWN}};

	for (size_t i = 0; i < 4; i++)
		if (strcmp(word, classes[i].word) == 0) {
			*ret = classes[i].cls;
			return true;
		}
	return false;
}

/* Dotted names, perhaps with ".*" or ".^" at the end. */
static bool
is_pattern(const char *p)
{
	size_t n = strlen(p);

	if (n > 2 && p[n - 2] == '.' && (p[n - 1] == '*' || p[n - 1] == '^'))
		n -= 2;
	if (n == 0 || p[0] == '.' || p[n - 1] == '.')
		return false;
	for (size_t i = 0; i < n; i++)
		if ((uint8_t)p[i] <= ' ' || p[i] == '*' || p[i] == '^' ||
		    p[i] == 0x7f || (p[i] == '.' && p[i + 1] == '.'))
			return false;
	return true;
}

static bool
is_shape(const char *p)
{
	return p[strspn(p, "nbifIsSygopuxtlde.*?|{}/")] == '\0';
}

/* The next word of a line, in the arena; NULL at its end. */
static char *
next_word(struct policy_file *f, const char **at, const char *end)
{
	const char *p = *at, *from;

	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	if (p == end || *p == '#')
		return NULL;
	for (from = p; p < end && *p != ' ' && *p != '\t'; p++)
		;
	*at = p;
	return arena_dup(f->arena, from, (size_t)(p - from));
}

/* What stands behind '#', or our own word. */
static const char *
reason(struct policy_file *f, const char *p, const char *end)
{
	const char *hash = memchr(p, '#', (size_t)(end - p));

	if (hash == NULL)
		return "the laboratory's policy";
	for (hash++; hash < end && *hash == ' '; hash++)
		;
	return arena_dup(f->arena, hash, (size_t)(end - hash));
}

static int
parse_row(struct policy_file *f, const char *p, const char *end,
    unsigned line, struct err *e)
{
	struct policy_row *row = &f->row[f->n];
	char *word = next_word(f, &p, end);

	if (word == NULL)
		return 0;	/* blank, or a comment */
	if (f->n == ROWS_MAX)
		return bad(line, "more than 8192 rows", e);
	*row = (struct policy_row){.severity = SEVERITY_HIGH};
	if (!parse_class(word, &row->cls))
		return bad(line, "not allow, judge, dangerous or unknown", e);
	if ((word = next_word(f, &p, end)) == NULL)
		return bad(line, "no pattern", e);
	if (!is_pattern(word))
		return bad(line, "not a dotted name, name.* or name.^", e);
	row->pattern = word;
	while ((word = next_word(f, &p, end)) != NULL)
		if (strncmp(word, "shape=", 6) == 0 && is_shape(word + 6))
			row->shape = word + 6;
		else if (!severity_parse(word, &row->severity))
			return bad(line, "neither a severity nor a shape", e);
	if ((row->why = reason(f, p, end)) == NULL)
		return err_set(e, ERR_NOMEM, "out of memory");
	for (size_t i = 0; i < f->n; i++)
		if (strcmp(f->row[i].pattern, row->pattern) == 0)
			return bad(line, "the pattern occurs twice", e);
	f->n++;
	return 0;
}

static int
parse(struct policy_file *f, const char *p, size_t n, struct err *e)
{
	const char *end = p + n, *stop;
	unsigned line = 0;
	int r = 0;

	if (memchr(p, '\0', n) != NULL)
		return err_set(e, ERR_FORMAT, "a NUL byte is no text");
	while (p < end && r >= 0) {
		stop = memchr(p, '\n', (size_t)(end - p));
		if (stop == NULL)
			stop = end;
		r = parse_row(f, p, stop > p && stop[-1] == '\r' ? stop - 1 :
		    stop, ++line, e);
		p = stop + 1;
	}
	return r;
}

int
policy_file_load(const char *path, struct policy_file **ret,
    uint8_t sha256[32], struct err *e)
{
	struct policy_file *f = NULL;
	struct digests d;
	struct buf b;
	int r;

	buf_init(&b, POLICY_FILE_BYTES);
	if ((r = fsio_read_file(AT_FDCWD, path, POLICY_FILE_BYTES, &b, e)) <
	    0)
		goto out;
	r = ERR_NOMEM;
	if ((f = calloc(1, sizeof(*f))) == NULL ||
	    (f->arena = arena_new((size_t)8 * POLICY_FILE_BYTES)) == NULL ||
	    (f->row = arena_array(f->arena, ROWS_MAX, sizeof(*f->row))) ==
	    NULL) {
		(void)err_set(e, ERR_NOMEM, "out of memory");
		goto out;
	}
	if ((r = parse(f, buf_str(&b), b.len, e)) < 0 ||
	    (r = digest_mem(b.p, b.len, DIGEST_SHA256, &d, e)) < 0)
		goto out;
	memcpy(sha256, d.sha256, 32);
	policy_use(f->row, f->n);
	*ret = f;
	f = NULL; /* transferred */
out:
	if (f != NULL)
		arena_free(f->arena);
	free(f);
	buf_release(&b);
	return r;
}

void
policy_file_free(struct policy_file *f)
{
	if (f == NULL)
		return;
	policy_use(NULL, 0);
	arena_free(f->arena);
	free(f);
}
