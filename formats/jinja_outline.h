#ifndef FORMATS_JINJA_OUTLINE_H_
#define FORMATS_JINJA_OUTLINE_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct flatjson;

/*
 * A template as what it does, for comparing two versions by meaning:
 *
 *   prints <expression>      {{ ... }}
 *   does <statement>         {% ... %}
 *   writes <text>            what stands between, white space folded
 *
 * each once, its value how often it occurs.  Comments are left out, and so is
 * white space inside tags (outside of strings) and the marks that trim it
 * around them ("{%-"): jinja2/lexer.py.  "order" is a digest of the sequence:
 * it alone differs when the same parts stand in another order.
 *
 * ${prefix} stands before each key.  0 or negative.
 */
int jinja_outline_put(struct flatjson *f, const char *prefix,
    const uint8_t *t, size_t n, struct err *e);

#endif /* !FORMATS_JINJA_OUTLINE_H_ */
