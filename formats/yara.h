#ifndef FORMATS_YARA_H_
#define FORMATS_YARA_H_

#include <stddef.h>
#include <stdint.h>

struct bytesrc;
struct err;

/*
 * The analyst's own YARA rules, by libyara.
 *
 * The rules are compiled by the parent (they are the analyst's) and run in
 * the worker over evidence, behind the fence: no signal handler is set, no
 * file is read, `include` is refused, external variables do not exist.  An
 * object is read in blocks of YARA_BLOCK bytes that overlap by YARA_OVERLAP:
 * a match longer than that may be missed at a block's edge.  Modules (pe, elf,
 * math, ...) see the first block.
 */
#define YARA_BLOCK ((size_t)8 << 20)
#define YARA_OVERLAP ((size_t)64 << 10)
#define YARA_RULES_MAX ((size_t)64 << 20)	/* of source text */

struct yara;

/*
 * yara_compile: ERR_FORMAT with the line and the compiler's words when the
 * text is no set of rules.
 */
int yara_compile(const char *text, size_t n, struct yara **ret,
    struct err *e);
void yara_free(struct yara *y);		/* NULL does nothing */

struct yara_match {
	const char *rule;	/* identifier; of the analyst's file */
	const char *tags;	/* separated by blanks, "" none */
	const char *severity;	/* meta "severity", "" none */
	const char *description;/* meta "description", "" none */
	const char *string;	/* identifier of the first string that is
				 * there, "" when the condition needs none */
	uint64_t off, len;	/* of that */
	uint64_t count;		/* of its occurrences, at most */
};

/*
 * yara_scan: tell each rule that holds, in the order of the file.  0, 1 when
 * not all could be tried (time, too many matches), or negative: ${fn}'s own
 * failure, ERR_IO, ERR_TRUNC, ERR_NOMEM.
 */
int yara_scan(struct yara *y, const struct bytesrc *src, unsigned seconds,
    int (*fn)(void *ctx, const struct yara_match *m), void *ctx,
    struct err *e);

#endif /* !FORMATS_YARA_H_ */
