#ifndef ANALYZER_SCAN_CARVE_H_
#define ANALYZER_SCAN_CARVE_H_

#include <stdbool.h>
#include <stdint.h>

#include "custody/digest.h"

struct err;
struct wire_carve;

/*
 * --carve DIR: the parent writes what workers carve.
 *
 * A file is named by its SHA-256, made under another name, synced, and given
 * its name without replacing: the same bytes found twice are one file, and a
 * file that has its name is whole.  The bytes are written and hashed, never
 * looked at.
 */
struct carve_file {
	uint32_t object;
	uint64_t off, len;
	int fd;			/* -1: none is open */
	struct digest *digest;
	char tmp[40];
};

void carve_init(struct carve_file *c);

/*
 * carve_put: the next piece of an object; begins the file with the first.
 * carve_end: give the file its name; sets *sha256 and *len.  carve_drop:
 * remove a file that did not end (nothing when none is open).
 */
int carve_put(struct carve_file *c, int dir, const struct wire_carve *w,
    struct err *e);
int carve_end(struct carve_file *c, int dir, uint8_t sha256[32],
    struct err *e);
void carve_drop(struct carve_file *c, int dir);

/* carve_name: "<hex>.bin". */
#define CARVE_NAME 69
void carve_name(char dst[CARVE_NAME], const uint8_t sha256[32]);

#endif /* !ANALYZER_SCAN_CARVE_H_ */
