#ifndef FORMATS_REG_PBTEXT_H_
#define FORMATS_REG_PBTEXT_H_

#include <stdbool.h>
#include <stddef.h>

struct arena;

/*
 * Protocol buffers as text (protobuf.dev, "Text Format"), for config.pbtxt:
 * the leaves one after the other, each with the way to it.
 *
 *	name: "m"  input [ { name: "x" } ]  parameters { key: "k" value { ... } }
 *
 * A path is "parameters.value.string_value"; elements of lists have no
 * number.
 */
#define PBTEXT_DEPTH 32
#define PBTEXT_PATH 256

struct pbtext {
	const char *p;
	size_t n, at;
	struct arena *a;
	char path[PBTEXT_PATH];
	size_t mark[PBTEXT_DEPTH];	/* of the path, at each "{" */
	char close[PBTEXT_DEPTH];	/* what ends the level: } > or ] */
	unsigned depth;
	const char *why;	/* of PBTEXT_BAD */
};

struct pbtext_leaf {
	const char *path;
	const char *value;	/* unquoted, NUL behind; in the arena */
	size_t value_len;
	bool quoted;
};

enum pbtext_found { PBTEXT_END, PBTEXT_LEAF, PBTEXT_BAD };

void pbtext_init(struct pbtext *t, const char *p, size_t n,
    struct arena *a);
/* pbtext_next: an enum pbtext_found, or ERR_NOMEM. */
int pbtext_next(struct pbtext *t, struct pbtext_leaf *ret);

#endif /* !FORMATS_REG_PBTEXT_H_ */
