#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "analyzer/finding.h"
#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "custody/anydigest.h"
#include "tests/lib/reg_case.h"

static const char *const problem_names[REG_PROBLEMS] = {
#define PROBLEM(id, meaning) #id,
#include "formats/reg/problems.def"
#undef PROBLEM
};

static void *
need(void *p)
{
	if (p == NULL)
		abort();
	return p;
}

static char *
copy(const void *p, size_t n)
{
	char *s = need(malloc(n + 1));

	if (n > 0)
		memcpy(s, p, n);
	s[n] = '\0';
	return s;
}

void
reg_case_init(struct reg_case *c)
{
	memset(c, 0, sizeof(*c));
	c->file = need(calloc(REG_CASE_FILES, sizeof(*c->file)));
	buf_init(&c->out, 64 * MIB);
}

static void
forget(struct reg_file *f)
{
	free((void *)(uintptr_t)f->path);
	free((void *)(uintptr_t)f->link);
	free(f->ctx);
}

void
reg_case_release(struct reg_case *c)
{
	for (size_t i = 0; i < c->files; i++)
		forget(&c->file[i]);
	free(c->file);
	buf_release(&c->out);
}

static struct reg_file *
named(struct reg_case *c, const char *path)
{
	for (size_t i = 0; i < c->files; i++)
		if (strcmp(c->file[i].path, path) == 0)
			return &c->file[i];
	return NULL;
}

static struct reg_file *
place(struct reg_case *c, const char *path)
{
	struct reg_file *f = named(c, path);

	if (f == NULL) {
		if (c->files == REG_CASE_FILES)
			abort();
		f = &c->file[c->files++];
	} else {
		forget(f);
	}
	memset(f, 0, sizeof(*f));
	f->path = copy(path, strlen(path));
	f->path_len = strlen(path);
	return f;
}

void
reg_case_put(struct reg_case *c, const char *path, const void *p, size_t n)
{
	char *bytes = copy(p, n);
	struct reg_file *f = place(c, path);

	f->size = n;
	f->ctx = bytes;
}

void
reg_case_text(struct reg_case *c, const char *path, const char *text)
{
	reg_case_put(c, path, text, strlen(text));
}

void
reg_case_link(struct reg_case *c, const char *path, const char *target)
{
	struct reg_file *f = place(c, path);

	f->type = REG_LINK;
	f->link = copy(target, strlen(target));
	f->link_len = strlen(target);
}

void
reg_case_absent(struct reg_case *c, const char *path, uint64_t size)
{
	struct reg_file *f = place(c, path);

	f->size = size;
	f->absent = true;
}

void
reg_case_refuse(struct reg_case *c, const char *path, uint64_t size)
{
	place(c, path)->size = size;
}

void
reg_case_drop(struct reg_case *c, const char *path)
{
	struct reg_file *f = need(named(c, path));

	forget(f);
	*f = c->file[--c->files];
}

uint8_t *
reg_case_bytes(struct reg_case *c, const char *path, size_t *n)
{
	struct reg_file *f = named(c, path);

	if (f == NULL)
		return NULL;
	*n = (size_t)f->size;
	return f->ctx;
}

/* --- from a folder --- */

static struct {
	struct reg_case *c;
	const char *prefix;
	size_t skip;
} loading;

static int
load_one(const char *path, const struct stat *st, int type, struct FTW *w)
{
	char name[LIMIT_PATH], target[LIMIT_PATH];
	FILE *in;
	ssize_t n;
	void *p;

	(void)w;
	if (type != FTW_F && type != FTW_SL)
		return 0;
	(void)snprintf(name, sizeof(name), "%s%s%s", loading.prefix,
	    *loading.prefix != '\0' ? "/" : "", path + loading.skip);
	if (type == FTW_SL) {
		n = readlink(path, target, sizeof(target) - 1);
		if (n < 0)
			abort();
		target[n] = '\0';
		reg_case_link(loading.c, name, target);
		return 0;
	}
	p = need(malloc((size_t)st->st_size + 1));
	in = need(fopen(path, "rb"));
	if (fread(p, 1, (size_t)st->st_size, in) != (size_t)st->st_size)
		abort();
	(void)fclose(in);
	reg_case_put(loading.c, name, p, (size_t)st->st_size);
	free(p);
	return 0;
}

