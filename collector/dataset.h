#ifndef COLLECTOR_DATASET_H_
#define COLLECTOR_DATASET_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

struct buf;
struct err;
struct proc;

/*
 * The files of a data set, for who takes a slice of one or checks it: a file,
 * or all regular files below a folder, in byte order of their names.
 *
 * Opened as objects of a walk are (take.c): beneath the root, no link
 * followed, O_NOATIME where that is permitted, and only while they are the
 * inodes that were seen.
 */
struct dataset_file {
	char *name;		/* below the root */
	uint64_t ino, size;
	uint32_t major, minor, mode;
	struct statx_timestamp mtime, ctime;
	bool has_sha256;
	bool noatime;		/* as it was opened last */
	uint8_t sha256[32];
};

struct dataset {
	int dir;		/* the root; of one file the folder of it */
	char *path;		/* absolute: of the file, or of the root */
	bool folder;
	struct statx st;	/* of the path */
	struct dataset_file *v;
	size_t n, cap;
	uint64_t bytes;
	/*
	 * What cannot be read (and ${errnum}), or is no part of the data set.
	 * May be NULL, and negative ends it.
	 */
	int (*tell)(void *ctx, const char *path, const char *what,
	    int errnum);
	/* Is it to be taken?  1, 0, negative.  May be NULL. */
	int (*enter)(void *ctx, int dir, const char *name, const char *path,
	    const struct statx *up, const struct statx *st);
	void *ctx;
};

/*
 * dataset_open: ${dir} is the folder that ${name} lies in, without a link in
 * it.  1, or 0: there is none, and that was told; or negative.  ${d} has its
 * callbacks set and is zero besides.
 */
int dataset_open(struct dataset *d, const char *dir, const char *name,
    struct err *e);
void dataset_release(struct dataset *d);

/* dataset_fd: file ${i}, to be read; -1 and errno (ESTALE: it is another). */
int dataset_fd(struct dataset *d, size_t i);
/* dataset_path: the absolute path of file ${i}, appended. */
void dataset_path(const struct dataset *d, size_t i, struct buf *b);
/* dataset_changed: does the name lead to what was seen, unchanged? */
bool dataset_changed(const struct dataset *d, size_t i);

/* Files of ids, on the heap: dataset_ids_free frees them and their list. */
struct dataset_ids {
	char *name;		/* as the specification has it */
	uint8_t *p;
	size_t n;
};
void dataset_ids_free(struct dataset_ids *ids, size_t n);

struct dataset_words {
	const char *spec;
	const struct dataset_ids *ids;
	size_t nids;
};

/*
 * dataset_job: what the worker is told (custody/slicewire.h), in memory
 * without a name.  dataset_give: send it to one that waits at ${sock}, and set
 * its deadline by the data set's size; slices of ${bundle} are to be checked
 * unless that is -1.  A worker that is gone already is no error: its end says
 * why.
 */
int dataset_job(const struct dataset *d, const struct dataset_words *w,
    int *fd, uint64_t *size, struct err *e);
int dataset_give(const struct dataset *d, const struct dataset_words *w,
    struct proc *worker, int sock, int bundle, struct err *e);
/*
 * dataset_answer: the worker asked for file ${i}.  ERR_FORMAT: there is no
 * such file; ERR_CHILD: it is gone.  *errnum: why it could not be opened.
 */
int dataset_answer(struct dataset *d, int sock, uint64_t i, int *errnum);

#endif /* !COLLECTOR_DATASET_H_ */
