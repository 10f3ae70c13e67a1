#ifndef ANALYZER_BUNDLE_INDEX_H_
#define ANALYZER_BUNDLE_INDEX_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct bytesrc;
struct err;
struct evidence_member;

/*
 * What a bundle's own manifests state about its members: a table of digests
 * by name.  Whoever reads a member checks it against this.  Hostile input:
 * call it inside the sandbox.
 */
struct bundle_line {
	const char *name;	/* below BAG/, escaped; not terminated */
	size_t n;
	uint8_t sha256[32];
};

struct bundle_index {
	struct bundle_line *line;	/* sorted by name */
	size_t count, cap;
	bool whole;		/* the walk came to the bundle's end */
	const char *problem;	/* why not, or what is wrong; NULL */
	uint64_t problem_off;
};

/*
 * bundle_index_load: walk the bundle and read manifest-sha256.txt and
 * tagmanifest-sha256.txt.  What is wrong with the bundle goes into
 * ret->problem (the first one); negative only when our side failed.
 *
 * ${seen}, unless NULL, is called for each member as the walk passes it, for
 * who needs nothing that the manifests say; negative stops, and is passed on.
 */
struct bundle_seen {
	int (*member)(void *ctx, const struct evidence_member *m,
	    struct err *e);
	void *ctx;
};
int bundle_index_load(const struct bytesrc *src, struct arena *a,
    const struct bundle_seen *seen, struct bundle_index *ret, struct err *e);

/* bundle_index_find: the stated digest, or NULL. */
const uint8_t *bundle_index_find(const struct bundle_index *x,
    const char *name, size_t n);

/* bundle_index_unlisted: tag manifests are what nothing lists, by design. */
bool bundle_index_unlisted(const char *name);

#endif /* !ANALYZER_BUNDLE_INDEX_H_ */
