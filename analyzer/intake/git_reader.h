#ifndef ANALYZER_INTAKE_GIT_READER_H_
#define ANALYZER_INTAKE_GIT_READER_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/fields.h"
#include "custody/derive.h"

/*
 * The fenced half of what reads git repositories.  It alone parses
 * files.jsonl and what was taken; it can open files below one folder, that
 * is empty when it begins, and make none.  So for each repository it lists
 * which files are to be copied there, to the process that git_worker.c is:
 *
 *	REPOSITORY path: its own folder, as it was taken.  The copy goes into
 *		the folder whose name is the repository's number, from 0
 *	FOLDER	path below it
 *	FILE	path below it, offset and size of the content in the bundle
 *	READY	nothing: that is all of it
 *
 * and waits for one byte: 0, it lies there; anything else, it does not, and
 * that was told already.  What the repository says goes straight to ${out_fd}
 * (regwire.h), all of it before the next one is listed.
 */
enum git_ask {
	GIT_REPOSITORY = 1,
	GIT_FOLDER,
	GIT_FILE,
	GIT_READY,
};

enum git_ask_column { GIT_A_PATH, GIT_A_OFF, GIT_A_SIZE, GIT_A_COLUMNS };
extern const struct field_def git_reader_columns[GIT_A_COLUMNS];

struct reg_reader;
extern const struct reg_reader git_reader_reg;	/* its name in rows */

struct git_reader {
	struct derive_go go;
	int bundle_fd, files_fd;
	int out_fd;		/* rows and problems */
	int answer_fd;		/* a byte for each READY */
	int folder_fd;
	unsigned first;		/* number of the first that is read */
};

/* git_reader_main: for proc_spawn; ${arg}: const struct git_reader *. */
int git_reader_main(void *arg, int ask_fd);

#endif /* !ANALYZER_INTAKE_GIT_READER_H_ */
