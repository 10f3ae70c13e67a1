#ifndef ANALYZER_TRIGGERS_DATAJOB_H_
#define ANALYZER_TRIGGERS_DATAJOB_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What the worker that looks for data sets is given: one thing that a person
 * named, as the files of it.  The parent opens and parses nothing before it
 * is asked: a file is asked for by its number (DIFF_FRAME_ASK), and its
 * descriptor comes over ${sock} with a struct datajob_answer.
 */
struct datajob_file {
	const char *name;	/* below the folder that was given */
	uint64_t size;
};

struct datajob_answer {
	uint32_t file, open;
};

struct datajob {
	const char *given;	/* as results show it */
	bool folder;
	const struct datajob_file *file;	/* in byte order of names */
	size_t files;
	uint64_t bytes;		/* of them all */
	const char *fields;	/* --fields, or NULL */
	int sock;
	bool fence;
	unsigned threads, seconds;
};

/* data_worker_main: for proc_spawn; ${arg} is a struct datajob. */
int data_worker_main(void *arg, int out_fd);

#endif /* !ANALYZER_TRIGGERS_DATAJOB_H_ */
