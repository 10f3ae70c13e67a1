#ifndef ANALYZER_POLICY_FILE_H_
#define ANALYZER_POLICY_FILE_H_

#include <stdint.h>

struct err;

/*
 * A laboratory's own rows (docs/POLICY.md), one a line:
 *
 *   CLASS PATTERN [SEVERITY] [shape=SHAPE] [# why]
 *
 * CLASS is allow, judge, dangerous or unknown; SEVERITY (of a dangerous one)
 * low, medium, high or critical, high if absent.  At most POLICY_FILE_BYTES
 * and 8192 rows; a pattern occurs once.
 *
 * policy_file_load: read the file and put its rows before ours
 * (policy_use).  *sha256 is the file's digest.  ERR_FORMAT with the line's
 * number for anything that is not such a row; then nothing changes.
 */
#define POLICY_FILE_BYTES (4 << 20)

struct policy_file;

int policy_file_load(const char *path, struct policy_file **ret,
    uint8_t sha256[32], struct err *e);
void policy_file_free(struct policy_file *f);	/* and take the rows away */

#endif /* !ANALYZER_POLICY_FILE_H_ */
