#ifndef FORMATS_FOLD_H_
#define FORMATS_FOLD_H_

#include <stddef.h>

/*
 * Names as a file system sees them that ignores case or normal form: full
 * case folding, then canonical decomposition, marks in canonical order.  Two
 * names with equal folded forms are one file on APFS, HFS+ or NTFS.
 *
 * The table (fold.def) is made from UnicodeData.txt and CaseFolding.txt of
 * Unicode 14.0; it has the case pairs of all alphabets below U+0F00, of
 * Georgian, Latin, letter-like and fullwidth letters and of Deseret, and the
 * decompositions of Latin, Greek (without polytonic) and Cyrillic.  Hangul is
 * computed (Unicode 3.12).  Everything else stays as it is, and so do bytes
 * that are no UTF-8.  Compatibility forms are NOT folded: no file system
 * does.
 */
#define FOLD_GROWTH 4

/*
 * fold_name: write the folded form of src[0..n) to dst, which has room for
 * FOLD_GROWTH times n bytes; returns its length.  More than FOLD_MARKS marks
 * in a row are not put in order.
 */
#define FOLD_MARKS 32
size_t fold_name(char *dst, const char *src, size_t n);

#endif /* !FORMATS_FOLD_H_ */
