#include <stdio.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/limits.h"
#include "formats/doc.h"
#include "formats/reg/dvc.h"
#include "formats/reg/regdoc.h"

/*
 * A project of DVC: its documents.
 *
 *	X.dvc		outs (and deps) of what was added or imported
 *	dvc.lock	stages: deps and outs as they were at the last run
 *	dvc.yaml	stages as they are meant, artifacts: models by name
 *	.dvc/config	remotes; of an address what stands before "@" is left
 *			out, .dvc/config.local (credentials) is not read
 *	.dvc/cache/runs/XX/KEY/VALUE	outs of earlier runs
 */
static bool
is_document(const struct reg_file *f)
{
	size_t n;
	const char *name = reg_name(f, &n);

	return (n > 4 && memcmp(name + n - 4, ".dvc", 4) == 0) ||
	    (n == 8 && (memcmp(name, "dvc.lock", 8) == 0 ||
	    memcmp(name, "dvc.yaml", 8) == 0));
}

/* The nearest folder above with a ".dvc" in it, or that of the file. */
static size_t
project_of(const struct reg_tree *t, const struct reg_file *f)
{
	char path[LIMIT_PATH];
	size_t end = f->path_len, own = SIZE_MAX, first, last;

	if (f->path_len + 6 > sizeof(path))
		return SIZE_MAX;
	memcpy(path, f->path, f->path_len);
	do {
		const char *slash = memrchr(f->path, '/', end);

		end = slash != NULL ? (size_t)(slash - f->path) : 0;
		own = own == SIZE_MAX ? end : own;
		memcpy(path + end, "/.dvc", 5);
		reg_below(t, end > 0 ? path : path + 1,
		    end > 0 ? end + 5 : 4, &first, &last);
		if (first < last)
			return end;
		memcpy(path, f->path, f->path_len);
	} while (end > 0);
	return own;
}

static bool
dvc_find(const struct reg_tree *t, const struct reg_file *f, size_t *root)
{
	const char *at = memmem(f->path, f->path_len, ".dvc/", 5);

	if (at != NULL && (at == f->path || at[-1] == '/')) {
		*root = (size_t)(at - f->path);
		*root -= *root > 0;
		return true;
	}
	if (f->type != REG_FILE || !is_document(f))
		return false;
	*root = project_of(t, f);
	return *root != SIZE_MAX;
}

/*
 * "folder of the document / wdir / path" without ".", ".." and empty parts;
 * false when it leads out of the tree.
 */
static bool
join(const struct reg_file *by, const struct doc *wdir,
    const struct doc *path, char dst[LIMIT_PATH], size_t *n)
{
	const char *part[2];
	size_t len[2], name;

	part[0] = doc_str(wdir, &len[0]);
	part[1] = doc_str(path, &len[1]);
	(void)reg_name(by, &name);
	*n = by->path_len - name;
	*n -= *n > 0;
	if (part[1] == NULL || *n >= LIMIT_PATH)
		return false;
	memcpy(dst, by->path, *n);
	for (unsigned i = 0; i < 2; i++)
		if (part[i] != NULL && !reg_join(dst, n, part[i], len[i]))
			return false;
	return *n > 0;
}

/* An address or an absolute path: not of this tree. */
static bool
is_outside(const struct doc *path)
{
	size_t n;
	const char *s = doc_str(path, &n);

	return s != NULL && n > 0 &&
	    (s[0] == '/' || memmem(s, n, "://", 3) != NULL);
}

struct stage {
	const struct reg_file *by;
	const struct doc *wdir;
	const char *name;
	size_t n;
};

static int
read_outs(struct reg_parse *p, const struct stage *s, const struct doc *list,
    bool dependency)
{
	char path[LIMIT_PATH];
	int r = 0;

	for (const struct doc *d = doc_kids(list); d != NULL && r >= 0;
	    d = d->next) {
		struct dvc_out o = {d, s->by, path, 0, dependency,
		    doc_is_str(doc_key(d, "hash"), "md5")};

		if (is_outside(doc_key(d, "path")))
			continue;
		if (join(s->by, s->wdir, doc_key(d, "path"), path, &o.n))
			r = dvc_check_out(p, &o, s->name, s->n);
		else
			r = reg_bad(p, s->by, d->off,
			    "a path that leads out of the project");
	}
	return r < 0 ? r : 0;
}