void
reg_case_load(struct reg_case *c, const char *folder, const char *prefix)
{
	loading.c = c;
	loading.prefix = prefix;
	loading.skip = strlen(folder) + 1;
	if (nftw(folder, load_one, 8, FTW_PHYS) != 0)
		abort();
}

/* --- running --- */

static int
by_path(const void *a, const void *b)
{
	const struct reg_file *x = a, *y = b;

	return strcmp(x->path, y->path);
}

static int
open_file(void *ctx, const struct reg_file *f, struct bytesrc **ret,
    struct err *e)
{
	(void)ctx;
	if (f->type != REG_FILE || f->absent || f->ctx == NULL)
		return err_set(e, ERR_NOTFOUND, "not at hand");
	*ret = bytesrc_mem(f->ctx, (size_t)f->size, e);
	return *ret != NULL ? 0 : ERR_NOMEM;
}

static int
digest(void *ctx, enum reg_algorithm a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[64], struct err *e)
{
	(void)ctx;
	return anydigest_source((enum anydigest)a, prefix, n, src, out, e);
}

static void
put_value(struct buf *b, const struct field_def *d, const struct field *v)
{
	buf_printf(b, " %s=", d->key);
	switch (d->type) {
	case FIELD_U64:
		buf_printf(b, "%llu", (unsigned long long)v->u);
		break;
	case FIELD_I64:
	case FIELD_TIME:
		buf_printf(b, "%lld", (long long)v->u);
		break;
	case FIELD_BOOL:
		buf_puts(b, v->u != 0 ? "true" : "false");
		break;
	case FIELD_HEX:
		buf_hex(b, v->p, v->n);
		break;
	case FIELD_TEXT:
	case FIELD_REALS:
		text_put(b, v->p, v->n, TEXT_PLAIN);
		break;
	}
}

static int
on_row(void *ctx, const struct reg_row *row)
{
	struct reg_case *c = ctx;

	c->rows++;
	if (!row->v[REG_TYPE].set || !row->v[REG_SYSTEM].set)
		c->bad = true;
	else
		text_put(&c->out, row->v[REG_TYPE].p, row->v[REG_TYPE].n,
		    TEXT_PLAIN);
	for (unsigned i = 0; i < REG_COLUMNS; i++)
		if (row->v[i].set && i != REG_TYPE && i != REG_SYSTEM &&
		    i != REG_ROOT)
			put_value(&c->out, &reg_columns[i], &row->v[i]);
	buf_putc(&c->out, '\n');
	return 0;
}

/* A file of the tree, or a folder that has some. */
static bool
in_tree(const struct reg_case *c, const char *path, size_t n)
{
	for (size_t i = 0; i < c->files; i++)
		if (n == 0 || (c->file[i].path_len >= n &&
		    memcmp(c->file[i].path, path, n) == 0 &&
		    (c->file[i].path[n] == '\0' ||
		    c->file[i].path[n] == '/')))
			return true;
	return false;
}

/* A key that the finding has already would stand in it twice. */
static bool
doubles(const struct reg_told *t, unsigned i)
{
	const char *key = t->fact[i].key;

	for (unsigned k = 0; k < i; k++)
		if (strcmp(t->fact[k].key, key) == 0)
			return true;
	return strcmp(key, "file") == 0 || strcmp(key, "offset") == 0;
}

static int
on_problem(void *ctx, const struct reg_told *t)
{
	struct reg_case *c = ctx;

	c->problems++;
	if (!in_tree(c, t->path, t->path_len) || t->facts > REG_FACTS)
		c->bad = true;
	buf_printf(&c->out, "%s path=", problem_names[t->id]);
	text_put(&c->out, t->path, t->path_len, TEXT_PLAIN);
	if (t->off > 0)
		buf_printf(&c->out, " off=%llu", (unsigned long long)t->off);
	for (unsigned i = 0; i < t->facts; i++) {
		if (!finding_key_ok((const uint8_t *)t->fact[i].key,
		    strlen(t->fact[i].key)) || doubles(t, i))
			c->bad = true;
		buf_printf(&c->out, " %s=", t->fact[i].key);
		text_put(&c->out, t->fact[i].p, t->fact[i].n, TEXT_PLAIN);
	}
	buf_putc(&c->out, '\n');
	return 0;
}

