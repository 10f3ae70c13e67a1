#ifndef FORMATS_REG_SQLITEVFS_H_
#define FORMATS_REG_SQLITEVFS_H_

#include <sqlite3.h>

#include "formats/reg/sqlitedb.h"

struct bytesrc;

/*
 * The file system that the SQLite library sees.  Private to sqlitedb.c.
 *
 * It has one file, the database, which cannot be written and never changes
 * (SQLITE_IOCAP_IMMUTABLE): then the library takes no locks and looks for no
 * log and no journal, and a database in log mode can be read without one.
 * Pages come from the log or the journal where ${about} says that one counts,
 * and from the file otherwise.  What the library asks of "the system" (time,
 * random bytes, temporary files) is refused or constant.
 */
struct sqlitevfs {
	sqlite3_vfs vfs;
	sqlite3_io_methods methods;
	char name[32];		/* no other has it */
	const struct bytesrc *src, *wal, *journal;
	const struct sqlitedb_about *about;
};

/* sqlitevfs_init: vfs, methods and name; the rest is the caller's to set. */
void sqlitevfs_init(struct sqlitevfs *v);

/* sqlitevfs_page: a part of one page, as the library sees it; 0 or negative. */
int sqlitevfs_page(const struct sqlitevfs *v, uint64_t off, uint8_t *dst,
    size_t n);

#endif /* !FORMATS_REG_SQLITEVFS_H_ */
