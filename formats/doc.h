#ifndef FORMATS_DOC_H_
#define FORMATS_DOC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;

/*
 * A JSON or YAML document as an immutable tree in an arena, for files that
 * are small and read as a whole: meta.yaml, index.json, a page of an API.
 *
 * Nothing is lost: keys stand in the order of the document, those that occur
 * twice are all there (${doubles} counts the ones that a loader forgets),
 * scalars keep their text.  Every node knows where it begins.
 *
 * YAML: scalars without quotes are resolved by the core schema: null (also
 * the empty one), true, false, integers (decimal, 0x, 0o, 0...), reals; all
 * else, dates and yes/no too, is a string.  Tags are text, they change
 * nothing, but a scalar that has one is a string unless its tag is one of
 * YAML's own.  An alias is a copy of the node that it names, which shares
 * that node's children, with ${alias} set.  Whoever walks the tree needs no
 * care: what it would have with every alias written out is within the limits
 * of depth and nodes, or the document is refused.  A node that holds itself
 * and a key that is a list or a map are refused too; no loader that builds
 * plain data takes them.  A merge key "<<" is a key like any other, and
 * doc_key looks through it as loaders do.
 *
 * Limits: LIMIT_DOC_* of base/limits.h.  Everything, the text of scalars too,
 * is in the arena: the bytes that were read are not needed afterwards.
 */
enum doc_type {
	DOC_NULL,
	DOC_BOOL,	/* i: 0 or 1 */
	DOC_INT,	/* i when ${fits}; d always */
	DOC_REAL,	/* d */
	DOC_STRING,
	DOC_LIST,
	DOC_MAP,
};

struct doc {
	enum doc_type type;
	bool quoted;		/* a scalar in quotes, or a block */
	bool fits;		/* an integer that int64_t holds */
	bool merges;		/* a map with a key "<<" */
	uint32_t n;		/* children */
	uint32_t doubles;	/* of a map: keys that come again later */
	uint64_t off;		/* of its first byte in the source */

	const char *key;	/* of a map's child, NUL behind */
	size_t key_len;
	uint64_t key_off;

	const char *str;	/* scalars: text, unescaped, NUL behind */
	size_t len;
	int64_t i;
	double d;

	const char *tag;	/* YAML: as resolved by the parser, or NULL */
	const char *alias;	/* YAML: the anchor's name, or NULL */

	const struct doc *first;	/* children in order */
	const struct doc *next;		/* the next child of the same parent */

	const struct doc *const *sorted; /* private: by key, then by order */
	uint32_t weight, height, merged; /* private: with aliases written out */
};

/* Where and why a document could not be read. */
struct doc_fault {
	uint64_t line, column;	/* from 1; columns in bytes */
	uint64_t off;
	const char *what;	/* a constant sentence, never NULL */
};

/*
 * doc_json: the value that p[0..n) is, blanks around it apart.
 * doc_yaml: a list with every document of the stream p[0..n), UTF-8.
 *
 * 0 and *ret, or ERR_FORMAT, ERR_TRUNC, ERR_LIMIT with *at filled (these are
 * facts about the bytes), or ERR_NOMEM.
 */
int doc_json(const void *p, size_t n, struct arena *a, const struct doc **ret,
    struct doc_fault *at, struct err *e);
int doc_yaml(const void *p, size_t n, struct arena *a, const struct doc **ret,
    struct doc_fault *at, struct err *e);

/* --- asking; ${d} may be NULL everywhere, and then the answer is no --- */

/*
 * doc_key: the child of a map with this key; the last of several, as loaders
 * do.  Through "<<" when the map itself has none.
 */
const struct doc *doc_key(const struct doc *d, const char *key);
const struct doc *doc_keyn(const struct doc *d, const char *key, size_t n);
/* doc_count: how often the key occurs in this map, "<<" not looked through. */
uint32_t doc_count(const struct doc *d, const char *key, size_t n);
/*
 * doc_get: by dotted path, "flavors.python_function.loader_module"; elements
 * of lists by number.  For keys that hold a dot use doc_key.
 */
const struct doc *doc_get(const struct doc *d, const char *path);
/* doc_at: the i-th child of a list or a map. */
const struct doc *doc_at(const struct doc *d, uint32_t i);
/* doc_kids: the first child, then ->next; NULL for scalars. */
const struct doc *doc_kids(const struct doc *d);

bool doc_is(const struct doc *d, enum doc_type t);
bool doc_is_str(const struct doc *d, const char *s);	/* text of a string */

/*
 * doc_str: the text of a string.  doc_text: of any scalar but null, as it is
 * written.  NULL and *n = 0 when it is none.
 */
const char *doc_str(const struct doc *d, size_t *n);
const char *doc_text(const struct doc *d, size_t *n);
/*
 * doc_i64: an integer, or a string or real that spells one: "1754589500399"
 * as proxies write int64, 1754589500399.0.
 */
bool doc_i64(const struct doc *d, int64_t *ret);
bool doc_u64(const struct doc *d, uint64_t *ret);
bool doc_bool(const struct doc *d, bool *ret);

#endif /* !FORMATS_DOC_H_ */
