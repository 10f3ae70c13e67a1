#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/reader.h"
#include "base/text.h"
#include "formats/doc.h"
#include "formats/format.h"
#include "formats/reg/reg.h"

/*
 * A folder or a bundle with registries in it, as one object: the readers of
 * formats/reg over its files, and what they tell as anomalies.
 *
 * The object is a list that the parent of the scan has made:
 *
 *	<prefix> NUL				see below
 *	'f' SP <size, decimal> SP <name> NUL	a file
 *	'l' SP <name> NUL <target> NUL		a link
 *	't' SP <name> NUL			files.jsonl of a bundle, which
 *						holds its links
 *
 * Names are relative to the scan's root, a bundle's to "/".  The prefix is
 * the root's own name: a registry is known by the folder that it lies in, and
 * that may be the one that was given.  Siblings are asked for without it.
 * The list comes from our own side of the fence, and is read as if it did
 * not.
 *
 * The parent knows names alone, and some are others' names, too: where there
 * is no registry at all the object calls itself FORMAT_NONE, and is none.
 */
struct list {
	struct parse *p;
	const char *prefix;
	size_t prefix_len;
	struct reg_file *file;
	size_t files, cap;
	const char *links;	/* files.jsonl, or NULL */
};

static int
take_text(struct list *l, struct reader *rd, const char **ret, size_t *n)
{
	const uint8_t *text;
	int r = reader_line(rd, '\0', LIMIT_PATH, l->p->arena, &text, n,
	    l->p->e);

	*ret = (const char *)text;
	return r;
}

static int
add(struct list *l, const struct reg_file *f)
{
	struct reg_file *grown;

	if (l->files == LIMIT_REPOSITORY_FILES)
		return ERR_LIMIT;
	if (l->files == l->cap) {
		l->cap = l->cap == 0 ? 256 : 2 * l->cap;
		if ((grown = arena_array(l->p->arena, l->cap,
		    sizeof(*grown))) == NULL)
			return err_set(l->p->e, ERR_NOMEM, "out of memory");
		if (l->files > 0)
			memcpy(grown, l->file, l->files * sizeof(*grown));
		l->file = grown;
	}
	l->file[l->files++] = *f;
	return 0;
}

/* "prefix/name" in the arena. */
static int
set_path(struct list *l, struct reg_file *f, const char *name, size_t n)
{
	size_t skip = l->prefix_len > 0 ? l->prefix_len + 1 : 0;
	char *path = arena_alloc(l->p->arena, skip + n + 1);

	if (path == NULL)
		return err_set(l->p->e, ERR_NOMEM, "out of memory");
	if (skip > 0) {
		memcpy(path, l->prefix, l->prefix_len);
		path[l->prefix_len] = '/';
	}
	memcpy(path + skip, name, n);
	f->path = path;
	f->path_len = skip + n;
	return n > 0 ? 0 : ERR_FORMAT;
}

static int
take_record(struct list *l, struct reader *rd)
{
	struct reg_file f = {0};
	const uint8_t *text;
	const char *name;
	size_t n;
	int r;

	if ((r = reader_line(rd, ' ', 1, l->p->arena, &text, &n,
	    l->p->e)) < 0)
		return r;
	if (n != 1 || strchr("flt", text[0]) == NULL)
		return ERR_FORMAT;
	f.type = text[0] == 'l' ? REG_LINK : REG_FILE;
	if (text[0] == 't')
		return take_text(l, rd, &l->links, &n);
	if (text[0] == 'f') {
		if ((r = reader_line(rd, ' ', 20, l->p->arena, &text, &n,
		    l->p->e)) < 0)
			return r;
		if (!text_u64((const char *)text, n, 10, UINT64_MAX, &f.size))
			return ERR_FORMAT;
	}
	if ((r = take_text(l, rd, &name, &n)) < 0 ||
	    (r = set_path(l, &f, name, n)) < 0)
		return r;
	if (f.type == REG_LINK &&
	    (r = take_text(l, rd, &f.link, &f.link_len)) < 0)
		return r;
	return add(l, &f);
}

/* --- links of a bundle --- */

static int
unhex(struct list *l, const struct doc *d, const char **ret, size_t *n)
{
	size_t len = 0;
	const char *hex = doc_str(d, &len);
	char *raw;

	if (hex == NULL || len == 0 || len % 2 != 0 || len > 2 * LIMIT_PATH)
		return ERR_FORMAT;
	if ((raw = arena_alloc(l->p->arena, len / 2 + 1)) == NULL)
		return err_set(l->p->e, ERR_NOMEM, "out of memory");
	if (!text_unhex((uint8_t *)raw, hex, len))
		return ERR_FORMAT;
	*ret = raw;
	*n = len / 2;
	return 0;
}

/* A line that is not what we write ourselves is passed over. */
static int
take_link(struct list *l, const uint8_t *line, size_t n)
{
	struct reg_file f = {.type = REG_LINK};
	struct arena *a = arena_new(MIB);
	const struct doc *d = NULL;
	struct doc_fault at;
	const char *path;
	size_t len;
	int r;

	if (a == NULL)
		return err_set(l->p->e, ERR_NOMEM, "out of memory");
	r = doc_json(line, n, a, &d, &at, l->p->e);
	if (r >= 0 && (r = unhex(l, doc_key(d, "path_hex"), &path,
	    &len)) >= 0)
		r = unhex(l, doc_key(d, "link_target_hex"), &f.link,
		    &f.link_len);
	if (r >= 0 && (r = path[0] != '/' ? ERR_FORMAT :
	    set_path(l, &f, path + 1, len - 1)) >= 0)
		r = add(l, &f);
	arena_free(a);
	if (r != ERR_FORMAT && r != ERR_TRUNC && r != ERR_LIMIT)
		return r;
	err_reset(l->p->e);
	return 0;
}

