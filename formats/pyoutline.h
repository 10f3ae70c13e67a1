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
 *   run <line>           each other line outside of them, which runs on
 *                        import, a blank before it for each block around
 *
 * Comments, blank lines, trailing blanks and how wide a block is indented are
 * left out (Python reference 2.1, logical lines: joined by brackets, by a
 * backslash, inside triple quotes).  It does NOT parse expressions; source
 * that no interpreter takes still gives an outline.
 *
 * pyoutline_put: the outline of t[0..n) into ${f}.  0; 1 when a line or a
 * definition is over a megabyte or blocks are nested too deep, so that the
 * outline says too little; or negative.
 */
int pyoutline_put(struct flatjson *f, const uint8_t *t, size_t n,
    struct err *e);

#endif /* !FORMATS_PYOUTLINE_H_ */
