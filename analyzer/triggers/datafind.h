#ifndef ANALYZER_TRIGGERS_DATAFIND_H_
#define ANALYZER_TRIGGERS_DATAFIND_H_

#include <stdbool.h>
#include <stddef.h>

struct arena;
struct rows_file;

/*
 * Files of a folder as data sets, by their names alone: images make one,
 * whatever folders they stand in; so do the shards of a set, the batches of
 * CIFAR, IDX files of one prefix, an array and its labels, and all that lies
 * beside the index of a sharded format; every other file is one of its own.
 */
struct datafind_set {
	const struct rows_file *file;	/* in byte order of the names */
	size_t files;
	const struct rows_file *labels;	/* or NULL (datarun.h) */
	const char *format;		/* where the names say it */
	/* What to call it: its file, or the folder that its files are in. */
	const char *name;
	size_t name_len;
};

/* datafind: in the order of their first files.  NULL: out of memory. */
struct datafind_set *datafind(const struct rows_file *file, size_t n,
    struct arena *a, size_t *sets);

#endif /* !ANALYZER_TRIGGERS_DATAFIND_H_ */
