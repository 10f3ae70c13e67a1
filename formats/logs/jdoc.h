#ifndef FORMATS_LOGS_JDOC_H_
#define FORMATS_LOGS_JDOC_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct arena;

/*
 * One JSON value in memory, as a table of nodes that point into its bytes.
 *
 * Logs are many small documents of which a few names are asked, so nothing is
 * copied and nothing unescaped before it is asked for: one pass over the
 * bytes, 28 bytes a node.
 *
 * As strict as json_read.h about structure, and milder where writers of logs
 * are: NaN and Infinity are numbers (Python's json), control characters and
 * bytes that are no UTF-8 may stand in strings (${odd} says so), lone
 * surrogates become their three bytes.  Of names that occur twice the last
 * counts; ${doubles} says that a name which was asked for did.
 */
enum jtype { JDOC_NULL, JDOC_FALSE, JDOC_TRUE, JDOC_NUMBER, JDOC_STRING,
	JDOC_ARRAY, JDOC_OBJECT };

#define JDOC_NONE UINT32_MAX

struct jnode {
	uint32_t off, len;	/* STRING without quotes; a container whole */
	uint32_t key_off, key_len;
	uint32_t next;		/* next in the same container, or NONE */
	uint32_t count;		/* of a container */
	uint8_t type;
	bool escaped, key_escaped;
	uint8_t mark;		/* of the key: most others have another */
};

struct jdoc {
	const uint8_t *p;
	size_t n;		/* of the value, when it was parsed */
	struct jnode *v;	/* v[0] is the value itself */
	uint32_t nodes, cap;
	bool odd, doubles;
	/* Marks of the names of the object that is asked first: most misses. */
	uint32_t marked;
	uint64_t marks[4];
	struct arena *a;	/* for v: grows, never shrinks */
};

/*
 * jdoc_parse: the value that begins at p[0] (blanks before it are passed),
 * at most n bytes.  *used is what it took.  0, ERR_FORMAT (malformed; *used
 * says where), ERR_TRUNC (it does not end), ERR_LIMIT (too deep, too many
 * nodes), ERR_NOMEM.
 */
int jdoc_parse(struct jdoc *d, const uint8_t *p, size_t n, size_t *used);

/* jdoc_get: the value of a name of an object; NONE: no object, no name. */
uint32_t jdoc_get_n(struct jdoc *d, uint32_t object, const char *name,
    size_t n);
static inline uint32_t
jdoc_get(struct jdoc *d, uint32_t object, const char *name)
{
	return jdoc_get_n(d, object, name, strlen(name));
}
/* jdoc_at: of an array or object, by number. */
uint32_t jdoc_at(const struct jdoc *d, uint32_t container, uint32_t i);
/*
 * jdoc_path: by dotted way: "request.body.messages.0.content".  A name that
 * itself has dots is found first.
 */
uint32_t jdoc_path(struct jdoc *d, uint32_t from, const char *path);

static inline bool
jdoc_is(const struct jdoc *d, uint32_t i, enum jtype t)
{
	return i != JDOC_NONE && d->v[i].type == t;
}

/* jdoc_text: of a string, unescaped where it must be, in ${a}; else false. */
bool jdoc_text(const struct jdoc *d, uint32_t i, struct arena *a,
    const uint8_t **p, size_t *n);
/* jdoc_scalar: text of a string, number, truth; false for the others. */
bool jdoc_scalar(const struct jdoc *d, uint32_t i, struct arena *a,
    const uint8_t **p, size_t *n);
/* jdoc_raw: the bytes as they stand; of a string what is between quotes. */
void jdoc_raw(const struct jdoc *d, uint32_t i, const uint8_t **p, size_t *n);
/* jdoc_real: of a number, or a string that is one. */
bool jdoc_real(const struct jdoc *d, uint32_t i, double *ret);
bool jdoc_u64(const struct jdoc *d, uint32_t i, uint64_t *ret);
bool jdoc_equal(const struct jdoc *d, uint32_t i, const char *text);
/* jdoc_key_is: is name[0..n) the name of node ${i}, through its escapes? */
bool jdoc_key_is(const struct jdoc *d, uint32_t i, const char *name, size_t n);

/* jdoc_decimal: text as a double; the whole of it, at most 64 bytes. */
bool jdoc_decimal(const uint8_t *p, size_t n, double *ret);

#endif /* !FORMATS_LOGS_JDOC_H_ */
