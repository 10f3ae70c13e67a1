#ifndef FORMATS_GZIP_HEADER_H_
#define FORMATS_GZIP_HEADER_H_

#include <stdint.h>

struct parse;

/*
 * The header of a gzip member (RFC 1952, 2.3) at ${off}: its name, comment
 * and extra field, which no reader of the content looks at.  0, or negative.
 */
int gzip_header_check(struct parse *p, uint64_t off);

#endif /* !FORMATS_GZIP_HEADER_H_ */