void
reg_case_run(struct reg_case *c, const char *only)
{
	const struct reg_events ev = {on_row, on_problem, c};
	struct reg_tree t = {c->file, c->files, open_file, digest, c};
	struct arena *a = need(arena_new(LIMIT_ARENA));
	struct err e = ERR_INIT;

	qsort(c->file, c->files, sizeof(*c->file), by_path);
	buf_clear(&c->out);
	c->rows = c->problems = 0;
	c->bad = false;
	c->rc = reg_run(&t, only, &ev, a, &e);
	c->none = c->rc == REG_NONE;
	if (c->none)
		c->rc = 0;
	if (c->rc < 0)
		(void)fprintf(stderr, "reg_run: %d %s\n", c->rc, e.msg);
	arena_free(a);
}

bool
reg_case_has(const struct reg_case *c, const char *line)
{
	const char *at = (const char *)c->out.p;
	size_t n = strlen(line), left = c->out.len;

	while (left > 0) {
		const char *lf = memchr(at, '\n', left);
		size_t len = (size_t)(lf - at);

		if (len == n && memcmp(at, line, n) == 0)
			return true;
		at = lf + 1;
		left -= len + 1;
	}
	(void)fprintf(stderr, "no line '%s' in:\n%.*s", line,
	    (int)c->out.len, c->out.p != NULL ? (const char *)c->out.p : "");
	return false;
}

unsigned
reg_case_count(const struct reg_case *c, const char *begin)
{
	const char *at = (const char *)c->out.p;
	size_t n = strlen(begin), left = c->out.len;
	unsigned count = 0;

	while (left > 0) {
		const char *lf = memchr(at, '\n', left);
		size_t len = (size_t)(lf - at);

		count += len >= n && memcmp(at, begin, n) == 0;
		at = lf + 1;
		left -= len + 1;
	}
	return count;
}

/* --- laws --- */

static const char *
laws(struct reg_case *c, const char *only)
{
	char *first;
	size_t n;
	bool same;

	reg_case_run(c, only);
	if (c->rc < 0)
		return "a run failed";
	if (c->bad)
		return "a row or a problem broke a law";
	n = c->out.len;
	first = copy(c->out.p, n);
	reg_case_run(c, only);
	same = n == c->out.len && memcmp(first, buf_str(&c->out), n) == 0;
	free(first);
	return same ? NULL : "two runs differ";
}

const char *
reg_case_sweep(struct reg_case *c, const char *only, const char *path,
    unsigned count, uint32_t seed)
{
	const char *why = NULL;
	size_t n = 0;
	uint8_t *p = need(reg_case_bytes(c, path, &n));
	char *whole = copy(p, n);

	for (size_t i = 0; i <= n && why == NULL; i++) {
		reg_case_put(c, path, whole, i);
		why = laws(c, only);
	}
	for (unsigned i = 0; i < count && n > 0 && why == NULL; i++) {
		reg_case_put(c, path, whole, n);
		p = need(reg_case_bytes(c, path, &n));
		seed = seed * 1664525U + 1013904223U;
		p[(seed >> 8) % n] ^= (uint8_t)(1U << (seed & 7));
		why = laws(c, only);
	}
	reg_case_put(c, path, whole, n);
	free(whole);
	return why;
}

const char *
reg_case_digest(enum reg_algorithm a, const char *prefix, const void *p,
    size_t n)
{
	static char hex[4][2 * ANYDIGEST_MAX + 1];
	static unsigned turn;
	uint8_t out[ANYDIGEST_MAX];
	struct bytesrc *src = need(bytesrc_mem(p, n, NULL));
	char *dst = hex[turn++ % 4];

	if (anydigest_source((enum anydigest)a, prefix, strlen(prefix), src,
	    out, NULL) < 0)
		abort();
	for (size_t i = 0; i < anydigest_size((enum anydigest)a); i++)
		(void)snprintf(dst + 2 * i, 3, "%02x", out[i]);
	bytesrc_free(src);
	return dst;
}
