#ifndef FORMATS_VTREE_H_
#define FORMATS_VTREE_H_

#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/*
 * Extraction on paper: an archive's members are replayed in their order on a
 * tree in memory, and what would happen to a careless tool is told.
 *
 *   NAME_TRAVERSAL, NAME_ABSOLUTE, NAME_DECEPTIVE, NAME_LOOKALIKE, NAME_NUL
 *		the name by itself (names.h)
 *   LINK_OUTSIDE	a link whose target is outside of the root, or a
 *		member that is written through one: links are followed where
 *		they really lie, so that the chain a -> ., a/b -> .., a/b/x is
 *		seen to leave
 *   LINK_THROUGH	a member that is written through a link that stays
 *		inside: tools that refuse and tools that follow differ
 *   LINK_REPLACED	a link where there was something, or something where
 *		there was a link
 *   LINK_DANGLING	a hard link to what the archive does not hold
 *   NAME_CONFLICT	a file where there was a folder, or the reverse
 *   ${duplicate}	a file where there was a file
 *   NAME_CASE_TWIN	two files that one file system holds for the same
 *		(fold.h)
 *   SPECIAL_MEMBER	a device, FIFO or socket; a file that runs as its owner
 *   NAME_WINDOWS	once, with the first name and the count
 *   LIMIT		too many nodes or steps: what comes later is not
 *		placed
 *
 * Linear in the length of all names and targets, but for the links that are
 * followed, which have a budget of their own (LIMIT_VTREE_STEPS).  All memory
 * is the parse's arena; names are not copied and must outlive the tree.
 */
enum vtree_kind {
	VTREE_FILE,
	VTREE_FOLDER,
	VTREE_SYMLINK,
	VTREE_HARDLINK,
	VTREE_DEVICE,
	VTREE_FIFO,		/* and sockets */
};

struct vtree_member {
	const char *name;
	size_t name_len;
	const char *link;	/* target of either link */
	size_t link_len;
	uint64_t off;		/* of the header that names it */
	uint32_t mode;		/* permission bits, 0 unknown */
	enum vtree_kind kind;
	bool empty;		/* no content: a folder may be meant */
};

struct vtree;

/* vtree_new: NULL when out of memory. */
struct vtree *vtree_new(struct parse *p, enum anomaly duplicate);
/* vtree_add: 0, or negative: our side, or what an event said. */
int vtree_add(struct vtree *t, const struct vtree_member *m);
/*
 * vtree_end: what only the whole tree shows: links that leave once later
 * members are in place.
 */
int vtree_end(struct vtree *t);

/*
 * vtree_name: the name alone is told, without a place in the tree: of a
 * second header that names the member otherwise.
 */
int vtree_name(struct vtree *t, const char *name, size_t n, uint64_t off);

#endif /* !FORMATS_VTREE_H_ */
