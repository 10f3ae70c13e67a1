#ifndef FORMATS_REG_HFCACHE_H_
#define FORMATS_REG_HFCACHE_H_

#include <stdbool.h>
#include <stddef.h>

#include "formats/reg/claim.h"

/*
 * A repository in the cache of huggingface_hub.  Private to hfcache.c and
 * hfsnapshot.c.
 */
struct hfcache_blob {
	enum claim_hash hash;	/* that its name is */
	bool known;		/* hex is of its bytes */
	char hex[CLAIM_HEX];
};

struct hfcache {
	struct reg_parse *p;
	const char *id;
	bool dataset;
	struct hfcache_blob *blob;	/* of files [first, end) */
	size_t first, end;
};

/* An empty row about this repository. */
void hfcache_begin(const struct hfcache *k, const struct reg_file *f,
    const char *type, struct reg_row *row);
void hfcache_commit(struct reg_row *row, const char *commit, size_t n);
/* The end of the part of a path that begins at ${at}. */
size_t hfcache_part(const struct reg_file *f, size_t at);

/*
 * hfcache_snapshots: the files [first, end) of snapshots/, commit by commit.
 * 0 or negative.
 */
int hfcache_snapshots(const struct hfcache *k, size_t first, size_t end);

#endif /* !FORMATS_REG_HFCACHE_H_ */
