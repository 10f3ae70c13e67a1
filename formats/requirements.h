#ifndef FORMATS_REQUIREMENTS_H_
#define FORMATS_REQUIREMENTS_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct parse;

/*
 * requirements_line: what one line makes pip do besides installing a package
 * of the usual index: another index, an archive by its address, a folder.
 * ${item}: of a list in YAML, where most lines are something else.
 * 1: it was such a line, 0: not, or negative.
 *
 * Private to requirements.c and yaml.c.
 */
int requirements_line(struct parse *p, const uint8_t *text, size_t n,
    uint64_t off, bool item);

#endif /* !FORMATS_REQUIREMENTS_H_ */
