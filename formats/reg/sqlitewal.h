#ifndef FORMATS_REG_SQLITEWAL_H_
#define FORMATS_REG_SQLITEWAL_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;
struct bytesrc;
struct err;

/*
 * What lies beside a SQLite database and belongs to it: a write-ahead log
 * whose committed frames stand for pages of the file, or a rollback journal
 * that holds pages as they were before a transaction that did not end.
 *
 * SQLite itself would fold them in, and so change the evidence; here they
 * are read, checked as SQLite checks them (Database File Format, sections 3
 * and 4), and given as a list of pages: what a reader of the live database
 * would see is the file with these pages in place of its own.
 */
struct sqlitewal_page {
	uint32_t page;		/* from 1 */
	uint64_t off;		/* of its content in the log or journal */
};

struct sqlitewal {
	const struct sqlitewal_page *page;	/* by number, each once */
	size_t n;
	uint64_t pages;		/* size of the database; 0: as the file */

	uint64_t records;	/* whole frames or records in the file */
	uint64_t valid;		/* that pass every check, from the first on */
	uint64_t committed;	/* of those, up to the last commit */
	uint32_t page_size;	/* as the log or journal says */
	const char *why;	/* a constant: why it stands for nothing, or
				 * why reading ended; NULL: at its end */
	uint64_t why_off;
	bool odd;		/* ${why} is not what a crash leaves behind */
};

/*
 * sqlitewal_read: a write-ahead log of a database with this page size.
 * sqlitewal_journal: a rollback journal of one with ${db_pages}.
 *
 * 0; a log that is empty, stale or damaged is a fact (why), not a failure.
 * ERR_LIMIT past LIMIT_SQLITE_FRAMES, ERR_NOMEM, ERR_IO, ERR_TRUNC when the
 * source itself shrank.
 */
int sqlitewal_read(const struct bytesrc *wal, uint32_t page_size,
    struct arena *a, struct sqlitewal *ret, struct err *e);
int sqlitewal_journal(const struct bytesrc *journal, uint32_t page_size,
    uint64_t db_pages, struct arena *a, struct sqlitewal *ret,
    struct err *e);

/* sqlitewal_find: where this page's content lies, or false. */
bool sqlitewal_find(const struct sqlitewal *w, uint32_t page, uint64_t *off);

/* sqlitewal_page_size: a power of two from 512 to 65536? */
bool sqlitewal_page_size(uint32_t n);

#endif /* !FORMATS_REG_SQLITEWAL_H_ */
