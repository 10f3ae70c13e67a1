#ifndef ANALYZER_HTML_H_
#define ANALYZER_HTML_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

/*
 * HTML out, escaped by construction: text can only be written by functions
 * that make it printable and escape it; tags and classes are our own
 * constants.  There is no function that writes text as markup.
 */
void html_open(struct buf *b, const char *tag, const char *cls);
void html_close(struct buf *b, const char *tag);
/* html_text: bytes from anywhere; printable form, then escaped. */
void html_text(struct buf *b, const void *p, size_t n);
void html_str(struct buf *b, const char *s);
/* html_shown: text that is in printable form already (our own results). */
void html_shown(struct buf *b, const char *s, size_t n);
/* One element with text, and a table's cell or row of them. */
void html_el(struct buf *b, const char *tag, const char *cls, const char *s);
void html_cell_u64(struct buf *b, uint64_t v);

/*
 * html_picture: a PNG as part of the page, shown with ${shown} pixels on its
 * longer side; ${png} is base64 (RFC 4648) and came from results, which could
 * have been edited.  When it is anything but that, does not begin as a PNG
 * does, or is larger than HTML_PICTURE_MAX, nothing is written and false
 * returned.
 */
#define HTML_PICTURE_MAX 16384
bool html_picture(struct buf *b, const char *png, size_t n, uint64_t width,
    uint64_t height, unsigned shown, const char *alt);

#endif /* !ANALYZER_HTML_H_ */
