#ifndef FORMATS_REPOSITORY_H_
#define FORMATS_REPOSITORY_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/format.h"

/*
 * A folder of model files as one object: what its files say of each other.
 * Private to repository*.c.
 *
 * The bytes of the object are the list of the folder's files, see
 * repository.c; the files themselves are siblings.
 */
struct repository_file {
	const char *name;	/* relative to the folder, NUL behind it */
	size_t n, folder;	/* bytes up to and with the last slash */
	uint64_t size;
	uint64_t off;		/* of its record in the list */
	bool taken;		/* an index speaks of it */
};

struct repository {
	struct parse *p;
	struct repository_file *file;	/* by name */
	size_t files;
	uint64_t lookups;	/* left */
	bool full;		/* some memory or limit ended a check */
};

/* repository_find: NULL when the list has no such name. */
struct repository_file *repository_find(struct repository *r,
    const char *name, size_t n);

/* repository_join: "folder" of ${beside}, then ${name}; found as above. */
struct repository_file *repository_join(struct repository *r,
    const struct repository_file *beside, const char *name, size_t n);

bool repository_ends(const struct repository_file *f, const char *tail);
/* Is this the last part of its name? */
bool repository_is(const struct repository_file *f, const char *name);

/*
 * repository_open: 0 and *ret (bytesrc_free it), 1 when it cannot be read
 * (r->full is set: something was not checked), or negative.
 */
int repository_open(struct repository *r, const struct repository_file *f,
    struct bytesrc **ret);

/*
 * repository_run: parse ${src} with the format of its best bid, or ${name}'s
 * (NULL: bid), in memory of its own; *format is that format's name.  What it
 * makes must be copied.  0, 1 (not to its end), or negative: our side.
 */
int repository_run(struct repository *r, const struct bytesrc *src,
    const char *name, const struct events *ev, void *ctx,
    const char **format);

/* repository_tell: an anomaly about this file. */
int repository_tell(struct repository *r, enum anomaly id,
    const struct repository_file *f, const struct fact *more, unsigned n);

/*
 * "model-00002-of-00005.safetensors": number 2 of 5; where "-00002" begins
 * and what stands behind "00005".  False: no such name.
 */
struct repository_part {
	size_t stem, tail;
	uint64_t number, of;
};
bool repository_part(const struct repository_file *f,
    struct repository_part *ret);

/* The checks; 0 or negative. */
int repository_shards(struct repository *r);
int repository_numbers(struct repository *r);
int repository_code(struct repository *r);
int repository_shadow(struct repository *r);

#endif /* !FORMATS_REPOSITORY_H_ */
