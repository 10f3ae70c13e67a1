#ifndef ANALYZER_DIFF_DOCS_H_
#define ANALYZER_DIFF_DOCS_H_

#include <stddef.h>
#include <stdint.h>

struct bytesrc;

/*
 * The files of one side as documents: everything that a side consists of,
 * model files too, each with the format that read it.  The comparison around
 * the weights (around.h) works on these.
 */
struct doc {
	const char *path;	/* below the side's own path; raw bytes */
	size_t path_len;	/* 0: the side is this one file */
	const char *format;	/* registry's name, "unknown" */
	const struct bytesrc *src;
	uint64_t size;
};

struct docs {
	const struct doc *v;	/* in byte order of the paths */
	size_t n;
};

#endif /* !ANALYZER_DIFF_DOCS_H_ */
