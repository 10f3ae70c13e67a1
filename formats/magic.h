#ifndef FORMATS_MAGIC_H_
#define FORMATS_MAGIC_H_

#include <stddef.h>

struct err;

/*
 * libmagic's name for an object: the one file that includes magic.h.  A
 * label is an opinion, printed beside our own; it decides nothing.
 *
 * The database is loaded once, before workers are forked and before any
 * sandbox; magic_label then opens nothing (no compressed content is looked
 * into, no process is started).
 */
struct magic;

/* magic_open_db: ERR_NOTFOUND when the database cannot be loaded. */
int magic_open_db(struct magic **ret, struct err *e);
void magic_close_db(struct magic *m);	/* NULL does nothing */

/*
 * magic_label: text that lives until the next call; NULL when libmagic
 * fails.  Not printable yet: it may quote the object.
 */
const char *magic_label(struct magic *m, const void *head, size_t n);

#endif /* !FORMATS_MAGIC_H_ */