/* A list of outputs, or of stages; 1: it cannot be read (told). */
static int
read_lock(struct reg_parse *p, const struct reg_file *f,
    const struct doc *d)
{
	const struct doc *stages = doc_key(d, "stages");
	int r = 0;

	/* Before DVC 2 the stages are the document itself. */
	if (stages == NULL)
		stages = d;
	if (!doc_is(stages, DOC_MAP))
		return reg_bad(p, f, 0, "no stages");
	for (const struct doc *k = doc_kids(stages); k != NULL && r >= 0;
	    k = k->next) {
		struct stage s = {f, NULL, k->key, k->key_len};

		if ((r = read_outs(p, &s, doc_key(k, "deps"), true)) >= 0)
			r = read_outs(p, &s, doc_key(k, "outs"), false);
	}
	return r;
}

static int
read_artifacts(struct reg_parse *p, const struct reg_file *f,
    const struct doc *d)
{
	int r = 0;

	for (const struct doc *k = doc_kids(doc_key(d, "artifacts"));
	    k != NULL && r >= 0; k = k->next) {
		struct reg_row row;

		reg_row_init(p, f, &row);
		reg_set(&row, REG_TYPE, "model");
		fields_text(&row.v[REG_MODEL], k->key, k->key_len);
		regdoc_text(&row.v[REG_ARTIFACT], doc_key(k, "path"));
		regdoc_text(&row.v[REG_DESCRIPTION], doc_key(k, "desc"));
		r = reg_send(p, &row);
	}
	return r;
}

static int
read_document(struct reg_parse *p, const struct reg_file *f)
{
	const struct doc *d = NULL;
	struct stage s = {f, NULL, NULL, 0};
	int r;

	if ((r = regdoc_yaml(p, f, &d)) != 0)
		return r < 0 ? r : 0;
	if (reg_ends(f, "dvc.lock"))
		return read_lock(p, f, d);
	if (reg_ends(f, "dvc.yaml"))
		return read_artifacts(p, f, d);
	if (!doc_is(doc_key(d, "outs"), DOC_LIST)) {
		r = reg_bad(p, f, 0, "no outs");
		return r < 0 ? r : 0;
	}
	s.wdir = doc_key(d, "wdir");
	if ((r = read_outs(p, &s, doc_key(d, "deps"), true)) < 0)
		return r;
	return read_outs(p, &s, doc_key(d, "outs"), false);
}

/* --- .dvc/config --- */

static bool
is_shown(const char *key, size_t n)
{
	static const char *const shown[] = {"url", "remote", "dir", "type",
	    "endpointurl", "version_aware", "worktree"};

	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		if (strlen(shown[i]) == n && memcmp(key, shown[i], n) == 0)
			return true;
	return false;
}

static void
trim(const char **s, size_t *n)
{
	while (*n > 0 && ((*s)[0] == ' ' || (*s)[0] == '\t')) {
		++*s;
		--*n;
	}
	while (*n > 0 && ((*s)[*n - 1] == ' ' || (*s)[*n - 1] == '\t' ||
	    (*s)[*n - 1] == '\r'))
		--*n;
}

/* "https://user:secret@host/x" becomes "https://host/x". */
static char *
without_user(struct reg_parse *p, const char *s, size_t n)
{
	char *copy = arena_dup(p->arena, s, n), *from, *at, *slash;

	if (copy == NULL || (from = strstr(copy, "://")) == NULL)
		return copy;
	from += 3;
	slash = strchr(from, '/');
	at = slash != NULL ? memrchr(from, '@', (size_t)(slash - from)) :
	    strrchr(from, '@');
	if (at != NULL)
		memmove(from, at + 1, strlen(at + 1) + 1);
	return copy;
}

