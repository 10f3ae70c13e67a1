#ifndef FORMATS_FLATJSON_H_
#define FORMATS_FLATJSON_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct err;
struct json;
struct json_token;

/*
 * A JSON value as a sorted list of its leaves, for comparing by meaning:
 * neither the order of keys nor white space nor escapes are left.
 *
 * A key is the way to the leaf: "rope_scaling.factor", "layers[3].type".  A
 * name that is empty or holds one of . [ ] " \ stands in brackets and quotes,
 * map["a.b"], so that no two ways look alike.  Empty containers are leaves.
 *
 * Of names that occur twice in one object the last counts, as it does for
 * Python, and ${doubles} says how many lost.
 */
enum flat_type { FLAT_STRING, FLAT_NUMBER, FLAT_TRUE, FLAT_FALSE, FLAT_NULL,
	FLAT_OBJECT, FLAT_ARRAY };

struct flat {
	const char *key;	/* NUL behind it */
	uint32_t key_len;
	enum flat_type type;
	const char *p;		/* STRING unescaped, NUMBER as written, else
				 * "true", "false", "null", "{}", "[]" */
	size_t n;
	uint32_t place;		/* private: the order in which they came */
	bool branch;		/* private: a name whose value has leaves */
};

struct flat_list {
	const struct flat *v;	/* by bytes of the keys, none twice */
	size_t n;
	uint64_t doubles;
};

/* A list under construction: zero it, set ${a}. */
struct flatjson {
	struct arena *a;
	struct flat_chunk *first, *last;
	size_t n;		/* leaves and branches */
	uint64_t bytes;		/* of their texts */
};

/*
 * flatjson_value: the value that begins with ${t}, a token just got, below
 * the key ${under} ("" for the whole document).  ${j} may use an arena of its
 * own: what is kept is copied.  0 or a negative err_code, ERR_LIMIT past the
 * limits LIMIT_FLAT*.
 */
int flatjson_value(struct flatjson *f, const char *under, struct json *j,
    const struct json_token *t, struct err *e);

/*
 * flatjson_put: a leaf that came from elsewhere, made by flatjson_leaf;
 * everything is copied.  ERR_LIMIT past the limits LIMIT_FLAT*.
 */
static inline struct flat
flatjson_leaf(const char *key, size_t key_len, enum flat_type type,
    const void *p, size_t n)
{
	return (struct flat){.key = key, .type = type, .p = p, .n = n,
	    .key_len = key_len < UINT32_MAX ? (uint32_t)key_len : UINT32_MAX};
}

int flatjson_put(struct flatjson *f, struct flat leaf, struct err *e);

/* flatjson_done: sort, and drop what was given before. */
int flatjson_done(struct flatjson *f, struct flat_list *ret, struct err *e);

/*
 * flatjson_equal: the same value?  Numbers by value: equal as decimals (1e-5
 * is 0.00001, 1 is 1.0), or, where both are written as fractions, in double
 * precision; all else by type and bytes.
 */
bool flatjson_equal(const struct flat *x, const struct flat *y);

/* flatjson_find: by the whole key, NULL if it is not there. */
const struct flat *flatjson_find(const struct flat *v, size_t n,
    const char *key);

#endif /* !FORMATS_FLATJSON_H_ */
