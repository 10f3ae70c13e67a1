#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/bytesrc.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "formats/doc.h"
#include "formats/reg/oms.h"
#include "formats/reg/regdoc.h"

/*
 * The files of a signed model.  A resource is a file, or a shard of one
 * ("path:start:end", parted at the last two colons).
 */
struct resource {
	const struct doc *d;
	const char *name;	/* as listed */
	size_t n;
	const char *path;	/* without a shard's bounds */
	size_t path_len;
	uint64_t start, end;	/* of a shard */
	const struct reg_file *f;	/* NULL: not there */
	struct claim c;
};

/* --- names --- */

/* "a/b", nothing that could lead elsewhere. */
static bool
is_good(const char *s, size_t n)
{
	if (n == 0 || s[0] == '/' || memchr(s, '\0', n) != NULL ||
	    memchr(s, '\\', n) != NULL)
		return false;
	for (size_t at = 0, len; at <= n; at += len + 1) {
		const char *slash = memchr(s + at, '/', n - at);

		len = (slash != NULL ? (size_t)(slash - s) : n) - at;
		if (len == 0 || (len == 1 && s[at] == '.') ||
		    (len == 2 && memcmp(s + at, "..", 2) == 0))
			return false;
	}
	return true;
}

static bool
number_behind(const struct resource *x, size_t colon, size_t end,
    uint64_t *ret)
{
	return text_u64(x->name + colon + 1, end - colon - 1, 10, INT64_MAX,
	    ret);
}

static bool
take_shard(struct resource *x)
{
	const char *last = memrchr(x->name, ':', x->n), *first;
	size_t b, a;

	if (last == NULL)
		return false;
	b = (size_t)(last - x->name);
	if ((first = memrchr(x->name, ':', b)) == NULL)
		return false;
	a = (size_t)(first - x->name);
	x->path_len = a;
	return number_behind(x, a, b, &x->start) &&
	    number_behind(x, b, x->n, &x->end) && x->start <= x->end;
}

/* The only file beside the signature, for the name ".". */
static const struct reg_file *
lone_file(const struct oms *s)
{
	const struct reg_file *one = NULL;

	for (size_t i = s->first; i < s->end; i++) {
		const struct reg_file *f = &s->p->tree->file[i];

		if (f == s->sig || f->type == REG_FOLDER)
			continue;
		if (one != NULL)
			return NULL;
		one = f;
	}
	return one;
}

static const struct reg_file *
file_of(const struct oms *s, const struct resource *x)
{
	char path[LIMIT_PATH];
	size_t n = s->p->root_len;

	if (x->path_len == 1 && x->path[0] == '.')
		return lone_file(s);
	if (n >= sizeof(path))
		return NULL;
	memcpy(path, s->p->root, n);
	return reg_join(path, &n, x->path, x->path_len) ?
	    reg_find(s->p->tree, path, n) : NULL;
}

/* --- digests --- */

int
oms_digest(struct oms *s, enum claim_hash h, const struct bytesrc *src,
    char hex[CLAIM_HEX])
{
	const struct reg_fact why = {"reason", "it cannot be read", 17};
	int r = claim_source(s->p, src, h, hex);

	if (r != ERR_TRUNC && r != ERR_IO && r != ERR_NOTFOUND)
		return r;
	err_reset(s->p->e);
	r = reg_tell(s->p, REG_PROBLEM_UNREAD, s->sig, &why, 1);
	return r < 0 ? r : 1;
}