static int
setting(struct reg_parse *p, const struct reg_file *f, const char *section,
    size_t section_len, const char *line, size_t n)
{
	const char *eq = memchr(line, '=', n), *value;
	size_t key_len, value_len;
	struct reg_row row;
	char key[256];

	if (eq == NULL || section_len > 128)
		return 0;
	key_len = (size_t)(eq - line);
	value = eq + 1;
	value_len = n - key_len - 1;
	trim(&line, &key_len);
	trim(&value, &value_len);
	if (!is_shown(line, key_len))
		return 0;
	reg_row_init(p, f, &row);
	reg_set(&row, REG_TYPE, "event");
	(void)snprintf(key, sizeof(key), "%.*s.%.*s", (int)section_len,
	    section, (int)key_len, line);
	reg_set(&row, REG_KEY, key);
	if ((value = without_user(p, value, value_len)) == NULL)
		return err_set(p->e, ERR_NOMEM, "out of memory");
	reg_set(&row, REG_VALUE, value);
	return reg_send(p, &row);
}

static int
read_config(struct reg_parse *p, const struct reg_file *f)
{
	const char *text, *section = "";
	size_t left, n, section_len = 0;
	int r;

	if ((r = reg_bytes(p, f, MIB, &text, &left)) != 0)
		return r < 0 ? r : 0;
	for (; left > 0 && r >= 0; text += n, left -= n) {
		const char *lf = memchr(text, '\n', left), *line = text;
		size_t len = lf != NULL ? (size_t)(lf - text) : left;

		n = len + (lf != NULL);
		trim(&line, &len);
		if (len > 2 && line[0] == '[' && line[len - 1] == ']') {
			section = line + 1;
			section_len = len - 2;
		} else if (len > 0 && line[0] != '#' && line[0] != ';') {
			r = setting(p, f, section, section_len, line, len);
		}
	}
	return r;
}

/* --- all of it --- */

/* Outs of an earlier run: what it made, by digest. */
static int
read_run(struct reg_parse *p, const struct reg_file *f)
{
	const struct doc *d = NULL;
	int r;

	if ((r = regdoc_yaml(p, f, &d)) != 0)
		return r < 0 ? r : 0;
	for (const struct doc *k = doc_kids(doc_key(d, "outs"));
	    k != NULL && r >= 0; k = k->next) {
		struct reg_row row;
		uint64_t size;

		reg_row_init(p, f, &row);
		reg_set(&row, REG_TYPE, "run");
		regdoc_text(&row.v[REG_ARTIFACT], doc_key(k, "path"));
		regdoc_text(&row.v[REG_DIGEST], doc_key(k, "md5"));
		regdoc_text(&row.v[REG_VALUE], doc_key(d, "cmd"));
		if (row.v[REG_DIGEST].set)
			reg_set(&row, REG_ALGORITHM, "md5");
		if (row.v[REG_VALUE].set)
			reg_set(&row, REG_KEY, "cmd");
		if (doc_u64(doc_key(k, "size"), &size))
			fields_u64(&row.v[REG_SIZE], size);
		r = reg_send(p, &row);
	}
	return r;
}

static int
dvc_read(struct reg_parse *p)
{
	static const char runs[] = ".dvc/cache/runs/";
	const struct reg_file *config = reg_at(p, ".dvc/config");
	size_t first, end, n;
	int r = 0;

	if (config != NULL && (r = read_config(p, config)) < 0)
		return r;
	reg_below(p->tree, p->root, p->root_len, &first, &end);
	for (size_t i = first; i < end && r >= 0; i++) {
		const struct reg_file *f = &p->tree->file[i];
		const char *rel = reg_relative(p, f, &n);
		size_t root;

		if (f->type != REG_FILE)
			continue;
		if (n > sizeof(runs) && memcmp(rel, runs,
		    sizeof(runs) - 1) == 0)
			r = read_run(p, f);
		else if (memmem(rel, n, ".dvc/", 5) == NULL &&
		    is_document(f) && dvc_find(p->tree, f, &root) &&
		    root == p->root_len)
			r = read_document(p, f);
	}
	return r < 0 ? r : dvc_cache(p);
}

const struct reg_reader reg_dvc = {"dvc", dvc_find, dvc_read};
