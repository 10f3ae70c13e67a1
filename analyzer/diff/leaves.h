#ifndef ANALYZER_DIFF_LEAVES_H_
#define ANALYZER_DIFF_LEAVES_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/diff/job.h"

struct arena;
struct bytesrc;
struct err;
struct spill;

/*
 * What a side consists of once archives are seen through: a list of leaves,
 * each a range of a file that can be read and mapped.
 *
 * A tar, an evidence bundle, a zip that is no model of its own, a compressed
 * stream: its members are leaves, at any depth.  What is stored stays where
 * it is; what is compressed is unpacked into the spill first.  A model file
 * (a torch archive too) is a leaf.
 *
 * Paths are printable already: '!' between a container and its member, other
 * '!' and unprintable bytes escaped (text_put with TEXT_PATH); BAG/ is left
 * out of a bundle's members.
 */
struct leaf {
	const char *path;
	size_t path_len;
	const char *box;	/* the path of the archive it lies in, or NULL */
	size_t box_len;
	const char *inner;	/* its path in that archive or side, raw */
	size_t inner_len;
	unsigned flags;		/* enum part_flags */
	int fd;
	uint64_t off, size;
	struct bytesrc *src;	/* the same range */
	const char *format;	/* of its best bid; "unknown" */
	bool has_sha256;	/* what a bundle's manifest states */
	uint8_t sha256[32];
};

struct leaves {
	struct leaf *v;		/* in byte order of the paths */
	size_t n, cap;
	enum row_side side;
	struct arena *arena;
	struct spill *spill;
	const struct rows *rows;
	uint64_t room;		/* what may still be unpacked */
	bool cut;		/* a limit left something out, and it was told */
};

/*
 * leaves_find: walk all files of ${job}, as far as its member goes; findings
 * about containers go to l->rows.  The caller set side, arena, spill and
 * rows.
 */
int leaves_find(struct leaves *l, const struct job_side *job, struct err *e);
void leaves_release(struct leaves *l);

/*
 * leaves_beside: the leaf that ${name} means, as ${from} spells it: in the
 * same archive, or in the same file tree.  NULL: there is none.
 */
const struct leaf *leaves_beside(const struct leaves *l,
    const struct leaf *from, const char *name, size_t n);

#endif /* !ANALYZER_DIFF_LEAVES_H_ */