static int
take_links(struct list *l)
{
	static const char begin[] = "{\"type\":\"symlink\"";
	struct bytesrc *src = NULL;
	struct arena *a = NULL;
	const uint8_t *line;
	struct reader rd;
	size_t n;
	int r = format_sibling(l->p, l->links, strlen(l->links), &src);

	if (r != SIBLING_OPEN)
		return r < 0 ? r : 0;
	if ((a = arena_new(LIMIT_ARENA / 2)) == NULL) {
		r = err_set(l->p->e, ERR_NOMEM, "out of memory");
		goto out;
	}
	r = reader_init(&rd, src, 0, l->p->window, a, l->p->e);
	while (r >= 0 && reader_left(&rd) > 0) {
		r = reader_line(&rd, '\n', LIMIT_LINE, a, &line, &n,
		    l->p->e);
		if (r >= 0 && n > sizeof(begin) &&
		    memcmp(line, begin, sizeof(begin) - 1) == 0)
			r = take_link(l, line, n);
	}
	if (r == ERR_TRUNC || r == ERR_LIMIT) {
		err_reset(l->p->e);
		r = format_anomaly(l->p, ANOMALY_LIMIT, 0, 0, NULL, 0);
	}
out:
	arena_free(a);
	bytesrc_free(src);
	return r < 0 ? r : 0;
}

/* --- the list as a tree --- */

static int
take_list(struct list *l)
{
	struct reader rd;
	int r;

	if ((r = reader_init(&rd, l->p->src, 0, l->p->window, l->p->arena,
	    l->p->e)) < 0)
		return r;
	r = take_text(l, &rd, &l->prefix, &l->prefix_len);
	while (r >= 0 && reader_left(&rd) > 0)
		r = take_record(l, &rd);
	if (r == ERR_FORMAT || r == ERR_TRUNC || r == ERR_LIMIT) {
		err_reset(l->p->e);
		r = format_anomaly(l->p, r == ERR_LIMIT ? ANOMALY_LIMIT :
		    ANOMALY_MALFORMED, reader_tell(&rd), 0, NULL, 0);
		return r < 0 ? r : 1;
	}
	if (r >= 0 && l->links != NULL)
		r = take_links(l);
	if (r >= 0)
		l->files = reg_sort(l->file, l->files);
	return r;
}

static int
open_file(void *ctx, const struct reg_file *f, struct bytesrc **ret,
    struct err *e)
{
	const struct list *l = ctx;
	size_t skip = l->prefix_len > 0 ? l->prefix_len + 1 : 0;
	int s = format_sibling(l->p, f->path + skip, f->path_len - skip, ret);

	(void)e;
	return s < 0 ? s : s == SIBLING_OPEN ? 0 : ERR_NOTFOUND;
}

static int
digest(void *ctx, enum reg_algorithm a, const void *prefix, size_t n,
    const struct bytesrc *src, uint8_t out[64], struct err *e)
{
	const struct list *l = ctx;
	const struct events *ev = l->p->ev;

	(void)e;
	return ev->digest != NULL ? ev->digest(l->p->ctx, (unsigned)a, prefix,
	    n, src, out) : ERR_NOTFOUND;
}

static int
on_problem(void *ctx, const struct reg_told *t)
{
	static const enum anomaly id[REG_PROBLEMS] = {
#define PROBLEM(name, meaning) ANOMALY_REG_##name,
#include "formats/reg/problems.def"
#undef PROBLEM
	};
	const struct list *l = ctx;
	struct fact fact[FACT_MAX];
	unsigned n = 0;

	fact[n++] = (struct fact)FACT_TEXT("file", t->path, t->path_len);
	if (t->off > 0)
		fact[n++] = (struct fact)FACT_NUM("offset", t->off);
	for (unsigned i = 0; i < t->facts && n < FACT_MAX; i++)
		fact[n++] = (struct fact)FACT_TEXT(t->fact[i].key,
		    t->fact[i].p, t->fact[i].n);
	return format_anomaly(l->p, id[t->id], 0, 0, fact, n);
}

static int
modelreg_parse(struct parse *p)
{
	struct list l = {.p = p};
	const struct reg_events ev = {NULL, on_problem, &l};
	struct reg_tree t = {0};
	int r;

	if ((r = take_list(&l)) != 0)
		return r;
	t = (struct reg_tree){l.file, l.files, open_file, digest, &l};
	r = reg_run(&t, NULL, &ev, p->arena, p->e);
	return r == REG_NONE ? format_name(p, FORMAT_NONE) : r < 0 ? r : 0;
}

static unsigned
modelreg_bid(struct cursor head, uint64_t size)
{
	(void)head;
	(void)size;
	return 0;	/* the parent says that it is one */
}

const struct format format_registry = {
    .name = "registry",
    .kind = FORMAT_CONTAINER,
    .bid = modelreg_bid,
    .parse = modelreg_parse,
};
