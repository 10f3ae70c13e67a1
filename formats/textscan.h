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

/* A line of the head: the next one, false at the end. */
bool textscan_line(struct cursor *head, struct cursor *line);

/* textscan_starts: does the line begin with the word? */
bool textscan_starts(const struct cursor *line, const char *word);

#endif /* !FORMATS_TEXTSCAN_H_ */
