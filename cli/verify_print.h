#ifndef CLI_VERIFY_PRINT_H_
#define CLI_VERIFY_PRINT_H_

#include <stdbool.h>

struct buf;
struct verify_result;

/*
 * The statements of a verification in words, or as JSON Lines (one row a
 * statement, then a "verification" row that sums up).  Shared by exhibit
 * and exhibit-verify.  ${path} is what the person gave; it is made printable
 * here.
 */
void verify_print_text(struct buf *b, const char *path,
    const struct verify_result *r, bool quiet);
void verify_print_jsonl(struct buf *b, const char *path,
    const struct verify_result *r);

#endif /* !CLI_VERIFY_PRINT_H_ */
