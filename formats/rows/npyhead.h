#ifndef FORMATS_ROWS_NPYHEAD_H_
#define FORMATS_ROWS_NPYHEAD_H_

#include <stddef.h>
#include <stdint.h>

struct err;
struct ndarray;
struct rows_params;

/*
 * The header of a .npy (numpy/lib/format.py), as an array of ndset.h.
 * Private to npy.c and npz.c.
 *
 * ${name} is the field's name, or of a structured type stands before the
 * names of its fields with a dot; empty: none.  a->src, file, off, len and
 * packed are set already: off is where src begins, and moves on to the data.
 *
 * 0; 1: an array without rows, of objects (a pickle, which nobody should
 * load) or of nested types (told, in the words of the record); ERR_FORMAT
 * (told) for what is no .npy; or our side.
 */
int npyhead_read(const struct rows_params *p, const char *name, size_t n,
    struct ndarray *a, struct err *e);

#endif /* !FORMATS_ROWS_NPYHEAD_H_ */
