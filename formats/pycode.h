#ifndef FORMATS_PYCODE_H_
#define FORMATS_PYCODE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct parse;

/*
 * A python code object, told as ANOMALY_PYTHON_CODE: "code" its name, "file"
 * that of its source, "names" the globals, attributes and modules that it
 * names (co_names), "constants" its text and bytes, both as quoted literals
 * with commas between them, at most PYCODE_TEXT bytes of each literal.  Lists
 * that do not fit in one event are told in several: the caller need not cut,
 * so no name is hidden behind a thousand others.  "module" is 1 for the code
 * of a compiled module (.pyc), which is code by its nature; it is absent else.
 *
 * Not done: reading the byte code.  Whether a name is a global or an attribute
 * is therefore not known.
 */
#define PYCODE_TEXT 512

enum pycode_list { PYCODE_NAMES, PYCODE_CONSTANTS, PYCODE_LISTS };

struct pycode {
	struct parse *p;
	uint64_t off, len;	/* of the object, or of what makes it */
	const void *name, *file;	/* borrowed; NULL: not known */
	size_t name_len, file_len;
	bool module;		/* of a .pyc */
	/* the rest is private */
	struct buf list[PYCODE_LISTS];
	unsigned told;
	int r;
};

/* All but the borrowed texts, which the caller may set before the first put. */
void pycode_init(struct pycode *c, struct parse *p, uint64_t off,
    uint64_t len);
void pycode_put(struct pycode *c, enum pycode_list list, const void *text,
    size_t n);
/* pycode_end: tell the rest, free; 0, or what an event gave. */
int pycode_end(struct pycode *c);

#endif /* !FORMATS_PYCODE_H_ */