static int
check_shard(struct oms *s, struct resource *x, struct reg_row *row)
{
	struct bytesrc *whole = NULL, *part = NULL;
	char hex[CLAIM_HEX] = "";
	int r;

	if ((r = reg_open(s->p, x->f, &whole)) != 0)
		return r < 0 ? r : reg_send(s->p, row);
	part = bytesrc_range(whole, x->start, x->end - x->start, s->p->e);
	if (part == NULL) {
		err_reset(s->p->e);
		r = claim_settle(s->p, x->f, &x->c, "beyond the end",
		    bytesrc_size(whole), row);
	} else {
		r = oms_digest(s, x->c.hash, part, hex);
		if (r == 0)
			r = claim_settle(s->p, x->f, &x->c, hex,
			    x->end - x->start, row);
	}
	bytesrc_free(part);
	bytesrc_free(whole);
	return r < 0 ? r : 0;
}

static enum claim_hash
hash_of(const struct doc *d)
{
	return doc_is_str(d, "sha256") ? CLAIM_SHA256 :
	    doc_is_str(d, "sha512") ? CLAIM_SHA512 :
	    doc_is_str(d, "blake2b") ? CLAIM_BLAKE2B : CLAIM_NONE;
}

static int
say(struct oms *s, enum reg_problem id, const struct resource *x,
    const char *reason)
{
	const struct reg_fact fact[] = {{"reason", reason, strlen(reason)},
	    {"named", x->name, x->n}};

	return reg_tell(s->p, id, s->sig, fact, 2);
}

static int
check_resource(struct oms *s, struct resource *x)
{
	struct reg_row row;

	reg_row_init(s->p, s->sig, &row);
	reg_set(&row, REG_TYPE, "artifact");
	fields_text(&row.v[REG_ARTIFACT], x->name, x->n);
	if (x->f != NULL && x->f >= s->p->tree->file + s->first &&
	    x->f < s->p->tree->file + s->end)
		s->listed[(size_t)(x->f - s->p->tree->file) - s->first] =
		    true;
	if (x->c.hash == CLAIM_NONE) {
		regdoc_text(&row.v[REG_ALGORITHM],
		    doc_key(x->d, "algorithm"));
		fields_text(&row.v[REG_DIGEST], x->c.digest,
		    x->c.digest_len);
		int r = reg_send(s->p, &row);

		return r < 0 ? r : say(s, REG_PROBLEM_UNREAD, x,
		    "a digest that is not computed here");
	}
	return s->shards && x->f != NULL && x->c.digest_len ==
	    claim_digits(x->c.hash) ? check_shard(s, x, &row) :
	    claim_check(s->p, x->f, &x->c, &row);
}

static int
refuse(struct oms *s, const struct resource *x)
{
	int r = say(s, REG_PROBLEM_MALFORMED, x,
	    "a name that no file of the model has");

	return r < 0 ? r : 1;
}

static int
read_resource(struct oms *s, const struct doc *d, struct resource *x)
{
	const struct doc *digest = doc_key(d, "digest");

	*x = (struct resource){.d = d};
	x->name = x->path = doc_str(doc_key(d, "name"), &x->n);
	x->path_len = x->n;
	if (x->name == NULL)
		return reg_bad(s->p, s->sig, 0, "a resource without a name");
	if (s->legacy) {
		digest = doc_key(digest, "sha256");
		x->c.hash = CLAIM_SHA256;
	} else {
		x->c.hash = hash_of(doc_key(d, "algorithm"));
	}
	x->c.digest = doc_str(digest, &x->c.digest_len);
	x->c.by = s->sig;
	x->c.name = x->name;
	x->c.name_len = x->n;
	if (x->c.digest == NULL)
		return reg_bad(s->p, s->sig, 0,
		    "a resource without a digest");
	if ((s->shards && !take_shard(x)) ||
	    (!is_good(x->path, x->path_len) &&
	    !(x->path_len == 1 && x->path[0] == '.')))
		return refuse(s, x);
	x->f = file_of(s, x);
	return 0;
}

/* --- all of them --- */

static int
by_name(const void *a, const void *b)
{
	const struct doc *const *x = a, *const *y = b;
	size_t n, m;
	const char *s = doc_str(doc_key(*x, "name"), &n);
	const char *t = doc_str(doc_key(*y, "name"), &m);
	int c = memcmp(s != NULL ? s : "", t != NULL ? t : "",
	    n < m ? n : m);

	return c != 0 ? c : (n > m) - (n < m);
}

