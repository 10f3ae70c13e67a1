#ifndef CLI_VERIFY_PRINT_H_
#define CLI_VERIFY_PRINT_H_

#include <stdbool.h>

struct buf;
struct rows;
struct verify_result;

/*
 * The statements of a verification in words, or as JSON rows (one a
 * statement, then a "verification" row that sums up).  Shared by exhibit
 * and exhibit-verify.  ${path} is what the person gave; it is made printable
 * here.  quiet: the conclusion alone, in words.
 */
void verify_print(struct buf *b, const char *path,
    const struct verify_result *r, struct rows *rows, bool quiet);

#endif /* !CLI_VERIFY_PRINT_H_ */
