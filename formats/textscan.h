#ifndef FORMATS_TEXTSCAN_H_
#define FORMATS_TEXTSCAN_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/*
 * What every text format shares: is it UTF-8 without control characters,
 * and does it hold characters that a person does not see?  Private to the
 * text formats.
 */

/* textscan_head: could these be the first bytes of a text of ${size}? */
bool textscan_head(struct cursor head, uint64_t size);

/*
 * textscan_run: read all of it, in one pass.  0: text to its end; 1: not
 * (told as MALFORMED at the first byte that is none).  Invisible characters
 * are told once, with their number.
 */
int textscan_run(struct parse *p);

/*
 * The same for text that may be of an older encoding: bytes of 0x80 and above
 * that are no UTF-8 are told once, as TEXT_ENCODING, and read on; at most an
 * eighth of the head may be such bytes.  A character that the end cuts is
 * malformed all the same.
 */
bool textscan_head_any(struct cursor head, uint64_t size);
int textscan_any(struct parse *p);

/*
 * textscan_lines: each line of the object, without its line feed; valid
 * during the call.  fn returns negative to stop.  0, or negative.
 */
typedef int textscan_line_fn(struct parse *p, void *ctx, const uint8_t *text,
    size_t n, uint64_t off);
int textscan_lines(struct parse *p, textscan_line_fn *fn, void *ctx);

/* A line of the head: the next one, false at the end. */
bool textscan_line(struct cursor *head, struct cursor *line);

/* textscan_starts: does the line begin with the word? */
bool textscan_starts(const struct cursor *line, const char *word);

#endif /* !FORMATS_TEXTSCAN_H_ */
