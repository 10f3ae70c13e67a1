#include <stdio.h>
#include <string.h>

#include "base/bytesrc.h"
#include "base/err.h"
#include "formats/reg/sqlitevfs.h"

struct file {
	sqlite3_file base;
	struct sqlitevfs *v;
};

int
sqlitevfs_page(const struct sqlitevfs *v, uint64_t off, uint8_t *dst, size_t n)
{
	const uint32_t size = v->about->page_size;
	uint64_t page = off / size + 1, at;
	const struct bytesrc *src = v->src;

	if (page > v->about->pages)
		return ERR_TRUNC;
	if (v->about->has_wal &&
	    sqlitewal_find(&v->about->wal, (uint32_t)page, &at)) {
		src = v->wal;
		off = at + off % size;
	} else if (v->about->has_journal &&
	    sqlitewal_find(&v->about->journal, (uint32_t)page, &at)) {
		src = v->journal;
		off = at + off % size;
	}
	return bytesrc_read(src, off, dst, n, NULL);
}

static int
file_read(sqlite3_file *f, void *dst, int n, sqlite3_int64 off)
{
	struct sqlitevfs *v = ((struct file *)f)->v;
	uint8_t *p = dst;
	uint64_t at = (uint64_t)off;
	size_t left = (size_t)n;

	while (left > 0) {
		size_t room = v->about->page_size -
		    (size_t)(at % v->about->page_size);
		size_t part = left < room ? left : room;

		if (sqlitevfs_page(v, at, p, part) < 0) {
			memset(p, 0, left);
			return SQLITE_IOERR_SHORT_READ;
		}
		p += part;
		at += part;
		left -= part;
	}
	return SQLITE_OK;
}

static int
file_size(sqlite3_file *f, sqlite3_int64 *ret)
{
	const struct sqlitevfs *v = ((struct file *)f)->v;

	*ret = (sqlite3_int64)(v->about->pages * v->about->page_size);
	return SQLITE_OK;
}

static int
file_close(sqlite3_file *f)
{
	(void)f;
	return SQLITE_OK;
}

static int
file_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 off)
{
	(void)f;
	(void)p;
	(void)n;
	(void)off;
	return SQLITE_READONLY;
}

static int
file_truncate(sqlite3_file *f, sqlite3_int64 n)
{
	(void)f;
	(void)n;
	return SQLITE_READONLY;
}

/* Syncing, locking and unlocking: there is nothing to do. */
static int
file_nothing(sqlite3_file *f, int n)
{
	(void)f;
	(void)n;
	return SQLITE_OK;
}

static int
file_reserved(sqlite3_file *f, int *ret)
{
	(void)f;
	*ret = 0;
	return SQLITE_OK;
}

static int
file_control(sqlite3_file *f, int op, void *p)
{
	(void)f;
	(void)op;
	(void)p;
	return SQLITE_NOTFOUND;
}

static int
file_sector(sqlite3_file *f)
{
	(void)f;
	return 4096;
}

static int
file_traits(sqlite3_file *f)
{
	(void)f;
	return SQLITE_IOCAP_IMMUTABLE;
}

static int
vfs_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags,
    int *out)
{
	struct sqlitevfs *own = v->pAppData;

	f->pMethods = NULL;
	if ((flags & SQLITE_OPEN_MAIN_DB) == 0 || name == NULL)
		return SQLITE_CANTOPEN;
	f->pMethods = &own->methods;
	((struct file *)f)->v = own;
	if (out != NULL)
		*out = SQLITE_OPEN_READONLY | SQLITE_OPEN_MAIN_DB;
	return SQLITE_OK;
}

static int
vfs_delete(sqlite3_vfs *v, const char *name, int sync)
{
	(void)v;
	(void)name;
	(void)sync;
	return SQLITE_READONLY;
}

static int
vfs_access(sqlite3_vfs *v, const char *name, int flags, int *ret)
{
	(void)v;
	(void)name;
	(void)flags;
	*ret = 0;
	return SQLITE_OK;
}

static int
vfs_path(sqlite3_vfs *v, const char *name, int n, char *ret)
{
	(void)v;
	(void)name;
	sqlite3_snprintf(n, ret, "/database");
	return SQLITE_OK;
}

static int
vfs_random(sqlite3_vfs *v, int n, char *ret)
{
	(void)v;
	memset(ret, 0, (size_t)n);
	return n;
}

static int
vfs_sleep(sqlite3_vfs *v, int us)
{
	(void)v;
	return us;
}

static int
vfs_time(sqlite3_vfs *v, double *ret)
{
	(void)v;
	*ret = 0;
	return SQLITE_OK;
}

static int
vfs_error(sqlite3_vfs *v, int n, char *ret)
{
	(void)v;
	(void)n;
	(void)ret;
	return 0;
}

void
sqlitevfs_init(struct sqlitevfs *v)
{
	v->methods = (sqlite3_io_methods){
	    .iVersion = 1,
	    .xClose = file_close,
	    .xRead = file_read,
	    .xWrite = file_write,
	    .xTruncate = file_truncate,
	    .xSync = file_nothing,
	    .xFileSize = file_size,
	    .xLock = file_nothing,
	    .xUnlock = file_nothing,
	    .xCheckReservedLock = file_reserved,
	    .xFileControl = file_control,
	    .xSectorSize = file_sector,
	    .xDeviceCharacteristics = file_traits,
	};
	(void)snprintf(v->name, sizeof(v->name), "exhibit-%p", (void *)v);
	v->vfs = (sqlite3_vfs){
	    .iVersion = 1,
	    .szOsFile = sizeof(struct file),
	    .mxPathname = 64,
	    .zName = v->name,
	    .pAppData = v,
	    .xOpen = vfs_open,
	    .xDelete = vfs_delete,
	    .xAccess = vfs_access,
	    .xFullPathname = vfs_path,
	    .xRandomness = vfs_random,
	    .xSleep = vfs_sleep,
	    .xCurrentTime = vfs_time,
	    .xGetLastError = vfs_error,
	};
}
