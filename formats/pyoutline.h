#ifndef FORMATS_PYOUTLINE_H_
#define FORMATS_PYOUTLINE_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct flatjson;

/*
 * Python source as what it defines, for comparing two versions by meaning:
 *
 *   import <line>        each import, value "import"
 *   class C, def C.f     each definition, value: its lines, nested ones too
 *   run <line>           each other line at the top, which runs on import;
 *                        value: how often
 *
 * Comments, blank lines, trailing blanks and how deep a block is indented are
 * left out (Python reference 2.1, logical lines: joined by brackets, by a
 * backslash, inside triple quotes).  It does NOT parse expressions; source
 * that no interpreter takes still gives an outline.
 *
 * pyoutline_put: the outline of t[0..n) into ${f}.  0 or negative.
 */
int pyoutline_put(struct flatjson *f, const uint8_t *t, size_t n,
    struct err *e);

#endif /* !FORMATS_PYOUTLINE_H_ */
