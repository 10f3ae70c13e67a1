#ifndef FORMATS_SEVENZIP_END_H_
#define FORMATS_SEVENZIP_END_H_

struct parse;

/*
 * What stands behind the end that a 7z archive's first header names, which no
 * unpacker looks at.  0, or negative.
 */
int sevenzip_end_check(struct parse *p);

#endif /* !FORMATS_SEVENZIP_END_H_ */
