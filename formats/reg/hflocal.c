#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/reg/hftree.h"

/*
 * A folder that huggingface_hub downloaded into (_local_folder.py):
 *
 *	PATH						the file
 *	.cache/huggingface/download/PATH.metadata	commit, etag, time
 *	.cache/huggingface/trees/COMMIT.json		hftree.h
 *
 * Three lines: the commit, the digest that the Hub served (hf_etag), seconds
 * since 1970 with a fraction.  Files without such a record are told as one
 * statement: people work in such folders.
 */
#define CACHE ".cache/huggingface/"
#define DOWNLOAD CACHE "download/"
#define TAIL ".metadata"

static bool
local_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	const char *at = memmem(f->path, f->path_len, DOWNLOAD,
	    strlen(DOWNLOAD));

	(void)t;
	if (at == NULL || !reg_ends(f, TAIL) ||
	    (at != f->path && at[-1] != '/'))
		return false;
	*root = (size_t)(at - f->path);
	*root -= *root > 0;
	return true;
}

/* The next line, without its end; *n is 0 when there is none. */
static const char *
take_line(const char **text, size_t *left, size_t *n)
{
	const char *line = *text, *lf = memchr(line, '\n', *left);
	size_t step;

	*n = lf != NULL ? (size_t)(lf - line) : *left;
	step = *n + (lf != NULL);
	*text += step;
	*left -= step;
	if (*n > 0 && line[*n - 1] == '\r')
		--*n;
	return line;
}

/* "1722870000.123456" */
static void
set_seconds(struct reg_row *row, const char *s, size_t n)
{
	const char *dot = memchr(s, '.', n);
	size_t whole = dot != NULL ? (size_t)(dot - s) : n;
	uint64_t v, ns = 0, unit = 100000000;

	if (!text_u64(s, whole, 10, INT64_MAX / 1000000000 - 1, &v))
		return;
	for (size_t i = whole + 1; i < n && s[i] >= '0' && s[i] <= '9'; i++) {
		ns += (uint64_t)(s[i] - '0') * unit;
		unit /= 10;
	}
	fields_i64(&row->v[REG_CREATED], (int64_t)(v * 1000000000 + ns));
}

/* Does the tree of the commit, if there is one, name the same digest? */
static int
hold_tree(struct reg_parse *p, const struct reg_file *f,
    const char *commit, size_t n, const struct claim *c)
{
	struct claim listed = {0};
	const struct doc *files = NULL;
	const struct reg_file *tree;
	struct reg_fact fact[2];
	char rel[LIMIT_PATH];
	int r;

	if (!hf_is_commit(commit, n))
		return reg_bad(p, f, 0, "not a commit");
	(void)snprintf(rel, sizeof(rel), CACHE "trees/%.*s.json", (int)n,
	    commit);
	if ((tree = reg_at(p, rel)) == NULL ||
	    (r = hftree_load(p, tree, &files)) > 0)
		return 0;
	if (r < 0 || !hftree_claim(files, c->name, c->name_len, &listed) ||
	    listed.hash != c->hash || (listed.digest_len == c->digest_len &&
	    memcmp(listed.digest, c->digest, c->digest_len) == 0))
		return r;
	fact[0] = (struct reg_fact){"tree", listed.digest, listed.digest_len};
	fact[1] = (struct reg_fact){"metadata", c->digest, c->digest_len};
	return reg_tell(p, REG_PROBLEM_DISAGREES, f, fact, 2);
}

static int
hold(struct reg_parse *p, const struct reg_file *f, struct claim *c,
    struct reg_row *row)
{
	const struct reg_file *at = f != NULL ? reg_follow(p->tree, f) : NULL;
	char hex[CLAIM_HEX];
	int r;

	if (at == NULL || at->type != REG_FILE)
		return claim_check(p, NULL, c, row);
	r = hf_compute(p, f, c->digest, c->digest_len, &c->hash, hex);
	if (r < 0)
		return r;
	if (r > 0) {
		fields_text(&row->v[REG_MEMBER], f->path, f->path_len);
		return reg_send(p, row);
	}
	return claim_settle(p, f, c, hex, at->size, row);
}

static int
read_record(struct reg_parse *p, const struct reg_file *f)
{
	struct claim c = {.by = f};
	const char *text, *commit, *when;
	char rel[LIMIT_PATH];
	size_t left, commit_len, when_len;
	struct reg_row row;
	int r;

	if ((r = reg_bytes(p, f, 64 * KIB, &text, &left)) != 0)
		return r < 0 ? r : 0;
	commit = take_line(&text, &left, &commit_len);
	c.digest = take_line(&text, &left, &c.digest_len);
	when = take_line(&text, &left, &when_len);
	c.name = reg_relative(p, f, &c.name_len);
	c.name += strlen(DOWNLOAD);
	c.name_len -= strlen(DOWNLOAD) + strlen(TAIL);
	c.hash = hf_etag(c.digest, c.digest_len);
	if (c.hash == CLAIM_NONE) {
		r = reg_bad(p, f, 0, "not a digest");
		return r < 0 ? r : 0;
	}
	reg_row_init(p, f, &row);
	reg_set(&row, REG_TYPE, "artifact");
	fields_text(&row.v[REG_VERSION], commit, commit_len);
	fields_text(&row.v[REG_COMMIT], commit, commit_len);
	fields_text(&row.v[REG_ARTIFACT], c.name, c.name_len);
	set_seconds(&row, when, when_len);
	if (c.name_len >= sizeof(rel))
		return 0;
	memcpy(rel, c.name, c.name_len);
	rel[c.name_len] = '\0';
	if ((r = hold(p, reg_at(p, rel), &c, &row)) < 0)
		return r;
	return hold_tree(p, f, commit, commit_len, &c);
}

static bool
has_record(struct reg_parse *p, const struct reg_file *f)
{
	char rel[2 * LIMIT_PATH];
	size_t n;
	const char *name = reg_relative(p, f, &n);

	(void)snprintf(rel, sizeof(rel), DOWNLOAD "%.*s" TAIL, (int)n, name);
	return reg_at(p, rel) != NULL;
}

static int
tell_others(struct reg_parse *p, size_t first, size_t end)
{
	const struct reg_file *one = NULL;
	struct reg_fact fact;
	char count[24];
	uint64_t n = 0;
	size_t len;

	for (size_t i = first; i < end; i++) {
		const struct reg_file *f = &p->tree->file[i];
		const char *name = reg_relative(p, f, &len);

		if (f->type == REG_FOLDER || (len > 7 &&
		    memcmp(name, ".cache/", 7) == 0) || has_record(p, f))
			continue;
		one = n++ == 0 ? f : one;
	}
	if (n == 0)
		return 0;
	(void)snprintf(count, sizeof(count), "%llu", (unsigned long long)n);
	fact = (struct reg_fact){"files", count, strlen(count)};
	return reg_tell(p, REG_PROBLEM_EXTRA, one, &fact, 1);
}

static int
local_read(struct reg_parse *p)
{
	size_t first, end, len;
	int r = 0;

	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		const char *name = reg_relative(p, f, &len);

		if (len > strlen(DOWNLOAD) + strlen(TAIL) && reg_ends(f,
		    TAIL) && memcmp(name, DOWNLOAD, strlen(DOWNLOAD)) == 0)
			r = read_record(p, f);
	}
	return r < 0 ? r : tell_others(p, first, end);
}

const struct reg_reader reg_hflocal = {"hf-local", local_find, local_read};