/* One name twice: which of them counts depends on the reader. */
static int
check_twice(struct oms *s)
{
	const struct doc **v;
	size_t n = 0;
	int r = 0;

	if ((v = arena_array(s->p->arena, s->resources->n,
	    sizeof(const struct doc *))) == NULL)
		return err_set(s->p->e, ERR_NOMEM, "out of memory");
	for (const struct doc *d = doc_kids(s->resources); d != NULL;
	    d = d->next)
		v[n++] = d;
	if (n > 1)
		qsort(v, n, sizeof(const struct doc *), by_name);
	for (size_t i = 1; i < n && r >= 0; i++)
		if (by_name(&v[i - 1], &v[i]) == 0) {
			struct resource x = {0};

			x.name = doc_str(doc_key(v[i], "name"), &x.n);
			r = say(s, REG_PROBLEM_DISAGREES, &x,
			    "a name stands twice");
		}
	return r;
}

int
oms_resources(struct oms *s)
{
	struct resource x;
	int r;

	reg_below(s->p->tree, s->p->root, s->p->root_len, &s->first, &s->end);
	s->listed = arena_array(s->p->arena, s->end - s->first,
	    sizeof(*s->listed));
	if (s->listed == NULL)
		return err_set(s->p->e, ERR_NOMEM, "out of memory");
	r = check_twice(s);
	for (const struct doc *d = doc_kids(s->resources);
	    d != NULL && r >= 0; d = d->next) {
		r = read_resource(s, d, &x);
		if (r == 0)
			r = check_resource(s, &x);
	}
	return r < 0 ? r : 0;
}

/* --- files that no resource names --- */

static bool
below(const char *path, size_t n, const char *folder, size_t m)
{
	return m > 0 && n >= m && memcmp(path, folder, m) == 0 &&
	    (n == m || path[m] == '/');
}

static bool
by_default(const char *rel, size_t n)
{
	static const char *const names[] = {".git", ".gitignore",
	    ".gitattributes", ".github"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (below(rel, n, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool
is_ignored(const struct oms *s, const char *rel, size_t n)
{
	for (const struct doc *d = doc_kids(s->ignored); d != NULL;
	    d = d->next) {
		size_t m;
		const char *path = doc_str(d, &m);

		while (path != NULL && m > 0 && path[m - 1] == '/')
			m--;
		if (path != NULL && below(rel, n, path, m))
			return true;
	}
	return false;
}

/* What a loader, or Python beside it, would run. */
static bool
runs(const struct reg_file *f)
{
	static const char *const tails[] = {".py", ".pyc", ".so", ".pkl",
	    ".pickle", ".pt", ".pth", ".bin", ".ckpt", ".joblib", ".sh",
	    ".dll", ".dylib", ".ipynb"};

	for (size_t i = 0; i < sizeof(tails) / sizeof(*tails); i++)
		if (reg_ends(f, tails[i]))
			return true;
	return false;
}

int
oms_unsigned(struct oms *s)
{
	const struct reg_fact why = {"reason",
	    "the signature leaves it out", 27};
	int r = 0;

	for (size_t i = s->first; i < s->end && r >= 0; i++) {
		const struct reg_file *f = &s->p->tree->file[i];
		size_t n;
		const char *rel = reg_relative(s->p, f, &n);

		if (f == s->sig || f->type == REG_FOLDER ||
		    s->listed[i - s->first] || by_default(rel, n))
			continue;
		if (!is_ignored(s, rel, n))
			r = reg_tell(s->p, REG_PROBLEM_EXTRA, f, NULL, 0);
		else if (runs(f))
			r = reg_tell(s->p, REG_PROBLEM_CODE, f, &why, 1);
	}
	return r;
}
