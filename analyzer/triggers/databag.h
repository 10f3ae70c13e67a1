#ifndef ANALYZER_TRIGGERS_DATABAG_H_
#define ANALYZER_TRIGGERS_DATABAG_H_

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct bytesrc;
struct err;
struct rows;
struct rows_file;

/*
 * The training data of a sealed bundle as files: members of class training,
 * by the paths that they were taken from; records of a slice by the name of
 * the data set that they are of.  What is wrong with the bundle, or with a
 * member against what the bundle's manifest states, is told as a finding.
 */
struct databag {
	struct rows_file *file;
	size_t n, cap;
	struct arena *arena;
};

/* databag_is: do these first bytes begin a bundle? */
bool databag_is(const struct bytesrc *src, struct err *e);
/* databag_load: sources that databag_close frees.  0 or negative. */
int databag_load(struct databag *b, const struct bytesrc *src,
    struct arena *a, const struct rows *to, struct err *e);
void databag_close(struct databag *b);

#endif /* !ANALYZER_TRIGGERS_DATABAG_H_ */
